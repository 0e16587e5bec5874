import type { Result } from '../../lib/result.ts';
import type { CopyReport, DatabaseCopies, ExitCode, Services } from '../services.ts';

export function copiesOf(
  services: Services,
  { dataDir }: { readonly dataDir?: string },
): Promise<Result<DatabaseCopies, string>> {
  return services.openDatabase(dataDir === undefined ? {} : { dataDir });
}

/** Says what was copied, or why nothing was; how the command ends. */
export function told({ terminal }: Services, copied: Result<CopyReport, string>, holds: string): ExitCode {
  if (!copied.ok) {
    terminal.err(`${copied.error}\n`);
    return 1;
  }
  const { historyEntries, predictions, schema, chainHead } = copied.value;
  terminal.out(`${holds} ${historyEntries} history entries, ${predictions} predictions, schema ${schema}\n`);
  terminal.out(`head of the history: ${chainHead}\n`);
  return 0;
}
