import type { Engine, DetectionSettings } from '../detection/engine-input.ts';
import { podSeriesKey } from '../detection/engine-input.ts';
import { stepIncident } from '../detection/incident-step.ts';
import type { IncidentTransition } from '../detection/incident-step.ts';
import { observePod } from '../detection/pod-observation.ts';
import type { MetricSpec } from '../detection/sample.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import { podsMissing, workloadFindings } from '../detection/workload-status.ts';
import { usualTraffic } from '../diagnosis/usual-traffic.ts';
import { SECOND } from '../lib/duration.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { PolledReading, RangeSeries } from './ports.ts';
import { podLimit, podReadings, readingsByPod, RestartWindow } from './readings.ts';

/** Polls in band that close an incident. */
const CLOSE_AFTER = 3;

export interface Assessed {
  readonly track: Track;
  readonly verdict: WorkloadVerdict;
  readonly transition: IncidentTransition;
}

/** From readings to an incident, for one workload: observe, judge, step. It decides nothing. */
export class WorkloadAssessor {
  readonly #engine: Engine;
  readonly #book: IncidentBook;
  readonly #stalenessMs: number;
  readonly #restarts = new RestartWindow();

  /** `stalenessMs`: samples older than this are not judged. */
  constructor(deps: { readonly engine: Engine; readonly book: IncidentBook; readonly stalenessMs: number }) {
    this.#engine = deps.engine;
    this.#book = deps.book;
    this.#stalenessMs = deps.stalenessMs;
  }

  assess(
    policy: HealingPolicy,
    workload: WorkloadSnapshot,
    readings: readonly PolledReading[],
    metrics: readonly MetricSpec[],
    nowMs: number,
  ): Assessed {
    const track = this.#book.track(policy.uid, workload.ref);
    const byPod = readingsByPod(readings);
    const shared = byPod.get(undefined) ?? [];
    // A metric of which nothing came back is missing on every pod; it is no metric of the workload as a whole.
    const missing = shared.filter(({ reading }) => reading.kind === 'unknown');
    const settings = this.settings(policy);
    const living = workload.pods.filter(({ deletedAtMs }) => deletedAtMs === undefined);
    const pods = living.map((pod) =>
      observePod(
        pod,
        podReadings(withMissing(byPod.get(pod.name) ?? [], missing), pod, this.#restarts.recent(pod, nowMs), nowMs),
        nowMs,
      ),
    );
    if (podsMissing(workload) === 0) delete track.podsMissingSinceMs;
    else track.podsMissingSinceMs ??= nowMs;
    const verdict = this.#engine.judge({
      ...{ workload: workload.ref, nowMs, settings, metrics, pods },
      workloadStatus: workloadFindings(workload, track.podsMissingSinceMs, nowMs),
      workloadReadings: shared.filter(({ reading }) => reading.kind === 'value'),
    });
    const { history, transition, incident } = stepIncident(
      track.history,
      verdict,
      { ...policy.detection.trigger, closeAfter: CLOSE_AFTER },
      {
        policyUid: policy.uid,
        intervalMs: policy.detection.intervalSeconds * SECOND,
        anomalyThreshold: policy.detection.anomalyThreshold,
      },
    );
    track.history = transition === 'opened' ? withUsualTraffic(track, history) : history;
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

/** What was usual is fixed with the incident, and stored with it: the next process cannot see so far back. */
function withUsualTraffic({ memory }: Track, history: Track['history']): Track['history'] {
  const { incident } = history;
  const usualRequestRate = incident && usualTraffic(memory.all(), incident.onsetAtMs);
  return incident === undefined || usualRequestRate === undefined
    ? history
    : { ...history, incident: { ...incident, usualRequestRate } };
}

function withMissing(own: readonly PolledReading[], missing: readonly PolledReading[]): readonly PolledReading[] {
  return [...own, ...missing.filter(({ metric }) => own.every((reading) => reading.metric !== metric))];
}
