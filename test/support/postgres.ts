import { afterAll, beforeAll } from '@jest/globals';
import { findServerPrograms } from '../../tools/postgres/programs.ts';
import { startPostgresServer, type PostgresServer } from '../../tools/postgres/server.ts';

const programs = findServerPrograms();
if (programs === undefined && process.env['CI'] === 'true') throw new Error('CI needs a PostgreSQL server');

/** False where no server can be had (`npm test` has said so, loudly): `(hasPostgres ? describe : describe.skip)(...)`. */
export const hasPostgres = programs !== undefined;

/** A server for all tests of the surrounding block. */
export function postgresServer(): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    if (programs !== undefined) server = await startPostgresServer(programs);
  }, 120_000);
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('no PostgreSQL server: the describe block must be skipped without one');
    return server;
  };
}
