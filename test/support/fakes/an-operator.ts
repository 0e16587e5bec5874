import { ActionGate } from '../../../src/controller/action-gate.ts';
import { ActionJournal } from '../../../src/controller/action-journal.ts';
import { ActionLedger } from '../../../src/controller/action-ledger.ts';
import { ActionReconciler } from '../../../src/controller/action-reconciler.ts';
import { AlertDesk } from '../../../src/controller/alert-desk.ts';
import { BackFill } from '../../../src/controller/back-fill.ts';
import { DecisionRecorder } from '../../../src/controller/decision-recorder.ts';
import { DetectionLoop } from '../../../src/controller/detection-loop.ts';
import { EngineAnswers } from '../../../src/controller/engine-answers.ts';
import { IncidentBook } from '../../../src/controller/incident-book.ts';
import { createOperatorView } from '../../../src/controller/live-view.ts';
import { Operator } from '../../../src/controller/operator.ts';
import type { OperatorView } from '../../../src/controller/operator-view.ts';
import { PolicyAcceptance } from '../../../src/controller/policy-acceptance.ts';
import { PolicyReporter } from '../../../src/controller/policy-reporter.ts';
import { Poller } from '../../../src/controller/poller.ts';
import type { Leadership, Notifier } from '../../../src/controller/ports.ts';
import { StormWatch } from '../../../src/controller/storm-watch.ts';
import { Surroundings } from '../../../src/controller/surroundings.ts';
import { WorkloadAssessor } from '../../../src/controller/workload-assessor.ts';
import { createEngine } from '../../../src/detection/engine.ts';
import { executors } from '../../../src/kubernetes/executors/registry.ts';
import { EFFECTS, type EffectName } from '../../../src/policy/action.ts';
import { FakeClusterReader, FakeClusterWriter, type WatchManner } from './fake-cluster-io.ts';
import { FakeKubeClient } from './fake-kube-client.ts';
import { FakeProcess, storeOf } from './fake-process.ts';
import type { World } from './world.ts';

/** A lease that a test gives and takes. */
export class FakeLeadership implements Leadership {
  readonly #listeners: ((leader: boolean) => void)[] = [];
  #leads = false;
  /** False: renewed under 10 s ago, but not under 4 s. */
  isFresh = true;

  isLeader(): boolean {
    return this.#leads;
  }

  mayBeginEffect(): boolean {
    return this.#leads && this.isFresh;
  }

  mayWrite(): boolean {
    return this.#leads;
  }

  onChange(listener: (leader: boolean) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    // A test says when it leads.
  }

  stop(): Promise<void> {
    this.set(false);
    return Promise.resolve();
  }

  set(leads: boolean): void {
    if (this.#leads === leads) return;
    this.#leads = leads;
    for (const listener of this.#listeners) listener(leads);
  }
}

export interface OperatorOptions extends Partial<WatchManner> {
  readonly name?: string;
  readonly leads?: boolean;
  readonly enabled?: readonly EffectName[];
}

export interface RunningProcess {
  readonly process: FakeProcess;
  readonly operator: Operator;
  readonly leadership: FakeLeadership;
  readonly reader: FakeClusterReader;
  readonly book: IncidentBook;
  readonly ledger: ActionLedger;
  readonly storms: StormWatch;
  readonly view: OperatorView;
  kill(): void;
}

const SCRAPE_MS = 5_000;
let started = 0;

/** Starts a process of the operator in this world: the real classes, wired as `src/app-operator.ts` wires them. */
export async function anOperator(world: World, options: OperatorOptions = {}): Promise<RunningProcess> {
  const process = new FakeProcess(world, options.name ?? `operator-${++started}`);
  const { cluster, source, metrics, log } = world;
  const { clock } = process;
  const enabledEffects = new Set<EffectName>(options.enabled ?? EFFECTS);
  const stalenessMs = 2 * SCRAPE_MS;
  const store = storeOf(process, world.store);
  const leadership = new FakeLeadership();
  const { lagMs = 0, repeats = 1 } = options;
  const reader = new FakeClusterReader(cluster, process, { lagMs, repeats });
  const writer = new FakeClusterWriter(cluster, process, () => leadership.mayWrite());
  const notifier = notifierOf(world, process);
  const events = { emit: (event: (typeof world.events)[number]) => void (process.isDead || world.events.push(event)) };
  const ask = () => process.read(() => world.engine ?? ({ kind: 'allowed', policies: [] } as const));
  const clusterWide = { url: 'https://policy', type: 'Aegis', timeoutSeconds: 3, failurePolicy: 'Deny' } as const;
  const engines = new EngineAnswers({ engine: { ask }, metrics, ...(world.engine !== undefined && { clusterWide }) });
  const engine = createEngine({ seed: 7 });
  const ledger = new ActionLedger(store, log);
  const storms = new StormWatch(store, log);
  const book = new IncidentBook(store, log);
  const acceptance = new PolicyAcceptance({ source, notifier });
  const surroundings = new Surroundings({
    ...{ reader, source, ledger, storms, book, leadership, acceptance, enabledEffects },
    scrapeIntervalMs: stalenessMs / 2,
    policyEngineConfigured: world.engine !== undefined,
  });
  const poller = new Poller({ source, metrics, log });
  const assessor = new WorkloadAssessor({ engine, book, stalenessMs });
  const backFill = new BackFill({ poller, assessor, reader, log });
  const alerts = new AlertDesk({ notifier, metrics, log });
  const recorder = new DecisionRecorder({ writer, store, events, metrics, log });
  const journal = new ActionJournal({ writer, leadership, store, ledger, events, metrics, clock, log });
  const client = new FakeKubeClient(cluster, process);
  const byEffect = executors({ client, clock, mayBeginEffect: () => leadership.mayBeginEffect() });
  const gate = new ActionGate({
    ...{ writer, executors: byEffect, leadership, store, ledger, journal, surroundings, engines },
    ...{ metrics, clock, log, holder: process.name },
  });
  const reconciler = new ActionReconciler({
    ...{ reader, writer, leadership, executors: byEffect, gate, journal, ledger, book, surroundings },
    ...{ alerts, events, metrics, clock, log, stalenessMs },
  });
  const reporter = new PolicyReporter({
    ...{ reader, writer, leadership, poller, assessor, book, ledger, surroundings, enabledEffects, events, clock, log },
    missingRights: () => [],
  });
  const loop = new DetectionLoop({
    ...{ reader, leadership, poller, backFill, assessor, book, storms, surroundings, engines, recorder, alerts },
    ...{ store, events, metrics, clock, log },
    onAction: (action) => operator.onAction(action),
    onPolled: (policy) => operator.onPolled(policy.namespace, policy.name, policy.uid),
  });
  const operator: Operator = new Operator({
    ...{ engine, reader, leadership, loop, poller, backFill, assessor, reconciler, reporter, book, ledger, storms },
    ...{ alerts, surroundings, store, metrics, clock, log, random: () => 0.5 },
  });
  const view = createOperatorView({ reader, book, surroundings, clock });
  await operator.start();
  if (options.leads !== false) leadership.set(true);
  return { process, operator, leadership, reader, book, ledger, storms, view, kill: () => process.kill() };
}

function notifierOf(world: World, process: FakeProcess): Notifier {
  return {
    sinks: () => world.sinks,
    send: (sinks, message) =>
      process.mutate(`send ${message.status} ${message.key}`, () => {
        const to = sinks.length === 0 ? world.sinks : sinks;
        if (world.areSinksDown) return { delivered: [], failed: to.map((sink) => ({ sink, message: 'HTTP 500' })) };
        world.sent.push(message);
        return { delivered: to, failed: [] };
      }),
  };
}
