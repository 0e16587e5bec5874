import type { Subcommand } from '../command.ts';
import { copiesOf, told } from './database-copies.ts';

const EXAMPLES = `
Examples:
  aegis backup aegis-2026-01-05.backup
  kubectl exec -n aegis-system deploy/aegis -- node /app/cli.js backup /data/aegis.backup

The program may run meanwhile. The file is an SQLite database, whichever database it is made of; it is read and verified
before it gets its name. Keep the printed head of the history elsewhere: it proves later that nothing was rewritten.
Where the database is, say DATA_DIR, DATABASE_URL or DATABASE_URL_FILE, as for the operator.`;

/** `aegis backup FILE`: everything of one moment in one file, online. */
export const backupCommand: Subcommand = (program, { services, ended }) => {
  program
    .command('backup')
    .description('Copy history, ledger, models and predictions into a new file, while Aegis runs')
    .argument('<file>', 'file to make; it must not exist')
    .option('--data-dir <folder>', 'folder of the SQLite file (default: DATA_DIR)')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: { readonly dataDir?: string }) => {
      const copies = await copiesOf(services, options);
      const made = copies.ok ? await copies.value.backup(file) : copies;
      ended(told(services, made, `${file} holds`));
    });
};
