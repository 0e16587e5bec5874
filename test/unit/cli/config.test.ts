import { expect, test } from '@jest/globals';
import { readConfiguration } from '../../../src/cli/adapters/configuration.ts';
import { SUBCOMMANDS } from '../../../src/cli/commands/all.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { aTerminal } from '../../support/builders/cli.ts';

const SECRET = 'a-key-that-nobody-may-see';

test.each([
  ['settings that are right', { PORT: '4711' }, 0, 'PORT=4711'],
  [
    'settings that are wrong, each with what follows',
    { PORT: '70000', ANOMALY_THRESHOLD: '2' },
    1,
    'ANOMALY_THRESHOLD must',
  ],
  ['a secret is not shown', { API_KEY: SECRET }, 0, 'API_KEY=[set, not shown]'],
])('aegis config print: %s', async (_, env, code, says) => {
  const { services, output } = aTerminal();
  const own = { ...services, readConfiguration: () => Promise.resolve(readConfiguration(env)) };
  expect(await runProgram(['config', 'print'], own, SUBCOMMANDS)).toBe(code);
  expect(output()).toContain(says);
  expect(output()).not.toContain(SECRET);
});
