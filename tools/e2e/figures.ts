import type { SeenAction } from '../demo/observer.ts';
import { summarise, type Summary } from './load/tally.ts';
import type { Chapter, FaultName, PodRecord, RunRecord } from './record.ts';
import { NEIGHBOURS, WORKLOADS } from './workloads.ts';

/** What one run comes to, fault by fault. */
export interface Figures {
  readonly leak?: LeakFigures;
  readonly overload?: OverloadFigures;
  readonly release?: ReleaseFigures;
  readonly neighbours: NeighbourFigures;
}

interface FaultFigures {
  readonly requests: Summary;
  /** Aegis's effects on the workload; alerts are none. */
  readonly effects: readonly SeenAction[];
}

interface LeakFigures extends FaultFigures {
  readonly oomKills: number;
  /** Pods of the workload that left. */
  readonly gone: readonly PodRecord[];
  /** From the beginning of the leak until the leaking pod was told to go. */
  readonly evictedAfterMs?: number;
  readonly peakShare?: number;
}

interface OverloadFigures extends FaultFigures {
  readonly baseline: number;
  readonly mostReplicas: number;
  readonly lastReplicas: number;
  /** From the beginning of the rise until more replicas than before were asked for. */
  readonly scaledAfterMs?: number;
  /** Share of all requests up to then that had failed. */
  readonly failedShareByThen?: number;
}

interface ReleaseFigures extends FaultFigures {
  readonly alerts: readonly { readonly failureType: string; readonly advice: string; readonly afterMs: number }[];
  readonly fewestReady: number;
  readonly rolledBackAfterMs?: number;
  /** Once the pods of the bad release are gone. */
  readonly afterRollback?: Summary;
}

interface NeighbourFigures {
  readonly requests: Summary;
  readonly actions: readonly SeenAction[];
  readonly alerts: number;
  /** Alerts that are about no workload of the run: storms. */
  readonly storms: number;
  /** Pods that left without their own release or scaling being the cause. */
  readonly lost: readonly PodRecord[];
}

/** After a rollback pods of the bad release still answer while the good ones come. */
const ROLLBACK_TAKES_MS = 45_000;
/** The neighbour whose pods its own good release replaces. */
const RELEASED_NEIGHBOUR = 'mail';

export function figuresOf(record: RunRecord): Figures {
  const find = (fault: FaultName): Chapter | undefined => record.chapters.find((chapter) => chapter.fault === fault);
  const [leak, overload, release] = [find('leak'), find('overload'), find('release')];
  return {
    ...(leak !== undefined && { leak: leakFigures(record, leak) }),
    ...(overload !== undefined && { overload: overloadFigures(record, overload) }),
    ...(release !== undefined && { release: releaseFigures(record, release) }),
    neighbours: neighbourFigures(record),
  };
}

function faultFigures(record: RunRecord, { workload, fromMs, toMs }: Chapter): FaultFigures {
  return {
    requests: summarise(record.seconds, workload, fromMs, toMs),
    effects: record.actions.filter((each) => each.workload === workload && each.action !== 'alert_admin'),
  };
}

function leakFigures(record: RunRecord, chapter: Chapter): LeakFigures {
  const pods = record.pods.filter(({ workload }) => workload === chapter.workload);
  const leavingMs = pods.find(({ uid }) => uid === chapter.podUid)?.leavingMs;
  return {
    ...faultFigures(record, chapter),
    oomKills: pods.reduce((sum, pod) => sum + (pod.oomKilledMs === undefined ? 0 : Math.max(1, pod.restarts)), 0),
    gone: pods.filter((pod) => pod.leavingMs !== undefined),
    ...(leavingMs !== undefined && { evictedAfterMs: leavingMs - chapter.fromMs }),
    ...(record.leakPeakShare !== undefined && { peakShare: record.leakPeakShare }),
  };
}

function overloadFigures(record: RunRecord, chapter: Chapter): OverloadFigures {
  const { workload, fromMs } = chapter;
  const replicas = record.replicas.filter((each) => each.workload === workload);
  const baseline = replicas.findLast(({ atMs }) => atMs <= fromMs)?.desired ?? 0;
  const scaled = replicas.find(({ atMs, desired }) => atMs > fromMs && desired > baseline);
  return {
    ...faultFigures(record, chapter),
    baseline,
    mostReplicas: Math.max(...replicas.map(({ desired }) => desired)),
    lastReplicas: replicas.at(-1)?.desired ?? 0,
    ...(scaled !== undefined && {
      scaledAfterMs: scaled.atMs - fromMs,
      failedShareByThen: summarise(record.seconds, workload, fromMs, scaled.atMs).failedShare,
    }),
  };
}

function releaseFigures(record: RunRecord, chapter: Chapter): ReleaseFigures {
  const { workload, fromMs, toMs } = chapter;
  const { rollback } = record;
  const ready = record.replicas.filter((each) => each.workload === workload && each.atMs >= fromMs);
  return {
    ...faultFigures(record, chapter),
    alerts: record.alerts
      .filter((alert) => alert.workload === workload)
      .map(({ failureType, advice, firstSeenMs }) => ({ failureType, advice, afterMs: firstSeenMs - fromMs })),
    fewestReady: Math.min(...ready.map((each) => each.ready)),
    ...(rollback !== undefined && {
      rolledBackAfterMs: rollback.atMs - fromMs,
      afterRollback: summarise(record.seconds, workload, rollback.atMs + ROLLBACK_TAKES_MS, toMs),
    }),
  };
}

function neighbourFigures(record: RunRecord): NeighbourFigures {
  const names = new Set(NEIGHBOURS.map(({ name }) => name));
  const fromMs = Math.min(...record.chapters.map((chapter) => chapter.fromMs));
  const those = record.seconds.filter(({ workload }) => names.has(workload));
  const together = those.map((second) => ({ ...second, workload: 'all' }));
  return {
    requests: summarise(together, 'all', fromMs, Infinity),
    actions: record.actions.filter(({ workload }) => names.has(workload)),
    alerts: record.alerts.filter(({ workload }) => names.has(workload)).length,
    storms: record.alerts.filter(({ workload }) => !WORKLOADS.some(({ name }) => name === workload)).length,
    lost: record.pods.filter(
      ({ workload, leavingMs, restarts }) =>
        names.has(workload) && (restarts > 0 || (leavingMs !== undefined && workload !== RELEASED_NEIGHBOUR)),
    ),
  };
}
