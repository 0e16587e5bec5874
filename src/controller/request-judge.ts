import type { DetectionSettings, Engine } from '../detection/engine-input.ts';
import { metricSpec } from '../detection/metric-profile.ts';
import type { MetricSpec } from '../detection/sample.ts';
import type { MetricVerdict, Score } from '../detection/verdict.ts';
import { fingerprint } from '../lib/fingerprint.ts';
import { sortFew } from '../lib/sort-few.ts';
import type { MetricSample } from './detection-api.ts';
import { createFirstSamples } from './first-samples.ts';
import { requestMemory, type ModelMemory } from './request-memory.ts';

/** A sample with what the engine said of it. */
export interface JudgedSample {
  readonly sample: MetricSample;
  readonly seriesKey: string;
  /** 0-1; 0 where no detector had anything to say. */
  readonly score: number;
  /** The decisive detector; `undefined`: none spoke. */
  readonly decisive: Score | undefined;
  readonly detectors: readonly Score[];
  /** Samples of the series learnt before this one. */
  readonly samples: number;
}

export interface JudgeSetting {
  /** The engine that remembers. The caller gives it to REST alone, so that no request can bend the operator's memory. */
  readonly engine: Engine;
  /** A second, empty engine for samples that cannot join their series' history; it is emptied again and again. */
  readonly scratch: Engine;
  readonly anomalyThreshold: number;
  readonly minSamples: number;
  /** Series remembered; beyond it the longest silent ones are forgotten. */
  readonly maxSeries: number;
}

/** Judges the samples of a request in the order of their times and remembers how many series it knows. */
export interface RequestJudge {
  /**
   * Hands each judged sample to `visit`, which keeps what it needs of it. Yields now and then, so that a caller with a
   * large request can let others be served in between.
   */
  judge(samples: readonly MetricSample[], nowMs: number, visit: (judged: JudgedSample) => void): Generator<void>;
  samplesJudged(): number;
  /** All that is remembered, for whoever keeps it over restarts. */
  readonly memory: ModelMemory;
}

/**
 * A caller polls as it likes and may send samples of last year: nothing is stale, and only a silence of more than
 * twice this starts a series' recent windows anew.
 */
const INTERVAL_MS = 3_600_000;
const SCRATCH_SERIES = 256;
/** Samples judged in one go: a few milliseconds. */
const STEP = 400;
/** Silences after which series are given up, tried in turn until there is room. */
const SILENT_FOR_MS = [86_400_000, 21_600_000, 3_600_000, 900_000, 300_000, 60_000, 10_000, 1_000, 0, -1];

export function createRequestJudge(setting: JudgeSetting): RequestJudge {
  const { engine, scratch } = setting;
  const settings: DetectionSettings = {
    anomalyThreshold: setting.anomalyThreshold,
    minSamples: setting.minSamples,
    maxSampleAgeMs: Number.MAX_SAFE_INTEGER,
    intervalMs: INTERVAL_MS,
  };
  const firstSamples = createFirstSamples(setting.maxSeries);
  let judged = 0;
  let alone = 0;

  /** Without history: for a sample that is not newer than its series, or comes after a long silence. */
  const judgeAlone = (spec: MetricSpec, sample: MetricSample, nowMs: number): MetricVerdict => {
    if (scratch.seriesCount() >= SCRATCH_SERIES) scratch.evict(Infinity);
    const reading = { kind: 'value', value: sample.value, atMs: sample.atMs } as const;
    alone += 1;
    return scratch.judgeSeries(`alone/${alone}`, spec, reading, settings, nowMs);
  };

  const judgeOne = (seriesKey: string, sample: MetricSample, nowMs: number): JudgedSample => {
    const spec = metricSpec(sample.metricType);
    const reading = { kind: 'value', value: sample.value, atMs: sample.atMs } as const;
    // The contract takes samples that are a little ahead of this server; to the engine they are simply now.
    const atMs = Math.max(nowMs, sample.atMs);
    judged += 1;
    if (!engine.knows(seriesKey)) {
      const first = firstSamples.take(seriesKey);
      if (first === undefined) {
        firstSamples.keep(seriesKey, { value: sample.value, atMs: sample.atMs, judgedAtMs: atMs });
        return judgedBy(judgeAlone(spec, sample, atMs), seriesKey, sample, 0);
      }
      const firstReading = { kind: 'value', value: first.value, atMs: first.atMs } as const;
      engine.judgeSeries(seriesKey, spec, firstReading, settings, first.judgedAtMs);
    }
    const own = engine.judgeSeries(seriesKey, spec, reading, settings, atMs);
    const speaksOfIt = own.verdict.kind === 'score' && own.value === sample.value && own.atMs === sample.atMs;
    return judgedBy(speaksOfIt ? own : judgeAlone(spec, sample, atMs), seriesKey, sample, own.verdict.samples);
  };

  const makeRoom = (nowMs: number): void => {
    if (engine.seriesCount() <= setting.maxSeries) return;
    for (const silentForMs of SILENT_FOR_MS) {
      engine.evict(nowMs - silentForMs);
      if (engine.seriesCount() <= 0.75 * setting.maxSeries) return;
    }
  };

  return {
    *judge(samples, nowMs, visit) {
      makeRoom(nowMs);
      let sinceYield = 0;
      for (const sample of inTimeOrder(samples)) {
        if (sinceYield === STEP) {
          sinceYield = 0;
          yield;
        }
        sinceYield += 1;
        visit(judgeOne(seriesKeyOf(sample), sample, nowMs));
      }
    },
    samplesJudged: () => judged,
    memory: requestMemory(engine, firstSamples),
  };
}

function judgedBy(verdict: MetricVerdict, seriesKey: string, sample: MetricSample, samples: number): JudgedSample {
  const detectors = verdict.detectors.every(isFiniteScore)
    ? verdict.detectors
    : verdict.detectors.filter(isFiniteScore);
  const decisive = detectors[0];
  const score = Math.min(1, Math.max(0, decisive?.score ?? 0));
  return { sample, seriesKey, score, decisive, detectors, samples };
}

const isFiniteScore = ({ score }: Score): boolean => Number.isFinite(score);

/** The identity of a series: its metric and its label set, in whatever order the labels were sent. */
export function seriesKeyOf({ metricType, labels }: Pick<MetricSample, 'metricType' | 'labels'>): string {
  const names = sortFew(Object.keys(labels), (a, b) => a < b);
  // Joined, not added up: what is kept as a key would else stay a tree of its parts, three times as large.
  const parts = ['rest/', metricType];
  for (const name of names) parts.push('\u0000', apart(name), '\u0001', apart(labels[name] ?? ''));
  const key = parts.join('');
  // Labels may be a hundred kilobytes, and ten thousand series are remembered. Whoever makes two sets equal has gained
  // nothing: every caller may send any set.
  return key.length <= MAX_KEY ? key : `rest/${metricType}\u0000#${fingerprint(key)}`;
}

/** Characters of a key that is kept as it is. */
const MAX_KEY = 1_024;

/** No label may hold what stands between labels: two sets would be one series. */
const apart = (text: string): string =>
  SEPARATOR.test(text) ? text.replaceAll(SEPARATORS, (c) => `\u0002${c.charCodeAt(0)}`) : text;
const SEPARATOR = /[\u0000-\u0002]/;
const SEPARATORS = new RegExp(SEPARATOR, 'g');

/** Stable: samples of one instant keep the order in which they were sent. Most requests are in order already. */
function inTimeOrder(samples: readonly MetricSample[]): readonly MetricSample[] {
  const isSorted = samples.every((sample, i) => i === 0 || (samples[i - 1]?.atMs ?? 0) <= sample.atMs);
  return isSorted ? samples : [...samples].sort((a, b) => a.atMs - b.atMs);
}
