import { expect, test } from '@jest/globals';
import { Backoff } from '../../../src/kubernetes/backoff.ts';
import { Pacer } from '../../../src/kubernetes/pacer.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

async function startsOf(requests: number, prepare: (pacer: Pacer) => void): Promise<number[]> {
  const clock = fakeClock();
  const pacer = new Pacer(clock);
  prepare(pacer);
  const starts: number[] = [];
  for (let i = 0; i < requests; i += 1) void pacer.turn().then(() => starts.push(clock.monotonicMs()));
  while (starts.length < requests) {
    await settled();
    clock.advance(20);
  }
  return starts;
}

const most = (starts: readonly number[]): number =>
  Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + 1_000).length));

test('after a failure no second sees more than 20 requests', async () => {
  const starts = await startsOf(100, (pacer) => pacer.failed());
  expect(most(starts)).toBeLessThanOrEqual(20);
  expect(starts.at(-1)).toBeLessThan(7_000);
});

test('while the server is well more may be sent, and a few at once', async () => {
  const starts = await startsOf(100, () => undefined);
  expect(most(starts)).toBeLessThanOrEqual(50);
  expect(most(starts)).toBeGreaterThan(20);
});

test('the lease and effects go before what waits', async () => {
  const clock = fakeClock();
  const pacer = new Pacer(clock);
  const order: string[] = [];
  for (let i = 0; i < 80; i += 1) void pacer.turn().then(() => order.push('status'));
  void pacer.turn(true).then(() => order.push('lease'));
  await settled();
  expect(order).toHaveLength(50);
  clock.advance(1_002);
  await settled();
  expect(order[50]).toBe('lease');
});

test('waits double from 0.5 s to 30 s, with jitter, and start anew', () => {
  for (const random of [0, 0.5, 0.999]) {
    const backoff = new Backoff(() => random);
    const waits = Array.from({ length: 10 }, () => backoff.next());
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(waits.slice(1).every((ms, i) => ms >= (waits[i] ?? 0))).toBe(true);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(15_000);
    backoff.reset();
    expect(backoff.next()).toBe(waits[0]);
  }
});
