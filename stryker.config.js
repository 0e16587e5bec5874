/**
 * Mutation tests of one room against its house's unit tests: `ROOM=detection/statistics npm run mutation`. Every mutant is a
 * small change of the source that some test ought to notice. `SAMPLE=0.25` judges a quarter of them, chosen by `SEED`.
 * Not part of `npm test`: see docs/how-to/measuring-the-tests.md.
 */
const { ROOM = 'detection/statistics', SAMPLE = '1', SEED = '1', WORKERS = '1', HITS = '60000000' } = process.env;
const [house] = ROOM.split('/');
const reports = `reports/mutation/${ROOM.replaceAll('/', '-')}`;

export default {
  testRunner: 'in-process',
  plugins: ['./tools/mutation/in-process-runner.ts'],
  coverageAnalysis: 'perTest',
  mutate: [`src/${ROOM}/**/*.ts`],
  unitTests: [`test/unit/${house}/**/*.test.ts`],
  hitsPerMutant: Number(HITS),
  sampleShare: Number(SAMPLE),
  sampleSeed: Number(SEED),
  survivorsFile: `${reports}-survivors.txt`,
  scoreAtLeast: 0.8,
  // Texts for people are not judged by their wording.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['dist', 'charts', 'crds', 'docs', 'scenarios', '.git', 'reports'],
  concurrency: Number(WORKERS),
  // Modules that were loaded anew are never freed.
  maxTestRunnerReuse: 200,
  dryRunTimeoutMinutes: 30,
  // The budget of hits ends a run long before all tests that reach a mutant have taken their time.
  timeoutMS: 60_000,
  timeoutFactor: 0.1,
  disableTypeChecks: false,
  reporters: ['json', 'progress-append-only', 'room-table'],
  jsonReporter: { fileName: `${reports}.json` },
  thresholds: { high: 90, low: 80, break: null },
};
