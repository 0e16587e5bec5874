import type { Clock } from '../lib/clock.ts';
import { HOUR, SECOND } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { PRESETS } from '../detection/presets.ts';
import type { MetricSpec } from '../detection/sample.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { MetricSource, MetricsSink, MetricWish, PolledPolicy, RangeSeries, SourceError } from './ports.ts';

/** What the metric source said of one policy at its last poll. */
export interface MetricsState {
  /** By the source's clock. */
  readonly atMs: number;
  readonly polled: PolledPolicy;
  /** No reading at all was usable although some were asked for. */
  readonly isAvailable: boolean;
  readonly error?: SourceError;
}

export const wishOf = (policy: HealingPolicy): MetricWish => ({
  policyUid: policy.uid,
  namespace: policy.namespace,
  metrics: policy.detection.metrics,
  trafficSource: policy.detection.trafficSource,
  ...(policy.target.name !== undefined && { targetName: policy.target.name }),
});

/** A metric that vanished is expected back for so long: its absence is unknown, not healthy. */
const EXPECTED_MS = HOUR;
/** What every cluster can measure: expected before anything was ever seen, so that a silent source reads as unknown. */
const BASIC = [PRESETS.cpu_usage, PRESETS.memory_usage, PRESETS.restarts];

/** Asks the source for all policies that are due, in one go. One poll at a time: a slow source delays, it never piles up. */
export class Poller {
  readonly #source: MetricSource;
  readonly #metrics: MetricsSink;
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** By how much the source's clock leads the one that never jumps; absent: it was never heard. */
  #sourceLead: number | undefined;
  readonly #lastPollMs = new Map<string, number>();
  readonly #states = new Map<string, MetricsState>();
  readonly #seen = new Map<string, Map<string, number>>();

  constructor(deps: {
    readonly source: MetricSource;
    readonly metrics: MetricsSink;
    readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
    readonly log: Log;
  }) {
    this.#source = deps.source;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
  }

  /**
   * Whose turn it is. Policies of one interval keep the same beat, whenever each was created: their polls are one
   * exchange with the server instead of one each. Only the first poll after the creation may come off the beat.
   */
  due(policies: readonly HealingPolicy[], monotonicMs: number): readonly HealingPolicy[] {
    return policies.filter(({ uid, detection }) => {
      const last = this.#lastPollMs.get(uid);
      const intervalMs = detection.intervalSeconds * SECOND;
      if (last === undefined) return true;
      const isNextBeat = Math.floor(monotonicMs / intervalMs) > Math.floor(last / intervalMs);
      return isNextBeat && monotonicMs - last >= intervalMs / 2;
    });
  }

  async poll(policies: readonly HealingPolicy[], monotonicMs: number, nowMs: number): Promise<readonly MetricsState[]> {
    for (const { uid } of policies) this.#lastPollMs.set(uid, monotonicMs);
    const reply = await this.#source.poll(policies.map(wishOf), nowMs);
    this.#sourceLead = reply.atMs - this.#clock.monotonicMs();
    this.#metrics.gauge('aegis_metrics_clock_ahead_seconds', (reply.atMs - this.#clock.nowMs()) / SECOND);
    const states = reply.policies.map((polled) => stateOf(polled, reply.atMs));
    for (const state of states) this.#states.set(state.polled.policyUid, state);
    const lost = states.filter(({ isAvailable }) => !isAvailable).length;
    this.#metrics.count('aegis_polls_total', {
      result: lost === 0 ? 'ok' : lost === states.length ? 'error' : 'partial',
    });
    return states;
  }

  /** Now, by the clock that stamps the samples; by ours, until it was heard. */
  sourceNowMs(): number {
    return this.#sourceLead === undefined ? this.#clock.nowMs() : this.#sourceLead + this.#clock.monotonicMs();
  }

  state(policyUid: string): MetricsState | undefined {
    return this.#states.get(policyUid);
  }

  /** Past readings, so that a new policy or a new leader need not wait to learn. A failure only means a slower start. */
  async past(policy: HealingPolicy, spanMs: number, untilMs: number): Promise<readonly RangeSeries[]> {
    const stepMs = policy.detection.intervalSeconds * SECOND;
    const reply = await this.#source.backfill(wishOf(policy), untilMs - spanMs, untilMs, stepMs);
    if (reply.ok) return reply.value;
    this.#log.info('no back-fill; the policy learns from now on', { policy: policy.name, error: reply.error });
    return [];
  }

  /**
   * The metrics that a policy watches: those it names, else every preset that exists or existed within the hour, by the clock
   * that never jumps. Pod objects give the restarts.
   */
  specs(policy: HealingPolicy, polled: PolledPolicy, monotonicMs: number): readonly MetricSpec[] {
    const named = policy.detection.metrics;
    if (named.length > 0) return named;
    const seen = this.#seen.get(policy.uid) ?? new Map<string, number>();
    for (const { metric } of polled.readings) seen.set(metric, monotonicMs);
    this.#seen.set(policy.uid, seen);
    const expected = Object.values(PRESETS).filter(
      ({ name }) => (seen.get(name) ?? -Infinity) > monotonicMs - EXPECTED_MS,
    );
    return expected.length === 0 ? BASIC : [...expected, PRESETS.restarts];
  }

  forget(isKnown: (policyUid: string) => boolean): void {
    for (const uid of [...this.#lastPollMs.keys()]) {
      if (isKnown(uid)) continue;
      this.#lastPollMs.delete(uid);
      this.#states.delete(uid);
      this.#seen.delete(uid);
    }
  }
}

function stateOf(polled: PolledPolicy, atMs: number): MetricsState {
  const isAvailable = polled.readings.some(({ reading }) => reading.kind === 'value');
  const error = polled.problems[0]?.error;
  return { atMs, polled, isAvailable, ...(error !== undefined && { error }) };
}
