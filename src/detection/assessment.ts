import { slowTrendOf } from './detectors/slow-trend.ts';
import { trendOf } from './detectors/trend.ts';
import type { Trend } from './detectors/trend.ts';
import { coarseView, feedCoarse } from './coarse-feed.ts';
import { newObservation, observe, recent, unscaled } from './detectors/own-history.ts';
import type { Observation } from './detectors/own-history.ts';
import type { DetectionSettings } from './engine-input.ts';
import type { MetricProfile } from './metric-profile.ts';
import type { MetricSpec, Reading } from './sample.ts';
import { admit, refusal } from './series-gate.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';
import type { Cursor } from './state/slab.ts';
import { medianOfThree } from './statistics/median.ts';
import type { NoVerdictReason, Score } from './verdict.ts';

/** A metric as the engine uses it: its spec with what is known of it. */
export interface Watched {
  readonly spec: MetricSpec;
  readonly profile: MetricProfile;
}

/** What the slow detectors say: ratios (1: alarm line; 0: silent), and what the day expects (NaN: nothing). */
export interface SlowView {
  readonly seasonalRatio: number;
  readonly seasonalExpected: number;
  readonly residualSigma: number;
  /** The profile that the expectation comes from. */
  readonly season: 'day' | 'week';
  readonly shapeRatio: number;
}

/** What the young model knows, the last 60 learnt samples: it follows where the past does not yet. */
export interface RecentView {
  readonly expected: number;
  readonly sigma: number;
}

/**
 * One series in one poll, on its way to a verdict: gathered first, then compared with peers and load, then judged,
 * then taught. Lives for one call of the engine.
 */
export interface Assessment {
  readonly watched: Watched;
  /** -1: the series is not known and there is no value to open it with. */
  readonly slot: number;
  /** Why nothing can be said; `undefined`: there is a value. */
  readonly refused: NoVerdictReason | undefined;
  readonly value: number;
  readonly atMs: number;
  /** A new sample that may be learnt. */
  readonly fresh: boolean;
  readonly observation: Observation;
  readonly learnt: number;
  /** Of them, seen by predecessors only (`inheritance.ts`), and learnt before the present level was accepted. */
  readonly inherited: number;
  readonly learntBefore: number;
  readonly contiguous: number;
  /** Median of the last three samples: one wild sample moves nothing. */
  readonly smooth: number;
  /** Mean and standard deviation of what was learnt, in the metric's unit. */
  readonly expected: number;
  readonly sigma: number;
  readonly recent: RecentView;
  /** Range of what was learnt, in the metric's unit. */
  readonly low: number;
  readonly high: number;
  readonly modelAgeMs: number;
  /** Where the scale ends for this series: the container's limit or the unit's ceiling. */
  readonly limit: number | undefined;
  readonly trend: Trend | undefined;
  /** The slope of the last hours; `undefined` for what does not fill, or while too little is seen. */
  readonly slowTrend: Trend | undefined;
  readonly slow: SlowView;
  /** Deviation from the peers over what is needed, signed; NaN: no peers. */
  peerRatio: number;
  peerExpected: number;
  peerNeeded: number;
  peerDeviation: number;
  readonly scores: Score[];
}

/** What the caller knows of the series beside its reading. */
export interface SeriesContext {
  readonly key: string;
  readonly watched: Watched;
  readonly reading: Reading;
  readonly settings: DetectionSettings;
  readonly nowMs: number;
  readonly limit: number | undefined;
  readonly wantsShape: boolean;
  /** A scratch to observe into: it is this series' own until the engine's call ends. */
  readonly observation: Observation;
}

const NO_SLOW_VIEW: SlowView = {
  seasonalRatio: 0,
  seasonalExpected: NaN,
  residualSigma: 0,
  season: 'day',
  shapeRatio: 0,
};
const SILENT: Omit<Assessment, 'watched' | 'slot' | 'refused' | 'observation' | 'scores'> = {
  value: NaN,
  atMs: NaN,
  fresh: false,
  learnt: 0,
  inherited: 0,
  learntBefore: 0,
  contiguous: 0,
  smooth: NaN,
  expected: NaN,
  sigma: 0,
  recent: { expected: NaN, sigma: 0 },
  low: NaN,
  high: NaN,
  modelAgeMs: 0,
  limit: undefined,
  trend: undefined,
  slowTrend: undefined,
  slow: NO_SLOW_VIEW,
  peerRatio: NaN,
  peerExpected: NaN,
  peerNeeded: NaN,
  peerDeviation: NaN,
};
const NOTHING_OBSERVED = newObservation();

/** Admits a reading to its series and moves the windows; opens the series at its first value. */
export function gather(table: SeriesTable, context: SeriesContext): Assessment {
  const { key, watched, reading, settings, nowMs, observation } = context;
  const refused = refusal(reading, settings, nowMs);
  if (refused !== undefined || reading.kind === 'unknown') {
    return silent(table, watched, table.find(key), refused ?? 'Absent', nowMs);
  }
  const slot = table.open(key);
  const c = table.record(slot);
  c.f64[c.d + D.seenAtMs] = nowMs;
  const admission = admit(c, reading.value, reading.atMs, settings.intervalMs);
  if (admission === 'warming-up') return silent(table, watched, slot, 'Gap', nowMs);
  if (admission === 'fresh') {
    observeFresh(c, reading.value, observation);
    const wants = { shape: context.wantsShape, slope: watched.profile.fills };
    feedCoarse(table, slot, observation.y, reading.atMs, wants);
  } else {
    recall(c, observation);
  }
  const { slow, slowTrend } = slowViews(table, slot, context);
  return describe(table.record(slot), context, { slot, fresh: admission === 'fresh', slow, slowTrend });
}

type SlowViews = Pick<Assessment, 'slow' | 'slowTrend'>;
const NO_SLOW_VIEWS: SlowViews = { slow: NO_SLOW_VIEW, slowTrend: undefined };

function slowViews(table: SeriesTable, slot: number, { watched, limit }: SeriesContext): SlowViews {
  const c = table.record(slot);
  const view = coarseView(table, slot, c.f64[c.d + D.lastAtMs] ?? 0);
  if (view === undefined) return NO_SLOW_VIEWS;
  const { seasonalRatio, seasonalExpected, residualSigma, season, shapeRatio, coarse } = view;
  const scale = c.f64[c.d + D.scale] ?? 1;
  return {
    slow: {
      seasonalRatio,
      seasonalExpected: unscaled(c, seasonalExpected),
      residualSigma: residualSigma * scale,
      season,
      shapeRatio,
    },
    slowTrend: watched.profile.fills
      ? slowTrendOf(coarse, { value: c.f64[c.d + D.lastValue] ?? NaN, scale }, endOf(watched, limit))
      : undefined,
  };
}

/** Where a rise ends: the container's limit or the unit's ceiling, else the policy's own limit. */
const endOf = (watched: Watched, limit: number | undefined): number | undefined => limit ?? watched.spec.limit?.enter;

function silent(
  table: SeriesTable,
  watched: Watched,
  slot: number,
  refused: NoVerdictReason,
  nowMs: number,
): Assessment {
  let learnt = 0;
  if (slot >= 0) {
    const c = table.record(slot);
    c.f64[c.d + D.seenAtMs] = nowMs;
    learnt = c.u32[c.u + U.learnt] ?? 0;
  }
  return { ...SILENT, watched, slot, refused, learnt, observation: NOTHING_OBSERVED, scores: [] };
}

function observeFresh(c: Cursor, value: number, observation: Observation): void {
  observe(c, value, observation);
  c.f64[c.d + D.lastRatio] = observation.ratio;
  c.f64[c.d + D.lastTail] = observation.tail;
  c.u32[c.u + U.lastFeature] = observation.feature;
}

/** The same sample polled again keeps its score: nothing happened between. */
function recall(c: Cursor, observation: Observation): void {
  observation.ratio = c.f64[c.d + D.lastRatio] ?? 0;
  observation.tail = c.f64[c.d + D.lastTail] ?? 1;
  observation.feature = c.u32[c.u + U.lastFeature] ?? 0;
}

/** A steady rise is worth a look only above everything learnt before it: below, it is a sawtooth or the tide. */
function trendAbovePast(c: Cursor, context: SeriesContext, smooth: number): Trend | undefined {
  const { watched, settings, limit } = context;
  if (!watched.profile.fills) return undefined;
  const isKnown = (c.u32[c.u + U.learnt] ?? 0) >= settings.minSamples;
  if (isKnown && smooth <= unscaled(c, c.f64[c.d + D.highBefore] ?? 0)) return undefined;
  return trendOf(c, endOf(watched, limit));
}

function describe(
  c: Cursor,
  context: SeriesContext,
  { slot, fresh, slow, slowTrend }: Pick<Assessment, 'slot' | 'fresh' | keyof SlowViews>,
): Assessment {
  const { watched, limit, observation } = context;
  const value = c.f64[c.d + D.lastValue] ?? NaN;
  const atMs = c.f64[c.d + D.lastAtMs] ?? NaN;
  const scale = c.f64[c.d + D.scale] ?? 1;
  const contiguous = c.u32[c.u + U.contiguous] ?? 0;
  const learnt = c.u32[c.u + U.learnt] ?? 0;
  const smooth = contiguous < 3 ? value : unscaled(c, medianOfThree(recent(c, 0), recent(c, 1), recent(c, 2)));
  return {
    watched,
    slot,
    refused: undefined,
    value,
    atMs,
    fresh,
    observation,
    learnt,
    inherited: c.u32[c.u + U.inherited] ?? 0,
    learntBefore: c.u32[c.u + U.learntBefore] ?? 0,
    contiguous,
    smooth,
    expected: unscaled(c, c.f64[c.d + D.value] ?? 0),
    sigma: Math.sqrt(c.f64[c.d + D.value + 1] ?? 0) * scale,
    recent: {
      expected: unscaled(c, c.f64[c.d + D.recent] ?? 0),
      sigma: Math.sqrt(c.f64[c.d + D.recent + 1] ?? 0) * scale,
    },
    low: unscaled(c, c.f64[c.d + D.low] ?? 0),
    high: unscaled(c, c.f64[c.d + D.high] ?? 0),
    modelAgeMs: Math.max(atMs - (c.f64[c.d + D.firstAtMs] ?? atMs), 0),
    limit,
    trend: trendAbovePast(c, context, smooth),
    slowTrend,
    slow,
    peerRatio: NaN,
    peerExpected: NaN,
    peerNeeded: NaN,
    peerDeviation: NaN,
    scores: [],
  };
}
