import { describe, expect, jest, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../../src/cli/commands/all.ts';
import { runProgram } from '../../../../src/cli/program.ts';
import type { SimulationReport } from '../../../../src/cli/simulate/report.ts';
import { Stage } from '../../../../tools/scenarios/stage.ts';
import { happen } from '../../../../tools/scenarios/events.ts';
import { loadScenario } from '../../../../tools/scenarios/load.ts';
import type { Remedy } from '../../../../src/policy/healing-policy.ts';
import { aRecord } from '../../../support/builders/policy.ts';
import type { World } from '../../../support/fakes/world.ts';
import { aTerminal } from '../../../support/builders/cli.ts';
import { recordingOf } from '../../../support/builders/recording.ts';

jest.setTimeout(120_000);

/** Long enough for the fault at 300 s, the effect and what it leads to. */
const LASTS_SECONDS = 700;

const record = (value: unknown): Record<string, unknown> => ({ ...(value as object) });

const FOLDER = `${import.meta.dirname}/../../../../scenarios`;

/** What was decided, with the moment: whoever decides the same at another time decides something else. */
interface Decided {
  readonly atMs: number;
  readonly what: string;
}

/** Plays a scenario live, records what the operator was shown, and returns what it decided beside the recording. */
async function live(
  file: string,
  over: { readonly remedies?: readonly Remedy[]; readonly before?: (world: World) => Promise<void> } = {},
): Promise<{
  readonly csv: string;
  readonly policy: string;
  readonly acts: readonly Decided[];
  readonly holds: readonly Decided[];
  readonly fromMs: number;
}> {
  const loaded = loadScenario(`${FOLDER}/${file}`);
  if (!loaded.ok) throw new Error(loaded.error.join('\n'));
  const { scenario } = loaded.value;
  const { remedies, before } = over;
  const policies = loaded.value.policies.map((each) => (remedies === undefined ? each : { ...each, remedies }));
  const stage = await Stage.open({ ...loaded.value, policies });
  const { world, startMs } = stage;
  await before?.(world);
  const recording = recordingOf(stage.source, world.cluster);
  world.metricSource = recording.source;
  await stage.startAegis();
  let passed = 0;
  for (const event of scenario.events) {
    await world.run((event.at - passed) * 1000);
    passed = event.at;
    await happen(stage, event);
  }
  await world.run((LASTS_SECONDS - passed) * 1000);
  const acts = world.cluster.actions().map(({ intent }) => ({
    atMs: intent.decidedAtMs,
    what: `${intent.action} ${intent.diagnosis.failureType} rung ${intent.step} ${intent.pods.map(({ name }) => name).join()}`,
  }));
  const rows = (await world.history()).filter(({ kind }) => kind === 'hold');
  const holds = rows.map(({ atMs, action, reason }) => ({ atMs, what: `${action} ${reason}` }));
  await stage.close();
  // The crash loop of a status is seen later in a replay: a record does not tell since when (docs/cli.md).
  const [manifest] = scenario.policies;
  const spec = { ...record(record(manifest)['spec']), ...(remedies !== undefined && { remedies }) };
  const policy = JSON.stringify({ kind: 'AegisHealingPolicy', ...record(manifest), spec });
  return { csv: recording.csv(), policy, acts, holds, fromMs: startMs };
}

async function replayed(csv: string, policy: string, fromMs: number, learnt?: object): Promise<SimulationReport> {
  const files = { 'live.csv': csv, 'policy.yaml': policy, 'learnt.json': JSON.stringify(learnt ?? null) };
  const { services, output, stdout } = aTerminal(files);
  const argv = [
    'simulate',
    '-f',
    'policy.yaml',
    '--samples',
    'live.csv',
    '-n',
    'shop',
    '--json',
    '--from',
    new Date(fromMs).toISOString(),
    ...(learnt === undefined ? [] : ['--effectiveness', 'learnt.json']),
  ];
  if ((await runProgram(argv, services, SUBCOMMANDS)) !== 0) throw new Error(output());
  return JSON.parse(stdout()) as SimulationReport;
}

const inOrder = (decided: readonly Decided[]): readonly Decided[] => decided.toSorted((a, b) => a.atMs - b.atMs);

/** After an effect the live cluster shows what no record tells: pods that are being made, or are on their way out. */
const untilFirst = (acts: readonly Decided[], decided: readonly Decided[]): readonly Decided[] =>
  inOrder(decided).filter(({ atMs }) => acts.every((act) => atMs <= act.atMs));

describe('the replay of what a live operator saw decides as it did', () => {
  test.each([
    ['a leak in one pod of three', 'fault/leak-in-one-of-three.yaml'],
    ['a hot pod', 'fault/hot-pod.yaml'],
    ['a leak in one pod of a StatefulSet', 'fault/leak-in-stateful-set.yaml'],
    ['a workload at its maximum of replicas', 'brake/at-maximum.yaml'],
    ['nothing but noise', 'control/noisy-metrics.yaml'],
  ])('%s', async (_, file) => {
    const { csv, policy, acts, holds, fromMs } = await live(file);
    const { incidents } = await replayed(csv, policy, fromMs);
    const again = incidents.flatMap(({ actions }) =>
      actions.map(({ atMs, action, failureType, rung, pods }) => ({
        atMs,
        what: `${action} ${failureType} rung ${rung} ${pods.join()}`,
      })),
    );
    expect(inOrder(again)).toEqual(inOrder(acts));
    const heldAgain = incidents.flatMap(({ held }) =>
      held.map(({ atMs, action, reason }) => ({ atMs, what: `${action} ${reason}` })),
    );
    expect(untilFirst(acts, heldAgain)).toEqual(untilFirst(acts, holds));
  });
});

describe('what a live operator has learnt of the effects', () => {
  const remedies: readonly Remedy[] = [
    {
      ...{ on: ['any'], minSeverity: 'low' },
      steps: [
        {
          ...{ action: 'clear_cache', attempts: 1, timeoutSeconds: 300, group: 'memory' },
          cache: { http: { port: 8080, path: '/cache/clear' } },
        },
        { action: 'restart_pod', attempts: 1, timeoutSeconds: 300, group: 'memory' },
      ],
    },
  ];
  const known = (action: string, helped: number) => ({
    ...{ failure_type: 'memory_leak', action, workload_kind: 'Deployment', incidents: 6, helped },
    ...{ estimate: (helped + 2) / 10, used: (helped + 2) / 10 },
  });
  const learnt = { effectiveness: [known('clear_cache', 1), known('restart_pod', 6)], resets: [] };
  /** The same, as the operator itself remembers it. */
  const before = async ({ store, clock }: World): Promise<void> => {
    for (let incident = 1; incident <= 6; incident++) {
      const shared = {
        incidentId: `past-${incident}`,
        decidedAtMs: clock.nowMs() - 3e8,
        endedAtMs: clock.nowMs() - 3e8,
      };
      const state = incident === 1 ? 'Healed' : 'Ineffective';
      await store.saveAction(aRecord({ ...shared, action: 'clear_cache', state, reason: 'StillAnomalous' }));
      await store.saveAction(aRecord({ ...shared, action: 'restart_pod', state: 'Healed', reason: 'Recovered' }));
    }
  };

  test('orders the alternatives of a replay as it orders them live; without it they stay as written', async () => {
    const { csv, policy, acts, fromMs } = await live('fault/leak-in-one-of-three.yaml', { remedies, before });
    const first = async (given?: object): Promise<string> => {
      const [incident] = (await replayed(csv, policy, fromMs, given)).incidents;
      const [action] = incident?.actions ?? [];
      return `${action?.atMs} ${action?.action} rung ${action?.rung} ${action?.reason.includes('before clear_cache')}`;
    };
    const [decided] = inOrder(acts);
    expect(decided?.what).toMatch(/^restart_pod memory_leak rung 1/);
    expect(await first(learnt)).toBe(`${decided?.atMs} restart_pod rung 1 true`);
    expect(await first()).toBe(`${decided?.atMs} clear_cache rung 0 false`);
  });
});
