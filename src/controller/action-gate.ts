import type { ActionStatus, Outcome } from '../healing/decision.ts';
import { exceedsMode } from '../healing/exceeds-mode.ts';
import { outlived } from '../healing/next-step.ts';
import { toRecord } from '../healing/record.ts';
import { markBlocked, markClosed, markExecuting, markOutcome } from '../healing/transitions.ts';
import { SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { lasting } from '../lib/reasons.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { workloadKey } from '../lib/workload.ts';
import { isEffect } from '../policy/action.ts';
import type { EffectName } from '../policy/action.ts';
import { runChain } from '../policy/chain.ts';
import type { Hold } from '../policy/guard.ts';
import { hold } from '../policy/hold.ts';
import type { ActionJournal } from './action-journal.ts';
import type { ActionLedger } from './action-ledger.ts';
import type { ActionTimes } from './action-times.ts';
import { guardInputFor } from './gated-proposal.ts';
import type { EngineAnswers } from './engine-answers.ts';
import type { ClusterWriter, Executor, Leadership, MetricsSink, StoredAction } from './ports.ts';
import type { Store } from './store-ports.ts';
import type { Findings, Surroundings } from './surroundings.ts';

/** A 409 means that the world moved: read again and judge again, but not for ever. */
const MAX_CONFLICTS = 5;
/** A lease outlives the effect's own deadline, and a crash by little. */
const TARGET_LEASE_MS = 30 * SECOND;
/** How often, and how far apart, an effect is looked for after it was sent. */
const LOOKS = 5;
const LOOK_EVERY_MS = 300;

export interface ActionGateDeps {
  readonly writer: ClusterWriter;
  readonly executors: ReadonlyMap<EffectName, Executor>;
  readonly leadership: Leadership;
  readonly store: Store;
  readonly ledger: ActionLedger;
  readonly times: ActionTimes;
  readonly journal: ActionJournal;
  readonly surroundings: Surroundings;
  readonly engines: EngineAnswers;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process in target leases. */
  readonly holder: string;
}

/**
 * What follows an effect that was sent, before the action may be looked at again: the look whether it is there, and the record. It needs
 * no turn: the row is durable, the budget reserved, the target held.
 */
interface Sent {
  readonly settle: () => Promise<void>;
}

/** The action as it is now, to be judged again since the target moved; `undefined`: this was all. */
type Round = StoredAction | 'busy' | Sent | undefined;

/** How an action ends that is not meant any more. */
type Ending = Omit<NonNullable<ActionStatus['closed']>, 'atMs'>;

/** A live look at the target, judged by every guard; `over`: it is not meant as it was decided any more. */
type Judged = { readonly live: WorkloadSnapshot } | { readonly refused: Hold } | { readonly over: Ending };

/**
 * The one way to an effect. In this order, and never another: all guards on a live read, the server's dry run, the
 * target's lease, the reservation in the ledger, all guards again on another live read, the history row and `Executing`,
 * the write, the look whether it is there, the record. One effect at a time until it is sent: what one spends the next one sees. The look
 * and the record hold up nobody but the workload itself, however long the API server takes for them.
 */
export class ActionGate {
  readonly #deps: ActionGateDeps;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: ActionGateDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the action as far as it may go now. What became of it is in its status when this resolves; `busy`: nothing,
   * since another process acts on the target.
   */
  async pass(action: StoredAction, findings: Findings): Promise<'passed' | 'busy'> {
    const turn = this.#turn.then(() => this.#pass(action, findings));
    this.#turn = turn.catch(() => undefined);
    const round = await turn;
    if (isSent(round)) await round.settle();
    return round === 'busy' ? 'busy' : 'passed';
  }

  /** What holds the action now, judged on a live read as before its write; `undefined`: nothing does. */
  async holds(action: StoredAction, findings: Findings): Promise<Hold | undefined> {
    const judged = await this.#judge(action, findings);
    if ('over' in judged) return hold('ActionNotAllowed', judged.over.message);
    return 'refused' in judged ? judged.refused : undefined;
  }

  async #pass(action: StoredAction, findings: Findings): Promise<Round> {
    let current: Round = action;
    for (let round = 1; isAgain(current) && round <= MAX_CONFLICTS; round++) {
      current = await this.#try(current, findings, round === MAX_CONFLICTS);
    }
    return current;
  }

  /** One round; the action as it is then, if the target moved under the write and the round must be repeated. */
  async #try(action: StoredAction, findings: Findings, isLast: boolean): Promise<Round> {
    const { intent } = action;
    const { executors, journal, clock } = this.#deps;
    const executor = isEffect(intent.action) ? executors.get(intent.action) : undefined;
    const judged = await this.#judgeToSend(action, findings);
    if ('over' in judged) return this.#end(action, judged.over);
    if ('refused' in judged) return this.#refuse(action, judged.refused);
    if (executor === undefined) return this.#refuse(action, hold('ActionNotAllowed', 'this installation cannot do it'));
    const preview = await executor.dryRun(intent, judged.live);
    // A dry run changes nothing, whatever became of its answer: it is asked again, and is no attempt.
    if (preview.kind === 'ambiguous') return this.#refuse(action, hold('UnsafeToRead', preview.message));
    if (preview.kind !== 'applied' && preview.kind !== 'already') {
      if (isMoved(preview) && !isLast) return action;
      await journal.write(action, markOutcome(intent, action.status, preview, clock.nowMs()));
      return undefined;
    }
    if (intent.execution === 'DryRun') return this.#endDryRun(action, preview);
    return this.#execute(action, findings, executor, isLast);
  }

  async #execute(action: StoredAction, findings: Findings, executor: Executor, isLast: boolean): Promise<Round> {
    const { intent } = action;
    const { store, clock, log, holder } = this.#deps;
    const nowMs = clock.nowMs();
    const target = workloadKey(intent.target);
    try {
      if (!(await store.takeTargetLease(target, holder, nowMs, nowMs + TARGET_LEASE_MS))) {
        // Perhaps on this very action: a word in its status would take the version from under whoever carries it out.
        log.info('another process acts on the target', { actionId: intent.name, target });
        return 'busy';
      }
    } catch (error) {
      return this.#refuse(action, hold('HistoryUnavailable', `the target cannot be taken: ${messageOf(error)}`));
    }
    let round: Round = undefined;
    const release = (): Promise<void> => store.releaseTargetLease(target, holder).catch(() => undefined); // it ends by itself
    try {
      const problem = await this.#reserve(action);
      round =
        problem === undefined
          ? await this.#writeEffect(action, findings, executor, isLast)
          : await this.#refuse(action, hold('HistoryUnavailable', problem));
    } finally {
      if (!isSent(round)) await release();
    }
    if (!isSent(round)) return round;
    const { settle } = round;
    return { settle: () => settle().finally(release) };
  }

  /** Puts the budget aside; a sentence if it cannot be. Then the guards see also what another process did or reserved. */
  async #reserve(action: StoredAction): Promise<string | undefined> {
    const { ledger, clock } = this.#deps;
    const nowMs = clock.nowMs();
    try {
      await ledger.put({ ...toRecord(action), state: 'Executing', executedAtMs: nowMs, spent: false });
    } catch (error) {
      return `the budget cannot be reserved: ${messageOf(error)}`;
    }
    return (await ledger.load(nowMs)) ? undefined : 'the ledger cannot be read';
  }

  async #writeEffect(action: StoredAction, findings: Findings, executor: Executor, isLast: boolean): Promise<Round> {
    const { intent } = action;
    const { leadership, journal, metrics, clock, log } = this.#deps;
    const again = await this.#judgeToSend(action, findings);
    if ('over' in again) return this.#end(action, again.over);
    if ('refused' in again) return this.#refuse(action, again.refused);
    const kept = await this.#keepForReversal(action, executor);
    if (kept === undefined) return this.#refuse(action, hold('UnsafeToRead', 'the reversal mark cannot be written'));
    const rowId = await journal.announce(kept);
    if (rowId === undefined) return this.#refuse(kept, hold('HistoryUnavailable', 'the history takes no row'));
    const executing = await journal.write(kept, markExecuting(kept.status, clock.nowMs()));
    if (executing === undefined) {
      await this.#completeUnsent(kept, rowId);
      return undefined; // looked at again by whoever changed it
    }
    const over = this.#outlived(executing);
    if (over !== undefined) return this.#end(executing, over);
    if (!leadership.mayBeginEffect()) {
      await journal.complete(rowId, 'NotLeader', 'the lease was too old to begin; nothing was sent');
      return this.#refuse(executing, hold('NotLeader', 'the lease was not renewed in time'));
    }
    const outcome = await executor.perform(intent, again.live);
    metrics.count('aegis_effects_total', { action: intent.action, outcome: outcome.kind });
    log.info('effect', { actionId: intent.name, incidentId: intent.incidentId, action: intent.action, outcome });
    if (isMoved(outcome) && !isLast) {
      await journal.complete(rowId, 'TargetChanged', 'the target moved; judged again');
      return executing;
    }
    return { settle: () => this.#settle(executing, executor, outcome, rowId) };
  }

  async #settle(executing: StoredAction, executor: Executor, outcome: Outcome, rowId: string): Promise<void> {
    const { journal, clock } = this.#deps;
    const seen = await this.#readBack(executing, executor, outcome);
    if (seen === undefined) return; // left `Executing`: settled by looking, never by guessing
    // The row before the status: killed in between, the action is still `Executing` and is settled with its row.
    await journal.complete(rowId, seen.kind, textOf(seen));
    await journal.record(executing, (status) => markOutcome(executing.intent, status, seen, clock.nowMs()));
  }

  /** It could not be marked as executing, so nothing was sent from here; another process may have, under this row. */
  async #completeUnsent(action: StoredAction, rowId: string): Promise<void> {
    const { writer, journal } = this.#deps;
    const now = await writer.readAction(action.intent.namespace, action.intent.name);
    if (!now.ok || now.value.status.executingAtMs !== undefined || now.value.status.executed !== undefined) return;
    await journal.complete(rowId, 'NotSent', 'the action could not be marked as executing; nothing was sent');
  }

  /** An effect that can be taken back keeps its object until it was: the mark stands before the effect. */
  async #keepForReversal(action: StoredAction, executor: Executor): Promise<StoredAction | undefined> {
    if (executor.undo === undefined) return action;
    const marked = await this.#deps.writer.setActionFinalizer(action, true);
    return marked.ok ? marked.value : undefined;
  }

  /** What really happened: an effect that cannot be seen did not happen; `undefined` where nothing can be seen now. */
  async #readBack(action: StoredAction, executor: Executor, outcome: Outcome): Promise<Outcome | undefined> {
    if (outcome.kind !== 'applied' && outcome.kind !== 'ambiguous') return outcome;
    // What leaves no trace cannot be looked for: its answer stands, and a lost one is never asked for again.
    if (executor.leavesTrace?.(action.intent) === false) return outcome;
    const { writer, clock } = this.#deps;
    for (let look = 1; look <= LOOKS; look++) {
      const live = await writer.readWorkload(action.intent.target);
      if (live.ok && (await executor.isVisible(action.intent, live.value))) {
        return outcome.kind === 'applied' ? outcome : { kind: 'already', detail: `${outcome.message}; found done` };
      }
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS * look, resolve));
    }
    return undefined;
  }

  async #judgeToSend(action: StoredAction, findings: Findings): Promise<Judged> {
    const judged = await this.#judge(action, findings);
    const over = this.#outlived(action);
    return over === undefined ? judged : { over };
  }

  /** The policy as it is at this moment: what was found before the gate is as old as the gate is slow. */
  #outlived(action: StoredAction): Ending | undefined {
    const { surroundings, times, clock } = this.#deps;
    const policy = surroundings.policy(action.intent.policy.uid);
    return outlived(times.steady(action), { policy, incidentOpen: undefined, nowMs: clock.nowMs() });
  }

  /** Every guard, on what the API server says now. */
  async #judge(action: StoredAction, findings: Findings): Promise<Judged> {
    const { writer, surroundings, engines, clock } = this.#deps;
    const { intent } = action;
    const live = await writer.readWorkload(intent.target);
    if (!live.ok) {
      const { kind, message } = live.error;
      const reason = kind === 'NotFound' ? 'TargetGone' : kind === 'Forbidden' ? 'Forbidden' : 'UnsafeToRead';
      return { refused: hold(reason, message) };
    }
    if (live.value.ref.uid !== intent.target.uid) {
      return { refused: hold('TargetChanged', `${intent.target.name} was deleted and made anew`) };
    }
    if (intent.action === 'throttle_api') await surroundings.readThrottlePaths(live.value, true);
    const input = surroundings.decisionInput({ ...findings, workload: live.value }, clock.nowMs());
    const allowed = guardInputFor(intent, input, { kind: 'allowed', policies: [] });
    const blocker = runChain(allowed).first;
    if (blocker !== undefined) return { refused: blocker };
    const message = exceedsMode(intent, action.status, allowed);
    if (message !== undefined) return { over: { state: 'Superseded', reason: 'PolicyChanged', message } };
    const answer = await engines.ask(intent, input.guardrails ?? []);
    const refused = answer === undefined ? undefined : runChain(guardInputFor(intent, input, answer)).first;
    return refused === undefined ? { live: live.value } : { refused };
  }

  /** Nothing was sent. What waiting can cure waits; the rest ends, and the ladder goes on with the next decision. */
  async #refuse(action: StoredAction, because: Hold): Promise<undefined> {
    const { journal, clock } = this.#deps;
    const { reason, message } = because;
    // An earlier round may have marked it as executing: that nothing was sent is known here, so it is no attempt.
    const { executingAtMs: _unsent, ...status } = action.status;
    const isOver = reason === 'TargetGone' || reason === 'TargetChanged' || reason === 'IncidentClosed';
    if (!isOver && lasting(reason) === 'wait') {
      await journal.write(action, markBlocked(status, because, clock.nowMs()));
      return undefined;
    }
    await journal.completeUnsent(action, because);
    const state = isOver ? 'Superseded' : 'Denied';
    await journal.write(action, markClosed(status, { state, reason, message }, clock.nowMs()));
    return undefined;
  }

  /** Nothing was sent, and it is not what may be done by now: the next decision asks whom it must. */
  async #end(action: StoredAction, over: Ending): Promise<undefined> {
    const { journal, clock } = this.#deps;
    const { executingAtMs: _unsent, ...status } = action.status;
    await journal.completeUnsent(action, over);
    await journal.write(action, markClosed(status, over, clock.nowMs()));
    return undefined;
  }

  async #endDryRun(action: StoredAction, preview: Outcome): Promise<undefined> {
    const { journal, clock } = this.#deps;
    const message = `the server would accept it: ${textOf(preview)}; the mode is Observe`;
    await journal.announce(action, 'dry-run', message);
    const closed = { state: 'Denied', reason: 'ObserveOnly', message } as const;
    await journal.write(action, markClosed(action.status, closed, clock.nowMs()));
    return undefined;
  }
}

const isSent = (round: Round): round is Sent => typeof round === 'object' && 'settle' in round;
const isAgain = (round: Round): round is StoredAction => typeof round === 'object' && !isSent(round);
const isMoved = (outcome: Outcome): boolean => outcome.kind === 'blocked' && outcome.reason === 'TargetChanged';
const textOf = (outcome: Outcome): string => ('detail' in outcome ? outcome.detail : outcome.message);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
