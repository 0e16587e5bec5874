import type { ContainerSnapshot, PodSnapshot } from '../../../src/lib/workload.ts';
import { aContainer } from '../builders/workload.ts';

/** Started, and ready since this time. */
export function asReady(pod: PodSnapshot, nowMs: number): PodSnapshot {
  return {
    ...pod,
    phase: 'Running',
    ready: true,
    conditions: [{ type: 'Ready', status: 'True', changedAtMs: nowMs }],
    // Sidecars start with it, init containers have ended before.
    containers: [
      aContainer({ startedAtMs: nowMs, cpuLimit: 1, memoryLimit: 2 ** 28 }),
      ...pod.containers
        .slice(1)
        .map(({ name, image, init }) =>
          init ? ended(name, image, nowMs) : aContainer({ name, image, startedAtMs: nowMs }),
        ),
    ],
  };
}

const ended = (name: string, image: string, nowMs: number): ContainerSnapshot =>
  aContainer({
    ...{ name, image, init: true, state: 'terminated' },
    termination: { reason: 'Completed', exitCode: 0, startedAtMs: nowMs - 1_000, finishedAtMs: nowMs },
  });

/** A container that starts and dies, over and over, since some minutes. */
export function asCrashing(pod: PodSnapshot, nowMs: number): PodSnapshot {
  const lastTermination = { reason: 'Error', exitCode: 1, startedAtMs: nowMs - 90_000, finishedAtMs: nowMs - 60_000 };
  return {
    ...pod,
    phase: 'Running',
    ready: false,
    conditions: [{ type: 'Ready', status: 'False', changedAtMs: nowMs - 60_000 }],
    containers: [
      aContainer({
        ...{ ready: false, state: 'waiting', waitingReason: 'CrashLoopBackOff', restartCount: 6, lastTermination },
      }),
    ],
  };
}

/** An image that nobody has. */
export function asUnpullable(pod: PodSnapshot, nowMs: number): PodSnapshot {
  return {
    ...pod,
    phase: 'Pending',
    ready: false,
    conditions: [
      { type: 'PodScheduled', status: 'True', changedAtMs: nowMs - 90_000 },
      { type: 'Ready', status: 'False', changedAtMs: nowMs - 90_000 },
    ],
    containers: [
      aContainer({
        ...{ ready: false, state: 'waiting', waitingReason: 'ImagePullBackOff' },
        waitingMessage: 'Back-off pulling image "shop/checkout:9": manifest unknown',
      }),
    ],
  };
}
