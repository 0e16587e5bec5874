import type { ContainerSnapshot, PodSnapshot } from '../../src/lib/workload.ts';
import { aContainer } from '../../test/support/builders/workload.ts';
import { atMoment, merged } from './patch.ts';
import type { EventOf } from './shared-events.ts';

type Change = (pod: PodSnapshot) => PodSnapshot;

export type Crash = Pick<EventOf<'crash'>, 'restarts' | 'exitCode' | 'reason' | 'livedSeconds' | 'container'>;

/** Its container, or the one that is named, has crashed so often, the last time a second ago. */
export function crashed(crash: Crash, nowMs: number): Change {
  const { restarts, exitCode, reason, livedSeconds, container: name } = crash;
  const diedMs = nowMs - 1_000;
  const lastTermination = { reason, exitCode, startedAtMs: diedMs - livedSeconds * 1000, finishedAtMs: diedMs };
  const waiting = { ready: false, state: 'waiting', waitingReason: 'CrashLoopBackOff' } as const;
  const sick = { ...waiting, restartCount: restarts, lastTermination };
  return (pod) => (name === undefined ? unready(pod, nowMs, sick) : withSick(pod, name, sick, nowMs));
}

/** Without what only a container has that runs, or has ended. */
const atRest = ({ startedAtMs: _s, termination: _t, ...container }: ContainerSnapshot): ContainerSnapshot => container;

/** A sidecar that is sick leaves the others running; an init container lets none of them begin. */
function withSick(pod: PodSnapshot, name: string, sick: Partial<ContainerSnapshot>, nowMs: number): PodSnapshot {
  const found = pod.containers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`pod ${pod.name} has no container ${name}`);
  const unbegun = { ready: false, state: 'waiting', waitingReason: 'PodInitializing' } as const;
  return {
    ...pod,
    ...(found.init && { phase: 'Pending' as const }),
    ready: false,
    conditions: [{ type: 'Ready', status: 'False', changedAtMs: nowMs }],
    containers: pod.containers.map((each) => {
      if (each.name === name) return { ...atRest(each), ...sick };
      return found.init && !each.init ? { ...atRest(each), ...unbegun } : each;
    }),
  };
}

/** Its image cannot be had. */
export function unpullable(image: string, nowMs: number): Change {
  const waitingMessage = `Back-off pulling image "${image}": manifest unknown`;
  const waiting = { image, ready: false, state: 'waiting', waitingReason: 'ImagePullBackOff', waitingMessage } as const;
  return (pod) => ({ ...unready(pod, nowMs, waiting), phase: 'Pending' });
}

/** What a pod is that a release brings which fails: the kubelet cannot pull its image, or its container dies at once. */
export function failing(
  fails: 'image-error' | 'crash',
  image: string,
): (pod: PodSnapshot, nowMs: number) => PodSnapshot {
  const crash: Crash = { restarts: 4, exitCode: 1, reason: 'Error', livedSeconds: 2, container: undefined };
  return (pod, nowMs) => (fails === 'crash' ? crashed(crash, nowMs) : unpullable(image, nowMs))(pod);
}

/** The container that the pod is there for: init containers come before it. */
const ownPlace = ({ containers }: PodSnapshot): number =>
  Math.max(
    containers.findIndex(({ init }) => !init),
    0,
  );

/** Fields of the pod, and of its own container, are replaced. */
export function changed(set: unknown, container: unknown, nowMs: number): Change {
  return (pod) => {
    const next = merged(pod, atMoment(set, nowMs));
    if (container === undefined) return next;
    return {
      ...next,
      containers: next.containers.map((each, i) =>
        i === ownPlace(next) ? merged(each, atMoment(container, nowMs)) : each,
      ),
    };
  };
}

function unready(pod: PodSnapshot, nowMs: number, container: Partial<ContainerSnapshot>): PodSnapshot {
  const own = ownPlace(pod);
  const before = pod.containers[own];
  const limits = {
    ...(before?.cpuLimit !== undefined && { cpuLimit: before.cpuLimit }),
    ...(before?.memoryLimit !== undefined && { memoryLimit: before.memoryLimit }),
  };
  return {
    ...pod,
    ready: false,
    conditions: [{ type: 'Ready', status: 'False', changedAtMs: nowMs }],
    containers: pod.containers.map((each, i) => (i === own ? aContainer({ ...limits, ...container }) : each)),
  };
}
