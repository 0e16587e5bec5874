import { describe, expect, jest, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../../src/cli/commands/all.ts';
import { runProgram } from '../../../../src/cli/program.ts';
import type { SimulationReport } from '../../../../src/cli/simulate/report.ts';
import { Stage } from '../../../../tools/scenarios/stage.ts';
import { happen } from '../../../../tools/scenarios/events.ts';
import { loadScenario } from '../../../../tools/scenarios/load.ts';
import { aTerminal } from '../../../support/builders/cli.ts';
import { recordingOf } from '../../../support/builders/recording.ts';

jest.setTimeout(120_000);

/** Long enough for the fault at 300 s, the effect and what it leads to. */
const LASTS_SECONDS = 700;

const FOLDER = `${import.meta.dirname}/../../../../scenarios`;

/** What was decided, with the moment: whoever decides the same at another time decides something else. */
interface Decided {
  readonly atMs: number;
  readonly what: string;
}

/** Plays a scenario live, records what the operator was shown, and returns what it decided beside the recording. */
async function live(file: string): Promise<{
  readonly csv: string;
  readonly policy: string;
  readonly acts: readonly Decided[];
  readonly holds: readonly Decided[];
  readonly fromMs: number;
}> {
  const loaded = loadScenario(`${FOLDER}/${file}`);
  if (!loaded.ok) throw new Error(loaded.error.join('\n'));
  const { scenario } = loaded.value;
  const stage = await Stage.open(loaded.value);
  const { world, startMs } = stage;
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
  const policy = JSON.stringify({ kind: 'AegisHealingPolicy', ...scenario.policies[0] });
  return { csv: recording.csv(), policy, acts, holds, fromMs: startMs };
}

async function replayed(csv: string, policy: string, fromMs: number): Promise<SimulationReport> {
  const { services, output, stdout } = aTerminal({ 'live.csv': csv, 'policy.yaml': policy });
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
