import { describe } from '@jest/globals';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { backupSuite } from '../support/suites/backup.ts';
import { aPostgresDatabase } from '../support/suites/postgres-database.ts';
import { aSqliteDatabase } from '../support/suites/sqlite-database.ts';

(hasPostgres ? describe : describe.skip)('with PostgreSQL', () => {
  const server = postgresServer();
  const aServerDatabase = () => aPostgresDatabase(server());
  describe('restored into PostgreSQL', () => backupSuite(aServerDatabase, aServerDatabase));
  describe('restored into SQLite', () => backupSuite(aServerDatabase, aSqliteDatabase));
  describe('of SQLite, restored into PostgreSQL', () => backupSuite(aSqliteDatabase, aServerDatabase));
});
