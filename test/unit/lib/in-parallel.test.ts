import { expect, test } from '@jest/globals';
import { inParallel } from '../../../src/lib/in-parallel.ts';

/** Runs that end when they are told to. */
function runs() {
  const begun: number[] = [];
  const ends = new Map<number, (more?: readonly number[]) => void>();
  const run = (item: number): Promise<readonly number[] | undefined> => {
    begun.push(item);
    return new Promise((resolve) => ends.set(item, resolve));
  };
  const end = async (item: number, more?: readonly number[]): Promise<void> => {
    ends.get(item)?.(more);
    await new Promise(setImmediate);
  };
  return { begun, run, end };
}

test('so many run at once, and each that ends lets the next begin', async () => {
  const { begun, run, end } = runs();
  const all = inParallel([1, 2, 3], 2, run);
  expect(begun).toEqual([1, 2]);
  await end(2);
  expect(begun).toEqual([1, 2, 3]);
  await end(1);
  await end(3);
  await all;
});

test('what a run leaves over is run too, before it is over', async () => {
  const { begun, run, end } = runs();
  let isOver = false;
  const all = inParallel([1], 2, run).then(() => (isOver = true));
  await end(1, [4, 5]);
  expect([begun, isOver]).toEqual([[1, 4, 5], false]);
  await end(4);
  await end(5);
  await all;
});

test('nothing to run is over at once', async () => expect(await inParallel([], 2, runs().run)).toBeUndefined());

test('a run that fails fails the whole', async () =>
  await expect(inParallel([1], 2, () => Promise.reject(new Error('no')))).rejects.toThrow('no'));
