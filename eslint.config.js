import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

/**
 * Who may import whom. The pure rooms form a line; each may use everything to its left. Adapters see the ports,
 * the wire schemas and types of the pure rooms, and never one another. `app.ts` alone constructs adapters.
 */
const LINE = ['lib', 'detection', 'diagnosis', 'policy', 'healing', 'controller'];
const ADAPTERS = ['kubernetes', 'prometheus', 'logs', 'http', 'store', 'notify'];
const ROOMS = [...LINE, ...ADAPTERS, 'api', 'telemetry', 'config', 'cli', 'console'];

const mayImport = {
  ...Object.fromEntries(LINE.map((room, i) => [room, LINE.slice(0, i + 1)])),
  api: ['api', ...LINE.slice(0, 5)],
  ...Object.fromEntries(
    ADAPTERS.map((room) => [room, [room, 'controller', 'api', 'lib', 'detection', 'diagnosis', 'policy', 'healing']]),
  ),
  telemetry: ['telemetry', 'lib', 'controller'],
  config: ['config', 'lib'],
  cli: ['cli', 'api', 'http', ...LINE],
  // As app.ts for the operator: constructs the adapters of the command-line tool (ADR 0034).
  'cli/adapters': ['cli', 'api', 'lib', 'controller', 'config', ...ADAPTERS],
  console: ['console', 'http', 'lib'],
};

/** Folders whose table holds in place of that of the room around them. */
const APART = { cli: ['./src/cli/*.ts', './src/cli/!(adapters)/**/*.ts'], 'cli/adapters': './src/cli/adapters' };

/** Packages that a room may name; a room that is not listed may name any. Pure packages carry an ADR. */
const PURE_PACKAGES = { policy: ['@marcbachmann/cel-js', 'croner'] };

const zones = Object.entries(mayImport).flatMap(([target, allowed]) =>
  ROOMS.filter((room) => !allowed.includes(room)).map((from) => ({
    target: APART[target] ?? `./src/${target}`,
    from: `./src/${from}`,
    message: `src/${target} may not import src/${from}: see the table of rooms in docs/architecture.md`,
  })),
);

const pureRoom = (room) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(?!\\.{1,2}/)(?!(${(PURE_PACKAGES[room] ?? ['none allowed']).join('|')})$)`,
            message: 'Pure rooms take no package and no node module: pass the value in.',
          },
        ],
      },
    ],
    'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'fetch', 'console'],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'Time is an argument.' },
      { object: 'Math', property: 'random', message: 'Randomness is seeded and passed in.' },
    ],
    'no-restricted-syntax': [
      'error',
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is an argument.' },
    ],
  },
});

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', 'data', '.stryker-tmp', 'reports'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-default-export': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: 'error',
      'max-params': ['error', 5],
      complexity: ['error', 16],
      'max-depth': ['error', 4],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**', 'src/main.ts', 'src/cli/main.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'Only config/ and main.ts read process.' }],
    },
  },
  ...LINE.slice(0, -1).map(pureRoom),
  {
    files: ['src/controller/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ regex: '^(?!\\.{1,2}/)', message: 'The controller takes no package: what it needs is a port.' }],
        },
      ],
      'no-restricted-globals': ['error', 'process'],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 500 }], '@typescript-eslint/no-floating-promises': 'error' },
  },
  {
    // Jest calls their default exports.
    files: ['test/support/rig-setup.ts', 'test/support/rig-teardown.ts', 'test/support/in-stated-order.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    files: ['*.config.js'],
    rules: { 'import-x/no-default-export': 'off' },
    extends: [tseslint.configs.disableTypeChecked],
  },
);
