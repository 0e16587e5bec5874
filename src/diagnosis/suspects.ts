import type { DependencyState } from './evidence.ts';
import { rankMetrics, shiftOf } from './rank.ts';
import type { MetricKind, RankedMetric, RankSeries } from './rank.ts';
import type { SuspectEvidence } from './root-cause.ts';
import type { RememberedSeries } from './series-memory.ts';

/**
 * Whose fault a moved metric is. Cpu, memory, disk, restarts: nobody else can move them. Latency and errors: whoever is
 * called as well. More or fewer requests are nobody's fault and not listed.
 */
const BLAME: Readonly<Partial<Record<string, { readonly kind: MetricKind; readonly is: 'own' | 'inherited' }>>> = {
  cpu_usage: { kind: 'utilisation', is: 'own' },
  cpu_throttling: { kind: 'ratio', is: 'own' },
  memory_usage: { kind: 'utilisation', is: 'own' },
  volume_usage: { kind: 'utilisation', is: 'own' },
  disk_io: { kind: 'rate', is: 'own' },
  restarts: { kind: 'count', is: 'own' },
  error_rate: { kind: 'ratio', is: 'inherited' },
  response_time: { kind: 'latency', is: 'inherited' },
};

/** Metrics that nobody but the workload itself can move. */
export const OWN_METRICS: readonly string[] = Object.keys(BLAME).filter((metric) => BLAME[metric]?.is === 'own');

/** What an ill service counts for at least, where its series are too short to measure how far they moved: four spreads. */
const ILL_SCORE = Math.log1p(4);

export interface SuspectFacts {
  readonly entity: string;
  readonly state: DependencyState['state'];
  /** Empty: only its state is known. */
  readonly series: readonly RememberedSeries[];
  /** Start of its own incident, else of the one that is to be explained. */
  readonly alarmAtMs: number;
  readonly onsetAtMs?: number;
}

/** One service as the search for the root cause wants it: how far its own metrics moved, and those that it inherits. */
export function suspectOf({ entity, state, series, alarmAtMs, onsetAtMs }: SuspectFacts): SuspectEvidence {
  const isUnknown = state === 'unknown';
  const moved = { own: 0, inherited: 0 };
  for (const each of state === 'unhealthy' ? series : []) {
    const blame = BLAME[each.metric];
    const shift = blame === undefined ? undefined : harmOf(each, blame.kind, alarmAtMs);
    if (blame !== undefined && shift !== undefined) moved[blame.is] = Math.max(moved[blame.is], Math.log1p(shift));
  }
  return {
    entity,
    ownScore: moved.own,
    inheritedScore: state === 'unhealthy' ? Math.max(moved.inherited, ILL_SCORE) : 0,
    ...(isUnknown && { isProxy: true }),
    ...(onsetAtMs !== undefined && { onsetAtMs }),
  };
}

/** More than a few metrics are a list that nobody reads. */
const MOST_MOVED = 3;
/** Fewer spreads than this is the usual noise. */
const LEAST_SHIFT = 3;

/** What moved most in one workload since the alarm, up or down: where to look while no cause is named. */
export function movedMost(series: readonly RememberedSeries[], alarmAtMs: number): readonly RankedMetric[] {
  const known = series.flatMap((each): readonly RankSeries[] => {
    const kind = each.metric === 'request_rate' ? 'rate' : BLAME[each.metric]?.kind;
    return kind === undefined ? [] : [asRanked(each, kind)];
  });
  return rankMetrics(known, alarmAtMs)
    .filter(({ shift }) => Math.abs(shift) >= LEAST_SHIFT)
    .slice(0, MOST_MOVED);
}

function asRanked({ metric, pod, points }: RememberedSeries, kind: MetricKind): RankSeries {
  const timesMs = Float64Array.from(points, ({ atMs }) => atMs);
  const values = Float64Array.from(points, ({ value }) => value);
  return { entity: pod ?? '', metric, kind, timesMs, values };
}

/** Whether it can be told how far the workload's own metrics moved: of a long incident the time before is forgotten. */
export const isOwnMeasured = (series: readonly RememberedSeries[], alarmAtMs: number): boolean =>
  series.some((each) => {
    const blame = BLAME[each.metric];
    return blame?.is === 'own' && harmOf(each, blame.kind, alarmAtMs) !== undefined;
  });

/** How many spreads it rose; 0: it fell. Undefined: too few polls on a side of the alarm. */
function harmOf(series: RememberedSeries, kind: MetricKind, alarmAtMs: number): number | undefined {
  const shift = shiftOf(asRanked(series, kind), alarmAtMs)?.shift;
  return shift === undefined ? undefined : Math.max(0, shift);
}
