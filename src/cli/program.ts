import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import type { Subcommand } from './command.ts';
import type { ExitCode, Services } from './services.ts';

const EXAMPLES = `
Examples:
  aegis simulate -f policy.yaml --from 7d --prometheus http://prometheus:9090
  aegis simulate -f policy.yaml --samples samples.csv --json
  aegis explain checkout -n shop
  aegis why-not checkout -n shop --at 2026-01-05T12:30:00Z

As a kubectl plugin the same is called "kubectl aegis ...". Every command has its own --help.`;

/**
 * Runs one command line and says how it ended; nothing here ends the process. `name` is what the user called:
 * `aegis`, or `kubectl aegis` as a plugin.
 */
export async function runProgram(
  argv: readonly string[],
  services: Services,
  subcommands: readonly Subcommand[],
  name = 'aegis',
): Promise<ExitCode> {
  const { terminal } = services;
  let code: ExitCode = 0;
  const program = new Command(name)
    .description('Asks Aegis why it acted or did not, and replays the past under a policy.')
    .version(`aegis ${VERSION}`, '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError(`Try "${name} --help".`)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  for (const subcommand of subcommands) subcommand(program, { services, ended: (ended) => (code = ended) });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are asked for; everything else that commander ends is a wrong command line.
    return error.exitCode === 0 ? 0 : 2;
  }
  return code;
}
