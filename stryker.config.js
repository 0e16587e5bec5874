/**
 * Mutation tests of one room against its own tests: `ROOM=detection/statistics npm run mutation`. Every mutant is a
 * small change of the source that some test ought to notice. Not part of `npm test`: all of detection takes hours.
 */
const room = process.env.ROOM ?? 'detection/statistics';

export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  coverageAnalysis: 'perTest',
  mutate: [`src/${room}/**/*.ts`],
  // Texts for people are not judged by their wording.
  mutator: { excludedMutations: ['StringLiteral'] },
  jest: {
    projectType: 'custom',
    enableFindRelatedTests: false,
    configFile: 'jest.mutation.config.js',
  },
  ignorePatterns: ['dist', 'charts', 'crds', 'docs', 'scenarios', '.git'],
  concurrency: 2,
  dryRunTimeoutMinutes: 20,
  timeoutMS: 30_000,
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 90, low: 80, break: 80 },
};
