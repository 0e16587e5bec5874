import type { PodVerdict } from '../detection/verdict.ts';
import type { ContainerSnapshot, PodRef, PodSnapshot, TerminationSnapshot } from '../lib/workload.ts';
import { CHANGE_WINDOW_MS } from './evidence.ts';
import type { DiagnosisInput } from './evidence.ts';

/** One pod as the rules see it: its status joined with what the verdict says of it. */
export interface PodFacts {
  readonly pod: PodRef;
  readonly running: boolean;
  readonly ready: boolean;
  readonly pending: boolean;
  readonly evicted: boolean;
  /** The verdict calls it unhealthy. */
  readonly unhealthy: boolean;
  /** Waiting reasons of its containers and reasons of its status findings. */
  readonly reasons: readonly string[];
  readonly restarts: number;
  /** Last end of a container, if it is recent (since 15 minutes before the onset) or undated. */
  readonly lastEnd?: TerminationSnapshot;
  readonly templateHash?: string;
  readonly nodeName?: string;
  readonly createdAtMs?: number;
  readonly unschedulable?: string;
}

const isWaiting = (container: ContainerSnapshot): boolean => container.state === 'waiting';

function lastEndOf(pod: PodSnapshot, sinceMs: number): TerminationSnapshot | undefined {
  const ends = pod.containers
    .flatMap((container) => [container.termination, container.lastTermination])
    .filter((end): end is TerminationSnapshot => end !== undefined)
    .filter((end) => end.finishedAtMs === undefined || end.finishedAtMs >= sinceMs);
  return ends.toSorted(
    (a, b) => (b.finishedAtMs ?? Infinity) - (a.finishedAtMs ?? Infinity) || a.exitCode - b.exitCode,
  )[0];
}

/** A milder finding is history: a container that was killed yesterday and runs today. */
const GRAVE = 0.85;

const graveReasons = (verdict: PodVerdict | undefined): readonly string[] =>
  (verdict?.status ?? []).filter((finding) => finding.severity >= GRAVE).map((finding) => finding.reason);

function factsOf(pod: PodSnapshot, input: DiagnosisInput): PodFacts {
  const verdict = input.verdict?.pods.find((each) => each.pod.uid === pod.uid || each.pod.name === pod.name);
  const waiting = pod.containers.flatMap((each) => (isWaiting(each) && each.waitingReason ? [each.waitingReason] : []));
  const scheduled = pod.conditions.find((each) => each.type === 'PodScheduled' && each.status === 'False');
  const lastEnd = lastEndOf(pod, input.onsetAtMs - CHANGE_WINDOW_MS);
  return {
    pod: { name: pod.name, uid: pod.uid },
    running: pod.phase === 'Running' && pod.deletedAtMs === undefined,
    ready: pod.ready,
    pending: pod.phase === 'Pending',
    evicted: pod.phase === 'Failed' && pod.reason === 'Evicted',
    unhealthy: verdict?.state === 'unhealthy',
    reasons: [...new Set([...waiting, ...graveReasons(verdict)])].sort(),
    restarts: pod.containers.reduce((sum, each) => sum + each.restartCount, 0),
    ...(lastEnd === undefined ? {} : { lastEnd }),
    ...(pod.templateHash === undefined ? {} : { templateHash: pod.templateHash }),
    ...(pod.nodeName === undefined ? {} : { nodeName: pod.nodeName }),
    createdAtMs: pod.createdAtMs,
    ...(scheduled?.reason === 'Unschedulable' ? { unschedulable: scheduled.message ?? 'no node fits' } : {}),
  };
}

/** Every pod of the workload, or of the verdict where there is no snapshot, by name. Pods on their way out are left out. */
export function podFacts(input: DiagnosisInput): readonly PodFacts[] {
  const byName = (a: PodFacts, b: PodFacts): number => (a.pod.name < b.pod.name ? -1 : a.pod.name > b.pod.name ? 1 : 0);
  if (input.workload !== undefined) {
    return input.workload.pods
      .filter((pod) => pod.deletedAtMs === undefined)
      .map((pod) => factsOf(pod, input))
      .toSorted(byName);
  }
  return (input.verdict?.pods ?? [])
    .map((each) => ({
      pod: each.pod,
      running: true,
      ready: graveReasons(each).length === 0,
      pending: false,
      evicted: false,
      unhealthy: each.state === 'unhealthy',
      reasons: graveReasons(each),
      restarts: 0,
    }))
    .toSorted(byName);
}

/** "a-1", "a-1 and a-2", "a-1, a-2 and 3 more". */
export function podNames(pods: readonly PodFacts[]): string {
  const names = pods.map((each) => each.pod.name);
  if (names.length <= 2) return names.join(' and ');
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
