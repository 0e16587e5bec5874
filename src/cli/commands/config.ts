import type { Subcommand } from '../command.ts';

/** `aegis config print`: the settings in force here, where each comes from, and everything that is wrong with them. */
export const configCommand: Subcommand = (program, { services, ended }) => {
  program
    .command('config')
    .description('Settings of the operator and the API')
    .command('print')
    .description('Print every setting in force and where it comes from; secrets are not shown')
    .action(async () => {
      const { text, problems } = await services.readConfiguration();
      services.terminal.out(text);
      for (const problem of problems) services.terminal.err(`aegis: ${problem}\n`);
      ended(problems.length === 0 ? 0 : 1);
    });
};
