import { PRESETS } from '../../../src/detection/presets.ts';
import type { Plan } from './fake-process.ts';
import { anOperator, type OperatorOptions, type RunningProcess } from './an-operator.ts';
import { aRoute } from './fake-objects.ts';
import { cacheGrows, crashOne, overload, releaseBadImage, surge } from './troubles.ts';
import { aShop, quickPolicy, type World } from './world.ts';

export const SECOND = 1_000;
/** A supervisor brings the process back after this time. */
const RESTART_MS = 3 * SECOND;
/** Models are stored every few minutes. */
const WATCHED_MS = 400 * SECOND;
/** A process that was started at the last moment has judged everything again by then. */
const SETTLED_MS = 60 * SECOND;

export interface Scenario {
  readonly name: string;
  readonly begin: () => Promise<World>;
  readonly strike: (world: World) => void;
  readonly lastsMs: number;
}

const scaleUp = {
  on: ['any'],
  minSeverity: 'low' as const,
  steps: [
    {
      ...{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 },
      scale: { percent: 100, returnAfterSeconds: 60, autoscaler: 'Leave' as const },
    },
  ],
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'one bad pod of three is evicted',
    begin: () => aShop(),
    strike: (world) => void crashOne(world),
    lastsMs: 200 * SECOND,
  },
  {
    name: 'an overload is scaled up, and down again',
    begin: () => aShop({ remedies: [scaleUp] }),
    strike: (world) => {
      const ease = overload(world, 2.4);
      world.clock.after(70 * SECOND, ease);
    },
    lastsMs: 420 * SECOND,
  },
  {
    name: 'a release that cannot start is told',
    begin: () => aShop(),
    strike: (world) => releaseBadImage(world),
    lastsMs: 120 * SECOND,
  },
];

/** Limits need no history to be sure of. */
const { detection } = quickPolicy();
const watching = {
  ...detection,
  metrics: [
    { ...PRESETS.response_time, limit: { enter: 150, leave: 100, forSeconds: 0 } },
    { ...PRESETS.memory_usage, limit: { enter: 80, leave: 70, forSeconds: 0 } },
    PRESETS.request_rate,
    PRESETS.cpu_usage,
  ],
};

/** An earlier process has watched it for a while, and stored what it learnt. */
async function watched(world: World): Promise<void> {
  const earlier = await anOperator(world);
  await world.run(WATCHED_MS);
  earlier.kill();
}

interface LimitScenario extends Scenario {
  /** Whether a kill at this write is played. */
  readonly isKilledAt: (mutation: string) => boolean;
}

const throttling = (provider: 'EnvoyGateway' | 'Hook', isKilledAt: (mutation: string) => boolean): LimitScenario => ({
  isKilledAt,
  name: `a surge is limited by ${provider}, and the limit lifted in its time`,
  begin: async () => {
    const throttle = { provider, percentOfBaseline: 80, ttlSeconds: 60 };
    const step = { action: 'throttle_api' as const, attempts: 1, timeoutSeconds: 300, throttle };
    const metrics = watching.metrics.filter(({ name }) => name !== 'memory_usage');
    const world = await aShop({
      detection: { ...watching, metrics },
      remedies: [{ on: ['any'], minSeverity: 'low' as const, steps: [step] }],
    });
    aRoute(world.objects, 'checkout');
    await watched(world);
    return world;
  },
  strike: (world: World) => {
    const ease = surge(world, 3);
    world.clock.after(90 * SECOND, ease);
  },
  lastsMs: 220 * SECOND,
});

/** What surrounds the calls is the same for both providers. */
export const LIMITS: readonly LimitScenario[] = [
  throttling('EnvoyGateway', () => true),
  throttling('Hook', (mutation) => /^(hook|status|finalizer|store (history|outcome))/.test(mutation)),
];

/** Sent at most once: a kill may leave it unsent, or its answer unknown. */
export const CACHE: Scenario = {
  name: 'a cache that grows is cleared',
  begin: () => {
    const cache = { http: { port: 8080, path: '/clear' } };
    const step = { action: 'clear_cache' as const, attempts: 1, timeoutSeconds: 300, cache };
    return aShop({ detection: watching, remedies: [{ on: ['any'], minSeverity: 'low', steps: [step] }] });
  },
  strike: (world) => void cacheGrows(world),
  lastsMs: 180 * SECOND,
};

/** What must be the same, however often the process was killed on the way. */
export interface End {
  readonly actions: readonly string[];
  readonly effects: readonly string[];
  /** Kind of each history row and whether its outcome is known, without those that tell of thoughts and waits. */
  readonly rows: readonly string[];
  readonly openIncidents: number;
  readonly alerts: number;
  readonly healthy: string;
}

async function endOf(world: World): Promise<End> {
  const rows = (await world.history()).filter(({ kind }) => kind !== 'hold' && kind !== 'decision');
  return {
    actions: world.ends(),
    effects: world.cluster.effects(),
    rows: rows.map(({ kind, outcome }) => `${kind} ${outcome === undefined ? 'open' : 'closed'}`).sort(),
    openIncidents: (await world.incidents()).filter(({ resolvedAtMs }) => resolvedAtMs === undefined).length,
    alerts: new Set(world.firing().map(({ key }) => key)).size,
    healthy: world.condition('checkout', 'Healthy'),
  };
}

export interface Run {
  readonly world: World;
  readonly end: End;
  /** Number of the first write after the fault. */
  readonly from: number;
  /** Number of the last one of the scenario; a minute of quiet follows. */
  readonly to: number;
}

/** Plays a scenario to its end; a process that is killed on the way is started again. */
export async function play(
  scenario: Scenario,
  plan?: Plan,
  options?: OperatorOptions,
  onStart?: (running: RunningProcess) => void,
): Promise<Run> {
  const world = await scenario.begin();
  let running: RunningProcess = await anOperator(world, options);
  await world.run(20 * SECOND);
  onStart?.(running);
  const from = world.mutations.length + 1;
  world.plan = plan;
  scenario.strike(world);
  const endMs = world.clock.nowMs() + scenario.lastsMs;
  while (world.clock.nowMs() < endMs) {
    await world.run(SECOND);
    if (!running.process.isDead) continue;
    await world.run(RESTART_MS);
    running = await anOperator(world, options);
  }
  const to = world.mutations.length;
  await world.run(SETTLED_MS);
  running.kill();
  const end = await endOf(world);
  await world.store.close();
  return { world, end, from, to };
}

/** A run that was killed at one of the reference's writes: before it, after it, or with its answer lost. */
interface KilledRun extends Run {
  /** Which write it was, for people. */
  readonly where: string;
}

/** The scenario again and again, killed at each of the reference's writes that is meant. */
export async function* killedRuns(
  scenario: Scenario,
  reference: Run,
  isMeant: (mutation: string) => boolean = () => true,
): AsyncGenerator<KilledRun> {
  for (let at = reference.from; at <= reference.to; at++) {
    const mutation = reference.world.mutations[at - 1] ?? '';
    if (!isMeant(mutation)) continue;
    for (const when of ['before', 'after', 'replied'] as const) {
      yield { ...(await play(scenario, { at, when })), where: `${when} ${at}: ${mutation}` };
    }
  }
}

/** How a run ended otherwise than the reference, and the faults that it told of; empty: neither. */
export function differences(
  where: string,
  { world, end }: Pick<Run, 'world' | 'end'>,
  reference: Run,
): readonly string[] {
  return [
    ...(JSON.stringify(end) === JSON.stringify(reference.end) ? [] : [`${where}: ${JSON.stringify(end)}`]),
    ...(world.faults().length === 0 ? [] : [`${where}: ${world.faults().join()}`]),
  ];
}
