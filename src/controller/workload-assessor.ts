import type { Engine, DetectionSettings } from '../detection/engine-input.ts';
import { podSeriesKey } from '../detection/engine-input.ts';
import { CLOSE_AFTER } from '../detection/incident.ts';
import { stepIncident } from '../detection/incident-step.ts';
import type { IncidentTransition } from '../detection/incident-step.ts';
import { withMovedSamples } from '../detection/moved-times.ts';
import { observePod } from '../detection/pod-observation.ts';
import type { MetricSpec } from '../detection/sample.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import { podsMissing, workloadFindings } from '../detection/workload-status.ts';
import { KEPT, type RememberedSeries } from '../diagnosis/series-memory.ts';
import { usualTraffic } from '../diagnosis/usual-traffic.ts';
import { SECOND } from '../lib/duration.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { attributed } from './attribution.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { PodAges } from './pod-ages.ts';
import type { PolledReading, RangeSeries } from './ports.ts';
import { podLimit, podReadings, readingsByPod, RestartWindow } from './readings.ts';

const REQUESTS = 'request_rate';

/** The moment of a judgement, by the three clocks that count. */
export interface JudgedAt {
  /** By our wall clock, which status and people go by. */
  readonly nowMs: number;
  /** By the clock that stamps the samples. */
  readonly sourceNowMs: number;
  /** By the one that never jumps. */
  readonly monotonicMs: number;
}

/** Clocks that differ by less are one. */
const SAME_CLOCK_MS = SECOND;

export interface Assessed {
  readonly track: Track;
  readonly verdict: WorkloadVerdict;
  readonly transition: IncidentTransition;
}

/** From readings to an incident, for one workload: observe, judge, step. It decides nothing. */
export class WorkloadAssessor {
  readonly #engine: Engine;
  readonly #book: IncidentBook;
  readonly #podAges: PodAges;
  readonly #stalenessMs: number;
  readonly #isHealed: (incidentId: string) => boolean;
  readonly #restarts = new RestartWindow();
  /** Requests from before this process, where its predecessor has watched them: by policy and workload. */
  readonly #watchedPast = new Map<string, { readonly series: readonly RangeSeries[]; polls: number }>();

  /** `stalenessMs`: samples older than this are not judged. */
  constructor(deps: {
    readonly engine: Engine;
    readonly book: IncidentBook;
    readonly podAges: PodAges;
    readonly stalenessMs: number;
    /** Whether an effect has healed this incident; default: none has. */
    readonly isHealed?: (incidentId: string) => boolean;
  }) {
    this.#engine = deps.engine;
    this.#book = deps.book;
    this.#podAges = deps.podAges;
    this.#stalenessMs = deps.stalenessMs;
    this.#isHealed = deps.isHealed ?? (() => false);
  }

  /** `isOnly`: the policy selects no other workload. */
  assess(
    policy: HealingPolicy,
    { workload, isOnly }: { readonly workload: WorkloadSnapshot; readonly isOnly: boolean },
    readings: readonly PolledReading[],
    metrics: readonly MetricSpec[],
    at: JudgedAt,
  ): Assessed {
    const { nowMs, sourceNowMs } = at;
    const track = this.#book.track(policy.uid, workload.ref);
    this.#podAges.look(workload);
    const steady = this.#podAges.steady(workload);
    const byPod = readingsByPod(readings);
    const shared = attributed(byPod.get(undefined) ?? [], workload.ref, isOnly);
    // A metric of which nothing came back is missing on every pod; it is no metric of the workload as a whole.
    const missing = shared.filter(({ reading }) => reading.kind === 'unknown');
    const settings = this.settings(policy);
    const living = steady.pods.filter(({ deletedAtMs }) => deletedAtMs === undefined);
    const pods = living.map((pod) => {
      const recent = this.#restarts.recent(pod, at.monotonicMs);
      const own = withMissing(byPod.get(pod.name) ?? [], missing);
      return observePod(pod, podReadings(own, pod, recent, sourceNowMs), nowMs);
    });
    if (podsMissing(workload) === 0) delete track.podsMissingSinceMs;
    else track.podsMissingSinceMs ??= nowMs;
    const judged = this.#engine.judge({
      ...{ workload: workload.ref, nowMs: sourceNowMs, settings, metrics, pods },
      workloadStatus: workloadFindings(steady, track.podsMissingSinceMs, nowMs),
      workloadReadings: shared.filter(({ reading }) => reading.kind === 'value'),
    });
    const verdict = byOurClock(judged, at);
    const { history, transition, incident } = stepIncident(
      track.history,
      verdict,
      { ...policy.detection.trigger, closeAfter: CLOSE_AFTER },
      {
        policyUid: policy.uid,
        intervalMs: policy.detection.intervalSeconds * SECOND,
        anomalyThreshold: policy.detection.anomalyThreshold,
        isHealed: this.#isHealed,
      },
    );
    const past = this.#pastOf(policy, workload).map((series) => seriesByOurClock(series, at));
    track.history = transition === 'opened' ? withUsualTraffic(track, history, past) : history;
    if (transition === 'resolved' && incident !== undefined) track.resolved = incident;
    this.#book.remember(track, verdict);
    this.#noteCompleteness(track, verdict, metrics, nowMs);
    return { track, verdict, transition };
  }

  settings(policy: HealingPolicy): DetectionSettings {
    const { anomalyThreshold, minSamples, intervalSeconds } = policy.detection;
    return { anomalyThreshold, minSamples, intervalMs: intervalSeconds * SECOND, maxSampleAgeMs: this.#stalenessMs };
  }

  /** Teaches past readings of the pods that exist; returns how many samples were taken. */
  teach(
    policy: HealingPolicy,
    workload: WorkloadSnapshot,
    past: readonly RangeSeries[],
    metrics: readonly MetricSpec[],
  ): number {
    let taken = 0;
    // Before anything is taught: what is known of a series by now, an earlier process has watched.
    const isWatched = workload.pods.some((pod) => this.#engine.samples(podSeriesKey(workload.ref, pod, REQUESTS)) > 0);
    if (isWatched) {
      const series = past.filter(isRequestsOf(workload));
      this.#watchedPast.set(`${policy.uid}/${workload.ref.uid}`, { series, polls: 0 });
    }
    for (const pod of workload.pods) {
      for (const spec of metrics) {
        const key = podSeriesKey(workload.ref, pod, spec.name);
        const series = past.find((each) => each.pod === pod.name && each.metric === spec.name);
        if (series === undefined || this.#engine.samples(key) >= policy.detection.minSamples) continue;
        const limit = podLimit(spec.name, pod);
        const values = limit === undefined ? series.values : series.values.map((value) => (100 * value) / limit);
        taken += this.#engine.teach(key, spec, series.timesMs, values);
      }
    }
    return taken;
  }

  /** Samples learnt by the series of the workload's pods that knows least; `undefined` where there is none. */
  fewestSamples(policy: HealingPolicy, workload: WorkloadSnapshot, metrics: readonly MetricSpec[]): number | undefined {
    const keys = workload.pods.flatMap((pod) =>
      metrics.filter(({ name }) => name !== 'restarts').map(({ name }) => podSeriesKey(workload.ref, pod, name)),
    );
    if (keys.length === 0) return undefined;
    return Math.min(...keys.map((key) => this.#engine.samples(key)), policy.detection.minSamples);
  }

  forgetPods(keep: ReadonlySet<string>): void {
    this.#restarts.forget(keep);
  }

  /** Dropped once this process remembers as much itself. */
  #pastOf(policy: HealingPolicy, workload: WorkloadSnapshot): readonly RangeSeries[] {
    const key = `${policy.uid}/${workload.ref.uid}`;
    const past = this.#watchedPast.get(key);
    if (past === undefined) return [];
    past.polls += 1;
    if (past.polls >= KEPT) this.#watchedPast.delete(key);
    return past.series;
  }

  /** scale_down asks that nothing was missing for a while: one gap starts the clock anew. */
  #noteCompleteness(track: Track, verdict: WorkloadVerdict, metrics: readonly MetricSpec[], nowMs: number): void {
    const isComplete =
      verdict.pods.length > 0 &&
      verdict.pods.every(
        (pod) => pod.metrics.length >= metrics.length && pod.metrics.every((m) => m.verdict.kind === 'score'),
      );
    if (!isComplete) delete track.completeSinceMs;
    else track.completeSinceMs ??= nowMs;
  }
}

const aheadOfOurs = ({ nowMs, sourceNowMs }: JudgedAt): number =>
  Math.abs(sourceNowMs - nowMs) < SAME_CLOCK_MS ? 0 : sourceNowMs - nowMs;

/**
 * The engine goes by the clock that stamps the samples: its series know no jump of ours. Whoever compares a verdict with anything
 * else, an effect, an event, a log line, goes by our wall clock.
 */
function byOurClock(verdict: WorkloadVerdict, at: JudgedAt): WorkloadVerdict {
  const aheadMs = aheadOfOurs(at);
  return { ...(aheadMs === 0 ? verdict : withMovedSamples(verdict, -aheadMs)), atMs: at.nowMs };
}

function seriesByOurClock(series: RangeSeries, at: JudgedAt): RangeSeries {
  const aheadMs = aheadOfOurs(at);
  return aheadMs === 0 ? series : { ...series, timesMs: series.timesMs.map((atMs) => atMs - aheadMs) };
}

/** The requests of the workload's own pods, or of the workload as a whole. */
const isRequestsOf =
  ({ pods }: WorkloadSnapshot) =>
  ({ metric, pod }: RangeSeries): boolean =>
    metric === REQUESTS && (pod === undefined || pods.some(({ name }) => name === pod));

/** What this process remembers, and before that what its predecessor has watched, as the source still has it. */
function withPast(remembered: readonly RememberedSeries[], past: readonly RangeSeries[]): readonly RememberedSeries[] {
  const earlier = past.map(({ metric, pod, timesMs, values }): RememberedSeries => {
    const own = remembered.find((series) => series.metric === metric && series.pod === pod)?.points ?? [];
    const untilMs = own[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const points = [...timesMs].map((atMs, i) => ({ atMs, value: values[i] ?? NaN }));
    return {
      ...{ metric, points: [...points.filter(({ atMs, value }) => atMs < untilMs && Number.isFinite(value)), ...own] },
      ...(pod !== undefined && { pod }),
    };
  });
  const isNew = ({ metric, pod }: RememberedSeries): boolean =>
    !earlier.some((series) => series.metric === metric && series.pod === pod);
  return [...earlier, ...remembered.filter(isNew)];
}

/** What was usual is fixed with the incident, and stored with it: the next process cannot see so far back. */
function withUsualTraffic(
  { memory }: Track,
  history: Track['history'],
  past: readonly RangeSeries[],
): Track['history'] {
  const { incident } = history;
  const usualRequestRate = incident && usualTraffic(withPast(memory.all(), past), incident.onsetAtMs);
  return incident === undefined || usualRequestRate === undefined
    ? history
    : { ...history, incident: { ...incident, usualRequestRate } };
}

function withMissing(own: readonly PolledReading[], missing: readonly PolledReading[]): readonly PolledReading[] {
  return [...own, ...missing.filter(({ metric }) => own.every((reading) => reading.metric !== metric))];
}
