import { isResting, SAME_INCIDENT_MS, type Incident } from '../detection/incident.ts';
import { classify } from '../diagnosis/classify.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import { decide } from '../healing/decide.ts';
import type { Decision } from '../healing/decision.ts';
import { inWords, MINUTE, SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { workloadKey } from '../lib/workload.ts';
import { isEffect } from '../policy/action.ts';
import type { EngineAnswer } from '../policy/guard.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { BackFill } from './back-fill.ts';
import type { DecisionRecorder } from './decision-recorder.ts';
import { questionKey, type AnswersAhead, type EngineAnswers } from './engine-answers.ts';
import { eventNote, regardingPolicy, regardingWorkload } from './events.ts';
import type { IncidentBook } from './incident-book.ts';
import { LogDesk } from './log-desk.ts';
import type { MetricsState, Poller } from './poller.ts';
import type { ClusterReader, EventSink, Leadership, LogSource, MetricsSink, StoredAction } from './ports.ts';
import type { Store } from './store-ports.ts';
import type { QueryRefusals } from './query-refusals.ts';
import { StormDesk } from './storm-desk.ts';
import type { StormWatch } from './storm-watch.ts';
import type { Surroundings } from './surroundings.ts';
import type { Assessed, WorkloadAssessor } from './workload-assessor.ts';

export interface DetectionLoopDeps {
  readonly reader: ClusterReader;
  readonly leadership: Leadership;
  readonly poller: Poller;
  readonly backFill: BackFill;
  readonly assessor: WorkloadAssessor;
  readonly book: IncidentBook;
  readonly storms: StormWatch;
  readonly surroundings: Surroundings;
  readonly refusals: QueryRefusals;
  readonly engines: EngineAnswers;
  readonly recorder: DecisionRecorder;
  readonly alerts: AlertDesk;
  readonly store: Store;
  readonly logs?: LogSource;
  readonly events: EventSink;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  readonly log: Log;
  /** An action was decided, or its workload was polled: look at it. */
  readonly onAction: (action: StoredAction) => void;
  readonly onPolled: (policy: HealingPolicy) => void;
}

interface Case extends Assessed {
  readonly policy: HealingPolicy;
  readonly workload: WorkloadSnapshot;
}

/** Its incident as it stands, and what ails it. */
interface Diagnosed extends Case {
  readonly incident: Incident;
  readonly diagnosis: Diagnosis;
}

const ALLOWED = { kind: 'allowed', policies: [] } as const;

/**
 * One tick: poll what is due, assess every workload, look for a storm, then diagnose and decide each open incident. All
 * are assessed before any is decided, so that a storm is seen before the first action and not after the third.
 */
export class DetectionLoop {
  readonly #deps: DetectionLoopDeps;
  readonly #logs: LogDesk;
  readonly #storms: StormDesk;
  #isRunning = false;

  constructor(deps: DetectionLoopDeps) {
    this.#deps = deps;
    this.#storms = new StormDesk(deps);
    this.#logs = new LogDesk({ source: deps.logs, clock: deps.clock, log: deps.log });
  }

  /** Does nothing while the last tick still runs, or the caches are not filled yet. */
  async tick(): Promise<void> {
    const { reader, poller, backFill, clock, surroundings, alerts } = this.#deps;
    if (this.#isRunning || !reader.synced()) return;
    this.#isRunning = true;
    try {
      const nowMs = clock.nowMs();
      const policies = surroundings.policies();
      const wanted = [...backFill.ready(policies, nowMs), ...surroundings.refusedByServer()];
      const due = poller.due(wanted, clock.monotonicMs());
      if (due.length > 0) await this.#poll(due, nowMs);
      if (this.#mayDecide()) alerts.repeat(nowMs);
    } finally {
      this.#isRunning = false;
    }
  }

  /** A leader that has not read yet what its predecessor held open would open it a second time. */
  #mayDecide(): boolean {
    const { leadership, book } = this.#deps;
    return leadership.isLeader() && book.isLoaded();
  }

  async #poll(due: readonly HealingPolicy[], nowMs: number): Promise<void> {
    const { poller, surroundings, refusals, clock, metrics, book, onPolled } = this.#deps;
    const startedMs = clock.monotonicMs();
    const before = new Map(due.map(({ uid }) => [uid, poller.state(uid)]));
    const [states] = await Promise.all([poller.poll(due, startedMs, nowMs), surroundings.readAlerts()]);
    metrics.observe('aegis_poll_duration_seconds', (clock.monotonicMs() - startedMs) / SECOND);
    const byUid = new Map(states.map((state) => [state.polled.policyUid, state]));
    for (const policy of due) {
      const state = byUid.get(policy.uid);
      if (state !== undefined) refusals.note(policy, state.polled);
    }
    const refused = new Set(surroundings.refusedByServer().map(({ uid }) => uid));
    const cases: Case[] = [];
    for (const policy of due) {
      const state = byUid.get(policy.uid);
      if (state === undefined) continue;
      // Asked only to learn whether its queries are taken by now: nothing is judged under a policy that is not accepted.
      if (refused.has(policy.uid)) continue;
      cases.push(...this.#assess(policy, state));
      if (this.#mayDecide()) this.#tellAvailability(policy, before.get(policy.uid), state);
    }
    this.#storms.look(clock.nowMs(), this.#mayDecide());
    this.#count();
    if (this.#mayDecide()) await book.saveOwed();
    for (const each of cases) await this.#follow(each, () => this.#recordTransition(each));
    if (this.#mayDecide()) await book.agree();
    const open = cases.filter(
      ({ track: { history } }) => history.incident !== undefined && !isResting(history.incident),
    );
    if (this.#mayDecide()) {
      await surroundings.readEvidence(open.map(({ workload }) => workload));
      await this.#logs.refresh(
        open.map(({ policy, workload, track }) => ({ policy, workload, incidentId: track.history.incident?.id ?? '' })),
      );
    }
    const diagnosed = await this.#diagnoseAll(open);
    const ahead = await this.#askAhead(diagnosed);
    for (const each of diagnosed) await this.#follow(each, () => this.#decide(each, ahead));
    if (this.#mayDecide()) this.#storms.tell(clock.nowMs());
    for (const policy of due) onPolled(policy);
  }

  /** A workload that cannot be judged is left out of this poll; the others are not. */
  #assess(policy: HealingPolicy, state: MetricsState): readonly Case[] {
    const { reader, poller, assessor, clock, log, metrics } = this.#deps;
    const specs = poller.specs(policy, state.polled, clock.monotonicMs());
    const workloads = reader.workloads(policy.namespace, policy.target);
    return workloads.flatMap((workload): Case[] => {
      try {
        const selected = { workload, isOnly: workloads.length === 1 };
        const at = { nowMs: clock.nowMs(), sourceNowMs: poller.sourceNowMs(), monotonicMs: clock.monotonicMs() };
        const assessed = assessor.assess(policy, selected, state.polled.readings, specs, at);
        return [{ ...assessed, policy, workload }];
      } catch (error) {
        metrics.count('aegis_faults_total', { where: 'assess' });
        log.error('a workload cannot be judged', {
          workload: workloadKey(workload.ref),
          policy: policy.name,
          err: error,
        });
        return [];
      }
    });
  }

  #count(): void {
    const { book, metrics } = this.#deps;
    const watched = book.tracks().map(({ verdict }) => verdict?.state ?? 'unknown');
    for (const state of ['healthy', 'unhealthy', 'unknown'] as const) {
      metrics.gauge('aegis_workloads', watched.filter((each) => each === state).length, { state });
    }
    metrics.gauge('aegis_incidents_open', book.openIncidents().length);
  }

  /** A fault in one case stays there. */
  async #follow(each: Case, step: () => Promise<void>): Promise<void> {
    const { log, metrics } = this.#deps;
    if (!this.#mayDecide()) return;
    try {
      await step();
    } catch (error) {
      metrics.count('aegis_faults_total', { where: 'decide' });
      log.error('an incident cannot be decided', { workload: workloadKey(each.workload.ref), err: error });
    }
  }

  async #recordTransition({ track, policy, workload, transition, verdict }: Case): Promise<void> {
    const { book, events, metrics, alerts, log, clock } = this.#deps;
    const incident = transition === 'resolved' ? track.resolved : track.history.incident;
    if (incident === undefined || transition === 'none' || transition === 'updated') return;
    await book.save(incident);
    const facts = { incidentId: incident.id, workload: workloadKey(workload.ref), policy: policy.name };
    const lastedMs = lastedOf(incident);
    const { reason, says } = TOLD_AS[transition];
    const note = `incident ${incident.id}${says(incident, `score ${verdict.score.toFixed(2)}, ${incident.pods.length} of ${workload.replicas.desired} pods`)}`;
    log.info(`incident ${transition}`, { ...facts, score: verdict.score });
    events.emit(eventNote(regardingWorkload(workload.ref), reason, note));
    events.emit(eventNote(regardingPolicy(policy), reason, note));
    if (transition === 'returned') alerts.join(incident);
    if (transition !== 'resolved') return;
    const failureType = track.diagnosis?.failureType ?? 'unknown';
    metrics.observe('aegis_recovery_seconds', lastedMs / SECOND, { failure_type: failureType });
    alerts.resolve(incident, clock.nowMs());
    this.#logs.forget(incident.id);
    delete track.diagnosis;
    delete track.decision;
    delete track.hold;
  }

  /** What ails each of them; once a poll, whoever is asked about it afterwards. */
  async #diagnoseAll(open: readonly Case[]): Promise<readonly Diagnosed[]> {
    const diagnosed: Diagnosed[] = [];
    for (const each of open) {
      await this.#follow(each, async () => {
        const found = await this.#diagnose(each);
        if (found !== undefined) diagnosed.push(found);
      });
    }
    return diagnosed;
  }

  async #diagnose(each: Case): Promise<Diagnosed | undefined> {
    const { surroundings, clock, metrics } = this.#deps;
    const { track, workload, transition } = each;
    const { incident } = track.history;
    if (incident === undefined) return undefined;
    await surroundings.readThrottlePaths(workload);
    const lines = this.#logs.linesOf(incident.id);
    const diagnosis = classify(surroundings.diagnosisInput(track, workload, lines, clock.nowMs()));
    // While an effect is under way its own consequences are in the picture: no news for people.
    const isNews = transition === 'opened' || track.diagnosis?.failureType !== diagnosis.failureType;
    if (isNews && diagnosis.cause.kind !== 'aegis') this.#tellDiagnosis(workload, diagnosis.summary);
    if (transition === 'opened') metrics.count('aegis_incidents_total', { failure_type: diagnosis.failureType });
    track.diagnosis = diagnosis;
    return { ...each, incident, diagnosis };
  }

  /** The engines' answers on what would be done now; decided is one after the other, so that each sees what others spent. */
  async #askAhead(diagnosed: readonly Diagnosed[]): Promise<AnswersAhead> {
    const { engines, surroundings, clock } = this.#deps;
    const questions = diagnosed.flatMap((each) => {
      const guardrails = surroundings.guardrailsOf(each.policy.namespace) ?? [];
      if (!this.#mayDecide() || !engines.isAsked(guardrails)) return [];
      try {
        const wished = decide({ ...surroundings.decisionInput(each, clock.nowMs()), engineAnswer: ALLOWED });
        return isEffectOf(wished) ? [{ intent: wished.intent, guardrails }] : [];
      } catch {
        return []; // the decision itself meets the same fault, and tells of it
      }
    });
    return engines.askAll(questions);
  }

  async #decide(each: Diagnosed, ahead: AnswersAhead): Promise<void> {
    const { recorder, clock, alerts, onAction } = this.#deps;
    const { track, policy, incident, diagnosis } = each;
    const nowMs = clock.nowMs();
    const isTold = alerts.join(incident, diagnosis.failureType);
    const decision = await this.#decideWithEngines({ ...each, isTold }, ahead, nowMs);
    const action = await recorder.record(policy, track, decision, nowMs);
    if (action !== undefined) return onAction(action);
    if (decision.kind !== 'act' || track.hold === undefined) return;
    // Nothing can be recorded, so nothing is done; people are told without an object, once the rung's time is over.
    const patienceMs = isEffect(decision.intent.action) ? 5 * MINUTE : MINUTE;
    if (nowMs - track.hold.sinceMs < patienceMs) return;
    alerts.tellUnrecorded(decision.intent, track.decision?.kind === 'hold' ? track.decision.message : '', nowMs);
  }

  /** The engines are asked only about what all other guards would let pass. */
  async #decideWithEngines(
    { isTold, ...findings }: Diagnosed & { readonly isTold: boolean },
    ahead: AnswersAhead,
    nowMs: number,
  ): Promise<Decision> {
    const { engines, surroundings } = this.#deps;
    const guardrails = surroundings.guardrailsOf(findings.policy.namespace) ?? [];
    const decideWith = (engineAnswer: EngineAnswer | undefined): Decision =>
      decide({
        ...{ ...surroundings.decisionInput(findings, nowMs), isTold },
        ...(engineAnswer !== undefined && { engineAnswer }),
      });
    if (!engines.isAsked(guardrails)) return decideWith(undefined);
    const wished = decideWith(ALLOWED);
    if (!isEffectOf(wished)) return wished;
    const known = ahead.get(questionKey(wished.intent));
    // It was judged with this very answer, at this very moment.
    if (known?.kind === 'allowed') return wished;
    return decideWith(known ?? (await engines.ask(wished.intent, guardrails)));
  }

  #tellDiagnosis(workload: WorkloadSnapshot, summary: string): void {
    this.#deps.events.emit(eventNote(regardingWorkload(workload.ref), 'Diagnosed', summary));
  }

  #tellAvailability(policy: HealingPolicy, before: MetricsState | undefined, now: MetricsState): void {
    if (before === undefined || before.isAvailable === now.isAvailable) return;
    const why = now.error === undefined ? '' : `: ${now.error.kind}: ${now.error.message}`;
    const [reason, note] = now.isAvailable
      ? (['MetricsAvailable', 'readings are back'] as const)
      : (['MetricsUnavailable', `no usable reading${why}; nothing is done until there is`] as const);
    this.#deps.events.emit(eventNote(regardingPolicy(policy), reason, note));
  }
}

const isEffectOf = (decision: Decision): decision is Extract<Decision, { kind: 'act' }> =>
  decision.kind === 'act' && isEffect(decision.intent.action);

/** From its onset; of one that came back, from its first beginning. */
function lastedOf({ returns = 0, openedAtMs, onsetAtMs, updatedAtMs, resolvedAtMs }: Incident): number {
  return (resolvedAtMs ?? updatedAtMs) - (returns > 0 ? openedAtMs : onsetAtMs);
}

/** What people read of each turn; that it flaps is said once, since then it stays open. */
const TOLD_AS = {
  opened: {
    reason: 'IncidentOpened',
    says: ({ metrics }: Incident, size: string) => `: ${[size, ...metrics].join(', ')}`,
  },
  returned: {
    reason: 'IncidentFlaps',
    says: ({ metrics }: Incident, size: string) =>
      ` is back: ${[size, ...metrics].join(', ')}; it stays open until it has been well for ${inWords(SAME_INCIDENT_MS)}`,
  },
  resolved: {
    reason: 'IncidentResolved',
    says: (incident: Incident, _size: string) =>
      ` is over after ${inWords(lastedOf(incident))}${(incident.returns ?? 0) > 0 ? `; it came back ${incident.returns} times` : ''}`,
  },
} as const;
