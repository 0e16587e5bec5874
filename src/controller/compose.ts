import { createEngine } from '../detection/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { EffectName } from '../policy/action.ts';
import type { Effectiveness } from '../policy/effectiveness.ts';
import type { EnabledEffects, Guardrail } from '../policy/healing-policy.ts';
import { ActionGate } from './action-gate.ts';
import { ActionJournal } from './action-journal.ts';
import { ActionLedger } from './action-ledger.ts';
import { ActionReconciler } from './action-reconciler.ts';
import { ActionTimes } from './action-times.ts';
import { AlertDesk } from './alert-desk.ts';
import { BackFill } from './back-fill.ts';
import { countedLogSource, countedMetricEvidence, countedMetricSource } from './counted-sources.ts';
import { DecisionRecorder } from './decision-recorder.ts';
import { DetectionLoop } from './detection-loop.ts';
import { createEffectivenessDesk, type EffectivenessDesk } from './effectiveness-desk.ts';
import { EngineAnswers } from './engine-answers.ts';
import { EvidenceDesk, type EvidenceAdapters } from './evidence-desk.ts';
import { ExperienceBook } from './experience-book.ts';
import { GuardrailReporter } from './guardrail-reporter.ts';
import { IncidentBook } from './incident-book.ts';
import { createOperatorView } from './live-view.ts';
import type { OperatorView } from './operator-view.ts';
import { Operator } from './operator.ts';
import { OwedRows } from './owed-rows.ts';
import { PodAges } from './pod-ages.ts';
import { PolicyAcceptance } from './policy-acceptance.ts';
import { PolicyReporter } from './policy-reporter.ts';
import { Poller } from './poller.ts';
import type {
  ClusterReader,
  ClusterWriter,
  EventSink,
  Executor,
  Leadership,
  LogSource,
  MetricSource,
  MetricsSink,
  Notifier,
  PolicyEngine,
  ThrottleSurvey,
} from './ports.ts';
import type { Store } from './store-ports.ts';
import { QueryRefusals } from './query-refusals.ts';
import { StormWatch } from './storm-watch.ts';
import { Surroundings } from './surroundings.ts';
import { ThrottleWatch } from './throttle-watch.ts';
import { WorkloadAssessor } from './workload-assessor.ts';

/** The world, as an operator reaches it: one implementation of each port. */
export interface OperatorAdapters {
  readonly reader: ClusterReader;
  readonly writer: ClusterWriter;
  readonly leadership: Leadership;
  readonly executors: ReadonlyMap<EffectName, Executor>;
  readonly source: MetricSource;
  readonly logs?: LogSource;
  readonly notifier: Notifier;
  readonly policyEngine: PolicyEngine;
  /** Absent: nothing here can limit traffic. */
  readonly throttleSurvey?: ThrottleSurvey;
  /** Absent: nothing is gathered besides pods, nodes, events and metrics. */
  readonly evidence?: EvidenceAdapters;
  readonly events: EventSink;
  readonly store: Store;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
}

export interface OperatorSettings {
  /** Unique to this process: what it reserves in the store bears this name. */
  readonly identity: string;
  readonly seed: number;
  /** A sample older than this is no ground for an effect. */
  readonly stalenessMs: number;
  readonly enabledEffects: EnabledEffects;
  /** `verb resource` of each right that Aegis lacks for an effect that is enabled. */
  readonly missingRights: (effect: EffectName) => readonly string[];
  /** Asked about every action, whatever the guardrails say. */
  readonly clusterWideEngine?: NonNullable<Guardrail['policyEngine']>;
  /** How long finished actions stay; absent: the default of `healing/next-step.ts`. */
  readonly finishedTtlMs?: number;
  /** False: no process comes after this one, what it learnt need not be stored; default true. */
  readonly storesModels?: boolean;
  /** What another operator has learnt of the effects, to go on from; absent: nothing. */
  readonly earlierEffectiveness?: readonly Effectiveness[];
  /** False: nobody reads the status of policies; default true. */
  readonly reportsPolicies?: boolean;
}

/** An operator that was put together and not started, and those of its parts that others ask. */
export interface ComposedOperator {
  readonly operator: Operator;
  readonly view: OperatorView;
  readonly poller: Poller;
  readonly surroundings: Surroundings;
  readonly book: IncidentBook;
  readonly ledger: ActionLedger;
  readonly times: ActionTimes;
  readonly storms: StormWatch;
  readonly owed: OwedRows;
  readonly effectiveness: EffectivenessDesk;
}

/** Puts the operator together. The program and the tests give it other adapters; the wiring is this one. */
export function composeOperator(adapters: OperatorAdapters, settings: OperatorSettings): ComposedOperator {
  const { reader, writer, leadership, executors, notifier, events } = adapters;
  const { store, metrics, clock, random, log } = adapters;
  const { stalenessMs, enabledEffects, missingRights, clusterWideEngine, finishedTtlMs } = settings;
  const source = countedMetricSource(adapters.source, metrics);
  const logs = adapters.logs === undefined ? undefined : countedLogSource(adapters.logs, metrics);
  const engine = createEngine({ seed: settings.seed });
  const experience = new ExperienceBook(store, log, settings.earlierEffectiveness);
  const ledger = new ActionLedger(store, log, clock, (record) => experience.note(record));
  const times = new ActionTimes(clock);
  const storms = new StormWatch(store, log, clock);
  const book = new IncidentBook(store, log, clock);
  const podAges = new PodAges(clock);
  const engines = new EngineAnswers({
    ...{ engine: adapters.policyEngine, metrics, clock },
    ...(clusterWideEngine !== undefined && { clusterWide: clusterWideEngine }),
  });
  const acceptance = new PolicyAcceptance({ source, notifier });
  const refusals = new QueryRefusals();
  const surroundings = new Surroundings({
    ...{ reader, source, ledger, experience, storms, book, podAges, leadership, acceptance, refusals, enabledEffects },
    scrapeIntervalMs: stalenessMs / 2,
    policyEngineConfigured: clusterWideEngine !== undefined,
    ...(adapters.throttleSurvey !== undefined && {
      throttles: new ThrottleWatch({ survey: adapters.throttleSurvey, clock, log }),
    }),
    ...(adapters.evidence !== undefined && {
      evidence: new EvidenceDesk({
        ...{ reader, book, clock, log, cluster: adapters.evidence.cluster, dns: adapters.evidence.dns },
        metrics: countedMetricEvidence(adapters.evidence.metrics, metrics),
      }),
    }),
  });
  const poller = new Poller({ source, metrics, clock, log });
  const assessor = new WorkloadAssessor({
    ...{ engine, book, podAges, stalenessMs },
    isHealed: (incidentId) => ledger.hasHealed(incidentId),
  });
  const backFill = new BackFill({ poller, assessor, reader, store, clock, log });
  const alerts = new AlertDesk({ notifier, store, metrics, log });
  const owed = new OwedRows(store, log, metrics);
  const recorder = new DecisionRecorder({ writer, store, owed, events, metrics, log });
  const journal = new ActionJournal({ writer, leadership, store, owed, ledger, times, events, metrics, clock, log });
  const gate = new ActionGate({
    ...{ writer, executors, leadership, store, ledger, times, journal, surroundings, engines },
    ...{ metrics, clock, log, holder: settings.identity },
  });
  const reconciler = new ActionReconciler({
    ...{ reader, writer, leadership, executors, gate, journal, ledger, times, book, surroundings },
    ...{ alerts, events, metrics, clock, log, stalenessMs },
    ...(finishedTtlMs !== undefined && { finishedTtlMs }),
  });
  const reporter = new PolicyReporter({
    ...{ reader, writer, leadership, poller, assessor, book, ledger, surroundings, enabledEffects, missingRights },
    ...{ events, clock, log },
  });
  const guardrailReporter = new GuardrailReporter({ reader, writer, leadership, clock });
  const loop = new DetectionLoop({
    ...{ reader, leadership, poller, backFill, assessor, book, storms, surroundings, engines, recorder, alerts },
    ...{ refusals },
    ...{ store, events, metrics, clock, log, ...(logs !== undefined && { logs }) },
    onAction: (action) => operator.onAction(action),
    onPolled: (policy) => operator.onPolled(policy.namespace, policy.name, policy.uid),
  });
  const operator: Operator = new Operator({
    ...{ engine, reader, leadership, loop, poller, backFill, assessor, reconciler, reporter, book, ledger, storms },
    ...{ guardrailReporter, owed, refusals, experience, times },
    ...{ alerts, surroundings, store, metrics, clock, random, log },
    ...(settings.storesModels !== undefined && { storesModels: settings.storesModels }),
    ...(settings.reportsPolicies !== undefined && { reportsPolicies: settings.reportsPolicies }),
  });
  return {
    ...{ operator, poller, surroundings, book, ledger, times, storms, owed },
    effectiveness: createEffectivenessDesk({
      ...{ store, clock, log },
      onReset: () => experience.refresh(clock.nowMs()),
    }),
    view: createOperatorView({ reader, book, surroundings, store, clock }),
  };
}
