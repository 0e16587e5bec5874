import { PRESETS } from '../detection/presets.ts';
import type { ActionStatus, Verification } from '../healing/decision.ts';
import { heldBackByLaterStep } from '../healing/later-step.ts';
import { afterSettlement, nextStep } from '../healing/next-step.ts';
import type { NextStep } from '../healing/next-step.ts';
import { markApproval, markClosed, markGivenUp, markOutcome, markVerification } from '../healing/transitions.ts';
import { toRecord } from '../healing/record.ts';
import { verify } from '../healing/verify.ts';
import { HOUR, SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { isEffect } from '../policy/action.ts';
import type { EffectName } from '../policy/action.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { END_STATES } from '../policy/ledger.ts';
import type { ActionGate } from './action-gate.ts';
import type { ActionTimes } from './action-times.ts';
import type { ActionJournal } from './action-journal.ts';
import { rowIdOf } from './action-rows.ts';
import type { ActionLedger } from './action-ledger.ts';
import { AlertDelivery } from './alert-delivery.ts';
import type { AlertDesk } from './alert-desk.ts';
import { eventNote, regardingAction, regardingWorkload } from './events.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type {
  ClusterReader,
  ClusterWriter,
  EventSink,
  Executor,
  Leadership,
  MetricsSink,
  StoredAction,
} from './ports.ts';
import { Reversals } from './reversals.ts';
import type { Findings, Surroundings } from './surroundings.ts';
import type { HandlerResult } from './workqueue.ts';

const SOON_MS = 2 * SECOND;
const UNDO_AGAIN_MS = 30 * SECOND;
/** How soon it is looked at again whether people were told. */
const TOLD_MS = 15 * SECOND;
/** Another process holds the target; it lets go soon, or is dead and its hold ends by itself. */
const BUSY_MS = 10 * SECOND;
/** Steps that follow at once, without waiting for the watch: more than any path has. */
const MAX_STEPS = 6;
const VERIFICATION_DEFAULT = { stabilizationSeconds: 60, timeoutSeconds: 300 } as const;

export interface ActionReconcilerDeps {
  readonly reader: ClusterReader;
  readonly writer: ClusterWriter;
  readonly leadership: Leadership;
  readonly executors: ReadonlyMap<EffectName, Executor>;
  readonly gate: ActionGate;
  readonly journal: ActionJournal;
  readonly ledger: ActionLedger;
  readonly times: ActionTimes;
  readonly book: IncidentBook;
  readonly surroundings: Surroundings;
  readonly alerts: AlertDesk;
  readonly events: EventSink;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly stalenessMs: number;
  /** How long finished objects stay. */
  readonly finishedTtlMs?: number;
}

export const actionKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Carries each AegisHealingAction one step on. What the step is, `healing/next-step.ts` says; here it is only done. */
export class ActionReconciler {
  readonly #deps: ActionReconcilerDeps;
  readonly #reversals: Reversals;
  readonly #delivery: AlertDelivery;

  constructor(deps: ActionReconcilerDeps) {
    this.#deps = deps;
    this.#reversals = new Reversals(deps);
    this.#delivery = new AlertDelivery(deps);
  }

  async reconcile(key: string): Promise<HandlerResult> {
    const { writer, leadership } = this.#deps;
    if (!leadership.isLeader()) return {};
    const cached = this.#cached(key);
    if (cached !== undefined && cached.isStatusShown !== false && this.#isResting(cached)) return this.#rest(cached);
    const [namespace = '', name = ''] = key.split('/');
    for (let step = 0; step < MAX_STEPS; step++) {
      // A live read: the cache may not show yet what this very process has just written.
      const read = await writer.readAction(namespace, name);
      if (!read.ok) {
        if (read.error.kind === 'NotFound') return this.#end(namespace, name);
        return { failure: `cannot read the action: ${read.error.message}` };
      }
      const again = await this.#take(read.value);
      if (again !== 'at-once') return again;
    }
    return { requeueAfterMs: SOON_MS };
  }

  /** Somebody deleted the object: what it was in the middle of is over, and stands in nobody's way any more. */
  async #end(namespace: string, name: string): Promise<HandlerResult> {
    const { ledger, clock } = this.#deps;
    if (ledger.get(name)?.namespace !== namespace) return {};
    try {
      await ledger.end(name, clock.nowMs());
      return {};
    } catch (error) {
      return { failure: `the end of a deleted action cannot be recorded: ${messageOf(error)}` };
    }
  }

  #cached(key: string): StoredAction | undefined {
    return this.#deps.reader.actions().find(({ intent }) => actionKey(intent.namespace, intent.name) === key);
  }

  /** Finished and nothing due: no call is worth it. */
  #isResting(action: StoredAction): boolean {
    const record = this.#deps.ledger.get(action.intent.name);
    return record !== undefined && END_STATES.has(record.state) && this.#next(action).do === 'wait';
  }

  #rest(action: StoredAction): HandlerResult {
    const next = this.#next(action);
    return next.do === 'wait' ? this.#until(next.untilMs) : {};
  }

  #until(untilMs: number): HandlerResult {
    return { requeueAfterMs: Math.min(Math.max(untilMs - this.#deps.clock.nowMs(), SECOND), HOUR) };
  }

  #next(action: StoredAction): NextStep {
    const { reader, ledger, times, book, clock, finishedTtlMs } = this.#deps;
    const { intent } = action;
    const track = book.find(intent.policy.uid, intent.target.uid);
    const steady = times.steady(action);
    const onTarget = reader.actions().filter(({ intent: { target } }) => target.uid === intent.target.uid);
    const heldBack = heldBackByLaterStep(
      steady,
      onTarget.map((each) => times.steady(each)),
      clock.nowMs(),
    );
    const record = ledger.get(intent.name);
    return nextStep(steady, {
      nowMs: clock.nowMs(),
      policy: this.#policy(action),
      incidentOpen: book.isLoaded() ? book.isOpen(intent.incidentId) : undefined,
      isStored: record !== undefined && END_STATES.has(record.state),
      isWorkloadIll: book.openOn(intent.target.uid).length > 0,
      ...(track?.healthySinceMs !== undefined && { healthySinceMs: track.healthySinceMs }),
      ...(finishedTtlMs !== undefined && { finishedTtlMs }),
      ...(heldBack !== undefined && { heldBack }),
    });
  }

  #policy({ intent }: StoredAction): HealingPolicy | undefined {
    const { uid } = intent.policy;
    return this.#deps.surroundings.policy(uid);
  }

  async #take(action: StoredAction): Promise<HandlerResult | 'at-once'> {
    const { writer, journal, clock, ledger } = this.#deps;
    // The object is the authority: whoever wrote it, and whatever the store did not take before, is remembered now.
    await ledger.adopt([toRecord(action)]);
    const next = this.#next(action);
    switch (next.do) {
      case 'wait':
        return this.#idle(action, next.untilMs);
      case 'await-approval':
        await this.#askForApproval(action);
        return this.#until(next.untilMs);
      case 'record-approval':
        await journal.write(action, markApproval(action.status, next, clock.nowMs()));
        return 'at-once';
      case 'gate':
        return this.#gate(action);
      case 'settle':
        return this.#settle(action);
      case 'verify':
        return this.#verify(action);
      case 'renew':
      case 'undo':
        return this.#reverse(action, next);
      case 'deliver-alert':
        this.#delivery.begin(action);
        return { requeueAfterMs: TOLD_MS };
      case 'finish':
        await journal.completeUnsent(action, next);
        await journal.write(action, markClosed(action.status, next, clock.nowMs()));
        return { requeueAfterMs: SOON_MS };
      case 'release': {
        const released = await writer.setActionFinalizer(action, false);
        return released.ok ? {} : { requeueAfterMs: SOON_MS };
      }
      case 'delete': {
        const deleted = await writer.deleteAction(action);
        return deleted.ok ? {} : { requeueAfterMs: UNDO_AGAIN_MS };
      }
    }
  }

  async #gate(action: StoredAction): Promise<HandlerResult | 'at-once'> {
    const findings = this.#findings(action);
    if (findings === undefined) return { requeueAfterMs: SOON_MS }; // not judged since this process began
    const passed = await this.#deps.gate.pass(action, findings);
    return passed === 'busy' ? { requeueAfterMs: BUSY_MS } : 'at-once';
  }

  /** Whoever writes another state over one that has ended changes nothing, and people are shown the truth again. */
  async #idle(action: StoredAction, untilMs: number): Promise<HandlerResult> {
    const isForged = action.isStatusShown === false && END_STATES.has(toRecord(action).state);
    const written = isForged ? await this.#deps.journal.write(action, action.status) : action;
    return written === undefined ? { requeueAfterMs: SOON_MS } : this.#until(untilMs);
  }

  #findings({ intent }: StoredAction): Findings | undefined {
    const { reader } = this.#deps;
    const track = this.#trackOf(intent.policy.uid, intent.target.uid);
    const policy = this.#deps.surroundings.policy(intent.policy.uid);
    const verdict = track?.verdict;
    const incident = track?.history.incident;
    if (policy === undefined || track?.diagnosis === undefined) return undefined;
    if (verdict === undefined || incident === undefined) return undefined;
    const workload = reader.workloads(policy.namespace, policy.target).find(({ ref }) => ref.uid === intent.target.uid);
    if (workload === undefined) return undefined;
    return { policy, workload, incident, verdict, diagnosis: track.diagnosis };
  }

  #trackOf(policyUid: string, workloadUid: string): Track | undefined {
    return this.#deps.book.find(policyUid, workloadUid);
  }

  /** Once: the object shows that it waits, then people are told. */
  async #askForApproval(action: StoredAction): Promise<void> {
    const { journal, events } = this.#deps;
    const { intent } = action;
    if (action.isStatusShown !== false) return;
    if ((await journal.write(action, action.status)) === undefined) return;
    const note = `${intent.action} (${intent.name}) waits for approval until ${new Date(intent.expiresAtMs).toISOString()}: ${intent.reason}`;
    events.emit(eventNote(regardingWorkload(intent.target), 'AwaitingApproval', note));
    events.emit(eventNote(regardingAction(action), 'AwaitingApproval', note));
  }

  /** An effect was left in the middle, by this process or by its predecessor: the cluster says whether it was done. */
  async #settle(action: StoredAction): Promise<HandlerResult | 'at-once'> {
    const { writer, journal, clock, times, gate, log } = this.#deps;
    const { intent, status } = action;
    const executor = this.#executor(action);
    if (executor === undefined) return { requeueAfterMs: UNDO_AGAIN_MS };
    const live = await writer.readWorkload(intent.target);
    if (!live.ok && live.error.kind !== 'NotFound') return { requeueAfterMs: SOON_MS };
    const isSame = live.ok && live.value.ref.uid === intent.target.uid;
    if (!isSame) {
      const closed = { state: 'Superseded', reason: 'TargetGone', message: 'the target is gone' } as const;
      await journal.announce(action);
      await journal.complete(rowIdOf(action), 'TargetGone', 'the target is gone; whether it was sent is not known');
      await journal.write(action, markGivenUp(intent, status, closed, clock.nowMs()));
      return 'at-once';
    }
    const settlement = await executor.settle(intent, live.value);
    if (settlement === 'unseen') return { requeueAfterMs: SOON_MS };
    const next = afterSettlement(times.steady(action).intent, settlement, clock.nowMs());
    log.info('an interrupted effect was settled', { actionId: intent.name, incidentId: intent.incidentId, settlement });
    if (next.do === 'redo' && action.deletedAtMs !== undefined) {
      const closed = {
        state: 'Superseded',
        reason: 'TargetChanged',
        message: 'the action was deleted before it was sent',
      } as const;
      await journal.write(action, markGivenUp(intent, status, closed, clock.nowMs()));
      return 'at-once';
    }
    if (next.do === 'redo') {
      const findings = this.#findings(action);
      if (findings === undefined) return { requeueAfterMs: SOON_MS };
      await gate.pass(action, findings);
      return { requeueAfterMs: SOON_MS };
    }
    const done =
      next.do === 'record'
        ? markOutcome(intent, status, next.outcome, clock.nowMs())
        : markGivenUp(intent, status, next, clock.nowMs());
    await journal.announce(action); // its row may be missing: a store that was lost, a kill before the commit
    await journal.complete(rowIdOf(action), settlement, `settled after an interruption: ${settlement}`);
    await journal.write(action, done);
    return 'at-once';
  }

  #executor({ intent }: StoredAction): Executor | undefined {
    return isEffect(intent.action) ? this.#deps.executors.get(intent.action) : undefined;
  }

  async #verify(action: StoredAction): Promise<HandlerResult | 'at-once'> {
    const { reader, journal, clock, times, metrics } = this.#deps;
    const { intent, status } = action;
    const policy = this.#policy(action);
    const workload = await this.#workload(action);
    if (workload === 'gone') {
      const closed = { state: 'Superseded', reason: 'TargetGone', message: 'the target is gone' } as const;
      await journal.write(action, markGivenUp(intent, status, closed, clock.nowMs()));
      return {};
    }
    if (workload === undefined || !reader.synced()) return { requeueAfterMs: SOON_MS };
    const standing = await this.#executor(action)?.standing?.(intent);
    const steady = times.steady(action);
    const found = verify({
      ...this.#verifyInput(steady, policy, workload),
      ...(standing !== undefined && { standing }),
    });
    const result = found.pollAtMs === steady.status.effectivePollAtMs ? withPollOf(found, status) : found;
    const after = markVerification(intent, status, result, policy, clock.nowMs());
    if (JSON.stringify(after) !== JSON.stringify(status)) await journal.write(action, after);
    if (result.verdict === 'Waiting') return { requeueAfterMs: SOON_MS };
    metrics.count('aegis_verifications_total', { action: intent.action, verdict: result.verdict });
    return 'at-once';
  }

  #verifyInput({ intent, status }: StoredAction, policy: HealingPolicy | undefined, workload: WorkloadSnapshot) {
    const { clock, stalenessMs } = this.#deps;
    const specs = [...Object.values(PRESETS), ...(policy?.detection.metrics ?? [])];
    return {
      ...{ nowMs: clock.nowMs(), intent, status, workload },
      verdict: this.#trackOf(intent.policy.uid, intent.target.uid)?.verdict,
      settings: {
        ...(policy?.verification ?? VERIFICATION_DEFAULT),
        anomalyThreshold: policy?.detection.anomalyThreshold ?? 0.85,
        intervalSeconds: policy?.detection.intervalSeconds ?? 15,
        maxSampleAgeMs: stalenessMs,
      },
      directions: Object.fromEntries(specs.map(({ name, direction }) => [name, direction])),
    };
  }

  /** The target as the caches show it; a read if they do not show it at all. */
  async #workload({ intent }: StoredAction): Promise<WorkloadSnapshot | 'gone' | undefined> {
    const { reader, writer } = this.#deps;
    const { kind, namespace, name, uid } = intent.target;
    const cached = reader.workloads(namespace, { kind, name })[0];
    if (cached?.ref.uid === uid) return cached;
    const live = await writer.readWorkload(intent.target);
    if (live.ok) return live.value.ref.uid === uid ? live.value : 'gone';
    return live.error.kind === 'NotFound' ? 'gone' : undefined;
  }

  async #reverse(
    action: StoredAction,
    next: NextStep & { readonly do: 'renew' | 'undo' },
  ): Promise<HandlerResult | 'at-once'> {
    const executor = this.#executor(action);
    const done =
      next.do === 'undo'
        ? await this.#reversals.undo(action, executor, next.because)
        : await this.#reversals.renew(action, executor, { findings: this.#findings(action), dueAtMs: next.dueAtMs });
    return done === 'again-soon'
      ? { requeueAfterMs: SOON_MS }
      : done === 'failed'
        ? { requeueAfterMs: UNDO_AGAIN_MS }
        : done;
  }
}

/** No poll was counted at this look: the last one keeps the time that it bears. */
function withPollOf({ pollAtMs: _moved, ...found }: Verification, { effectivePollAtMs }: ActionStatus): Verification {
  return effectivePollAtMs === undefined ? found : { ...found, pollAtMs: effectivePollAtMs };
}
