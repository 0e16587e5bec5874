/** Pods and what stands around them, in the states that diagnoses tell apart. */
import type { Change, CredentialState, DependencyState, VolumeState } from '../../../src/diagnosis/evidence.ts';
import { NOW, ONSET } from './diagnosis.ts';
import type { Behaviour, PodSpec } from './diagnosis.ts';

/** A pod whose five metrics are as usual, but for these. */
export const pod = (metrics: Readonly<Record<string, Behaviour>> = {}, over: PodSpec = {}): PodSpec => ({
  metrics: {
    cpu_usage: ['flat', 40, 40],
    memory_usage: ['flat', 50, 50],
    request_rate: ['flat', 100, 100],
    error_rate: ['flat', 0.005, 0.005],
    response_time: ['flat', 80, 80],
    ...metrics,
  },
  ...over,
});

/** A pod of which nothing is wrong. */
export const calm = pod();

/** Its container was ended for its memory, half a minute ago. */
export const oom = (): PodSpec => ({
  lastEnd: { reason: 'OOMKilled', exitCode: 137, finishedAtMs: NOW - 30_000 },
  restarts: 2,
});

/** Crashed again and again, each time so long after its start. */
export const crash = (exitCode: number, afterMs?: number): PodSpec => ({
  waiting: 'CrashLoopBackOff',
  restarts: 5,
  lastEnd: {
    reason: 'Error',
    exitCode,
    ...(afterMs === undefined ? {} : { startedAtMs: NOW - 60_000 - afterMs, finishedAtMs: NOW - 60_000 }),
  },
});

/** A change of an object, four minutes before the onset. */
export const edit = (kind: Change['kind']): Change => ({ kind, name: 'it', atMs: ONSET - 240_000 });

/** Its first revision, made with it, a few minutes ago. */
export const newborn = {
  createdAtMs: ONSET - 300_000,
  revisions: [
    {
      name: 'checkout-abc',
      templateHash: 'abc',
      revision: 1,
      createdAtMs: ONSET - 300_000,
      replicas: 1,
      readyReplicas: 0,
    },
  ],
};

/** A new revision four minutes before the onset. */
export const released = {
  revisions: [
    {
      name: 'checkout-abc',
      templateHash: 'abc',
      revision: 8,
      createdAtMs: ONSET - 240_000,
      replicas: 2,
      readyReplicas: 0,
    },
    { name: 'checkout-old', templateHash: 'old', revision: 7, createdAtMs: NOW - 9e8, replicas: 0, readyReplicas: 0 },
  ],
};

/** A claim that the workload mounts. */
export const volume = (over: Partial<VolumeState>): VolumeState => ({ claim: 'data', holdsCache: false, ...over });

/** A certificate that the workload uses, ready. */
export const cert = (over: Partial<CredentialState>): CredentialState => ({
  kind: 'certificate',
  name: 'tls',
  ready: true,
  ...over,
});

/** Latency alone rises. */
export const slow: Readonly<Record<string, Behaviour>> = { response_time: ['up', 900, 80] };

/** An autoscaler that may go to ten. */
export const hpa = { kind: 'HorizontalPodAutoscaler', name: 'web', maxReplicas: 10 } as const;

/** Something that the workload calls. */
export const callee = (
  name: string,
  state: DependencyState['state'],
  more: Partial<DependencyState> = {},
): DependencyState => ({ name, kind: 'workload', state, anomalousCallees: [], ...more });
