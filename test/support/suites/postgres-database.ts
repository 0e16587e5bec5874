import pg from 'pg';
import type { PostgresServer } from '../../../tools/postgres/server.ts';
import { createPostgresStore } from '../../../src/store/store.ts';
import type { TestDatabase } from './store.ts';

/** Runs a statement on a connection of its own and gives its rows. */
export async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

export async function aPostgresDatabase(server: PostgresServer): Promise<TestDatabase> {
  const url = await server.createDatabase();
  const raw = async (statement: string): Promise<void> => void (await query(url, statement));
  return {
    place: { kind: 'postgres', url },
    open: (dependencies) => createPostgresStore({ url, ...dependencies }),
    raw,
    unprotect: () => raw('drop trigger history_no_change on history; drop trigger history_no_truncate on history'),
  };
}
