import type { Subcommand } from '../command.ts';
import { copiesOf, told } from './database-copies.ts';

const EXAMPLES = `
Examples:
  aegis restore aegis-2026-01-05.backup
  DATABASE_URL_FILE=url aegis restore aegis-2026-01-05.backup      # from SQLite to PostgreSQL

Stop Aegis first: a database that it has open is refused. All or nothing: interrupted, the database is as it was.`;

/** `aegis restore FILE`: what a backup holds, in place of what the database holds. */
export const restoreCommand: Subcommand = (program, { services, ended }) => {
  program
    .command('restore')
    .description('Put a backup into the database of a stopped Aegis')
    .argument('<file>', 'what aegis backup made')
    .option('--replace', 'give up what the database holds now')
    .option('--data-dir <folder>', 'folder of the SQLite file (default: DATA_DIR)')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: { readonly dataDir?: string; readonly replace?: boolean }) => {
      const copies = await copiesOf(services, options);
      const restored = copies.ok ? await copies.value.restore(file, options.replace === true) : copies;
      ended(told(services, restored, copies.ok ? `${copies.value.where} holds` : ''));
    });
};
