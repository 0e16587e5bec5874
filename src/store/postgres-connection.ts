import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Db } from './backend.ts';
import type { Tables } from './tables.ts';

/** Names every connection of Aegis; `restore` finds running ones by it. */
export const APPLICATION_NAME = 'aegis';
const CONNECT_TIMEOUT_MS = 3_000;
const KEEP_ALIVE_AFTER_MS = 10_000;

export interface ConnectionSetting {
  readonly url: string;
  readonly max: number;
  /** An answer that takes longer is given up, and its connection with it. */
  readonly answerTimeoutMs: number;
  /** An idle connection ended; the next use makes a new one. */
  readonly onLost?: (fault: unknown) => void;
}

/** Connections are kept until they fail: an idle one tells at once when the server goes away. */
export function connectPostgres(setting: ConnectionSetting): Db {
  const pool = new pg.Pool({
    connectionString: setting.url,
    max: setting.max,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: setting.answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser: parserOf },
  });
  // Without listeners an error between two queries would end the process. The query that meets it reports it.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  pool.on('error', (fault) => setting.onLost?.(fault));
  return new Kysely<Tables>({
    dialect: new PostgresDialect({
      pool,
      // The address may name another: it is how Aegis knows its own.
      onCreateConnection: async (connection) => {
        await connection.executeQuery(CompiledQuery.raw(`set application_name to ${APPLICATION_NAME}`));
      },
    }),
  });
}

const BIGINT = 20;
const NUMERIC = 1700;
const BYTES = 17;

/** Whole numbers come as text, since they may be larger than a double holds; ours are times and counts. */
function parserOf(type: number, format?: string): (text: string) => unknown {
  if (type === BIGINT || type === NUMERIC) return Number;
  // Plain bytes of their own memory, not a view into the connection's buffer.
  if (type === BYTES) return (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  return pg.types.getTypeParser(type, format as 'text') as (text: string) => unknown;
}
