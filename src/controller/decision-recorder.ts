import type { Decision } from '../healing/decision.ts';
import { hashParts } from '../lib/hash.ts';
import type { Log } from '../lib/log.ts';
import { workloadKey } from '../lib/workload.ts';
import type { Track } from './incident-book.ts';
import { eventNote, regardingPolicy, regardingWorkload } from './events.ts';
import type { OwedRows } from './owed-rows.ts';
import type { ApiFault, ClusterWriter, EventSink, MetricsSink, StoredAction } from './ports.ts';
import type { HistoryRow, Store } from './store-ports.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';

/**
 * Makes a decision durable. A decision to act becomes an AegisHealingAction, before any effect; a decision to wait
 * becomes a row and a reason, once for each new reason and not once a poll.
 */
export class DecisionRecorder {
  readonly #deps: {
    readonly writer: ClusterWriter;
    readonly store: Store;
    readonly owed: OwedRows;
    readonly events: EventSink;
    readonly metrics: MetricsSink;
    readonly log: Log;
  };

  constructor(deps: {
    readonly writer: ClusterWriter;
    readonly store: Store;
    readonly owed: OwedRows;
    readonly events: EventSink;
    readonly metrics: MetricsSink;
    readonly log: Log;
  }) {
    this.#deps = deps;
  }

  /** The action object, new or already there; `undefined` where nothing is to be done or it could not be created. */
  async record(
    policy: HealingPolicy,
    track: Track,
    decision: Decision,
    nowMs: number,
  ): Promise<StoredAction | undefined> {
    if (decision.kind !== 'act') return this.#note(policy, track, decision, nowMs);
    const created = await this.#create(policy, track, decision, nowMs);
    if (!('kind' in created)) {
      track.decision = decision;
      delete track.hold;
      return created;
    }
    return this.#note(policy, track, unrecorded(decision, created, nowMs), nowMs);
  }

  /** A decision to wait, or to do nothing: a row and an Event if it is new. */
  async #note(
    policy: HealingPolicy,
    track: Track,
    decision: Exclude<Decision, { kind: 'act' }>,
    nowMs: number,
  ): Promise<undefined> {
    const before = track.decision;
    const isRepeated = before !== undefined && keyOf(before) === keyOf(decision);
    // Poll after poll it is one decision: the one that was stored under its id.
    track.decision = isRepeated ? { ...decision, id: before.id } : decision;
    this.#noteHold(track, decision, nowMs);
    if (isRepeated) return undefined;
    const reason = decision.kind === 'hold' ? decision.reason : 'none';
    this.#deps.metrics.count('aegis_decisions_total', { kind: decision.kind, reason });
    if (decision.kind === 'hold') await this.#recordHold(policy, track, decision, nowMs);
    return undefined;
  }

  async #create(
    policy: HealingPolicy,
    track: Track,
    decision: Extract<Decision, { kind: 'act' }>,
    nowMs: number,
  ): Promise<StoredAction | ApiFault> {
    const { intent } = decision;
    const { writer, events, metrics, log } = this.#deps;
    const facts = { incidentId: intent.incidentId, decisionId: decision.id, actionId: intent.name };
    const created = await writer.createAction(intent);
    if (!created.ok) {
      if (created.error.kind === 'Conflict') {
        const existing = await writer.readAction(intent.namespace, intent.name);
        return existing.ok ? existing.value : existing.error;
      }
      log.warn('an action cannot be created; decided again at the next poll', { ...facts, fault: created.error });
      return created.error;
    }
    metrics.count('aegis_decisions_total', { kind: 'act', reason: 'none' });
    log.info('action decided', {
      ...facts,
      action: intent.action,
      workload: workloadKey(intent.target),
      reason: intent.reason,
    });
    const note = `${intent.action} (${intent.name}): ${intent.reason}`;
    events.emit(eventNote(regardingWorkload(track.workload), 'ActionDecided', note));
    events.emit(eventNote(regardingPolicy(policy), 'ActionDecided', note));
    await this.#append({
      ...{ id: decision.id, atMs: nowMs, kind: 'decision', incidentId: intent.incidentId, decisionId: decision.id },
      ...{ actionName: intent.name, namespace: intent.namespace, workload: workloadKey(intent.target) },
      ...{ action: intent.action, message: intent.reason },
      facts: {
        ...{ policy: policy.name, step: intent.step, attempt: intent.attempt, skipped: decision.skipped },
        diagnosis: intent.diagnosis,
      },
    });
    return created.value;
  }

  /** The record of a decision: what it does without the store, it does; the object is the authority. */
  async #append(row: HistoryRow): Promise<void> {
    try {
      await this.#deps.store.appendHistory([row]);
    } catch (error) {
      this.#deps.log.warn('a decision cannot be stored', { decisionId: row.id, err: error });
      this.#deps.owed.add(row);
    }
  }

  async #recordHold(
    policy: HealingPolicy,
    track: Track,
    decision: Extract<Decision, { kind: 'hold' }>,
    nowMs: number,
  ): Promise<void> {
    const { events, log } = this.#deps;
    const incidentId = track.history.incident?.id;
    const row: HistoryRow = {
      ...{ id: decision.id, atMs: nowMs, kind: 'hold', decisionId: decision.id },
      ...{ namespace: track.workload.namespace, workload: workloadKey(track.workload) },
      ...{ action: decision.action, reason: decision.reason, message: decision.message },
      facts: { policy: policy.name, step: decision.step, skipped: decision.skipped },
      ...(incidentId !== undefined && { incidentId }),
    };
    log.info('held', { incidentId, decisionId: decision.id, reason: decision.reason, why: decision.message });
    events.emit(
      eventNote(
        regardingWorkload(track.workload),
        'ActionHeld',
        `${decision.action}: ${decision.reason}: ${decision.message}`,
      ),
    );
    await this.#append(row);
  }

  /** Since when this rung has been blocked: it decides when people are told. */
  #noteHold(track: Track, decision: Decision, nowMs: number): void {
    if (decision.kind !== 'hold') {
      delete track.hold;
      return;
    }
    const key = `${track.history.incident?.id ?? ''}/${decision.step}`;
    if (track.hold?.key !== key) track.hold = { key, sinceMs: nowMs };
  }
}

/** What cannot be recorded is not done: it waits, and says so. */
function unrecorded(
  { intent, skipped, id }: Extract<Decision, { kind: 'act' }>,
  { kind, message }: ApiFault,
  nowMs: number,
): Extract<Decision, { kind: 'hold' }> {
  const reason = kind === 'Forbidden' || kind === 'Rejected' ? kind : 'UnsafeToRead';
  const why = `the action object cannot be made: ${message}`;
  return {
    kind: 'hold',
    id: hashParts(id, reason, nowMs),
    reason,
    message: why,
    action: intent.action,
    step: intent.step,
    skipped,
  };
}

/** Two decisions to wait for the same reason at the same rung are one. */
function keyOf(decision: Decision): string {
  return decision.kind === 'hold' ? `hold/${decision.step}/${decision.reason}` : decision.kind;
}
