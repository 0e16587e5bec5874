import type { Incident } from '../detection/incident.ts';
import type { Clock } from '../lib/clock.ts';
import { HOUR, MINUTE, SECOND } from '../lib/duration.ts';
import { samplesOfPast } from '../detection/model-agreement.ts';
import { PRESETS } from '../detection/presets.ts';
import type { Log } from '../lib/log.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { attributedPast } from './attribution.ts';
import type { Poller } from './poller.ts';
import type { ClusterReader, RangeSeries } from './ports.ts';
import type { Store } from './store-ports.ts';
import type { WorkloadAssessor } from './workload-assessor.ts';

const MAX_SPAN_MS = 6 * HOUR;
/** A little more than is needed: rates lose their first points, gaps lose some. */
const RESERVE = 1.25;
const CONCURRENT = 4;
/** A fault that began just now may not have opened an incident yet: so much of the newest past is not learnt. */
const GUARD_MS = MINUTE;

/**
 * Bridges the cold start: a policy that is new here learns from the source's past before its first poll, but not from
 * the time in which something was wrong already: a process that starts in the middle of an incident would take the fault
 * for normal. It learns as much as two models of different age need before they may act together, so that a new policy on
 * an old workload heals from its first polls on. Policies that would ask the same of one namespace share the answer. Bounded in span and
 * in questions at once, and a failure only means that it learns from now on.
 */
export class BackFill {
  readonly #deps: {
    readonly poller: Poller;
    readonly assessor: WorkloadAssessor;
    readonly reader: ClusterReader;
    readonly store: Pick<Store, 'openIncidents'>;
    readonly clock: Pick<Clock, 'after'>;
    readonly log: Log;
  };
  readonly #done = new Set<string>();
  readonly #running = new Set<string>();
  /** Questions under way, each for one policy or more. */
  #questions = 0;
  /** In their turn, as of the last look. */
  #waiting: HealingPolicy[] = [];

  constructor(deps: {
    readonly poller: Poller;
    readonly assessor: WorkloadAssessor;
    readonly reader: ClusterReader;
    readonly store: Pick<Store, 'openIncidents'>;
    readonly clock: Pick<Clock, 'after'>;
    readonly log: Log;
  }) {
    this.#deps = deps;
  }

  /** The policies that may be polled; the others are being prepared, as many questions at once as are allowed. */
  ready(policies: readonly HealingPolicy[], nowMs: number): readonly HealingPolicy[] {
    this.#waiting = policies.filter(({ uid }) => !this.#done.has(uid) && !this.#running.has(uid));
    this.#startNext(nowMs);
    return policies.filter(({ uid }) => this.#done.has(uid));
  }

  /** Whoever ends lets the next begin: a thousand policies do not wait for a thousand looks. */
  #startNext(nowMs: number): void {
    while (this.#questions < CONCURRENT) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const key = questionKey(first);
      const { alike = [], others = [] } = Object.groupBy(this.#waiting, (policy) =>
        questionKey(policy) === key ? 'alike' : 'others',
      );
      this.#waiting = others;
      for (const { uid } of alike) this.#running.add(uid);
      this.#questions += 1;
      void this.#fillAll(alike, nowMs).finally(() => {
        for (const { uid } of alike) this.#end(uid);
        this.#questions -= 1;
        this.#startNext(nowMs);
      });
    }
  }

  #end(uid: string): void {
    this.#running.delete(uid);
    this.#done.add(uid);
  }

  forget(isKnown: (policyUid: string) => boolean): void {
    for (const uid of this.#done) if (!isKnown(uid)) this.#done.delete(uid);
  }

  /** Incidents that an earlier process left open; none where nobody can tell. */
  async #leftOpen(): Promise<readonly Incident[]> {
    const { store, log } = this.#deps;
    try {
      return await store.openIncidents();
    } catch (error) {
      log.warn('whether an incident is open cannot be read; all of the past is learnt', { err: error });
      return [];
    }
  }

  /** Policies that ask the same: one answer for all that may learn until the same time. */
  async #fillAll(policies: readonly HealingPolicy[], nowMs: number): Promise<void> {
    const open = await this.#leftOpen();
    const byEnd = Map.groupBy(policies, (policy) => wellUntil(policy, open, nowMs) - GUARD_MS);
    for (const [untilMs, alike] of byEnd) await this.#fill(alike, untilMs);
  }

  async #fill(policies: readonly HealingPolicy[], untilMs: number): Promise<void> {
    const { poller, clock, log } = this.#deps;
    const [first] = policies;
    if (first === undefined) return;
    const { namespace } = first;
    try {
      const past = await poller.past(first, spanOf(first), untilMs);
      const byPod = Map.groupBy(past, ({ pod }) => pod);
      for (const policy of policies) {
        // What is learnt at once of many workloads would keep everything else waiting, the lease as well.
        if (policy !== first) await new Promise<void>((resolve) => clock.after(0, resolve));
        this.#teach(policy, byPod);
        this.#end(policy.uid);
      }
    } catch (error) {
      const names = policies.map(({ name }) => name);
      log.warn('the back-fill failed; the policies learn from now on', { policies: names, namespace, err: error });
    }
  }

  #teach(policy: HealingPolicy, byPod: ReadonlyMap<string | undefined, readonly RangeSeries[]>): void {
    const { assessor, reader, log } = this.#deps;
    const facts = { policy: policy.name, namespace: policy.namespace };
    try {
      const workloads = reader.workloads(policy.namespace, policy.target);
      const pods = workloads.flatMap((workload) => workload.pods.map(({ name }) => name));
      const past = [undefined, ...pods].flatMap((pod) => byPod.get(pod) ?? []);
      const names = new Set(past.map(({ metric }) => metric));
      const { metrics } = policy.detection;
      const specs = metrics.length > 0 ? metrics : Object.values(PRESETS).filter(({ name }) => names.has(name));
      const isOnly = workloads.length === 1;
      const taken = workloads.reduce((sum, workload) => {
        const own = attributedPast(past, workload.ref, isOnly);
        return sum + assessor.teach(policy, workload, own, specs);
      }, 0);
      log.info('learnt from the past', { ...facts, samples: taken });
    } catch (error) {
      log.warn('the back-fill failed; the policy learns from now on', { ...facts, err: error });
    }
  }
}

/** Policies that would ask the source the very same. */
const questionKey = ({ namespace, detection }: HealingPolicy): string => {
  const { metrics, trafficSource, intervalSeconds, minSamples } = detection;
  return JSON.stringify([namespace, trafficSource, intervalSeconds, minSamples, metrics]);
};

function spanOf({ detection: { minSamples, intervalSeconds } }: HealingPolicy): number {
  return Math.min(MAX_SPAN_MS, RESERVE * samplesOfPast(minSamples) * intervalSeconds * SECOND);
}

/** When the oldest incident began that an earlier process left open; now, where there is none. */
function wellUntil({ uid }: HealingPolicy, open: readonly Incident[], nowMs: number): number {
  return open
    .filter(({ policyUid }) => policyUid === uid)
    .reduce((earliest, { onsetAtMs }) => Math.min(earliest, onsetAtMs), nowMs);
}
