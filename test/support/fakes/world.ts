import type { AlertMessage, EventNote, MetricSource } from '../../../src/controller/ports.ts';
import type { HistoryRow } from '../../../src/controller/store-ports.ts';
import type { EngineAnswer } from '../../../src/policy/guard.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import type { Incident } from '../../../src/detection/incident.ts';
import { createSqliteStore, type ManagedStore } from '../../../src/store/store.ts';
import { messageOf } from '../../../src/lib/thrown.ts';
import { aPolicy } from '../builders/policy.ts';
import { NOW } from '../builders/workload.ts';
import { fakeClock, type FakeClock } from '../fake-clock.ts';
import { recordedLog, recordedMetrics, type RecordedLog, type RecordedMetrics } from '../recorders.ts';
import { FakeCluster } from './fake-cluster.ts';
import { FakeObjects } from './fake-objects.ts';
import type { Trouble } from './fake-kube-client.ts';
import { FakeMetricSource } from './fake-metric-source.ts';
import type { FakeProcess, Plan } from './fake-process.ts';

/** Everything outside of the operator's process: it outlives each of them. */
export class World {
  readonly clock: FakeClock;
  readonly log: RecordedLog = recordedLog();
  readonly metrics: RecordedMetrics = recordedMetrics();
  readonly cluster: FakeCluster;
  readonly source: FakeMetricSource;
  /** What the operator asks: `source`, unless a test brings its own. */
  metricSource: MetricSource;
  store: ManagedStore;
  #storeWork = 0;
  /** Messages that sinks took. */
  readonly sent: AlertMessage[] = [];
  readonly events: EventNote[] = [];
  /** Every write of every process so far. */
  readonly mutations: string[] = [];
  plan: Plan | undefined;
  afterMutation: ((n: number, process: FakeProcess) => void) | undefined;
  isStoreDown = false;
  isApiDown = false;
  /** Writes on Aegis's own kinds that the API server does not take now. */
  refusesOwn: (verb: string) => boolean = () => false;
  sinks: readonly string[] = ['pager'];
  areSinksDown = false;
  /** How long a sink takes for a message. */
  sinkTakesMs = 0;
  /** Kinds that Aegis does not watch. */
  readonly objects = new FakeObjects();
  /** Ready proxies of the gateway. */
  proxies = 2;
  /** Calls that the throttle hook took, by their keys. */
  readonly hookCalls = new Map<string, number>();
  /** What a pod answers to whoever asks it to clear its cache; `lost`: it clears, and the answer does not arrive. */
  cacheAnswer: number | 'lost' = 204;
  /** Called when a pod's cache was cleared. */
  onCacheCleared: (podName: string) => void = () => undefined;
  /** What happens before the server answers a dry run. */
  onDryRun: () => Promise<void> = () => Promise.resolve();
  /** What the external policy engine answers; absent: none is configured. */
  engine: EngineAnswer | undefined;
  engineTakesMs = 0;
  readonly #troubles: { readonly verb: string; readonly trouble: Trouble }[] = [];

  private constructor(store: ManagedStore, clock: FakeClock) {
    this.clock = clock;
    this.store = store;
    this.cluster = new FakeCluster(clock);
    this.source = new FakeMetricSource(this.cluster);
    this.metricSource = this.source;
  }

  static async create(startMs = NOW): Promise<World> {
    const clock = fakeClock(startMs);
    const store = await createSqliteStore({
      ...{ file: ':memory:', clock, log: recordedLog(), metrics: recordedMetrics() },
    });
    return new World(store, clock);
  }

  /** Another store takes the place of the one in memory, for everything that starts from here on. */
  async moveTo(store: ManagedStore): Promise<void> {
    await this.store.close();
    this.store = new Proxy(store, {
      get: (target, name: string) => {
        const method = (target as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
        return (...args: unknown[]): unknown => {
          const result = method?.(...args);
          if (!(result instanceof Promise)) return result;
          this.#storeWork += 1;
          return result.finally(() => (this.#storeWork -= 1));
        };
      },
    });
  }

  /** All promises that can go on have gone on. A store within the process needs a few turns, one behind a socket its time. */
  async #settled(): Promise<void> {
    do {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    } while (this.#storeWork > 0);
  }

  /** The next writes of this kind get these answers, in turn. */
  troubleNext(verb: 'evict' | 'scale' | 'rollout' | 'dry-run evict', ...troubles: readonly Trouble[]): void {
    this.#troubles.push(...troubles.map((trouble) => ({ verb, trouble })));
  }

  trouble(verb: string): Trouble | undefined {
    const at = this.#troubles.findIndex((each) => each.verb === verb);
    return at < 0 ? undefined : this.#troubles.splice(at, 1)[0]?.trouble;
  }

  /** Lets time pass, from timer to timer, and all that follows from each settle before the next. */
  async run(forMs: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + forMs;
    await this.#settled();
    for (;;) {
      const leftMs = endMs - this.clock.monotonicMs();
      if (leftMs <= 0) return;
      this.clock.advance(Math.min(leftMs, Math.max(this.clock.nextInMs() ?? leftMs, 0)));
      await this.#settled();
    }
  }

  /** Runs until it holds; the fault that it throws otherwise tells what was logged last. */
  async until(what: string, holds: () => boolean, limitMs = 600_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!holds()) {
      if (this.clock.monotonicMs() >= endMs) throw new Error(`${what}: not within ${limitMs} ms\n${this.story()}`);
      await this.run(500);
    }
  }

  history(): Promise<readonly HistoryRow[]> {
    return this.store.history({ limit: 1_000 });
  }

  incidents(): Promise<readonly Incident[]> {
    return this.store.incidents(100);
  }

  /** `restart_pod Healed` for each action, the oldest first. */
  ends(): readonly string[] {
    return this.cluster.actions().map(({ intent }) => {
      return `${intent.action} ${this.cluster.shownState(intent.name, intent.namespace)}`;
    });
  }

  firing(): readonly AlertMessage[] {
    return this.sent.filter(({ status }) => status === 'firing');
  }

  condition(policy: string, type: string, namespace = 'shop'): string {
    const found = this.cluster.policyStatus(policy, namespace)?.conditions.find((each) => each.type === type);
    return found === undefined ? 'none' : `${found.status} ${found.reason}`;
  }

  story(): string {
    const lines = this.log.lines.slice(-25).map(({ level, message, facts }) => {
      return `${level} ${message} ${JSON.stringify(facts, (_, v: unknown) => (v instanceof Error ? v.message : v)).slice(0, 300)}`;
    });
    const actions = this.cluster
      .actions()
      .map((each) => JSON.stringify([each.intent.action, each.status]).slice(0, 600));
    return [...lines, ...actions, ...this.mutations.slice(-15)].join('\n');
  }

  /** Faults that the operator caught: a test that does not ask for any must see none. */
  faults(): readonly string[] {
    return this.log.lines
      .filter(({ level }) => level === 'error')
      .map(({ message, facts }) => `${message} ${messageOf(facts['err'] ?? facts['error'] ?? '')}`);
  }
}

/** A quick policy: polls of 5 s, a short cooldown. */
/** The target of a policy that selects every Deployment of its namespace. */
export const EVERY_DEPLOYMENT: HealingPolicy['target'] = {
  kind: 'Deployment',
  selector: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'Exists', values: [] }] },
};

export function quickPolicy(over: Partial<HealingPolicy> = {}): HealingPolicy {
  const usual = aPolicy();
  return {
    ...usual,
    detection: { ...usual.detection, intervalSeconds: 5, minSamples: 30 },
    limits: { ...usual.limits, cooldownSeconds: 60, minPodAgeSeconds: 30 },
    verification: { stabilizationSeconds: 10, timeoutSeconds: 120, onIneffective: 'RollBack' },
    ...over,
  };
}

/** A world with one watched Deployment and a policy for it. */
export async function aShop(over: Partial<HealingPolicy> = {}, pods = 3): Promise<World> {
  const world = await World.create();
  world.cluster.addWorkload({ name: 'checkout', pods });
  world.cluster.putPolicy(quickPolicy(over));
  return world;
}
