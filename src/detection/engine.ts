import { gather } from './assessment.ts';
import type { Assessment, Watched } from './assessment.ts';
import { feedCoarse } from './coarse-feed.ts';
import { ObservationPool, newObservation, observe, teachOwnHistory } from './detectors/own-history.ts';
import { STATUS_BREACH } from './detectors/status.ts';
import { podSeriesKey } from './engine-input.ts';
import type { DetectionSettings, Engine, JudgeInput, PodObservation } from './engine-input.ts';
import { inherit } from './inheritance.ts';
import { Lineages } from './lineage.ts';
import { scoreMetric, verdictOf } from './metric-judgement.ts';
import { profileOf } from './metric-profile.ts';
import { comparePeers } from './peer-groups.ts';
import type { PeerEntry } from './peer-groups.ts';
import { judgePod, objectionTo } from './pod-judgement.ts';
import type { JudgedPod } from './pod-judgement.ts';
import type { MetricReading, MetricSpec, Reading } from './sample.ts';
import { learn } from './series-learning.ts';
import { admit, refusal } from './series-gate.ts';
import { readSnapshot, writeSnapshot } from './state/snapshot.ts';
import { SeriesTable } from './state/series-table.ts';
import { VectorModels } from './state/vector-models.ts';
import { quantileOfSorted } from './statistics/quantile.ts';
import type { MetricVerdict, PodVerdict, WorkloadVerdict } from './verdict.ts';
import { vectorRow } from './vector-row.ts';
import { workloadVerdict } from './workload-judgement.ts';

export interface EngineOptions {
  /** Fixes every random choice: the same calls in the same order give the same verdicts. */
  readonly seed: number;
  /** How long an anomaly by learnt expectations alone must last before it is the new normal. Default 30 min. */
  readonly acceptAfterMs?: number;
  /** Metrics whose shape is watched as well (nearest neighbours: 6 kB and 10 µs per five minutes a series). Default: none. */
  readonly shapeFor?: (spec: MetricSpec) => boolean;
  /** Workloads that get a vector model (0.3 MB each), in the order of their first poll. Default 128. */
  readonly vectorModels?: number;
  /** Series that get a profile of their week (1.1 kB each), in the order in which they have lived for a day. Default 16,384. */
  readonly weeklyProfiles?: number;
}

const ACCEPT_AFTER_MS = 30 * 60_000;
const VECTOR_MODELS = 128;
const WEEKLY_PROFILES = 16_384;
const ABSENT: Reading = { kind: 'unknown', reason: 'Absent' };

/** The one engine of operator, REST API, backtest and benchmarks. */
export function createEngine(options: EngineOptions): Engine {
  return new TableEngine(options);
}

class TableEngine implements Engine {
  private readonly table: SeriesTable;
  private readonly vectors: VectorModels;
  private readonly lineages = new Lineages();
  private readonly scratch = new ObservationPool();
  private readonly acceptAfterMs: number;
  private readonly shapeFor: (spec: MetricSpec) => boolean;

  constructor(options: EngineOptions) {
    this.table = new SeriesTable(options.weeklyProfiles ?? WEEKLY_PROFILES);
    this.vectors = new VectorModels(options.seed, options.vectorModels ?? VECTOR_MODELS);
    this.acceptAfterMs = options.acceptAfterMs ?? ACCEPT_AFTER_MS;
    this.shapeFor = options.shapeFor ?? (() => false);
  }

  judge(input: JudgeInput): WorkloadVerdict {
    this.scratch.reset();
    const watched = input.metrics.map((spec) => ({ spec, profile: profileOf(spec) }));
    const ofWorkload = new Set(input.workloadReadings.map(({ metric }) => metric));
    const podMetrics = watched.filter(({ spec }) => !ofWorkload.has(spec.name));
    const pods = input.pods.map((observation) => this.gatherPod(input, observation, podMetrics));
    this.noteLineages(input);
    this.compareReplicas(pods, podMetrics.length);
    for (const { assessments } of pods) {
      for (const a of assessments) scoreMetric(this.table, a, input.settings, true);
    }
    const verdicts = pods.map((pod) => this.withVector(input, pod, judgePod(pod, input.settings)));
    pods.forEach((pod, i) => this.learnPod(input, pod, verdicts[i]));
    const workloadMetrics = watched
      .filter(({ spec }) => ofWorkload.has(spec.name))
      .map((metric) => this.judgeWorkloadMetric(input, metric));
    return workloadVerdict(input, verdicts, workloadMetrics);
  }

  judgeSeries(
    seriesKey: string,
    spec: MetricSpec,
    reading: Reading,
    settings: DetectionSettings,
    nowMs: number,
  ): MetricVerdict {
    const watched = { spec, profile: profileOf(spec) };
    const limit = watched.profile.ceiling;
    const wantsShape = this.shapeFor(spec);
    this.scratch.reset();
    const observation = this.scratch.take();
    const context = { key: seriesKey, watched, reading, settings, nowMs, limit, wantsShape, observation };
    return this.judgeAlone(gather(this.table, context), settings);
  }

  teach(seriesKey: string, spec: MetricSpec, timesMs: Float64Array, values: Float64Array): number {
    const slot = this.table.open(seriesKey);
    const wants = { shape: this.shapeFor(spec), slope: profileOf(spec).fills };
    const intervalMs = usualStep(timesMs);
    const observation = newObservation();
    let taken = 0;
    for (let i = 0; i < Math.min(timesMs.length, values.length); i++) {
      const [atMs, value] = [timesMs[i] ?? NaN, values[i] ?? NaN];
      if (!Number.isFinite(atMs) || !Number.isFinite(value)) continue;
      const c = this.table.record(slot);
      if (admit(c, value, atMs, intervalMs) !== 'fresh') continue;
      observe(c, value, observation);
      teachOwnHistory(c, observation);
      feedCoarse(this.table, slot, observation.y, atMs, wants);
      taken++;
    }
    return taken;
  }

  samples(seriesKey: string): number {
    return this.table.samples(seriesKey);
  }

  evict(notSeenSinceMs: number): number {
    this.vectors.evict(notSeenSinceMs);
    this.lineages.evict(notSeenSinceMs);
    return this.table.evict(notSeenSinceMs);
  }

  seriesCount(): number {
    return this.table.size();
  }

  knows(seriesKey: string): boolean {
    return this.table.find(seriesKey) >= 0;
  }

  snapshot(): Uint8Array {
    return writeSnapshot(this.table, this.vectors, this.lineages);
  }

  restore(bytes: Uint8Array): void {
    readSnapshot(bytes, this.table, this.vectors, this.lineages);
  }

  merge(bytes: Uint8Array): void {
    const table = new SeriesTable(this.table.weeklyProfiles);
    const vectors = new VectorModels(0, 0);
    const lineages = new Lineages();
    readSnapshot(bytes, table, vectors, lineages);
    this.table.takeRicher(table);
    this.vectors.takeRicher(vectors);
    this.lineages.takeOlder(lineages);
  }

  private gatherPod(input: JudgeInput, observation: PodObservation, metrics: readonly Watched[]): JudgedPod {
    const { settings, nowMs, workload } = input;
    const assessments = metrics.map((watched) => {
      const { name } = watched.spec;
      const key = podSeriesKey(workload, observation.pod, name);
      const reading = readingOf(observation.readings, name);
      if (this.table.find(key) < 0 && refusal(reading, settings, nowMs) === undefined) {
        this.inherit(input, observation, name, reading);
      }
      return gather(this.table, {
        key,
        watched,
        reading,
        settings,
        nowMs,
        limit: observation.saturation[name] ?? unconditionalCeiling(watched),
        wantsShape: this.shapeFor(watched.spec),
        observation: this.scratch.take(),
      });
    });
    return { observation, assessments };
  }

  /** A pod that is new takes over what its predecessors and peers know of the metric. */
  private inherit(
    { workload, settings }: JudgeInput,
    { pod, templateHash }: PodObservation,
    metric: string,
    reading: Reading,
  ): void {
    if (templateHash === undefined || reading.kind !== 'value') return;
    const donors = this.lineages.donors(workload.uid, templateHash, pod.uid);
    const { intervalMs, minSamples } = settings;
    inherit(
      this.table,
      { key: podSeriesKey(workload, pod, metric), atMs: reading.atMs, intervalMs, minSamples },
      donors.map((uid) => podSeriesKey(workload, { uid, name: '' }, metric)),
    );
  }

  private noteLineages({ workload, pods, nowMs }: JudgeInput): void {
    const byTemplate = Map.groupBy(pods, ({ templateHash }) => templateHash);
    for (const [templateHash, group] of byTemplate) {
      if (templateHash === undefined) continue;
      const uids = group.map(({ pod }) => pod.uid);
      this.lineages.note(workload.uid, templateHash, uids, nowMs);
    }
  }

  /** Replicas of one template are peers; a pod that is not ready is compared, but is no measure for others. */
  private compareReplicas(pods: readonly JudgedPod[], metrics: number): void {
    const groups = Map.groupBy(pods, ({ observation }) => observation.templateHash ?? '');
    for (const group of groups.values()) {
      if (group.length < 2) continue;
      for (let metric = 0; metric < metrics; metric++) {
        const entries: PeerEntry[] = [];
        for (const { observation, assessments } of group) {
          const assessment = assessments[metric];
          if (assessment !== undefined) entries.push({ assessment, isMeasure: observation.ready });
        }
        comparePeers(this.table, entries);
      }
    }
  }

  /** The vector is evidence beside the verdict; it never makes a pod unhealthy by itself. */
  private withVector(input: JudgeInput, pod: JudgedPod, verdict: PodVerdict): PodVerdict {
    const row = vectorRow(pod.assessments);
    const vector = row === undefined ? undefined : this.vectors.score(input.workload.uid, row, input.nowMs);
    return vector === undefined ? verdict : { ...verdict, vector };
  }

  private learnPod(input: JudgeInput, pod: JudgedPod, verdict: PodVerdict | undefined): void {
    const isBroken = pod.observation.status.some(({ severity }) => severity >= STATUS_BREACH);
    pod.assessments.forEach((a, i) => {
      const metric = verdict?.metrics[i];
      if (metric === undefined) return;
      learn(this.table, a, objectionTo(a, metric, input.settings, isBroken), this.acceptAfterMs);
    });
    const isNews = pod.assessments.some(({ fresh }) => fresh);
    const row = verdict?.state === 'healthy' && isNews ? vectorRow(pod.assessments) : undefined;
    if (row !== undefined) this.vectors.teach(input.workload.uid, row, input.nowMs);
  }

  private judgeWorkloadMetric(input: JudgeInput, watched: Watched): MetricVerdict {
    const { settings, nowMs, workload, workloadReadings } = input;
    const reading = readingOf(workloadReadings, watched.spec.name);
    const key = `${workload.uid}//${watched.spec.name}`;
    const limit = unconditionalCeiling(watched);
    const wantsShape = this.shapeFor(watched.spec);
    const observation = this.scratch.take();
    const context = { key, watched, reading, settings, nowMs, limit, wantsShape, observation };
    return this.judgeAlone(gather(this.table, context), settings);
  }

  private judgeAlone(a: Assessment, settings: DetectionSettings): MetricVerdict {
    scoreMetric(this.table, a, settings, false);
    const verdict = verdictOf(a, undefined, settings);
    learn(this.table, a, objectionTo(a, verdict, settings, false), this.acceptAfterMs);
    return verdict;
  }
}

/** The end of a unit's scale, unless it is the end only where a container limit exists. */
function unconditionalCeiling({ profile }: Watched): number | undefined {
  return profile.expectationNeedsLimit ? undefined : profile.ceiling;
}

function readingOf(readings: readonly MetricReading[], metric: string): Reading {
  return readings.find((reading) => reading.metric === metric)?.reading ?? ABSENT;
}

/** Median distance of the samples of a back-fill; a longer silence in it is a gap. */
function usualStep(timesMs: Float64Array): number {
  const steps: number[] = [];
  for (let i = 1; i < timesMs.length; i++) steps.push((timesMs[i] ?? 0) - (timesMs[i - 1] ?? 0));
  const median = quantileOfSorted(Float64Array.from(steps).sort(), 0.5);
  return median > 0 ? median : Infinity;
}
