/**
 * `npm test`: unit tests, then integration tests on one rig. The very last line is `N passed, N failed, N skipped`; the exit
 * code is not zero when anything failed, when a run broke off, or when nothing ran at all.
 *
 *   npm test -- unit              one project only; `long` runs only when it is named
 *   npm test -- PATTERN...        jest's own arguments, passed on to both
 *   TEST_ORDER=7 npm test         the files on the rig in another order, the same for the same number
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureServerPrograms } from './postgres/programs.ts';
import { ensureBinaries } from './rig/binaries.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not even be loaded; their tests are in no other number. */
  readonly numRuntimeErrorTestSuites: number;
}

/** Jest's own limit is per test; this one is for the run, so that a hung one says so instead of hanging CI. */
const TIME_LIMITS_MS = { unit: 25 * 60_000, integration: 30 * 60_000, long: 30 * 60_000 };
/** For a test that names none: a loaded machine must not fail what is merely slow. */
const TEST_LIMIT_MS = 30_000;
const PROJECTS = ['unit', 'integration', 'long'] as const;
const USUAL = ['unit', 'integration'] as const;

const ROOT = join(import.meta.dirname, '..');
const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');

const SEQUENCER = join(ROOT, 'test', 'support', 'in-stated-order.ts');

const reportOf = (folder: string, project: string): string => join(folder, `${project}.json`);

function run(project: (typeof PROJECTS)[number], args: readonly string[], folder: string): Promise<boolean> {
  const reportFile = reportOf(folder, project);
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', JEST];
  // Tests on the rig share it and break its daemons. Jest itself would leave one of two cores idle.
  const workers = project === 'unit' ? ['--maxWorkers=100%'] : ['--runInBand', '--testSequencer', SEQUENCER];
  const report = ['--json', '--outputFile', reportFile, '--passWithNoTests', '--testTimeout', String(TEST_LIMIT_MS)];
  const limitMs = TIME_LIMITS_MS[project];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, '--selectProjects', project, ...workers, ...report, ...args], {
      cwd: ROOT,
      // What unit tests leave there goes with the run. A rig's state must be found by the next run: it stays where it is.
      env: project === 'unit' ? { ...process.env, TMPDIR: folder } : process.env,
      // --json prints the whole report to standard output too; what people read goes to standard error.
      stdio: ['inherit', 'ignore', 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL', // the rig's reaper cleans up behind it
    });
    const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.once('SIGINT', passOn).once('SIGTERM', passOn);
    child.on('error', () => resolve(false));
    child.on('close', (code, signal) => {
      if (signal !== null)
        process.stderr.write(`${project}: ended by ${signal} (time limit ${limitMs / 60_000} min)\n`);
      resolve(code === 0);
    });
  });
}

/** A run that left no report, since it crashed or hung, counts as one failure: silence must not pass for success. */
function readCounts(reportFile: string, isOk: boolean): Counts {
  try {
    const report = JSON.parse(readFileSync(reportFile, 'utf8')) as JestReport;
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    return {
      passed: report.numPassedTests,
      failed: failed === 0 && !isOk ? 1 : failed,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** The long builds of a new machine happen here, outside the time limit. What is missing, rig-setup.ts says and judges. */
async function prepareRig(): Promise<void> {
  await ensureBinaries((line) => process.stderr.write(`rig: ${line}\n`)).catch(() => undefined);
}

/** Where no server can be had, its tests are skipped, or fail with CI=true (test/support/postgres.ts). */
async function preparePostgres(): Promise<void> {
  await ensureServerPrograms((line) => process.stderr.write(`postgres: ${line}\n`)).catch((error: unknown) => {
    process.stderr.write(`\n!!! TESTS ON POSTGRESQL ARE SKIPPED: ${String(error)}\n\n`);
  });
}

async function main(args: readonly string[]): Promise<number> {
  const chosen = PROJECTS.filter((project) => args.includes(project));
  const rest = args.filter((arg) => !PROJECTS.some((project) => project === arg));
  const folder = mkdtempSync(join(tmpdir(), 'aegis-test-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const project of chosen.length > 0 ? chosen : USUAL) {
    if (project !== 'unit') await Promise.all([prepareRig(), preparePostgres()]);
    const isOk = await run(project, rest, folder);
    const counts = readCounts(reportOf(folder, project), isOk);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 || total.passed + total.failed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
