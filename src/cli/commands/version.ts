import { VERSION } from '../../version.ts';
import type { Subcommand } from '../command.ts';

/** `aegis version`: what is installed here. */
export const versionCommand: Subcommand = (program, { services, ended }) => {
  program
    .command('version')
    .description('Print the version')
    .action(() => {
      services.terminal.out(`aegis ${VERSION}\n`);
      ended(0);
    });
};
