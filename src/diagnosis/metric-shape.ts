import { isPreset, PRESETS } from '../detection/presets.ts';
import { median } from '../detection/statistics/median.ts';
import type { MetricVerdict, Score, WorkloadVerdict } from '../detection/verdict.ts';
import type { SeriesSummary } from './evidence.ts';

type Direction = 'up' | 'down' | 'flat' | 'unknown';

/** What one metric of one pod (or of the workload) does. */
export interface MetricState {
  readonly metric: string;
  /** `undefined`: the workload as a whole. */
  readonly pod: string | undefined;
  readonly direction: Direction;
  /** Not anomalous by itself, but on the way (score from 0.5): it may complete "all replicas". */
  readonly leaning: Direction;
  readonly score: number;
  readonly value: number | undefined;
  readonly expected: number | undefined;
  /** Climbs over several windows, or towards its limit. */
  readonly rising: boolean;
  readonly slopePerSecond: number | undefined;
  readonly timeToLimitMs: number | undefined;
  /** Stands out among the replicas of its template. */
  readonly peerOutlier: boolean;
  /** A limit or the container's limit is met. */
  readonly limited: boolean;
  /** Something healthy to compare with is known: history, peers or a limit. */
  readonly hasBaseline: boolean;
  readonly onsetAtMs: number | undefined;
  readonly atMs: number | undefined;
}

/** What one metric does over all pods. */
export interface MetricShape {
  readonly metric: string;
  readonly direction: Direction;
  /** How many of the pods with a reading carry the direction; `workload`: the metric has no pods. */
  readonly scope: 'none' | 'one' | 'some' | 'all' | 'workload';
  /** Names of the pods that carry it, worst first. */
  readonly pods: readonly string[];
  readonly known: number;
  /**
   * The pods that carry it show another value than those that do not, and these show what is expected of them. A level to which the models of some pods have grown
   * used and those of others have not is a matter of all of them. True where there is nothing to compare.
   */
  readonly isApart: boolean;
  readonly score: number;
  /** Earliest onset among those that carry it. */
  readonly onsetAtMs?: number;
  readonly rising: boolean;
  readonly states: readonly MetricState[];
  /** The state that carries it most. */
  readonly worst?: MetricState;
}

const NEARLY = 0.5;
/** A value outside its band by this share of the expected one has moved, even while the alarm is in its refractory period. */
const MOVED_RATIO = 0.25;
const CLIMBING_WINDOWS = 3;
/** "All replicas" leaves room for one in five that is not yet there. */
const ALL_SHARE = 0.8;

const finite = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) ? value : undefined;

/** A score in 0-1, or 0 for what is no number. */
export const bounded = (value: number): number => (Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0);

const AGAINST_LIMITS: readonly string[] = ['limit', 'saturation'];
const PEERS: readonly string[] = ['peers'];

/** A limit's `expected` is the limit itself, and with hysteresis the value may stand on either side of it. */
const harmsAbove = (metric: string): boolean => !isPreset(metric) || PRESETS[metric].direction === 'Above';

function sideOf(metric: string, score: Score): Direction {
  const observed = finite(score.observed);
  if (observed === undefined) return 'unknown';
  if (AGAINST_LIMITS.includes(score.detector) && harmsAbove(metric)) return 'up';
  const [low, high] = score.band ?? [score.expected, score.expected];
  if (high !== undefined && observed > high) return 'up';
  if (low !== undefined && observed < low) return 'down';
  if (score.expected !== undefined && observed !== score.expected) return observed > score.expected ? 'up' : 'down';
  return score.detector === 'trend' || AGAINST_LIMITS.includes(score.detector) ? 'up' : 'flat';
}

/** Outside its band by a quarter of what was expected. */
function hasMoved(score: Score): boolean {
  const expected = finite(score.expected);
  if (AGAINST_LIMITS.includes(score.detector)) return false;
  if (expected === undefined || score.band === undefined || !Number.isFinite(score.observed)) return false;
  const outside = score.observed > score.band[1] || score.observed < score.band[0];
  return outside && Math.abs(score.observed - expected) >= MOVED_RATIO * Math.max(Math.abs(expected), 1e-9);
}

/** Shift of a summarised series in inter-quartile ranges, floored at 5 % of the median; undefined without baseline. */
export function robustShift(summary: SeriesSummary): number | undefined {
  const median = finite(summary.baselineMedian);
  const current = finite(summary.current);
  if (median === undefined || current === undefined) return undefined;
  const spread = Math.max(finite(summary.baselineIqr) ?? 0, Math.abs(median) * 0.05, 1e-9);
  return (current - median) / spread;
}

function summaryDirection(summary: SeriesSummary | undefined): Direction {
  const shift = summary === undefined ? undefined : robustShift(summary);
  if (shift === undefined || summary === undefined) return 'unknown';
  const median = Math.abs(summary.baselineMedian ?? 0);
  const moved =
    Math.abs((summary.current ?? 0) - (summary.baselineMedian ?? 0)) >= MOVED_RATIO * Math.max(median, 1e-9);
  if (!moved || Math.abs(shift) < 4) return 'flat';
  return shift > 0 ? 'up' : 'down';
}

function scoresOf(verdict: MetricVerdict): readonly Score[] {
  const { verdict: main, detectors } = verdict;
  if (main.kind !== 'score' || main === detectors[0]) return detectors;
  return [main, ...detectors.filter((score) => score !== main)];
}

/** A state without a usable verdict: only the summary of its series speaks. */
function stateOfSummary(summary: SeriesSummary, threshold: number): MetricState {
  const { metric, pod } = summary;
  return joinState({ metric, pod, scores: [], value: undefined, atMs: undefined, summary, threshold });
}

interface Joined {
  readonly metric: string;
  readonly pod: string | undefined;
  readonly scores: readonly Score[];
  readonly value: number | undefined;
  readonly atMs: number | undefined;
  readonly summary: SeriesSummary | undefined;
  readonly threshold: number;
}

/** The verdict's direction; where it is calm, that of the summary. */
function directionOf({ metric, scores, summary, threshold }: Joined): Direction {
  const main = scores[0];
  const bySummary = summaryDirection(summary);
  if (main === undefined) return bySummary;
  const telling = bounded(main.score) >= threshold ? main : scores.find(hasMoved);
  const byScore = telling === undefined ? 'flat' : sideOf(metric, telling);
  return byScore !== 'flat' || bySummary === 'unknown' ? byScore : bySummary;
}

/** Slope and time to the limit, from the trend detector before the summary. */
function motion({ scores, summary }: Joined): Pick<MetricState, 'rising' | 'slopePerSecond' | 'timeToLimitMs'> {
  const trend = scores.find((each) => each.detector === 'trend' && each.score >= NEARLY);
  const slope = finite(trend?.slopePerSecond ?? scores[0]?.slopePerSecond ?? summary?.slopePerSecond);
  const timeToLimit = finite(trend?.timeToLimitMs ?? scores[0]?.timeToLimitMs ?? summary?.timeToLimitMs);
  const climbs = (trend !== undefined && (slope ?? 1) > 0) || (summary?.climbingWindows ?? 0) >= CLIMBING_WINDOWS;
  return { rising: climbs, slopePerSecond: slope, timeToLimitMs: timeToLimit };
}

const SELF_EVIDENT: readonly string[] = [...AGAINST_LIMITS, ...PEERS];

/** What was expected by a detector that learnt it. */
const expectedOf = (scores: readonly Score[]): number | undefined =>
  scores.find((score) => score.expected !== undefined && !AGAINST_LIMITS.includes(score.detector))?.expected;

function hasBaseline({ scores, summary }: Joined): boolean {
  if (finite(summary?.baselineMedian) !== undefined) return true;
  return scores.some((each) => each.expected !== undefined || SELF_EVIDENT.includes(each.detector));
}

function joinState(joined: Joined): MetricState {
  const { metric, pod, scores, summary, threshold } = joined;
  const main = scores[0];
  const direction = directionOf(joined);
  const isMoving = direction === 'up' || direction === 'down';
  const score = main === undefined ? (isMoving ? threshold : 0) : bounded(main.score);
  const isLoud = (detectors: readonly string[]): boolean =>
    scores.some((each) => each.score >= threshold && detectors.includes(each.detector));
  const { rising, slopePerSecond, timeToLimitMs } = motion(joined);
  return {
    metric,
    pod,
    direction,
    leaning: main !== undefined && score >= NEARLY ? sideOf(metric, main) : direction,
    score,
    value: finite(joined.value ?? main?.observed ?? summary?.current),
    expected: finite(expectedOf(scores) ?? summary?.baselineMedian),
    rising,
    slopePerSecond,
    timeToLimitMs,
    peerOutlier: isLoud(PEERS),
    limited: isLoud(AGAINST_LIMITS),
    hasBaseline: hasBaseline(joined),
    onsetAtMs: finite(summary?.onsetAtMs),
    atMs: finite(joined.atMs),
  };
}

/** The states of every pod and metric; summaries refine the verdicts and stand in where there is none. */
export function metricStates(
  verdict: WorkloadVerdict | undefined,
  series: readonly SeriesSummary[],
  threshold: number,
): readonly MetricState[] {
  const key = (metric: string, pod: string | undefined): string => `${metric}\u0000${pod ?? ''}`;
  const summaries = new Map(series.map((summary) => [key(summary.metric, summary.pod), summary]));
  const states: MetricState[] = [];
  const add = (pod: string | undefined, each: MetricVerdict): void => {
    const summary = summaries.get(key(each.metric, pod));
    summaries.delete(key(each.metric, pod));
    states.push(
      joinState({
        metric: each.metric,
        pod,
        scores: scoresOf(each),
        value: each.value,
        atMs: each.atMs,
        summary,
        threshold,
      }),
    );
  };
  for (const pod of verdict?.pods ?? []) for (const metric of pod.metrics) add(pod.pod.name, metric);
  for (const metric of verdict?.workloadMetrics ?? []) add(undefined, metric);
  for (const summary of summaries.values()) states.push(stateOfSummary(summary, threshold));
  return states;
}

const worstFirst = (a: MetricState, b: MetricState): number =>
  b.score - a.score || ((a.pod ?? '') < (b.pod ?? '') ? -1 : 1);

function scopeOf(carrying: number, leaning: number, known: number): MetricShape['scope'] {
  if (carrying === 0) return 'none';
  if (leaning >= ALL_SHARE * known && carrying >= known / 2) return 'all';
  return carrying === 1 ? 'one' : 'some';
}

const valuesOf = (states: readonly MetricState[]): number[] => states.flatMap(({ value }) => value ?? []);

/** The others went the same way from what they are expected to show, though nothing calls them anomalous (any more). */
function haveMovedToo(others: readonly MetricState[], direction: Direction): boolean {
  const ratios = others.flatMap(({ value, expected }) =>
    value === undefined || expected === undefined || expected <= 0 ? [] : value / expected - 1,
  );
  const typical = ratios.length === 0 ? 0 : median(ratios);
  return direction === 'down' ? typical <= -MOVED_RATIO : typical >= MOVED_RATIO;
}

/** Away from what the others show by as much as makes a move; the nearest of those that carry it decides. */
function standApart(carrying: readonly MetricState[], all: readonly MetricState[], direction: Direction): boolean {
  const others = all.filter((state) => !carrying.includes(state));
  const known = valuesOf(others);
  const own = valuesOf(carrying);
  if (known.length === 0 || own.length === 0) return true;
  if (haveMovedToo(others, direction)) return false;
  const usual = median(known);
  const nearest = Math.min(...own.map((value) => Math.abs(value - usual)));
  return nearest >= MOVED_RATIO * Math.max(Math.abs(usual), 1e-9);
}

/** Most metrics that the types ask for are not there. */
const NOT_KNOWN: Omit<MetricShape, 'metric'> = {
  direction: 'unknown',
  scope: 'none',
  pods: [],
  known: 0,
  isApart: true,
  score: 0,
  rising: false,
  states: [],
};

/** What a metric does over the workload: `up` wins over `down` where pods differ, unless more of them fall. */
export function metricShape(metric: string, all: readonly MetricState[]): MetricShape {
  const mine = all.filter((state) => state.metric === metric);
  if (mine.length === 0) return { ...NOT_KNOWN, metric };
  const perPod = mine.filter((state) => state.pod !== undefined && state.direction !== 'unknown');
  const whole = mine.filter((state) => state.pod === undefined && state.direction !== 'unknown');
  const states = perPod.length > 0 ? perPod : whole;
  const up = states.filter((state) => state.direction === 'up');
  const down = states.filter((state) => state.direction === 'down');
  const direction: Direction =
    states.length === 0
      ? 'unknown'
      : up.length === 0 && down.length === 0
        ? 'flat'
        : up.length >= down.length
          ? 'up'
          : 'down';
  const carrying = (direction === 'up' ? up : direction === 'down' ? down : []).toSorted(worstFirst);
  const leaning = states.filter((state) => state.leaning === direction).length;
  const onsets = carrying.flatMap((state) => (state.onsetAtMs === undefined ? [] : [state.onsetAtMs]));
  const scope = scopeOf(carrying.length, leaning, states.length);
  return {
    metric,
    direction,
    scope: perPod.length === 0 && carrying.length > 0 ? 'workload' : scope,
    pods: carrying.flatMap((state) => (state.pod === undefined ? [] : [state.pod])),
    known: states.length,
    isApart: standApart(carrying, states, direction),
    score: Math.max(0, ...carrying.map((state) => state.score)),
    ...(onsets.length === 0 ? {} : { onsetAtMs: Math.min(...onsets) }),
    rising: mine.some((state) => state.rising && state.direction !== 'down'),
    states: mine,
    ...(carrying[0] === undefined ? {} : { worst: carrying[0] }),
  };
}
