import { HOUR, MINUTE, SECOND } from '../lib/duration.ts';
import { samplesOfPast } from '../detection/model-agreement.ts';
import { PRESETS } from '../detection/presets.ts';
import type { Log } from '../lib/log.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { attributedPast } from './attribution.ts';
import type { Poller } from './poller.ts';
import type { ClusterReader } from './ports.ts';
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
 * an old workload heals from its first polls on. Bounded in span and in number at once, and a failure only means that it
 * learns from now on.
 */
export class BackFill {
  readonly #deps: {
    readonly poller: Poller;
    readonly assessor: WorkloadAssessor;
    readonly reader: ClusterReader;
    readonly store: Pick<Store, 'openIncidents'>;
    readonly log: Log;
  };
  readonly #done = new Set<string>();
  readonly #running = new Set<string>();
  /** In their turn, as of the last look. */
  #waiting: HealingPolicy[] = [];

  constructor(deps: {
    readonly poller: Poller;
    readonly assessor: WorkloadAssessor;
    readonly reader: ClusterReader;
    readonly store: Pick<Store, 'openIncidents'>;
    readonly log: Log;
  }) {
    this.#deps = deps;
  }

  /** The policies that may be polled; the others are being prepared, as many at once as are allowed. */
  ready(policies: readonly HealingPolicy[], nowMs: number): readonly HealingPolicy[] {
    this.#waiting = policies.filter(({ uid }) => !this.#done.has(uid) && !this.#running.has(uid));
    this.#startNext(nowMs);
    return policies.filter(({ uid }) => this.#done.has(uid));
  }

  /** Whoever ends lets the next begin: a thousand policies do not wait for a thousand looks. */
  #startNext(nowMs: number): void {
    while (this.#running.size < CONCURRENT) {
      const policy = this.#waiting.shift();
      if (policy === undefined) return;
      this.#running.add(policy.uid);
      void this.#fill(policy, nowMs).finally(() => {
        this.#running.delete(policy.uid);
        this.#done.add(policy.uid);
        this.#startNext(nowMs);
      });
    }
  }

  forget(isKnown: (policyUid: string) => boolean): void {
    for (const uid of this.#done) if (!isKnown(uid)) this.#done.delete(uid);
  }

  /** When the oldest incident began that an earlier process left open; now, where there is none or nobody can tell. */
  async #wellUntil(policy: HealingPolicy, nowMs: number): Promise<number> {
    const { store, log } = this.#deps;
    try {
      const open = (await store.openIncidents()).filter(({ policyUid }) => policyUid === policy.uid);
      return open.reduce((earliest, { onsetAtMs }) => Math.min(earliest, onsetAtMs), nowMs);
    } catch (error) {
      log.warn('whether an incident is open cannot be read; all of the past is learnt', { err: error });
      return nowMs;
    }
  }

  async #fill(policy: HealingPolicy, nowMs: number): Promise<void> {
    const { poller, assessor, reader, log } = this.#deps;
    try {
      const workloads = reader.workloads(policy.namespace, policy.target);
      const { minSamples, intervalSeconds, metrics } = policy.detection;
      const spanMs = Math.min(MAX_SPAN_MS, RESERVE * samplesOfPast(minSamples) * intervalSeconds * SECOND);
      const untilMs = (await this.#wellUntil(policy, nowMs)) - GUARD_MS;
      const past = await poller.past(policy, spanMs, untilMs);
      const names = new Set(past.map(({ metric }) => metric));
      const specs = metrics.length > 0 ? metrics : Object.values(PRESETS).filter(({ name }) => names.has(name));
      const isOnly = workloads.length === 1;
      const taken = workloads.reduce((sum, workload) => {
        const own = attributedPast(past, workload.ref, isOnly);
        return sum + assessor.teach(policy, workload, own, specs);
      }, 0);
      log.info('learnt from the past', { policy: policy.name, namespace: policy.namespace, samples: taken });
    } catch (error) {
      log.warn('the back-fill failed; the policy learns from now on', { policy: policy.name, err: error });
    }
  }
}
