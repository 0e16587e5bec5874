/** One transform and one module system for both projects; only where the tests live differs. */
export const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
};

/** Tests that share one rig. */
const onRig = {
  ...base,
  globalSetup: '<rootDir>/test/support/rig-setup.ts',
  globalTeardown: '<rootDir>/test/support/rig-teardown.ts',
};

export default {
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...onRig, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.test.ts'] },
    // Minutes of learning and of waiting for a limit's end: a command of its own, `npm run test:long`.
    { ...onRig, displayName: 'long', testMatch: ['<rootDir>/test/long/**/*.test.ts'] },
  ],
};
