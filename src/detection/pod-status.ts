import type { ContainerSnapshot, PodCondition, PodSnapshot } from '../lib/workload.ts';
import type { StatusFinding } from './verdict.ts';

/** Severities: from 0.85 a finding makes the pod unhealthy; below it is evidence only. */
const BROKEN = 0.95;
const GRAVE = 0.9;
const EVIDENCE = 0.5;

const NOT_READY_MS = 60_000;
/** A container that never was ready may still be starting: slow runtimes take minutes. */
const STARTING_MS = 300_000;
const UNSCHEDULED_MS = 60_000;
/** A kill or a crash this recent is still the present. */
const RECENT_MS = 600_000;
const CRASHES = 3;

const WAITING: Readonly<Record<string, number>> = {
  CrashLoopBackOff: BROKEN,
  ImagePullBackOff: BROKEN,
  ErrImagePull: BROKEN,
  ErrImageNeverPull: BROKEN,
  InvalidImageName: BROKEN,
  ImageInspectError: BROKEN,
  RegistryUnavailable: BROKEN,
  CreateContainerConfigError: BROKEN,
  CreateContainerError: BROKEN,
  RunContainerError: BROKEN,
  StartError: BROKEN,
};

/**
 * What the pod's own status says against it, gravest first, with the cluster's time of its beginning. A pod on its way
 * out and a pod that is done say nothing.
 */
export function statusFindings(pod: PodSnapshot, nowMs: number): readonly StatusFinding[] {
  if (pod.deletedAtMs !== undefined || pod.phase === 'Succeeded') return [];
  if (pod.phase === 'Failed') return [failedPod(pod, nowMs)];
  const found = [
    ...pod.containers.flatMap((container) => containerFindings(pod, container, nowMs)),
    ...unschedulable(pod, nowMs),
  ];
  // "Not ready" only where nothing says why.
  const all = found.some(({ severity }) => severity >= GRAVE) ? found : [...found, ...notReady(pod, nowMs)];
  return all.toSorted((a, b) => b.severity - a.severity);
}

function finding(reason: string, message: string, severity: number, sinceMs: number | undefined): StatusFinding {
  return sinceMs === undefined ? { reason, message, severity } : { reason, message, severity, sinceMs };
}

function condition(pod: PodSnapshot, type: string): PodCondition | undefined {
  return pod.conditions.find((candidate) => candidate.type === type);
}

/** Earliest of the times that are known. */
function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** When the pod stopped being ready, if it is not. */
function unreadySince(pod: PodSnapshot): number | undefined {
  const ready = condition(pod, 'Ready');
  return ready?.status === 'True' ? undefined : ready?.changedAtMs;
}

function containerFindings(pod: PodSnapshot, container: ContainerSnapshot, nowMs: number): StatusFinding[] {
  const { name, lastTermination } = container;
  const findings: StatusFinding[] = [];
  const waiting = container.state === 'waiting' ? container.waitingReason : undefined;
  const severity = waiting === undefined ? undefined : WAITING[waiting];
  if (waiting !== undefined && severity !== undefined) {
    const message = `container ${name} is waiting: ${waiting}${container.waitingMessage === undefined ? '' : `: ${container.waitingMessage}`}`;
    findings.push(finding(waiting, message, severity, waitingSince(pod, container, waiting)));
  } else if (isCrashing(container, nowMs)) {
    const message = `container ${name} has restarted ${container.restartCount} times and crashed within ten minutes`;
    findings.push(finding('CrashLoopBackOff', message, GRAVE, waitingSince(pod, container, 'CrashLoopBackOff')));
  }
  const killed = container.termination ?? lastTermination;
  if (killed?.reason === 'OOMKilled') findings.push(oomKilled(container, killed, nowMs));
  return findings;
}

/** Between two crashes a looping container runs for a while: it is not well for that. */
function isCrashing(container: ContainerSnapshot, nowMs: number): boolean {
  const crash = container.lastTermination;
  if (container.init || crash === undefined || crash.exitCode === 0 || container.restartCount < CRASHES) return false;
  const startedAtMs = container.startedAtMs ?? crash.finishedAtMs;
  return crash.finishedAtMs !== undefined && startedAtMs !== undefined && isRecent(startedAtMs, nowMs);
}

function isRecent(atMs: number | undefined, nowMs: number): boolean {
  return atMs === undefined || nowMs - atMs <= RECENT_MS;
}

/**
 * A crash loop began no later than the start of the last run that crashed; with three restarts it has lasted longer.
 * A pull or configuration error stands since the pod was scheduled, or since it stopped being ready.
 */
function waitingSince(pod: PodSnapshot, container: ContainerSnapshot, reason: string): number | undefined {
  const crash = container.lastTermination ?? container.termination;
  if (reason === 'CrashLoopBackOff') {
    return earliest(crash?.startedAtMs, crash?.finishedAtMs, unreadySince(pod));
  }
  return earliest(unreadySince(pod), condition(pod, 'PodScheduled')?.changedAtMs) ?? pod.createdAtMs;
}

function oomKilled(
  container: ContainerSnapshot,
  killed: NonNullable<ContainerSnapshot['termination']>,
  nowMs: number,
): StatusFinding {
  const isNow = container.state !== 'running' || isRecent(killed.finishedAtMs, nowMs);
  const message = `container ${container.name} was killed for its memory (exit code ${killed.exitCode})`;
  return finding('OOMKilled', message, isNow ? GRAVE : EVIDENCE, killed.finishedAtMs);
}

function unschedulable(pod: PodSnapshot, nowMs: number): StatusFinding[] {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return [];
  const sinceMs = scheduled.changedAtMs ?? pod.createdAtMs;
  const severity = nowMs - sinceMs > UNSCHEDULED_MS ? GRAVE : EVIDENCE;
  return [finding('Unschedulable', scheduled.message ?? 'no node takes the pod', severity, sinceMs)];
}

function notReady(pod: PodSnapshot, nowMs: number): StatusFinding[] {
  if (pod.ready || condition(pod, 'PodScheduled')?.status === 'False') return [];
  const ready = condition(pod, 'Ready');
  const sinceMs = ready?.changedAtMs ?? pod.createdAtMs;
  const wasReady = sinceMs - pod.createdAtMs > 30_000 || pod.containers.some(({ restartCount }) => restartCount > 0);
  const grace = wasReady ? NOT_READY_MS : STARTING_MS;
  const severity = nowMs - sinceMs > grace ? GRAVE : EVIDENCE;
  const seconds = Math.max(Math.round((nowMs - sinceMs) / 1000), 0);
  return [finding('NotReady', ready?.message ?? `not ready for ${seconds} s`, severity, sinceMs)];
}

/** Failed pods stay as objects long after their replacement runs: only a recent failure counts. */
function failedPod(pod: PodSnapshot, nowMs: number): StatusFinding {
  const endedAtMs = earliest(
    ...pod.containers.map(({ termination }) => termination?.finishedAtMs),
    condition(pod, 'Ready')?.changedAtMs,
    condition(pod, 'DisruptionTarget')?.changedAtMs,
  );
  const isNow = endedAtMs !== undefined && nowMs - endedAtMs <= RECENT_MS;
  const reason = pod.reason ?? 'Failed';
  return finding(reason, `the pod has failed: ${reason}`, isNow ? GRAVE : EVIDENCE, endedAtMs);
}
