import type { Engine } from '../detection/engine-input.ts';
import { toRecord } from '../healing/record.ts';
import { DAY, MINUTE, SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { actionKey, type ActionReconciler } from './action-reconciler.ts';
import type { ActionLedger } from './action-ledger.ts';
import type { ActionTimes } from './action-times.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { BackFill } from './back-fill.ts';
import type { DetectionLoop } from './detection-loop.ts';
import type { ExperienceBook } from './experience-book.ts';
import { guardrailName, type GuardrailReporter } from './guardrail-reporter.ts';
import type { IncidentBook } from './incident-book.ts';
import { createModelKeeper, type ModelKeeper } from './model-keeper.ts';
import type { OwedRows } from './owed-rows.ts';
import { policyKey, type PolicyReporter } from './policy-reporter.ts';
import type { Poller } from './poller.ts';
import type { ClusterReader, Leadership, MetricsSink, StoredAction } from './ports.ts';
import type { Store } from './store-ports.ts';
import type { QueryRefusals } from './query-refusals.ts';
import { rebuildHistory } from './rebuild-history.ts';
import { createEffectivenessReport, reportState } from './state-gauges.ts';
import type { StormWatch } from './storm-watch.ts';
import type { Surroundings } from './surroundings.ts';
import type { WorkloadAssessor } from './workload-assessor.ts';
import { WorkQueue, type HandlerResult } from './workqueue.ts';

const TICK_MS = SECOND;
/** A policy edited a hundred times a second costs no more than one edited once a second. */
const EDITS_EVERY_MS = SECOND;
/** An incident whose workload is gone stays open no longer than this. */
const TIDY_EVERY_MS = MINUTE;
/** Newest incidents among which those are looked for that may come back, or whose end was not told: more than end in some minutes. */
const RESOLVED_LOOKED_AT = 200;
/** Half of what most scrape by. */
const REPORT_EVERY_MS = 15 * SECOND;
/** A series not seen for a day belongs to a pod that is gone. */
const FORGET_SERIES_MS = DAY;
/** Name of the models in the store. */
const MODELS = 'engine';
const NOTHING = Promise.resolve({});

export interface OperatorDeps {
  readonly engine: Engine;
  readonly reader: ClusterReader;
  readonly leadership: Leadership;
  readonly loop: DetectionLoop;
  readonly poller: Poller;
  readonly backFill: BackFill;
  readonly assessor: WorkloadAssessor;
  readonly reconciler: ActionReconciler;
  readonly reporter: PolicyReporter;
  readonly guardrailReporter: GuardrailReporter;
  readonly book: IncidentBook;
  readonly ledger: ActionLedger;
  readonly times: ActionTimes;
  readonly storms: StormWatch;
  readonly owed: OwedRows;
  readonly experience: ExperienceBook;
  readonly refusals: QueryRefusals;
  readonly alerts: AlertDesk;
  readonly surroundings: Surroundings;
  readonly store: Store;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** False: what was learnt is not stored for a next process; default true. */
  readonly storesModels?: boolean;
  /** False: nobody reads the status of policies, so that polls do not bring it up to date; default true. */
  readonly reportsPolicies?: boolean;
}

/** Starts, times and stops everything. What happens and in which order is here; what it means is nowhere here. */
export class Operator {
  readonly #deps: OperatorDeps;
  readonly #actions: WorkQueue;
  readonly #policies: WorkQueue;
  readonly #guardrails: WorkQueue;
  /** Policies whose actions must be looked at because of an edit. */
  readonly #edits: WorkQueue;
  #cancelTick: () => void = () => undefined;
  #isStopped = false;
  /** Everything that a leader must know before it may decide. */
  #isPrepared = false;
  /** Every row that the action objects prove is there. */
  #isHistoryWhole = false;
  /** By the clock that never jumps. */
  #tidiedAtMs = Number.NEGATIVE_INFINITY;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  readonly #reportEffectiveness = createEffectivenessReport();
  /** Absent: no process comes after this one. */
  readonly #models: ModelKeeper | undefined;

  constructor(deps: OperatorDeps) {
    this.#deps = deps;
    const { clock, random, log, metrics, reconciler, reporter, engine, store, leadership } = deps;
    if (deps.storesModels !== false) {
      const maySave = (): boolean => leadership.isLeader() && this.#isPrepared;
      this.#models = createModelKeeper({ engine, store, key: MODELS, maySave, clock, log });
    }
    const shared = { clock, random, log, metrics };
    this.#actions = new WorkQueue({
      ...{ ...shared, name: 'actions', concurrency: 4 },
      // An action is only touched with its predecessor's knowledge; `#prepare` adds every one again.
      handle: (key) => (this.#isPrepared ? this.#counted('action', () => reconciler.reconcile(key)) : NOTHING),
    });
    this.#policies = new WorkQueue({
      ...{ ...shared, name: 'policies', concurrency: 4, minIntervalMs: EDITS_EVERY_MS },
      handle: (key) => this.#counted('policy', () => reporter.reconcile(key)),
    });
    this.#guardrails = new WorkQueue({
      ...{ ...shared, name: 'guardrails', concurrency: 1, minIntervalMs: EDITS_EVERY_MS },
      handle: (name) => this.#counted('guardrail', () => deps.guardrailReporter.reconcile(name)),
    });
    this.#edits = new WorkQueue({
      ...{ ...shared, name: 'edits', concurrency: 1, minIntervalMs: EDITS_EVERY_MS },
      handle: (key) => {
        this.#addActionsOf(({ namespace, name }) => policyKey(namespace, name) === key);
        return NOTHING;
      },
    });
  }

  async start(): Promise<void> {
    const { leadership, reader, log } = this.#deps;
    await this.#models?.start();
    reader.onChange(({ kind, namespace, name }) => {
      if (kind === 'policy') {
        this.#policies.add(policyKey(namespace, name));
        // Edited or deleted: what was meant under it may be meant no more, and what it limits must go back.
        this.#edits.add(policyKey(namespace, name));
        for (const each of reader.guardrails() ?? []) this.#guardrails.add(guardrailName(each));
      }
      if (kind === 'action') this.#actions.add(actionKey(namespace, name));
      if (kind !== 'guardrail') return;
      this.#guardrails.add(name);
      for (const key of this.#policyKeys()) this.#policies.add(key);
    });
    leadership.onChange((isLeader) => {
      this.#deps.metrics.gauge('aegis_leader', isLeader ? 1 : 0);
      log.info(isLeader ? 'leading' : 'standing by');
      this.#isPrepared = false;
      this.#isHistoryWhole = false;
      this.#deps.ledger.unload();
      this.#deps.experience.unload();
      this.#deps.book.unload();
      this.#deps.alerts.forget();
    });
    leadership.start();
    this.#actions.start();
    this.#policies.start();
    this.#guardrails.start();
    this.#edits.start();
    this.#tick();
  }

  /** Looks at the action soon. */
  readonly onAction = (action: StoredAction): void =>
    this.#actions.add(actionKey(action.intent.namespace, action.intent.name));

  /** New readings: the policy's status may say something new, and its actions may be verified. */
  onPolled(namespace: string, name: string, uid: string): void {
    if (this.#deps.reportsPolicies !== false) this.#policies.add(policyKey(namespace, name));
    this.#addActionsOf((policy) => policy.uid === uid && this.#isOpen(policy.action));
  }

  #addActionsOf(
    isMeant: (of: {
      readonly uid: string;
      readonly namespace: string;
      readonly name: string;
      readonly action: string;
    }) => boolean,
  ): void {
    for (const { intent } of this.#deps.reader.actions()) {
      const { policy, namespace, name } = intent;
      if (isMeant({ uid: policy.uid, namespace, name: policy.name, action: name }))
        this.#actions.add(actionKey(namespace, name));
    }
  }

  /** Ends what is under way, stores the models and gives the lease back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    const queues = [this.#edits, this.#actions, this.#policies, this.#guardrails];
    await Promise.all(queues.map((queue) => queue.stop()));
    await this.#models?.stop();
    await this.#deps.leadership.stop();
  }

  #isOpen(name: string): boolean {
    const record = this.#deps.ledger.get(name);
    return record === undefined || record.endedAtMs === undefined;
  }

  #tick(): void {
    if (this.#isStopped) return;
    const startedMs = this.#deps.clock.monotonicMs();
    void this.#work().finally(() => {
      if (this.#isStopped) return;
      const spentMs = this.#deps.clock.monotonicMs() - startedMs;
      this.#cancelTick = this.#deps.clock.after(Math.max(TICK_MS - spentMs, TICK_MS / 10), () => this.#tick());
    });
  }

  async #work(): Promise<void> {
    const { leadership, reader, loop, clock, log, metrics } = this.#deps;
    try {
      if (!reader.synced()) return;
      if (leadership.isLeader() && !this.#isPrepared) await this.#prepare();
      if (leadership.isLeader() && !this.#isPrepared) return;
      if (this.#isPrepared) await this.#payRows();
      await loop.tick();
      const nowMs = clock.nowMs();
      const atMs = clock.monotonicMs();
      if (atMs - this.#tidiedAtMs >= TIDY_EVERY_MS) this.#tidy(nowMs, atMs);
      if (atMs - this.#reportedAtMs >= REPORT_EVERY_MS) this.#report(nowMs, atMs);
    } catch (error) {
      metrics.count('aegis_faults_total', { where: 'tick' });
      log.error('a tick failed', { err: error });
    }
  }

  /** What this process owes the history, and once in each leadership what the last one did. */
  async #payRows(): Promise<void> {
    const { owed, reader, store, log } = this.#deps;
    await owed.pay();
    if (this.#isHistoryWhole || !store.healthy()) return;
    this.#isHistoryWhole = await rebuildHistory(store, owed, log, reader.actions());
  }

  /** A new leader first learns what its predecessor began: ledger, incidents, storms, and every open action. */
  async #prepare(): Promise<void> {
    const { ledger, experience, book, storms, reader, alerts, store, clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    // Without it ladders stay as written: no reason not to lead.
    await experience.refresh(nowMs);
    // The book last: that it is loaded lets the loop decide.
    if (!(await ledger.load(nowMs))) return;
    const actions = reader.actions();
    await ledger.adopt(actions.map(toRecord));
    if (!(await storms.load()) || !(await alerts.load()) || !(await book.load())) return;
    // Without the store only those that are open are known, which is no reason not to lead.
    const resolved = await store.incidents(RESOLVED_LOOKED_AT).catch(() => []);
    book.recall(resolved);
    alerts.takeUp(actions, { isOpen: (id) => book.isOpen(id), resolved }, nowMs);
    this.#isPrepared = true;
    log.info('prepared to lead', { actions: actions.length, incidents: book.openIncidents().length });
    for (const { intent } of actions) addAnew(this.#actions, actionKey(intent.namespace, intent.name));
    // Of those that the store alone knows the objects may have been deleted while nobody led.
    for (const { namespace, name } of ledger.open()) addAnew(this.#actions, actionKey(namespace, name));
    for (const key of this.#policyKeys()) addAnew(this.#policies, key);
    for (const each of reader.guardrails() ?? []) addAnew(this.#guardrails, guardrailName(each));
  }

  #policyKeys(): readonly string[] {
    return this.#deps.reader.policies().map((parsed) => {
      const { namespace, name } = parsed.kind === 'valid' ? parsed.value : parsed;
      return policyKey(namespace, name);
    });
  }

  #report(nowMs: number, monotonicMs: number): void {
    this.#reportedAtMs = monotonicMs;
    const { reader, ledger, experience, metrics } = this.#deps;
    const queues = [this.#actions, this.#policies, this.#guardrails, this.#edits];
    reportState({ reader, ledger, metrics, queues }, nowMs);
    this.#reportEffectiveness(metrics, this.#isPrepared ? (experience.effectiveness(nowMs) ?? []) : []);
  }

  /** Forgets what no longer exists, so that memory follows the cluster and not its history. */
  #tidy(nowMs: number, monotonicMs: number): void {
    const { engine, book, poller, refusals, backFill, assessor, reader, surroundings, metrics, alerts } = this.#deps;
    this.#tidiedAtMs = monotonicMs;
    if (this.#isPrepared) void this.#deps.experience.refresh(nowMs);
    const policies = surroundings.policies();
    const uids = new Set([...policies, ...surroundings.refusedByServer()].map(({ uid }) => uid));
    refusals.forget((uid) => uids.has(uid));
    const watched = new Set<string>();
    const pods = new Set<string>();
    const workloads = new Set<string>();
    for (const policy of policies) {
      for (const workload of reader.workloads(policy.namespace, policy.target)) {
        watched.add(`${policy.uid}/${workload.ref.uid}`);
        workloads.add(workload.ref.uid);
        for (const pod of workload.pods) pods.add(pod.uid);
      }
    }
    const orphans = book.forget((policy, workload) => watched.has(`${policy}/${workload}`));
    for (const orphan of this.#isPrepared ? orphans : []) {
      void book.save({ ...orphan, resolvedAtMs: nowMs });
      alerts.resolve(orphan, nowMs);
    }
    assessor.forgetPods(pods);
    surroundings.forgetWorkloads((uid) => workloads.has(uid));
    const actions = new Set(reader.actions().map(({ uid }) => uid));
    this.#deps.times.forget((uid) => actions.has(uid));
    poller.forget((uid) => uids.has(uid));
    backFill.forget((uid) => uids.has(uid));
    const oldestMs = poller.sourceNowMs() - FORGET_SERIES_MS;
    metrics.count('aegis_engine_evicted_series_total', { owner: 'operator' }, engine.evict(oldestMs));
    metrics.gauge('aegis_engine_series', engine.seriesCount(), { owner: 'operator' });
  }

  async #counted(kind: 'action' | 'policy' | 'guardrail', run: () => Promise<HandlerResult>): Promise<HandlerResult> {
    const { metrics, clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    try {
      const result = await run();
      metrics.count('aegis_reconciles_total', { kind, result: result.failure === undefined ? 'ok' : 'error' });
      return result;
    } catch (error) {
      metrics.count('aegis_reconciles_total', { kind, result: 'error' });
      throw error;
    } finally {
      metrics.observe('aegis_reconcile_duration_seconds', (clock.monotonicMs() - startedMs) / SECOND, { kind });
    }
  }
}

/** What failed under the last leadership, most often for want of the API server, does not wait out its back-off in this one. */
function addAnew(queue: WorkQueue, key: string): void {
  queue.forget(key);
  queue.add(key);
}
