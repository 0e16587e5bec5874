import type { Plan } from './fake-process.ts';
import { anOperator, type OperatorOptions, type RunningProcess } from './an-operator.ts';
import { crashOne, overload, releaseBadImage } from './troubles.ts';
import { aShop, type World } from './world.ts';

export const SECOND = 1_000;
/** A supervisor brings the process back after this time. */
const RESTART_MS = 3 * SECOND;
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

/** What must be the same, however often the process was killed on the way. */
export interface End {
  readonly actions: readonly string[];
  readonly effects: readonly string[];
  /** Kind of each history row and whether its outcome is known, `hold` rows left out: they tell of waits. */
  readonly rows: readonly string[];
  readonly openIncidents: number;
  readonly alerts: number;
  readonly healthy: string;
}

async function endOf(world: World): Promise<End> {
  const rows = (await world.history()).filter(({ kind }) => kind !== 'hold');
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
