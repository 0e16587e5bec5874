import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createPostgresStore, type ManagedStore, type PostgresStoreSetting } from '../../src/store/store.ts';
import { freePorts } from '../../tools/rig/ports.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { aPrediction, aRow } from '../support/builders/store.ts';
import { lossyProxy } from '../support/lossy-proxy.ts';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { realClock } from '../support/real-clock.ts';
import { recordedLog, recordedMetrics, type RecordedLog, type RecordedMetrics } from '../support/recorders.ts';
import { query } from '../support/suites/postgres-database.ts';

const LIMIT_MS = 60_000;

interface Running {
  readonly store: ManagedStore;
  readonly log: RecordedLog;
  readonly metrics: RecordedMetrics;
}

(hasPostgres ? describe : describe.skip)('a PostgreSQL server in trouble', () => {
  const server = postgresServer();
  const opened: ManagedStore[] = [];
  let url = '';

  const open = async (over: Partial<PostgresStoreSetting> = {}): Promise<Running> => {
    const [log, metrics] = [recordedLog(), recordedMetrics()];
    const store = await createPostgresStore({ url, clock: realClock(), log, metrics, ...over });
    opened.push(store);
    return { store, log, metrics };
  };
  const isHealthy = ({ store }: Running) => waitUntil('the store is usable again', LIMIT_MS, () => store.healthy());
  const total = async ({ store }: Running): Promise<number> => (await store.predictionStats(Date.now())).total;

  beforeEach(async () => {
    url = await server().createDatabase();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  test('refused at the start: the store is there, unhealthy, refuses at once, and comes with the server', async () => {
    await server().kill();
    const running = await open();
    expect(running.store.healthy()).toBe(false);
    await expect(running.store.appendHistory([aRow()])).rejects.toMatchObject({ cause: 'unreachable' });
    await expect(running.store.predictionStats(0)).rejects.toMatchObject({ cause: 'unreachable' });
    for (let i = 0; i < 10; i += 1) running.store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: Date.now() }));
    await server().start();
    await isHealthy(running);
    await running.store.appendHistory([aRow()]);
    await waitUntil('what waited is stored', LIMIT_MS, async () => (await total(running)) === 10);
    expect(running.metrics.value('aegis_store_up')).toBe(1);
  });

  const wrong: readonly (readonly [what: string, change: (address: URL) => void, said: RegExp])[] = [
    ['a wrong password', (address) => (address.password = 'wrong'), /password authentication failed/],
    ['no such database', (address) => (address.pathname = '/none'), /database "none" does not exist/],
    ['a server without TLS where it is asked for', (address) => (address.search = '?sslmode=verify-full'), /SSL/],
    ['a host without a name', (address) => (address.hostname = 'no-such-host.invalid'), /no-such-host\.invalid/],
  ];
  test.each(wrong)('%s: degraded, said in the log without the password', async (_what, change, said) => {
    const address = new URL(url);
    const password = address.password;
    change(address);
    const { store, log } = await open({ url: address.href });
    expect(store.healthy()).toBe(false);
    const lines = log.lines.map(({ level, message, facts }) => `${level} ${message} ${String(facts['error'])}`);
    expect(lines.join('\n')).toMatch(said);
    expect(JSON.stringify(log.lines) + lines.join()).not.toContain(password);
  });

  test('nobody answers on the port: no call waits for long, and after the first not at all', async () => {
    const [port = 0] = await freePorts(1);
    const address = new URL(url);
    address.port = String(port);
    const { store } = await open({ url: address.href });
    const refused = await Promise.allSettled(Array.from({ length: 50 }, () => store.appendHistory([aRow()])));
    expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
    expect(store.healthy()).toBe(false);
  });

  test('a server that is killed while nothing is asked of it is noticed, and found again', async () => {
    const running = await open();
    await running.store.appendHistory([aRow()]);
    await server().kill();
    await waitUntil('the loss is noticed', LIMIT_MS, () => !running.store.healthy());
    await server().start();
    await isHealthy(running);
    expect(await running.store.history({ limit: 10 })).toHaveLength(1);
  });

  test('a server that is killed again and again: what was acknowledged is there once, and the chain holds', async () => {
    const running = await open();
    const acknowledged = new Set<string>();
    let recorded = 0;
    let isOver = false;
    const write = async (): Promise<void> => {
      for (let i = 0; !isOver; i += 1) {
        const id = `row-${i}`;
        running.store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: Date.now() }));
        recorded += 1;
        // As the gate does: without its row there is no effect; the row is tried again, not another.
        for (let isDone = false; !isDone && !isOver;) {
          try {
            await running.store.appendHistory([aRow({ id, atMs: i })]);
            await running.store.completeHistory(id, { atMs: i, message: 'done' });
            acknowledged.add(id);
            isDone = true;
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }
      }
    };
    const writing = write();
    for (let round = 0; round < 4; round += 1) {
      const before = acknowledged.size;
      await waitUntil('writes go through', LIMIT_MS, () => acknowledged.size > before + 20);
      await server().kill();
      await server().start();
    }
    isOver = true;
    await writing;
    await isHealthy(running);
    await running.store.flush();
    const rows = await running.store.history({ limit: 100_000 });
    const ids = rows.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
    expect(rows.filter(({ id, outcome }) => acknowledged.has(id) && outcome === undefined)).toEqual([]);
    expect(await running.store.verifyHistory()).toMatchObject({ ok: true });
    const stored = await query(url, 'select count(*)::int as n, count(distinct id)::int as ids from prediction');
    expect(stored).toEqual([{ n: recorded, ids: recorded }]);
    expect(await total(running)).toBe(recorded);
  });

  test('a commit whose answer is lost: what it wrote is there once', async () => {
    const proxy = await lossyProxy(url);
    const running = await open({ url: proxy.url });
    proxy.loseNextCommit();
    await running.store.appendHistory([aRow()]);
    proxy.loseNextCommit();
    await running.store.completeHistory('row-1', { atMs: 2, message: 'done' });
    for (let i = 0; i < 100; i += 1) running.store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: Date.now() }));
    proxy.loseNextCommit();
    await running.store.flush();
    await waitUntil('all are stored', LIMIT_MS, async () => {
      await running.store.flush();
      return running.metrics.value('aegis_store_queue_rows') === 0;
    });
    expect(proxy.lost()).toBe(3);
    expect(await running.store.verifyHistory()).toMatchObject({ ok: true, entries: 2 });
    expect(await running.store.predictions(1_000)).toHaveLength(100);
    expect(await total(running)).toBe(100);
    await running.store.close();
    await proxy.close();
  });

  test('another writer that does not end: healing rows wait, then are refused; predictions wait; then all goes on', async () => {
    const running = await open();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin');
    await other.query(`select pg_advisory_xact_lock(${0x4145_4749})`);
    running.store.recordPrediction(aPrediction({ atMs: Date.now() }));
    await expect(running.store.appendHistory([aRow()])).rejects.toMatchObject({ cause: 'locked' });
    expect(running.store.healthy()).toBe(false);
    // Reading is not held up.
    expect(await running.store.history({ limit: 10 })).toEqual([]);
    await other.query('rollback');
    await other.end();
    await isHealthy(running);
    await running.store.appendHistory([aRow()]);
    await running.store.flush();
    expect(await total(running)).toBe(1);
    expect(running.metrics.value('aegis_store_predictions_dropped_total', { cause: 'other' })).toBe(0);
  });

  /** Stands in for a disk without room: the server's own error, raised where rows would be written. */
  const NO_ROOM = `create function no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$`;

  test('no room: predictions are dropped and counted, healing rows are refused and none is half there', async () => {
    const running = await open();
    await running.store.appendHistory([aRow()]);
    await query(url, NO_ROOM);
    for (const table of ['history', 'prediction', 'counter']) {
      await query(url, `create trigger no_room before insert on ${table} for each row execute function no_room()`);
    }
    running.store.recordPrediction(aPrediction({ atMs: Date.now() }));
    await running.store.flush();
    expect(running.metrics.value('aegis_store_predictions_dropped_total', { cause: 'full' })).toBe(1);
    await expect(running.store.appendHistory([aRow({ id: 'row-2' })])).rejects.toMatchObject({ cause: 'full' });
    expect(running.store.healthy()).toBe(false);
    for (const table of ['history', 'prediction', 'counter']) await query(url, `drop trigger no_room on ${table}`);
    await isHealthy(running);
    await running.store.appendHistory([aRow({ id: 'row-2' })]);
    expect(await running.store.verifyHistory()).toMatchObject({ ok: true, entries: 2 });
  });

  test('a server that became a standby refuses writes, and is used again when it leads', async () => {
    const running = await open();
    const name = new URL(url).pathname.slice(1);
    await query(url, `alter database ${name} set default_transaction_read_only = on`);
    await query(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await expect(running.store.appendHistory([aRow()])).rejects.toMatchObject({ cause: 'read-only' });
    expect(running.store.healthy()).toBe(false);
    await query(new URL('/postgres', url).href, `alter database ${name} reset default_transaction_read_only`);
    await isHealthy(running);
    await running.store.appendHistory([aRow()]);
  });

  test('replicas on one database append to one chain, take turns at a lease and count together', async () => {
    const replicas = await Promise.all([open(), open(), open()]);
    expect(replicas.every(({ store }) => store.healthy())).toBe(true);
    await Promise.all(
      replicas.flatMap(({ store }, r) =>
        Array.from({ length: 20 }, async (_, i) => {
          store.recordPrediction(aPrediction({ id: `${r}-${i}`, atMs: Date.now() }));
          await store.appendHistory([aRow({ id: `${r}-${i}` })]);
        }),
      ),
    );
    await Promise.all(replicas.map(({ store }) => store.flush()));
    const [first] = replicas;
    if (first === undefined) throw new Error('no replica');
    expect(await first.store.verifyHistory()).toMatchObject({ ok: true, entries: 60 });
    expect(await total(first)).toBe(60);
    const taken = await Promise.all(
      replicas.map(({ store }, r) => store.takeTargetLease('Deployment shop/a', `replica-${r}`, 0, 1_000)),
    );
    expect(taken.filter((isTaken) => isTaken)).toHaveLength(1);
  });
});
