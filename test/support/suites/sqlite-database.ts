import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore } from '../../../src/store/store.ts';
import { aFile } from '../builders/store.ts';
import type { TestDatabase } from './store.ts';

export function aSqliteDatabase(): Promise<TestDatabase> {
  const file = aFile();
  const raw = (statement: string): Promise<void> =>
    new Promise((resolve) => {
      const database = new DatabaseSync(file);
      try {
        database.exec(statement);
        resolve();
      } finally {
        database.close();
      }
    });
  return Promise.resolve({
    place: { kind: 'sqlite', file },
    open: (dependencies) => createSqliteStore({ file, ...dependencies }),
    raw,
    unprotect: () => raw('drop trigger history_no_update; drop trigger history_no_delete'),
  });
}
