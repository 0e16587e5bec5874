import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { backup } from '../../../src/store/backup/backup.ts';
import { restore } from '../../../src/store/backup/restore.ts';
import type { ManagedStore } from '../../../src/store/store.ts';
import { anActionRecord, anIncident, aPrediction, aRow } from '../builders/store.ts';
import { fakeClock } from '../fake-clock.ts';
import { recordedLog, recordedMetrics } from '../recorders.ts';
import type { TestDatabase } from './store.ts';

export const NOW = Date.UTC(2026, 0, 5, 12);
export const REPLACING = { nowMs: NOW, replaces: true };
export const aBackupFile = (): string => join(mkdtempSync(join(tmpdir(), 'aegis-backup-')), 'aegis.backup');

export const openOn = (database: TestDatabase): Promise<ManagedStore> =>
  database.open({ clock: fakeClock(NOW), log: recordedLog(), metrics: recordedMetrics() });

/** Something of everything that a store keeps. */
export async function fill(store: ManagedStore, predictions = 700): Promise<void> {
  await store.appendHistory([
    aRow(),
    aRow({ id: 'row-2', message: 'with an apostrophe, ’ and "', facts: { a: '\0' } }),
  ]);
  await store.completeHistory('row-1', { atMs: 2_000, reason: 'Recovered', message: 'helped' });
  await store.saveAction(anActionRecord());
  await store.saveAction(anActionRecord({ name: 'heal-2', state: 'Healed', endedAtMs: NOW }));
  await store.saveIncident(anIncident());
  await store.takeTargetLease('Deployment shop/checkout', 'one', NOW, NOW + 1_000);
  await store.saveBlob(
    'engine',
    Uint8Array.from({ length: 3_000 }, (_, i) => i % 256),
  );
  for (let i = 0; i < predictions; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: NOW }));
  await store.flush();
}

/** All that can be read of a store. */
export async function contentsOf(store: ManagedStore): Promise<unknown> {
  return {
    history: await store.history({ limit: 1_000 }),
    chain: await store.verifyHistory(),
    actions: await store.actionsSince(0),
    incidents: await store.incidents(100),
    blob: await store.loadBlob('engine'),
    predictions: await store.predictions(10_000),
    stats: await store.predictionStats(NOW),
    leaseIsFree: await store.takeTargetLease('Deployment shop/checkout', 'two', NOW, NOW + 1),
  };
}

/** What a backup of the one database is, restored into the other. */
export function backupSuite(aSource: () => Promise<TestDatabase>, aTarget: () => Promise<TestDatabase>): void {
  describe('a backup', () => {
    test('is made while the program runs, and everything comes back, replacing what was there', async () => {
      const [source, target, file] = [await aSource(), await aTarget(), aBackupFile()];
      const running = await openOn(source);
      await fill(running);
      expect(await backup(source.place, file, NOW)).toMatchObject({
        ok: true,
        value: { schema: 1, historyEntries: 3, predictions: 700 },
      });
      const expected = await contentsOf(running);
      await running.close();

      const before = await openOn(target);
      await before.appendHistory([aRow({ id: 'of the target' })]);
      for (let i = 0; i < 5; i += 1) before.recordPrediction(aPrediction({ id: `t-${i}`, atMs: NOW }));
      await before.close();
      expect(await restore(file, target.place, { nowMs: NOW, replaces: false })).toMatchObject({
        ok: false,
        error: expect.stringContaining('holds 6 rows'),
      });
      expect(await restore(file, target.place, REPLACING)).toMatchObject({ ok: true, value: { historyEntries: 3 } });

      const after = await openOn(target);
      expect(await contentsOf(after)).toEqual(expected);
      // And goes on: the chain, the numbers, the protection.
      await after.appendHistory([aRow({ id: 'row-3' })]);
      after.recordPrediction(aPrediction({ id: 'newest', atMs: NOW }));
      await after.flush();
      expect(await after.verifyHistory()).toMatchObject({ ok: true, entries: 4 });
      expect((await after.predictions(1)).map(({ id }) => id)).toEqual(['newest']);
      await after.close();
      await expect(target.raw(`update history set message = 'x'`)).rejects.toThrow(/append-only/);
    });

    test('is whole and private whatever is written meanwhile, and holds up no writer', async () => {
      const [source, file] = [await aSource(), aBackupFile()];
      const running = await openOn(source);
      let isDone = false;
      const writing = (async () => {
        let n = 0;
        for (; !isDone || n < 20; n += 1) {
          await running.appendHistory([aRow({ id: `row-${n}` })]);
          running.recordPrediction(aPrediction({ id: `p-${n}`, atMs: NOW }));
          await new Promise((resolve) => setImmediate(resolve));
        }
        return n;
      })();
      const made = await backup(source.place, file, NOW);
      isDone = true;
      expect(await writing).toBeGreaterThan(0);
      expect(made).toMatchObject({ ok: true });
      expect(statSync(file).mode & 0o077).toBe(0);
      expect(readdirSync(dirname(file))).toEqual(['aegis.backup']);
      await running.close();
    });

    test('never overwrites a file', async () => {
      const [source, file] = [await aSource(), aBackupFile()];
      await (await openOn(source)).close();
      writeFileSync(file, 'precious');
      expect(await backup(source.place, file, NOW)).toMatchObject({
        ok: false,
        error: expect.stringContaining('exists'),
      });
    });

    test('is not restored into a database that a running Aegis has open, even an idle one', async () => {
      const [source, target, file] = [await aSource(), await aTarget(), aBackupFile()];
      const store = await openOn(source);
      await fill(store, 3);
      await store.close();
      await backup(source.place, file, NOW);

      const running = await openOn(target);
      await running.appendHistory([aRow({ id: 'of the target' })]);
      expect(await restore(file, target.place, REPLACING)).toMatchObject({
        ok: false,
        error: expect.stringMatching(/stop (Aegis|it) first/),
      });
      expect(await running.history({ limit: 10 })).toHaveLength(1);
      expect(running.healthy()).toBe(true);
      await running.appendHistory([aRow({ id: 'still writing' })]);
      await running.close();
      expect(await restore(file, target.place, REPLACING)).toMatchObject({ ok: true });
    });
  });
}
