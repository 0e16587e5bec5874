import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSqliteStore, type ManagedStore } from '../../../src/store/store.ts';
import { aPrediction } from '../../support/builders/store.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

const open = (): Promise<ManagedStore> =>
  createSqliteStore({ file: ':memory:', clock: fakeClock(), log: recordedLog(), metrics: recordedMetrics() });

/** What may happen between two pages. */
type Meanwhile = { readonly come: number; readonly flush: boolean };

const meanwhile: fc.Arbitrary<Meanwhile> = fc.record({ come: fc.nat({ max: 5 }), flush: fc.boolean() });

describe('a reader who goes on page by page', () => {
  test('sees what was there at the first page, each row once and in order, whatever comes or is stored meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(meanwhile, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        async (story, limit) => {
          const store = await open();
          let made = 0;
          const live = async ({ come, flush }: Meanwhile): Promise<void> => {
            for (let i = 0; i < come; i += 1) store.recordPrediction(aPrediction({ id: `p-${made++}` }));
            if (flush) await store.flush();
          };
          for (const step of story) await live(step);
          const expected = Array.from({ length: made }, (_, i) => `p-${made - 1 - i}`);
          const seen: string[] = [];
          for (let page = 0, after: string | undefined; ; page += 1) {
            const rows = await store.predictions(limit, after);
            seen.push(...rows.map(({ id }) => id));
            after = rows.at(-1)?.cursor;
            if (after === undefined) break;
            await live(story[page % story.length] ?? { come: 0, flush: false });
          }
          expect(seen).toEqual(expected);
          await store.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  test('goes on behind a row that was dropped', async () => {
    const store = await open();
    for (const id of ['a', 'b']) store.recordPrediction(aPrediction({ id }));
    await store.flush();
    expect((await store.predictions(10, '2.never-stored')).map(({ id }) => id)).toEqual(['b', 'a']);
    await store.close();
  });
});

test('one row of the history is found by its id', async () => {
  const store = await open();
  const row = { kind: 'hold', namespace: 'shop', workload: 'w', message: '', facts: {}, atMs: 1 } as const;
  await store.appendHistory(['one', 'two'].map((id) => ({ ...row, id, decisionId: id })));
  expect((await store.history({ id: 'one', limit: 5 })).map(({ id }) => id)).toEqual(['one']);
  expect(await store.history({ id: 'none', limit: 5 })).toEqual([]);
  await store.close();
});
