/**
 * `npm run scenarios [-- FOLDER|FILE|NAME...] [--only TEXT] [--verbose]`: plays scenarios on fakes and says how each went.
 * `--rig [--jobs N]` plays them on the real control plane of tools/rig, in real time, several at once; what the rig cannot
 * play is said and counted as not run. A NAME is the end of a file's path: `refusal/memory-leak-scale-up`.
 *
 * The very last line is `N passed, N failed` (with --rig: `, N not run`); the exit code is not zero when one failed, could
 * not be read, or none passed.
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadScenario, scenarioFiles, type LoadedScenario } from './load.ts';
import { play } from './play.ts';

const USAGE = `npm run scenarios [-- FOLDER|FILE|NAME...] [options]

Plays scenarios and says how each went: all of scenarios/, or those that are named. A NAME is the end of a
file's path: refusal/memory-leak-scale-up. How one is written: docs/how-to/writing-a-scenario.md

  --only TEXT   those whose path holds the text
  --verbose     with what Aegis logged and wrote
  --rig         on a real API server and a real Prometheus, in real time; by default scenarios/short
  --jobs N      so many at the same time on the rig (6)
  --help        this

Exit code: 0 all passed; 1 one failed, could not be read, or none passed; 2 what was asked for is not there.
`;

const ROOT = join(import.meta.dirname, '..', '..', 'scenarios');
/** Those that end within minutes of real time. */
const SHORT = join(ROOT, 'short');
const JOBS = 6;

interface Tally {
  passed: number;
  failed: number;
  notRun: number;
}

const say = (text: string): void => void process.stdout.write(text);
const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}\n`).join('');
const shown = (file: string): string => relative(process.cwd(), file);

/** Paths that exist, or the files whose path ends like a name. */
function chosenFiles(chosen: readonly string[], otherwise: string): readonly string[] {
  if (chosen.length === 0) return scenarioFiles(otherwise);
  return chosen.flatMap((each) => {
    if (existsSync(each)) return scenarioFiles(each);
    const found = scenarioFiles(ROOT).filter((file) => file.endsWith(`/${each}.yaml`) || file.endsWith(`/${each}.yml`));
    if (found.length > 0) return found;
    throw new Error(`${each}: neither a file, nor a folder, nor the name of a scenario, such as fault/bad-image`);
  });
}

/** Reads all; what cannot be used is said and counted. */
function readable(files: readonly string[], tally: Tally): readonly LoadedScenario[] {
  return files.flatMap((file) => {
    const loaded = loadScenario(file);
    if (loaded.ok) return [loaded.value];
    tally.failed += 1;
    say(`unreadable  ${shown(file)}\n${indented(loaded.error)}`);
    return [];
  });
}

function told({ file, scenario }: LoadedScenario, failures: readonly string[], story: string, tally: Tally): void {
  if (failures.length === 0) tally.passed += 1;
  else tally.failed += 1;
  say(`${failures.length === 0 ? 'ok' : 'FAILED'}  ${shown(file)}: ${scenario.name}\n${indented(failures)}`);
  if (story !== '') say(`${story}\n`);
}

/** One that cannot be played is a failure of its own, and no reason to leave out the others. */
const unplayable = (error: unknown): { readonly failures: readonly string[]; readonly story: string } => ({
  failures: [`it could not be played: ${error instanceof Error ? error.message : String(error)}`],
  story: '',
});

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: '' },
      verbose: { type: 'boolean', default: false },
      rig: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(JOBS) },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const files = chosenFiles(positionals, values.rig ? SHORT : ROOT).filter((file) => file.includes(values.only));
  const tally: Tally = { passed: 0, failed: 0, notRun: 0 };
  const loaded = readable(files, tally);
  if (values.rig) {
    const { playAllOnRig } = await import('./rig/run.ts');
    await playAllOnRig(loaded, {
      jobs: Math.max(1, Number(values.jobs) || JOBS),
      told: (each, failures, story) => told(each, failures, values.verbose ? story : '', tally),
      notRun: ({ file, scenario }, reasons) => {
        tally.notRun += 1;
        say(`not run  ${shown(file)}: ${scenario.name}\n${indented(reasons)}`);
      },
    });
  } else {
    for (const each of loaded) {
      const { failures, story } = await play(each).catch(unplayable);
      told(each, failures, values.verbose ? story : '', tally);
    }
  }
  const { passed, failed, notRun } = tally;
  say(`${passed} passed, ${failed} failed${values.rig ? `, ${notRun} not run` : ''}\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 2;
});
