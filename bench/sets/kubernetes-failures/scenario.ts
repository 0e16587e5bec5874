import type { Change, DependencyState } from '../../../src/diagnosis/evidence.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import type { ClusterEvent } from '../../../src/lib/workload.ts';
import { NOW } from './draft.ts';
import type { Draft, PodDraft } from './draft.ts';

/** Puts one failure into a draft. What is always there is its core; everything else comes by chance. */
export interface Scenario {
  readonly label: FailureType;
  readonly name: string;
  readonly minReplicas?: number;
  build(draft: Draft): void;
}

const MINUTE = 60_000;

/** A warning about a pod. */
export const event = (pod: PodDraft, reason: string, message: string, lastAtMs = NOW - MINUTE): ClusterEvent => ({
  namespace: 'shop',
  kind: 'Pod',
  name: pod.name,
  type: 'Warning',
  reason,
  message,
  lastAtMs,
  count: 4,
});

/** Something that the workload calls. */
export const callee = (
  name: string,
  state: DependencyState['state'],
  kind: DependencyState['kind'] = 'workload',
): DependencyState => ({
  name,
  kind,
  state,
  anomalousCallees: [],
});

/** A change some minutes before the onset. */
export function changeBefore(draft: Draft, kind: Change['kind'], name: string): Change {
  return { kind, name, atMs: draft.onsetAtMs - draft.between(0.2, 6) * MINUTE };
}

/** A known call graph with these sick callees, in the drafts that have one. */
export function callGraph(draft: Draft, ...sick: readonly DependencyState[]): void {
  if (draft.hasCallGraph) draft.input = { ...draft.input, dependencies: [callee('catalogue', 'healthy'), ...sick] };
}

/** These pods crash-loop with this exit code after having lived so long. */
export function crash(draft: Draft, pods: readonly PodDraft[], exitCode: number, livedMs: number): void {
  for (const pod of pods) {
    const finishedAtMs = NOW - draft.between(20, 90) * 1000;
    Object.assign(pod, {
      ready: false,
      waiting: 'CrashLoopBackOff',
      restarts: 4 + draft.random.below(6),
      lastTermination: { reason: 'Error', exitCode, startedAtMs: finishedAtMs - livedMs, finishedAtMs },
    });
  }
}

/** A new template came minutes before the onset; `share` of the pods run it. */
export function release(draft: Draft, share: number): PodDraft[] {
  const fresh = draft.pods.slice(0, Math.max(1, Math.round(share * draft.pods.length)));
  const atMs = draft.onsetAtMs - draft.between(0.3, 4) * MINUTE;
  for (const pod of fresh) Object.assign(pod, { hash: 'new1', ageMs: NOW - atMs });
  const old = draft.pods.length - fresh.length;
  draft.workload = {
    ...draft.workload,
    revisions: [
      {
        name: 'checkout-new1',
        templateHash: 'new1',
        revision: 13,
        createdAtMs: atMs,
        replicas: fresh.length,
        readyReplicas: 0,
      },
      {
        name: 'checkout-7d9f',
        templateHash: '7d9f',
        revision: 12,
        createdAtMs: NOW - 8e8,
        replicas: old,
        readyReplicas: old,
      },
    ],
  };
  return fresh;
}

/** An effect that shows by chance. */
export const maybe = (draft: Draft, p: number, effect: () => void): void => {
  if (draft.chance(p)) effect();
};

/** Errors and slow answers on these pods, each by chance. */
export function suffer(draft: Draft, pods: readonly PodDraft[], errors: number, latency: number): void {
  maybe(draft, 0.8, () => draft.scale(pods, 'error_rate', errors));
  maybe(draft, 0.8, () => draft.scale(pods, 'response_time', latency));
}
