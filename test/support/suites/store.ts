import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEffectivenessDesk } from '../../../src/controller/effectiveness-desk.ts';
import type { ActionRecord } from '../../../src/policy/ledger.ts';
import type { Place } from '../../../src/store/backup/place.ts';
import type { ManagedStore, StoreDependencies } from '../../../src/store/store.ts';
import { anActionRecord, anIncident, aPrediction, aRow } from '../builders/store.ts';
import { fakeClock, type FakeClock } from '../fake-clock.ts';
import { recordedLog, recordedMetrics } from '../recorders.ts';

/** A database that nobody else uses. */
export interface TestDatabase {
  readonly place: Place;
  /** A store on it; closed and opened again it is a program that was restarted. */
  open(dependencies: StoreDependencies): Promise<ManagedStore>;
  /** Runs a statement as somebody who has the database's own rights. */
  raw(statement: string): Promise<void>;
  /** Takes away what keeps the history from being changed. */
  unprotect(): Promise<void>;
}

/** What a store does, whichever database is behind it. */
export function storeSuite(aDatabase: () => Promise<TestDatabase>): void {
  const openOn = (database: TestDatabase, clock: FakeClock = fakeClock(), over: Partial<StoreDependencies> = {}) =>
    database.open({ clock, log: recordedLog(), metrics: recordedMetrics(), ...over });
  const open = async (clock?: FakeClock, over?: Partial<StoreDependencies>): Promise<ManagedStore> =>
    openOn(await aDatabase(), clock, over);

  describe('history', () => {
    test('is read newest first, filtered, with the last outcome of each row', async () => {
      const store = await open();
      await store.appendHistory([aRow(), aRow({ id: 'row-2', incidentId: 'incident-2' })]);
      await store.completeHistory('row-1', { atMs: 2_000, message: 'asked for' });
      await store.completeHistory('row-1', { atMs: 3_000, reason: 'Ambiguous', message: 'the answer was lost' });

      expect(await store.history({ limit: 10 })).toEqual([
        aRow({ id: 'row-2', incidentId: 'incident-2' }),
        aRow({ outcome: { atMs: 3_000, reason: 'Ambiguous', message: 'the answer was lost' } }),
      ]);
      expect(await store.history({ limit: 1 })).toHaveLength(1);
      expect(await store.history({ limit: 10, incidentId: 'incident-2' })).toHaveLength(1);
      expect(await store.history({ limit: 10, namespace: 'other' })).toEqual([]);
      expect(await store.history({ limit: 10, workload: 'Deployment shop/checkout' })).toHaveLength(2);
      await store.close();
    });

    test('an append whose answer was lost may be repeated; other content under the same id is refused', async () => {
      const store = await open();
      await store.appendHistory([aRow()]);
      await store.appendHistory([aRow(), aRow({ id: 'row-2' })]);
      expect(await store.history({ limit: 10 })).toHaveLength(2);
      await expect(store.appendHistory([aRow({ message: 'something else' })])).rejects.toMatchObject({
        cause: 'constraint',
      });
      expect(store.healthy()).toBe(true);
      await store.close();
    });

    test('an outcome whose answer was lost may be repeated: it is kept once', async () => {
      const store = await open();
      await store.appendHistory([aRow()]);
      for (let i = 0; i < 3; i += 1) await store.completeHistory('row-1', { atMs: 2_000, message: 'asked for' });
      expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: 2 });
      await store.close();
    });

    test('whatever text a row holds, it comes back and the chain holds', async () => {
      const store = await open();
      let n = 0;
      const text = fc.string({ unit: 'binary', maxLength: 40 });
      const awkward = fc.oneof(text, fc.constantFrom('\0', 'a\0b', '\ud800', "'; drop table history; --", '\u202e'));
      await fc.assert(
        fc.asyncProperty(awkward, awkward, async (message, fact) => {
          n += 1;
          const id = `row-${n}`;
          await store.appendHistory([aRow({ id, message, facts: { [fact]: fact } })]);
          await store.completeHistory(id, { atMs: n + 0.5, reason: fact, message });
          const [row] = await store.history({ limit: 1 });
          const kept = message.replaceAll('\0', '\uFFFD').toWellFormed();
          expect(row).toMatchObject({ id, message: kept, facts: { [fact]: fact }, outcome: { message: kept } });
        }),
        { numRuns: 30, examples: [['a\0\ud800', '\0\udfff']] },
      );
      expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: 2 * n });
      await store.close();
    });

    test('an outcome without its row is refused', async () => {
      const store = await open();
      await expect(store.completeHistory('none', { atMs: 1, message: '' })).rejects.toMatchObject({
        cause: 'constraint',
      });
      await store.close();
    });

    test('rows of one call are appended together or not at all', async () => {
      const store = await open();
      await store.appendHistory([aRow()]);
      await expect(store.appendHistory([aRow({ id: 'row-2' }), aRow({ message: 'other' })])).rejects.toThrow();
      expect(await store.history({ limit: 10 })).toHaveLength(1);
      await store.close();
    });
  });

  describe('the chain', () => {
    const tampered: readonly (readonly [what: string, sql: string, problem: RegExp])[] = [
      ['a changed field', `update history set message = 'nothing happened' where seq = 2`, /was changed/],
      ['a changed reason of an outcome', `update history set reason = 'x' where entry = 'outcome'`, /was changed/],
      ['a removed entry', 'delete from history where seq = 2', /is missing/],
      ['a removed end', 'delete from history where seq = 4', /end of the chain/],
      [
        'two entries swapped',
        'update history set seq = -seq; update history set seq = 5 + seq',
        /does not follow|changed/,
      ],
    ];

    const filled = async (): Promise<TestDatabase> => {
      const database = await aDatabase();
      const store = await openOn(database);
      await store.appendHistory([aRow(), aRow({ id: 'row-2' }), aRow({ id: 'row-3' })]);
      await store.completeHistory('row-1', { atMs: 2, message: 'done' });
      expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: 4 });
      await store.close();
      return database;
    };

    test.each(tampered)('%s is found', async (_what, sql, problem) => {
      const database = await filled();
      await database.unprotect();
      await database.raw(sql);
      const store = await openOn(database);
      const check = await store.verifyHistory();
      expect(check.ok ? '' : check.problem).toMatch(problem);
      await store.close();
    });

    test('the database itself refuses to change or remove a row', async () => {
      const database = await filled();
      await expect(database.raw(`update history set message = 'x'`)).rejects.toThrow(/append-only/);
      await expect(database.raw('delete from history')).rejects.toThrow(/append-only/);
    });

    test('retention removes old entries in order and the rest still verifies', async () => {
      const clock = fakeClock();
      const store = await open(clock, { retention: { historyAgeMs: 1_000 } });
      const nowMs = clock.nowMs();
      await store.appendHistory([
        aRow({ id: 'old-1', atMs: nowMs - 5_000 }),
        aRow({ id: 'old-2', atMs: nowMs - 4_000 }),
        aRow({ id: 'young', atMs: nowMs }),
        aRow({ id: 'old-but-after', atMs: nowMs - 4_000 }),
      ]);
      expect(await store.prune()).toBe(2);
      expect((await store.history({ limit: 10 })).map((row) => row.id)).toEqual(['old-but-after', 'young']);
      await store.appendHistory([aRow({ id: 'next' })]);
      expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: 3 });
      await store.close();
    });
  });

  describe('the ledger', () => {
    test('shows actions of the window and every open one, each once', async () => {
      const store = await open();
      await store.saveAction(anActionRecord({ name: 'a', decidedAtMs: 10, state: 'Healed', endedAtMs: 20 }));
      await store.saveAction(anActionRecord({ name: 'b', decidedAtMs: 10, state: 'Healed', endedAtMs: 500 }));
      await store.saveAction(anActionRecord({ name: 'c', decidedAtMs: 10, state: 'AwaitingApproval' }));
      await store.saveAction(anActionRecord({ name: 'd', decidedAtMs: 400 }));
      await store.saveAction(anActionRecord({ name: 'd', decidedAtMs: 400, state: 'Verifying', executedAtMs: 450 }));
      const found = await store.actionsSince(100);
      expect(found.map((a) => [a.name, a.state])).toEqual([
        ['c', 'AwaitingApproval'],
        ['d', 'Verifying'],
        ['b', 'Healed'],
      ]);
      await store.close();
    });

    test('open incidents are those that are not resolved', async () => {
      const store = await open();
      await store.saveIncident(anIncident());
      await store.saveIncident(anIncident({ id: 'incident-2', updatedAtMs: 5 }));
      await store.saveIncident(anIncident({ resolvedAtMs: 9 }));
      expect(await store.openIncidents()).toEqual([anIncident({ id: 'incident-2', updatedAtMs: 5 })]);
      expect(await store.incidents(10)).toHaveLength(2);
      await store.close();
    });

    const leases: readonly (readonly [what: string, holder: string, atMs: number, taken: boolean])[] = [
      ['the same holder renews it', 'one', 10, true],
      ['another holder waits while it runs', 'two', 99, false],
      ['another holder takes it when it is over', 'two', 100, true],
    ];
    test.each(leases)('a target lease: %s', async (_what, holder, atMs, taken) => {
      const store = await open();
      expect(await store.takeTargetLease('Deployment shop/a', 'one', 0, 100)).toBe(true);
      expect(await store.takeTargetLease('Deployment shop/a', holder, atMs, atMs + 100)).toBe(taken);
      await store.close();
    });

    test('a released lease is free, but only its holder can release it', async () => {
      const store = await open();
      await store.takeTargetLease('t', 'one', 0, 100);
      await store.releaseTargetLease('t', 'two');
      expect(await store.takeTargetLease('t', 'two', 1, 100)).toBe(false);
      await store.releaseTargetLease('t', 'one');
      expect(await store.takeTargetLease('t', 'two', 1, 100)).toBe(true);
      await store.close();
    });

    test('one that was taken by a clock which was set back since ends in its time, counted from now', async () => {
      const store = await open();
      await store.takeTargetLease('t', 'one', 3_600_000, 3_600_100);
      expect(await store.takeTargetLease('t', 'two', 0, 100)).toBe(false);
      expect(await store.takeTargetLease('t', 'two', 99, 199)).toBe(false);
      expect(await store.takeTargetLease('t', 'two', 100, 200)).toBe(true);
      await store.close();
    });

    test('blobs are replaced by key and survive a restart', async () => {
      const database = await aDatabase();
      const store = await openOn(database);
      await store.saveBlob('engine', new Uint8Array([1, 2, 3]));
      await store.saveBlob('engine', new Uint8Array([0, 255]));
      await store.close();
      const again = await openOn(database);
      expect(await again.loadBlob('engine')).toEqual(new Uint8Array([0, 255]));
      expect(await again.loadBlob('none')).toBeUndefined();
      await again.close();
    });
  });

  describe('what effects taught', () => {
    const HOUR_MS = 3_600_000;
    const healed = (incident: number, over: Partial<ActionRecord> = {}): ActionRecord =>
      anActionRecord({
        ...{ name: `heal-${incident}`, incidentId: `incident-${incident}`, action: 'restart_pod', state: 'Healed' },
        ...{ failureType: 'memory_leak', spent: true, dryRun: false, decidedAtMs: HOUR_MS, endedAtMs: 2 * HOUR_MS },
        ...over,
      });

    test('is the same after a restart, and a reset stands in the history with who asked for it', async () => {
      const database = await aDatabase();
      const clock = fakeClock(3 * HOUR_MS);
      const deskOf = (store: ManagedStore) => createEffectivenessDesk({ store, clock, log: recordedLog() });
      const first = await openOn(database, clock);
      for (const incident of [1, 2, 3]) await first.saveAction(healed(incident));
      await first.saveAction(healed(4, { state: 'Ineffective', reason: 'StillAnomalous' }));
      const before = await deskOf(first).read();
      expect(before.effectiveness).toMatchObject([{ action: 'restart_pod', incidents: 4, helped: 3 }]);
      await first.close();

      const second = await openOn(database, clock);
      expect(await deskOf(second).read()).toEqual(before);
      const wish = {
        of: { action: 'restart_pod' as const },
        reason: 'new release',
        by: 'key:kim',
        idempotencyKey: 'k',
      };
      const reset = await deskOf(second).reset(wish);
      expect(reset).toMatchObject({ by: 'key:kim', atMs: 3 * HOUR_MS });
      clock.advance(HOUR_MS);
      // The same wish again is the same reset; the key for another one is refused.
      expect(await deskOf(second).reset(wish)).toEqual(reset);
      expect(await deskOf(second).reset({ ...wish, of: {} })).toBe('reused');
      await second.saveAction(healed(5, { endedAtMs: 3.5 * HOUR_MS }));
      await second.close();

      const third = await openOn(database, clock);
      expect(await deskOf(third).read()).toMatchObject({
        ...{ effectiveness: [{ incidents: 1, helped: 1 }], resets: [{ by: 'key:kim', reason: 'new release' }] },
      });
      expect(await third.verifyHistory()).toMatchObject({ ok: true, entries: 1 });
      await third.close();
    });
  });

  describe('predictions', () => {
    test('are visible at once, before and after they reach the database, newest first', async () => {
      const clock = fakeClock();
      const store = await open(clock);
      const check = async () => {
        expect((await store.predictions(2)).map((p) => p.id)).toEqual(['c', 'b']);
        expect(await store.predictionStats(clock.nowMs())).toEqual({ total: 3, last24h: 3, anomalies: 1, failures: 1 });
      };
      for (const [id, modelType, anomalous] of [
        ['a', 'anomaly', true],
        ['b', 'failure', true],
        ['c', 'anomaly', false],
      ] as const) {
        store.recordPrediction(aPrediction({ id, modelType, anomalous, atMs: clock.nowMs() }));
      }
      await check();
      await store.flush();
      await check();
      await store.close();
    });

    test('all are written at close and counted again after a restart', async () => {
      const database = await aDatabase();
      const clock = fakeClock();
      const store = await openOn(database, clock);
      for (let i = 0; i < 1_000; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: clock.nowMs() }));
      await store.close();
      const again = await openOn(database, clock);
      expect(await again.predictionStats(clock.nowMs())).toMatchObject({ total: 1_000, anomalies: 1_000 });
      expect((await again.predictions(1_000)).map((p) => p.id)).toEqual(
        Array.from({ length: 1_000 }, (_, i) => `p-${999 - i}`),
      );
      await again.close();
    });

    test('the last 24 h leave out what is older, the total does not', async () => {
      const clock = fakeClock();
      const store = await open(clock);
      store.recordPrediction(aPrediction({ atMs: clock.nowMs() }));
      await store.flush();
      clock.advance(24 * 3_600_000 + 60_000);
      store.recordPrediction(aPrediction({ id: 'b', atMs: clock.nowMs() }));
      await store.flush();
      expect(await store.predictionStats(clock.nowMs())).toMatchObject({ total: 2, last24h: 1 });
      await store.close();
    });

    test('retention by size keeps the newest that fit', async () => {
      const clock = fakeClock();
      const store = await open(clock, { retention: { predictionBytes: 100_000 } });
      const body = JSON.stringify({ text: 'x'.repeat(1_000) });
      for (let i = 0; i < 300; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, body, atMs: clock.nowMs() }));
      await store.flush();
      expect(await store.prune()).toBeGreaterThan(200);
      const kept = await store.predictions(1_000);
      expect(kept.length).toBeGreaterThan(70);
      expect(kept.length * 1_000).toBeLessThan(100_000);
      expect(kept[0]?.id).toBe('p-299');
      await store.close();
    });

    test('retention by number keeps the newest and the counters', async () => {
      const clock = fakeClock();
      const store = await open(clock, { retention: { predictionRows: 10, predictionAgeMs: 1_000 } });
      for (let i = 0; i < 25; i += 1) store.recordPrediction(aPrediction({ id: `p-${i}`, atMs: clock.nowMs() }));
      await store.flush();
      expect(await store.prune()).toBe(15);
      expect((await store.predictions(100)).map((p) => p.id)).toEqual(
        Array.from({ length: 10 }, (_, i) => `p-${24 - i}`),
      );
      clock.advance(2_000);
      expect(await store.prune()).toBe(10);
      expect(await store.predictionStats(clock.nowMs())).toMatchObject({ total: 25 });
      await store.close();
    });
  });
}
