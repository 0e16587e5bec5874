import type { ActionLedger } from '../../../src/controller/action-ledger.ts';
import { composeOperator } from '../../../src/controller/compose.ts';
import type { EffectivenessDesk } from '../../../src/controller/effectiveness-desk.ts';
import type { IncidentBook } from '../../../src/controller/incident-book.ts';
import type { Operator } from '../../../src/controller/operator.ts';
import type { OperatorView } from '../../../src/controller/operator-view.ts';
import type { Leadership, LogSource, Notifier, PostToPod, ThrottleHook } from '../../../src/controller/ports.ts';
import type { StormWatch } from '../../../src/controller/storm-watch.ts';
import { limitProviders } from '../../../src/kubernetes/throttle/providers.ts';
import { ProviderSurvey } from '../../../src/kubernetes/throttle/survey.ts';
import { executors } from '../../../src/kubernetes/executors/registry.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { EFFECTS, type EffectName } from '../../../src/policy/action.ts';
import { FakeClusterReader, FakeClusterWriter, type WatchManner } from './fake-cluster-io.ts';
import type { FakeEvidence } from './fake-evidence.ts';
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
  readonly logs?: LogSource;
  readonly evidence?: Pick<FakeEvidence, 'adapters'>;
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
  readonly effectiveness: EffectivenessDesk;
  kill(): void;
}

const SCRAPE_MS = 5_000;
const POLICY_ENGINE = { url: 'https://policy', type: 'Aegis', timeoutSeconds: 3, failurePolicy: 'Deny' } as const;
let started = 0;

/** Starts a process of the operator in this world: the real classes, wired as the program wires them. */
export async function anOperator(world: World, options: OperatorOptions = {}): Promise<RunningProcess> {
  const process = new FakeProcess(world, options.name ?? `operator-${++started}`);
  const { cluster, metricSource: source, metrics, log } = world;
  const { clock } = process;
  const store = storeOf(process, world.store);
  const leadership = new FakeLeadership();
  const { lagMs = 0, repeats = 1 } = options;
  const reader = new FakeClusterReader(cluster, process, { lagMs, repeats });
  const writer = new FakeClusterWriter(cluster, process, () => leadership.mayWrite());
  const notifier = notifierOf(world, process);
  const events = { emit: (event: (typeof world.events)[number]) => void (process.isDead || world.events.push(event)) };
  const ask = async () => {
    if (world.engineTakesMs > 0) await new Promise<void>((r) => clock.after(world.engineTakesMs, r));
    return process.read(() => world.engine ?? ({ kind: 'allowed', policies: [] } as const));
  };
  const client = new FakeKubeClient(cluster, process);
  const context = { client, clock, mayBeginEffect: () => leadership.mayBeginEffect() };
  const limits = limitProviders(context, { allowed: ['EnvoyGateway', 'Istio', 'IngressNginx'], hook: hookOf(process) });
  const byEffect = executors(context, { limits, postToPod: podsOf(process) });
  const { operator, view, effectiveness, book, ledger, storms } = composeOperator(
    {
      ...{ reader, writer, leadership, executors: byEffect, source, notifier, policyEngine: { ask }, events },
      throttleSurvey: new ProviderSurvey(limits),
      ...(options.evidence !== undefined && { evidence: options.evidence.adapters(clock) }),
      ...{ store, metrics, clock, log, random: () => 0.5, ...(options.logs !== undefined && { logs: options.logs }) },
    },
    {
      ...{ identity: process.name, seed: 7, stalenessMs: 2 * SCRAPE_MS, missingRights: () => [] },
      enabledEffects: new Set(options.enabled ?? EFFECTS),
      ...(world.engine !== undefined && { clusterWideEngine: POLICY_ENGINE }),
    },
  );
  await operator.start();
  if (options.leads !== false) leadership.set(true);
  return {
    process,
    operator,
    leadership,
    reader,
    book,
    ledger,
    storms,
    view,
    effectiveness,
    kill: () => process.kill(),
  };
}

/** A hook that knows each call by its key. */
function hookOf(process: FakeProcess): ThrottleHook {
  return {
    send: ({ action, key, limitPerSecond }) =>
      process.mutate(`hook ${action}`, () => {
        const { hookCalls, cluster } = process.world;
        const applied = !hookCalls.has(key);
        hookCalls.set(key, limitPerSecond);
        cluster.log({ by: process.name, verb: 'hook', what: action, dryRun: false, applied });
        return ok({ status: 204, body: '' });
      }),
  };
}

/** The pods themselves, by their addresses. */
function podsOf(process: FakeProcess): PostToPod {
  return ({ address }) =>
    process.mutate(`cache ${address}`, () => {
      const { world } = process;
      const pods = world.cluster.view().workloads.flatMap((workload) => workload.pods);
      const pod = pods.find(({ podIP }) => podIP === address);
      if (pod === undefined) return err({ kind: 'Unsent', message: `ECONNREFUSED ${address}` });
      world.cluster.log({ by: process.name, verb: 'cache', what: pod.name, dryRun: false, applied: true });
      world.onCacheCleared(pod.name);
      if (world.cacheAnswer === 'lost') return err({ kind: 'Timeout', message: 'no answer within 10 s' });
      return ok({ status: world.cacheAnswer });
    });
}

function notifierOf(world: World, process: FakeProcess): Notifier {
  return {
    sinks: () => world.sinks,
    send: (sinks, message) =>
      process.mutate(`send ${message.status} ${message.key}`, async () => {
        if (world.sinkTakesMs > 0) await new Promise<void>((r) => process.clock.after(world.sinkTakesMs, r));
        const to = sinks.length === 0 ? world.sinks : sinks;
        if (world.areSinksDown) return { delivered: [], failed: to.map((sink) => ({ sink, message: 'HTTP 500' })) };
        world.sent.push(message);
        return { delivered: to, failed: [] };
      }),
  };
}
