import type { ContainerSnapshot, PodSnapshot } from '../../src/lib/workload.ts';
import { aContainer } from '../../test/support/builders/workload.ts';
import { atMoment, merged } from './patch.ts';
import type { EventOf } from './shared-events.ts';

type Change = (pod: PodSnapshot) => PodSnapshot;

/** Its container has crashed so often, the last time a second ago. */
export function crashed({ restarts, exitCode, reason, livedSeconds }: EventOf<'crash'>, nowMs: number): Change {
  const diedMs = nowMs - 1_000;
  const lastTermination = { reason, exitCode, startedAtMs: diedMs - livedSeconds * 1000, finishedAtMs: diedMs };
  const waiting = { ready: false, state: 'waiting', waitingReason: 'CrashLoopBackOff' } as const;
  return (pod) => unready(pod, nowMs, { ...waiting, restartCount: restarts, lastTermination });
}

/** Its image cannot be had. */
export function unpullable(image: string, nowMs: number): Change {
  const waitingMessage = `Back-off pulling image "${image}": manifest unknown`;
  const waiting = { image, ready: false, state: 'waiting', waitingReason: 'ImagePullBackOff', waitingMessage } as const;
  return (pod) => ({ ...unready(pod, nowMs, waiting), phase: 'Pending' });
}

/** Fields of the pod, and of its first container, are replaced. */
export function changed(set: unknown, container: unknown, nowMs: number): Change {
  return (pod) => {
    const next = merged(pod, atMoment(set, nowMs));
    if (container === undefined) return next;
    return {
      ...next,
      containers: next.containers.map((each, i) => (i === 0 ? merged(each, atMoment(container, nowMs)) : each)),
    };
  };
}

function unready(pod: PodSnapshot, nowMs: number, container: Partial<ContainerSnapshot>): PodSnapshot {
  const [before] = pod.containers;
  const limits = {
    ...(before?.cpuLimit !== undefined && { cpuLimit: before.cpuLimit }),
    ...(before?.memoryLimit !== undefined && { memoryLimit: before.memoryLimit }),
  };
  return {
    ...pod,
    ready: false,
    conditions: [{ type: 'Ready', status: 'False', changedAtMs: nowMs }],
    containers: [aContainer({ ...limits, ...container }), ...pod.containers.slice(1)],
  };
}
