import { describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore, type ManagedStore, type SqliteStoreSetting } from '../../../src/store/store.ts';
import { aFile, aPrediction, aRow } from '../../support/builders/store.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics, type RecordedLog, type RecordedMetrics } from '../../support/recorders.ts';

interface Rig {
  readonly store: ManagedStore;
  readonly clock: FakeClock;
  readonly log: RecordedLog;
  readonly metrics: RecordedMetrics;
}

async function rig(over: Partial<SqliteStoreSetting> & { file: string }): Promise<Rig> {
  const clock = fakeClock();
  const log = recordedLog();
  const metrics = recordedMetrics();
  const store = await createSqliteStore({ clock, log, metrics, ...over });
  return { store, clock, log, metrics };
}

/** Moves the clock until the promise settles. */
async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  let result: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([promise]).then(([r]) => (result = r));
  await clock.until(() => result !== undefined);
  return result as PromiseSettledResult<T>;
}

const lock = (file: string): DatabaseSync => {
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  return other;
};

describe('a locked database', () => {
  test('a healing row waits for a short lock', async () => {
    const file = aFile();
    const { store, clock } = await rig({ file });
    const other = lock(file);
    const append = store.appendHistory([aRow()]);
    clock.after(200, () => other.exec('commit'));
    expect((await settled(clock, append)).status).toBe('fulfilled');
    other.close();
    await store.close();
  });

  test('a healing row is refused after 3 s, and the store recovers by itself', async () => {
    const file = aFile();
    const { store, clock, log, metrics } = await rig({ file });
    const other = lock(file);
    const result = await settled(clock, store.appendHistory([aRow()]));
    expect(result).toMatchObject({ status: 'rejected', reason: { cause: 'locked' } });
    expect(store.healthy()).toBe(false);
    expect(metrics.value('aegis_store_up')).toBe(0);
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);

    other.exec('rollback');
    other.close();
    await clock.until(() => store.healthy());
    expect(metrics.value('aegis_store_up')).toBe(1);
    await store.appendHistory([aRow()]);
    expect(await store.history({ limit: 10 })).toHaveLength(1);
    await store.close();
  });

  test('while a lock is known to last, no healing row waits for it again', async () => {
    const file = aFile();
    const { store, clock } = await rig({ file });
    const other = lock(file);
    await settled(clock, store.appendHistory([aRow()]));
    const sinceMs = clock.monotonicMs();
    const results = await settled(
      clock,
      Promise.allSettled(Array.from({ length: 100 }, () => store.appendHistory([aRow()]))),
    );
    expect(results).toMatchObject({ value: Array.from({ length: 100 }, () => ({ status: 'rejected' })) });
    expect(clock.monotonicMs() - sinceMs).toBeLessThan(1_000);
    other.exec('rollback');
    other.close();
    await clock.until(() => store.healthy());
    await store.close();
  });

  test('a lock that a prediction met first still lets a healing row wait its time', async () => {
    const file = aFile();
    const { store, clock } = await rig({ file });
    const other = lock(file);
    store.recordPrediction(aPrediction({ atMs: clock.nowMs() }));
    await clock.until(() => !store.healthy());
    const append = store.appendHistory([aRow()]);
    clock.after(1_000, () => other.exec('commit'));
    expect((await settled(clock, append)).status).toBe('fulfilled');
    other.close();
    await store.close();
  });

  test('predictions wait, then those beyond the queue are dropped and counted; none of the others is lost', async () => {
    const file = aFile();
    const { store, clock, metrics } = await rig({ file, queueCapacity: 300 });
    const other = lock(file);
    for (let i = 0; i < 500; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: clock.nowMs() }));
    await clock.until(() => !store.healthy());
    expect(metrics.value('aegis_store_predictions_dropped_total', { cause: 'queue-full' })).toBe(200);
    other.exec('rollback');
    other.close();
    await clock.until(() => metrics.value('aegis_store_queue_rows') === 0);
    expect(await store.predictionStats(clock.nowMs())).toMatchObject({ total: 300 });
    await store.close();
  });
});

test('predictions that wait are bounded by their size as well as by their number', async () => {
  const file = aFile();
  const { store, clock, metrics } = await rig({ file });
  const other = lock(file);
  const body = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
  for (let i = 0; i < 100; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, body, atMs: clock.nowMs() }));
  const dropped = metrics.value('aegis_store_predictions_dropped_total', { cause: 'queue-full' });
  expect(dropped).toBe(37);
  await clock.until(() => !store.healthy());
  other.exec('rollback');
  other.close();
  await clock.until(() => metrics.value('aegis_store_queue_rows') === 0);
  store.recordPrediction(aPrediction({ id: 'after', body, atMs: clock.nowMs() }));
  await store.flush();
  expect(await store.predictionStats(clock.nowMs())).toMatchObject({ total: 64 });
  await store.close();
});

describe('a full database', () => {
  test('predictions make room for healing rows', async () => {
    const { store, clock, metrics } = await rig({ file: aFile(), maxBytes: 400_000 });
    const body = JSON.stringify({ text: 'x'.repeat(2_000) });
    for (let i = 0; i < 400; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, body, atMs: clock.nowMs() }));
    await store.flush();
    for (let i = 0; i < 100; i += 1) {
      await store.appendHistory([aRow({ id: `row-${i}`, facts: { text: 'y'.repeat(1_000) } })]);
    }
    expect(await store.history({ limit: 1_000 })).toHaveLength(100);
    expect(await store.verifyHistory()).toMatchObject({ ok: true });
    expect(metrics.value('aegis_store_failures_total', { cause: 'full' })).toBeGreaterThan(0);
    expect(store.healthy()).toBe(true);
    await store.close();
  });

  test('gives back the room that was held on the disk, without which not even a removal has a place in the log', async () => {
    const file = aFile();
    const { store, clock } = await rig({ file, maxBytes: 400_000 });
    const reserve = `${file}.reserve`;
    expect(statSync(reserve).size).toBe(8 * 1024 * 1024);
    const body = JSON.stringify({ text: 'x'.repeat(2_000) });
    for (let i = 0; i < 400; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, body, atMs: clock.nowMs() }));
    await store.flush();
    expect(existsSync(reserve)).toBe(false);
    await store.prune();
    expect(existsSync(reserve)).toBe(true);
    await store.close();
  });

  test('healing rows are refused when nothing is left to give up', async () => {
    const { store } = await rig({ file: aFile(), maxBytes: 200_000 });
    const fill = async () => {
      for (let i = 0; i < 400; i += 1) await store.appendHistory([aRow({ id: `r-${i}`, message: 'x'.repeat(2_000) })]);
    };
    await expect(fill()).rejects.toMatchObject({ cause: 'full' });
    expect(store.healthy()).toBe(false);
    const kept = (await store.history({ limit: 1_000 })).length;
    expect(kept).toBeGreaterThan(10);
    expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: kept });
    await store.close();
  });
});

describe('a file that goes away', () => {
  test('a healing row is never written into a removed file: the store starts a new one', async () => {
    const file = aFile();
    const { store, log } = await rig({ file });
    await store.appendHistory([aRow()]);
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    await store.appendHistory([aRow({ id: 'row-2' })]);
    const raw = new DatabaseSync(file, { readOnly: true });
    expect(raw.prepare('select count(*) as n from history').get()).toEqual({ n: 1 });
    raw.close();
    expect(log.lines.some((line) => line.level === 'error' && line.facts['cause'] === 'unreachable')).toBe(true);
    expect(store.healthy()).toBe(true);
    await store.close();
  });

  test('a store that cannot open refuses, and opens once it can', async () => {
    const file = aFile();
    // A file where the directory should be.
    mkdirSync(dirname(dirname(file)), { recursive: true });
    writeFileSync(dirname(file), '');
    const { store, clock } = await rig({ file });
    expect(store.healthy()).toBe(false);
    await expect(store.appendHistory([aRow()])).rejects.toThrow();
    await expect(store.predictions(1)).rejects.toThrow();
    store.recordPrediction(aPrediction({ atMs: clock.nowMs() }));

    rmSync(dirname(file));
    await clock.until(() => store.healthy());
    await store.appendHistory([aRow()]);
    await clock.until(() => clock.pending() === 1);
    expect(await store.predictionStats(clock.nowMs())).toMatchObject({ total: 1 });
    await store.close();
  });

  test('what cannot be opened is tried at each probe and not at each call', async () => {
    const file = aFile();
    mkdirSync(dirname(dirname(file)), { recursive: true });
    writeFileSync(dirname(file), '');
    const { store, clock } = await rig({ file });
    rmSync(dirname(file));
    // It could be opened by now, but nobody waits for that before the next probe.
    await expect(store.appendHistory([aRow()])).rejects.toMatchObject({ cause: 'unreachable' });
    expect(existsSync(file)).toBe(false);
    await clock.until(() => store.healthy());
    await store.appendHistory([aRow()]);
    await store.close();
  });

  test('a damaged file is refused, left as it is, and used again once it is repaired', async () => {
    const file = aFile();
    const good = await rig({ file });
    await good.store.appendHistory([aRow()]);
    await good.store.close();
    renameSync(file, `${file}.good`);
    writeFileSync(file, 'this is no database, and long enough that nobody takes it for one'.repeat(50));

    const { store, clock } = await rig({ file });
    await expect(store.appendHistory([aRow({ id: 'row-2' })])).rejects.toMatchObject({ cause: 'damaged' });
    expect(store.healthy()).toBe(false);
    renameSync(`${file}.good`, file);
    await clock.until(() => store.healthy());
    expect(await store.history({ limit: 10 })).toHaveLength(1);
    await store.close();
  });

  test('a schema newer than this program is refused', async () => {
    const file = aFile();
    const first = await rig({ file });
    await first.store.close();
    const raw = new DatabaseSync(file);
    raw.exec(`insert into schema_version values (999, 'from the future', 0)`);
    raw.close();
    const { store, log } = await rig({ file });
    expect(store.healthy()).toBe(false);
    expect(JSON.stringify(log.lines.map((line) => String(line.facts['error'])))).toContain('schema 999');
    await store.close();
  });
});

describe('after close', () => {
  test('everything is refused and nothing is left running', async () => {
    const { store, clock, metrics } = await rig({ file: aFile() });
    await store.close();
    await expect(store.appendHistory([aRow()])).rejects.toMatchObject({ cause: 'unreachable' });
    store.recordPrediction(aPrediction());
    expect(metrics.value('aegis_store_predictions_dropped_total', { cause: 'closed' })).toBe(1);
    expect(clock.pending()).toBe(0);
    expect(store.healthy()).toBe(false);
  });
});
