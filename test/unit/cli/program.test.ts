import { describe, expect, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../src/cli/commands/all.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { VERSION } from '../../../src/version.ts';
import { aTerminal } from '../../support/builders/cli.ts';

describe('the command line', () => {
  test.each([
    ['aegis version', ['version'], 0, `aegis ${VERSION}`],
    ['aegis --version', ['--version'], 0, `aegis ${VERSION}`],
    ['aegis --help shows examples', ['--help'], 0, 'Examples:'],
    ['no command at all is a wrong command line', [], 2, 'Usage: aegis'],
    ['an unknown command names itself and the way out', ['heal'], 2, "unknown command 'heal'"],
    ['an unknown option names itself and the way out', ['version', '--loud'], 2, "unknown option '--loud'"],
  ])('%s', async (_, argv, code, says) => {
    const { services, output } = aTerminal();
    expect(await runProgram(argv, services, SUBCOMMANDS)).toBe(code);
    expect(output()).toContain(says);
  });

  test('as a kubectl plugin it calls itself so', async () => {
    const { services, output } = aTerminal();
    await runProgram(['--help'], services, SUBCOMMANDS, 'kubectl aegis');
    expect(output()).toContain('Usage: kubectl aegis ');
  });
});
