/**
 * A test runner for Stryker that stays in one process. Stryker's sources hold every mutant behind a switch; so the tests are
 * loaded once, and a mutant costs no more than the tests that reach it, its own and the cheap ones first, up to the first
 * that fails. Jest instead builds a module registry for every test file and every mutant, a second and more each.
 *
 * What a file computes while it is loaded (tables, simulations in a `describe`) is a test of its own in the dry run, named
 * `FILE › loading`. A mutant that this reaches is judged on that file loaded anew, with the mutant switched on.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { CoverageData, InstrumenterContext, StrykerOptions } from '@stryker-mutator/api/core';
import { PluginKind, commonTokens, declareClassPlugin, tokens } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  determineHitLimitReached,
  type DryRunOptions,
  type DryRunResult,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  type TestRunnerCapabilities,
} from '@stryker-mutator/api/test-runner';
import fc from 'fast-check';
import { RoomTable } from './room-table.ts';
import { hookSandbox, type SandboxModules } from './sandbox-modules.ts';
import { isInSample } from './tally.ts';
import { collectTests, type CollectedTest } from './test-globals.ts';

/** Written by the dry run into the sandbox, for all workers: by test id and mutant, how often the one passes the other. */
const HITS_FILE = 'test-hits.json';

type Hits = Readonly<Record<string, CoverageData>>;

/** One step of judging a mutant: some tests whose cost is known beforehand, to be loaded first or not. */
interface Step {
  /** Hits of any mutant. */
  readonly cost: number;
  /** The share of them that the mutant in question has: a test of just this code has more than a simulation of it all. */
  readonly focus: number;
  /** Its file is named after the mutated one. */
  readonly isOwn: boolean;
  readonly tests: () => Promise<readonly CollectedTest[]>;
}

const context: InstrumenterContext = ((globalThis as { __stryker__?: InstrumenterContext }).__stryker__ ??= {});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const loadingOf = (file: string): string => `${file} › loading`;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const hitsOf = (coverage: CoverageData | undefined): number => sum(Object.values(coverage ?? {}));

/** The file's own tests, the cheapest first; of the others what fits into half of the budget; then what looks closest. */
function inOrder(steps: readonly Step[], budget: number): readonly Step[] {
  const byCost = steps.toSorted((a, b) => a.cost - b.cost);
  const [cheap, dear]: [Step[], Step[]] = [[], []];
  let left = budget / 2;
  for (const step of byCost.filter(({ isOwn }) => !isOwn)) {
    left -= step.cost;
    (left >= 0 ? cheap : dear).push(step);
  }
  return [...byCost.filter(({ isOwn }) => isOwn), ...cheap, ...dear.toSorted((a, b) => b.focus - a.focus)];
}

/** A failure is its message, and undefined says that the test passed. */
async function failureOf(test: CollectedTest): Promise<string | undefined> {
  try {
    await test.run();
    return undefined;
  } catch (error) {
    return messageOf(error) || 'failed';
  }
}

class InProcessRunner implements TestRunner {
  static readonly inject = tokens(commonTokens.options);

  readonly #files: readonly string[];
  readonly #patterns: readonly string[];
  readonly #budget: number;
  readonly #share: number;
  readonly #seed: number;
  readonly #folder = process.cwd();
  readonly #modules: SandboxModules;
  /** By file, the tests as loaded without any mutant. */
  readonly #loaded = new Map<string, Promise<readonly CollectedTest[]>>();
  #perTest: Record<string, CoverageData> = {};
  /** By test id, its hits of any mutant. */
  readonly #costs = new Map<string, number>();

  constructor(options: StrykerOptions) {
    this.#patterns = options['unitTests'] as readonly string[];
    this.#budget = options['hitsPerMutant'] as number;
    this.#share = options['sampleShare'] as number;
    this.#seed = options['sampleSeed'] as number;
    this.#files = globSync([...this.#patterns], { cwd: this.#folder }).sort();
    this.#modules = hookSandbox(this.#folder);
    // A property that fails has killed the mutant; looking for its smallest example would only take time. The seed
    // makes two runs agree.
    fc.configureGlobal({ endOnFailure: true, seed: 1 });
  }

  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: true };
  }

  async dryRun(_options: DryRunOptions): Promise<DryRunResult> {
    if (this.#files.length === 0)
      return { status: DryRunStatus.Error, errorMessage: `no tests in ${this.#patterns.join(', ')}` };
    const results: TestResult[] = [];
    for (const file of this.#files) {
      let tests: readonly CollectedTest[] = [];
      const load = async (): Promise<void> => {
        tests = await this.#loadAnew(file, { counting: true });
      };
      const loading = { id: loadingOf(file), name: loadingOf(file), file, run: load };
      results.push(await this.#measured(loading));
      for (const test of tests) results.push(await this.#measured(test));
    }
    if (results.every(({ id }) => hitsOf(this.#perTest[id]) === 0))
      return { status: DryRunStatus.Error, errorMessage: 'no test reaches a mutant' };
    writeFileSync(join(this.#folder, HITS_FILE), JSON.stringify(this.#perTest));
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage: { static: {}, perTest: this.#perTest } };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }: MutantRunOptions): Promise<MutantRunResult> {
    // Stryker knows no samples; a mutant in error is in none of its figures. Here it counts lines from 0, reports from 1.
    const { line, column } = activeMutant.location.start;
    const reported = { ...activeMutant, location: { start: { line: line + 1, column: column + 1 } } };
    if (!isInSample(reported, this.#share, this.#seed))
      return { status: MutantRunStatus.Error, errorMessage: 'not in the sample' };
    this.#readHits();
    const steps = await this.#stepsFor(new Set(testFilter ?? this.#costs.keys()), activeMutant);
    // No run within the budget passes one mutant so often; a loop that does will not end.
    Object.assign(context, { hitLimit: Math.min(hitLimit ?? Infinity, 5 * this.#budget), hitCount: 0 });
    try {
      return await this.#judge(steps, activeMutant.id);
    } finally {
      delete context.activeMutant;
    }
  }

  #readHits(): void {
    if (this.#costs.size > 0) return;
    const hits = JSON.parse(readFileSync(join(this.#folder, HITS_FILE), 'utf8')) as Hits;
    this.#perTest = hits;
    for (const [id, coverage] of Object.entries(hits)) this.#costs.set(id, hitsOf(coverage));
  }

  /** In the order in which they run. Tests of one file that must be loaded with the mutant are one step. */
  async #stepsFor(
    ids: ReadonlySet<string>,
    { id: mutant, fileName }: Pick<MutantRunOptions['activeMutant'], 'id' | 'fileName'>,
  ): Promise<readonly Step[]> {
    const subject = basename(fileName, '.ts');
    const step = (file: string, tests: readonly string[], load: Step['tests']): Step => {
      const cost = sum(tests.map((id) => this.#costs.get(id) ?? 0));
      const own = sum(tests.map((id) => this.#perTest[id]?.[mutant] ?? 0));
      return { cost, focus: own / Math.max(1, cost), isOwn: basename(file).startsWith(subject), tests: load };
    };
    const steps: Step[] = [];
    for (const file of this.#files) {
      const known = [...this.#costs.keys()].filter((id) => id.startsWith(`${file} › `));
      if (ids.has(loadingOf(file))) {
        const load = async (): Promise<readonly CollectedTest[]> => {
          context.activeMutant = mutant;
          return this.#cheapestFirst(await this.#loadAnew(file, { counting: false }));
        };
        steps.push(step(file, known, load));
      } else if (known.some((id) => ids.has(id))) {
        for (const test of await this.#load(file))
          if (ids.has(test.id)) steps.push(step(file, [test.id], () => Promise.resolve([test])));
      }
    }
    return inOrder(steps, this.#budget);
  }

  async #judge(steps: readonly Step[], mutant: string): Promise<MutantRunResult> {
    let nrOfTests = 0;
    let spent = 0;
    for (const step of steps) {
      if (nrOfTests > 0 && spent + step.cost > this.#budget) continue;
      spent += step.cost;
      const { failed, run } = await this.#runStep(step, mutant);
      nrOfTests += run;
      const endless = determineHitLimitReached(context.hitCount, context.hitLimit);
      if (endless !== undefined) return { status: MutantRunStatus.Timeout, reason: endless.reason ?? '' };
      if (failed !== undefined)
        return { status: MutantRunStatus.Killed, killedBy: [failed.id], failureMessage: failed.message, nrOfTests };
    }
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  async #runStep(
    step: Step,
    mutant: string,
  ): Promise<{ readonly failed?: { readonly id: string; readonly message: string }; readonly run: number }> {
    let run = 0;
    try {
      const tests = await step.tests();
      context.activeMutant = mutant;
      for (const test of tests) {
        const message = await failureOf(test);
        run += 1;
        if (message !== undefined) return { failed: { id: test.id, message }, run };
      }
      return { run };
    } catch (error) {
      // It could not even be loaded: Jest counts that as the failure of the whole file.
      return { failed: { id: 'loading', message: messageOf(error) }, run };
    }
  }

  async #measured(test: CollectedTest): Promise<TestResult> {
    this.#modules.takeHits();
    const startMs = performance.now();
    const failureMessage = await failureOf(test);
    const timeSpentMs = performance.now() - startMs;
    this.#perTest[test.id] = this.#modules.takeHits();
    const base = { id: test.id, name: test.id, fileName: resolve(test.file), timeSpentMs };
    return failureMessage === undefined
      ? { ...base, status: TestStatus.Success }
      : { ...base, status: TestStatus.Failed, failureMessage };
  }

  #load(file: string): Promise<readonly CollectedTest[]> {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const loading = this.#loadAnew(file, { counting: false });
    this.#loaded.set(file, loading);
    return loading;
  }

  #loadAnew(file: string, { counting }: { readonly counting: boolean }): Promise<readonly CollectedTest[]> {
    this.#modules.startGeneration({ counting });
    return collectTests(file, () => import(pathToFileURL(join(this.#folder, file)).href));
  }

  #cheapestFirst(tests: readonly CollectedTest[]): readonly CollectedTest[] {
    return tests.toSorted((a, b) => (this.#costs.get(a.id) ?? 0) - (this.#costs.get(b.id) ?? 0));
  }
}

export const strykerPlugins = [
  declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner),
  declareClassPlugin(PluginKind.Reporter, 'room-table', RoomTable),
];

/** What stryker.config.js says to this runner. */
export const strykerValidationSchema = {
  properties: {
    /** Which test files are loaded: patterns relative to the project. */
    unitTests: { type: 'array', items: { type: 'string' }, default: ['test/unit/**/*.test.ts'] },
    /** How many mutants the tests may pass by before a mutant counts as survived; the first test always runs. */
    /** The share of mutants that are judged, 0 to 1, and the seed that chooses them. */
    sampleShare: { type: 'number', exclusiveMinimum: 0, maximum: 1, default: 1 },
    sampleSeed: { type: 'number', default: 1 },
    survivorsFile: { type: 'string', default: 'reports/mutation/survivors.txt' },
    /** A score below this, 0 to 1, ends the run with an exit code that is not zero. */
    scoreAtLeast: { type: 'number', default: 0.8 },
    hitsPerMutant: { type: 'number', default: 60_000_000 },
  },
};
