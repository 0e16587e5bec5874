import type { ContainerSnapshot, PodCondition, PodSnapshot, TerminationSnapshot } from '../../../src/lib/workload.ts';

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const time = (name: string, ms: number | undefined): object => (ms === undefined ? {} : { [name]: iso(ms) });

/** The status that a kubelet would write of a pod that is like this. */
export function rawStatus(pod: PodSnapshot, nowMs: number): object {
  return {
    phase: pod.phase,
    reason: pod.reason ?? null,
    conditions: conditionsOf(pod, nowMs),
    containerStatuses: statusesOf(pod, false, nowMs),
    ...(pod.containers.some(({ init }) => init) && { initContainerStatuses: statusesOf(pod, true, nowMs) }),
  };
}

const statusesOf = ({ containers }: PodSnapshot, ofInit: boolean, nowMs: number): readonly object[] =>
  containers
    .filter(({ init }) => init === ofInit)
    .map((container) => ({
      ...{ name: container.name, image: container.image, imageID: container.image },
      ...{ ready: container.ready, restartCount: container.restartCount, started: container.state === 'running' },
      state: stateOf(container, nowMs),
      lastState: container.lastTermination === undefined ? {} : { terminated: terminated(container.lastTermination) },
    }));

/** Both conditions that tell of readiness, whatever else is known. */
function conditionsOf({ ready, conditions }: PodSnapshot, nowMs: number): readonly object[] {
  const known = conditions.filter(({ type }) => type !== 'ContainersReady');
  const own: PodCondition | undefined = known.find(({ type }) => type === 'Ready');
  const fallback: PodCondition = { type: 'Ready', status: ready ? 'True' : 'False', changedAtMs: nowMs };
  const readiness = own ?? fallback;
  return [...known.filter((each) => each !== own), readiness, { ...readiness, type: 'ContainersReady' }].map(
    ({ type, status, reason, message, changedAtMs }) => ({
      ...{ type, status, lastTransitionTime: iso(changedAtMs ?? nowMs) },
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    }),
  );
}

function stateOf(container: ContainerSnapshot, nowMs: number): object {
  const { waitingReason: reason = 'ContainerCreating', waitingMessage: message } = container;
  switch (container.state) {
    case 'running':
      return { running: { startedAt: iso(container.startedAtMs ?? nowMs) } };
    case 'waiting':
      return { waiting: { reason, ...(message !== undefined && { message }) } };
    case 'terminated':
      return { terminated: terminated(container.termination ?? { reason: 'Error', exitCode: 137 }) };
    case 'unknown':
      return {};
  }
}

const terminated = ({ reason, exitCode, message, startedAtMs, finishedAtMs }: TerminationSnapshot): object => ({
  ...{ reason, exitCode, ...(message !== undefined && { message }) },
  ...{ ...time('startedAt', startedAtMs), ...time('finishedAt', finishedAtMs) },
});
