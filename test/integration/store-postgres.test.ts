import { describe } from '@jest/globals';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { aPostgresDatabase } from '../support/suites/postgres-database.ts';
import { storeSuite } from '../support/suites/store.ts';

(hasPostgres ? describe : describe.skip)('on PostgreSQL', () => {
  const server = postgresServer();
  storeSuite(() => aPostgresDatabase(server()));
});
