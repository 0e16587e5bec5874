import { describe, expect, jest, test } from '@jest/globals';
import { OwedRows } from '../../../src/controller/owed-rows.ts';
import type { HistoryRow, Store } from '../../../src/controller/store-ports.ts';
import { rebuildHistory } from '../../../src/controller/rebuild-history.ts';
import { createSqliteStore } from '../../../src/store/store.ts';
import { aRow } from '../../support/builders/store.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aScaledShop, slowUnlessMore } from '../../support/fakes/scaled-shop.ts';
import { SCENARIOS } from '../../support/fakes/scenarios.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

jest.setTimeout(120_000);
const MINUTE = 60_000;

const anEmptyStore = () =>
  createSqliteStore({ file: ':memory:', clock: fakeClock(), log: recordedLog(), metrics: recordedMetrics() });

const proven = (rows: readonly HistoryRow[]) =>
  rows
    .filter(({ kind }) => ['effect', 'undo', 'alert', 'dry-run'].includes(kind))
    .map(({ id, kind, action, incidentId, workload, outcome }) => ({
      ...{ id, kind, action, incidentId, workload },
      ended: outcome?.reason,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

const owing = (store: Store): OwedRows => new OwedRows(store, recordedLog(), recordedMetrics());

describe('a process that is killed while the store is down', () => {
  test('its successor records the alert that it sent', async () => {
    const world = await aShop();
    const first = await anOperator(world);
    await world.run(MINUTE);
    world.isStoreDown = true;
    releaseBadImage(world);
    await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
    const [told] = world.cluster.actions();
    first.kill();
    world.isStoreDown = false;
    expect(proven(await world.history())).toEqual([]);
    await anOperator(world);
    await world.run(MINUTE);
    const rows = proven(await world.history()).filter(({ incidentId }) => incidentId === told?.intent.incidentId);
    expect(rows).toMatchObject([{ id: `${told?.intent.name}/1`, kind: 'alert', action: 'alert_admin' }]);
    expect(world.faults()).toEqual([]);
  });

  test('its successor records what it took back', async () => {
    const world = await aScaledShop(1, 60);
    const first = await anOperator(world);
    await world.run(3 * MINUTE);
    const ease = slowUnlessMore(world);
    await world.until('healed', () => world.ends().includes('scale_up Healed'), 20 * MINUTE);
    ease();
    world.isStoreDown = true;
    await world.until('returned', () => world.cluster.effects().length === 2, 20 * MINUTE);
    await world.run(10_000);
    first.kill();
    world.isStoreDown = false;
    await anOperator(world);
    await world.run(MINUTE);
    expect(proven(await world.history())).toMatchObject([
      { kind: 'effect', ended: 'applied' },
      { kind: 'undo', ended: 'applied' },
    ]);
  });

  test('decisions to wait are recorded once it is back, by the process that took them', async () => {
    const world = await aShop();
    const pauseRequests = [{ name: 'ada', reason: 'release' }];
    world.cluster.editPolicy('checkout', (policy) => ({ ...policy, pauseRequests }));
    await anOperator(world);
    await world.run(MINUTE);
    world.isStoreDown = true;
    crashOne(world);
    await world.run(2 * MINUTE);
    expect((await world.history()).filter(({ kind }) => kind === 'hold')).toEqual([]);
    world.isStoreDown = false;
    await world.run(MINUTE);
    expect((await world.history()).filter(({ kind }) => kind === 'hold').length).toBeGreaterThan(0);
  });
});

test('an effect whose answer came while the store was down: its row says how it went once the store is back', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  world.afterMutation = () => {
    if (world.mutations.at(-1)?.startsWith('evict') !== true) return;
    world.afterMutation = undefined;
    world.isStoreDown = true;
  };
  await world.until('sent', () => world.cluster.effects().length > 0, 4 * MINUTE);
  await world.run(20_000);
  world.isStoreDown = false;
  await world.run(MINUTE);
  expect(proven(await world.history())).toMatchObject([{ kind: 'effect', ended: 'applied' }]);
});

describe('a database that was lost', () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    'the rows of the actions come back from the objects: %s',
    async (_, { begin, strike, lastsMs }) => {
      const world = await begin();
      await anOperator(world);
      await world.run(3 * MINUTE);
      strike(world);
      await world.run(lastsMs);
      const fresh = await anEmptyStore();
      expect(await rebuildHistory(fresh, owing(fresh), recordedLog(), world.cluster.actions())).toBe(true);
      const before = await world.history();
      expect(proven(await fresh.history({ limit: 1_000 }))).toEqual(proven(before));
      // What is there already is not written again.
      expect(await rebuildHistory(fresh, owing(fresh), recordedLog(), world.cluster.actions())).toBe(true);
      expect(await rebuildHistory(world.store, owing(world.store), recordedLog(), world.cluster.actions())).toBe(true);
      expect(await world.history()).toEqual(before);
      expect(await fresh.verifyHistory()).toMatchObject({ ok: true });
    },
  );

  test('a store that is away is asked again later', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    const away = { history: () => Promise.reject(new Error('disk full')), healthy: () => false } as unknown as Store;
    expect(await rebuildHistory(away, owing(away), recordedLog(), world.cluster.actions())).toBe(false);
  });
});

test('what is owed is bounded, and the newest is kept', async () => {
  const store = await anEmptyStore();
  const owed = new OwedRows(store, recordedLog(), recordedMetrics());
  for (let n = 0; n < 1_200; n++) owed.add(aRow({ id: `r-${n}` }));
  await owed.pay();
  const rows = await store.history({ limit: 2_000 });
  expect([rows.length, rows[0]?.id]).toEqual([1_000, 'r-1199']);
});

test('an outcome that the store has no row for is owed once, not for ever', async () => {
  const store = await anEmptyStore();
  const log = recordedLog();
  const owed = new OwedRows(store, log, recordedMetrics());
  const outcome = { atMs: 1, reason: 'applied', message: 'evicted' };
  owed.addOutcome('nobody', outcome);
  await store.appendHistory([aRow({ id: 'r-1' })]);
  owed.addOutcome('r-1', outcome);
  await owed.pay();
  await owed.pay();
  expect((await store.history({ limit: 10 })).map((row) => row.outcome)).toEqual([outcome]);
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

test('rows that a store takes with it when it fails stay owed, and are paid once it is back', async () => {
  const store = await anEmptyStore();
  let isWell = true;
  let isBack = false;
  const failing: Store = {
    ...store,
    healthy: () => isWell,
    appendHistory: (rows) => {
      isWell = isBack;
      return isBack ? store.appendHistory(rows) : Promise.reject(new Error('disk full'));
    },
  };
  const owed = new OwedRows(failing, recordedLog(), recordedMetrics());
  for (const id of ['r-1', 'r-2']) owed.add(aRow({ id }));
  await owed.pay();
  [isWell, isBack] = [true, true];
  await owed.pay();
  expect((await store.history({ limit: 10 })).map(({ id }) => id)).toEqual(['r-2', 'r-1']);
});
