import { describe, expect, jest, test } from '@jest/globals';
import { OwedRows } from '../../../src/controller/owed-rows.ts';
import { rebuildHistory } from '../../../src/controller/rebuild-history.ts';
import type { HistoryRow, Store } from '../../../src/controller/store-ports.ts';
import { createSqliteStore, type ManagedStore } from '../../../src/store/store.ts';
import { aRow } from '../../support/builders/store.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy } from '../../support/fakes/world.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** A real store, and what is asked of it. */
async function aStore() {
  const store = await createSqliteStore({
    ...{ file: ':memory:', clock: fakeClock(), log: recordedLog(), metrics: recordedMetrics() },
  });
  const log = recordedLog();
  const metrics = recordedMetrics();
  const asked: string[][] = [];
  const owing = (refuses: (row: HistoryRow) => boolean = () => false) =>
    new OwedRows(refusing(store, refuses, asked), log, metrics);
  return { store, log, metrics, asked, owing };
}

/** Takes no list with such a row in it, as a constraint of the database does. */
const refusing = (store: ManagedStore, refuses: (row: HistoryRow) => boolean, asked: string[][] = []): Store => ({
  ...store,
  appendHistory: (rows) => {
    asked.push(rows.map(({ id }) => id));
    return rows.some(refuses) ? Promise.reject(new Error('CHECK constraint failed: facts')) : store.appendHistory(rows);
  },
});

const hasBody = ({ facts }: HistoryRow): boolean => facts['bodyRefused'] !== true;
const is =
  (id: string) =>
  (row: HistoryRow): boolean =>
    row.id === id;

describe('a row that the store refuses for good', () => {
  const KINDS = ['alert', 'undo', 'decision', 'hold', 'dry-run'] as const;

  test.each(KINDS)(
    'of the kind %s: one row, without its body, in its place in the chain; told of, and not tried again',
    async (kind) => {
      const { store, log, metrics, asked, owing } = await aStore();
      const owed = owing((row) => row.id === 'r-2' && hasBody(row));
      const row = aRow({ id: 'r-2', kind, actionName: 'a-2', action: 'restart_pod' });
      for (const each of [aRow({ id: 'r-1' }), row, aRow({ id: 'r-3' })]) owed.add(each);
      await owed.pay();
      const tries = asked.length;
      await owed.pay();
      expect(asked).toHaveLength(tries);
      const rows = await store.history({ limit: 10 });
      expect(rows.map(({ id }) => id)).toEqual(['r-3', 'r-2', 'r-1']);
      const { facts: _facts, message: _message, ...identity } = row;
      expect(rows[1]).toEqual({
        ...identity,
        reason: 'BodyRefused',
        message: 'the body of this row was refused by the store: CHECK constraint failed: facts',
        facts: { bodyRefused: true },
      });
      expect(await store.verifyHistory()).toMatchObject({ ok: true, entries: 3 });
      expect(metrics.value('aegis_faults_total', { where: 'history-row' })).toBe(1);
      expect(log.lines.filter(({ level }) => level === 'error').map(({ facts }) => facts['row'])).toEqual([row]);
      expect(owed.problems()).toEqual([
        'history: 1 rows are kept without their body, 0 are missing, since the store refused them (last: r-2: CHECK constraint failed: facts)',
      ]);
    },
  );

  test('not even without its body: the others are there, and it is told that one is missing', async () => {
    const { store, asked, owing } = await aStore();
    const owed = owing(is('r-2'));
    for (const id of ['r-1', 'r-2', 'r-3']) owed.add(aRow({ id }));
    await owed.pay();
    const tries = asked.length;
    await owed.pay();
    expect(asked).toHaveLength(tries);
    expect((await store.history({ limit: 10 })).map(({ id }) => id)).toEqual(['r-3', 'r-1']);
    expect(owed.problems()).toEqual([expect.stringContaining('0 rows are kept without their body, 1 are missing')]);
  });

  test('since one of its id is there with other content: that one stands, and there is no second', async () => {
    const { store, metrics, owing } = await aStore();
    const first = aRow({ id: 'r-1', message: 'as the last release says it' });
    await store.appendHistory([first]);
    const owed = owing();
    owed.add(aRow({ id: 'r-1', message: 'as this one says it' }));
    await owed.pay();
    expect((await store.history({ limit: 10 })).map(({ message }) => message)).toEqual([first.message]);
    expect(metrics.value('aegis_faults_total', { where: 'history-row' })).toBe(1);
    expect(owed.problems()).toEqual([]);
  });

  test('since its facts have no JSON: the store is well all the same, and the row is kept without them', async () => {
    const { store, owing } = await aStore();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const owed = owing();
    for (const row of [aRow({ id: 'r-1', facts: circle }), aRow({ id: 'r-2' })]) owed.add(row);
    await owed.pay();
    expect(store.healthy()).toBe(true);
    expect((await store.history({ limit: 10 })).map(({ id, facts }) => [id, hasBody({ ...aRow(), facts })])).toEqual([
      ['r-2', true],
      ['r-1', false],
    ]);
  });
});

describe('rows that come back from the objects', () => {
  async function twoHealed() {
    const world = await aShop();
    world.cluster.addWorkload({ name: 'cart', pods: 3 });
    world.cluster.putPolicy(quickPolicy({ name: 'cart', uid: 'p-cart', target: { kind: 'Deployment', name: 'cart' } }));
    await anOperator(world);
    await world.run(MINUTE);
    for (const name of ['checkout', 'cart']) crashOne(world, name);
    await world.until('healed', () => world.ends().join() === 'restart_pod Healed,restart_pod Healed', 6 * MINUTE);
    const effects = (await world.history()).filter(({ kind }) => kind === 'effect').map(({ id }) => id);
    return { world, effects };
  }

  test('one is refused: it is kept without its body, the others with it, each with its outcome, and that is all', async () => {
    const { world, effects } = await twoHealed();
    const { store, owing } = await aStore();
    const refused = effects[0] ?? '';
    const picky = refusing(store, (row) => row.id === refused && hasBody(row));
    const owed = owing((row) => row.id === refused && hasBody(row));
    expect(await rebuildHistory(picky, owed, recordedLog(), world.cluster.actions())).toBe(true);
    const rows = (await store.history({ limit: 100 })).filter(({ kind }) => kind === 'effect');
    expect(rows.map(({ id }) => id).toSorted()).toEqual(effects.toSorted());
    expect(rows.filter((row) => !hasBody(row)).map(({ id }) => id)).toEqual([refused]);
    expect(rows.map(({ outcome }) => outcome?.reason)).toEqual(['applied', 'applied']);
    expect(await store.verifyHistory()).toMatchObject({ ok: true });
  });

  test('one cannot be kept at all: the rest is done, and not begun again each second', async () => {
    const { world, effects } = await twoHealed();
    const { store, owing } = await aStore();
    const picky = refusing(store, is(effects[0] ?? ''));
    expect(await rebuildHistory(picky, owing(is(effects[0] ?? '')), recordedLog(), world.cluster.actions())).toBe(true);
    expect((await store.history({ limit: 100 })).filter(({ kind }) => kind === 'effect').map(({ id }) => id)).toEqual(
      effects.slice(1),
    );
  });
});

test('an effect whose row an earlier release has announced in other words is done, under that row', async () => {
  const world = await aShop();
  const { store } = world;
  let isFirst = true;
  world.store = {
    ...store,
    // What the killed process of the last release had written of it before.
    appendHistory: async (rows) => {
      const [row] = rows;
      if (row?.kind === 'effect' && isFirst) {
        isFirst = false;
        await store.appendHistory([{ ...row, facts: { written: 'by the last release' } }]);
      }
      return store.appendHistory(rows);
    },
  };
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 6 * MINUTE);
  const rows = (await world.history()).filter(({ kind }) => kind === 'effect');
  expect(rows.map(({ facts, outcome }) => [facts, outcome?.reason])).toEqual([
    [{ written: 'by the last release' }, 'applied'],
  ]);
  expect(world.cluster.effects()).toHaveLength(1);
});
