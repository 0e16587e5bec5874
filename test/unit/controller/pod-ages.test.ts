import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PodAges } from '../../../src/controller/pod-ages.ts';
import { aPod, aWorkload, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** How old the only pod is, as the guards see it. */
function aWatch() {
  const clock = fakeClock(NOW);
  const ages = new PodAges(clock);
  const shop = (createdAtMs: number) => aWorkload({ pods: [aPod(0, { createdAtMs })] });
  const ageMs = (createdAtMs: number): number =>
    clock.nowMs() - (ages.steady(shop(createdAtMs)).pods[0]?.createdAtMs ?? Number.NaN);
  return { clock, ages, shop, ageMs };
}

describe('how old a pod is', () => {
  test('without a jump: what the API server says, and the very object that was read', () => {
    const { clock, ages, shop, ageMs } = aWatch();
    const workload = shop(NOW - MINUTE);
    ages.look(workload);
    clock.advance(MINUTE);
    expect(ages.steady(workload)).toBe(workload);
    expect(ageMs(NOW - MINUTE)).toBe(2 * MINUTE);
  });

  test('whatever the wall clock does after it was first seen, it grows older by the time that passes', () => {
    const jump = fc.integer({ min: -600, max: 600 }).map((minutes) => minutes * MINUTE);
    fc.assert(
      fc.property(jump, jump, fc.nat(100), (first, second, seconds) => {
        const { clock, ages, shop, ageMs } = aWatch();
        const createdAtMs = NOW - 20 * SECOND;
        ages.look(shop(createdAtMs));
        clock.jump(first);
        clock.advance(seconds * SECOND);
        ages.look(shop(createdAtMs));
        clock.jump(second);
        clock.advance(seconds * SECOND);
        expect(ageMs(createdAtMs)).toBe((20 + 2 * seconds) * SECOND);
      }),
    );
  });

  test('one that is first seen after a jump is never older than either clock says, and grows old in its time', () => {
    const jump = fc.integer({ min: -600, max: 600 }).map((minutes) => minutes * MINUTE);
    fc.assert(
      fc.property(jump, fc.boolean(), (byMs, serverJumps) => {
        const { clock, ages, shop, ageMs } = aWatch();
        clock.jump(byMs);
        clock.advance(MINUTE);
        const trulyMs = 10 * SECOND;
        const createdAtMs = clock.nowMs() - trulyMs - (serverJumps ? 0 : byMs);
        ages.look(shop(createdAtMs));
        expect(ageMs(createdAtMs)).toBeLessThanOrEqual(trulyMs);
        clock.advance(3 * MINUTE);
        expect(ageMs(createdAtMs)).toBeGreaterThanOrEqual(3 * MINUTE);
      }),
    );
  });

  test('one that the API server made in the future was made just now', () => {
    const { clock, ages, shop, ageMs } = aWatch();
    ages.look(shop(NOW + 60 * MINUTE));
    clock.advance(2 * MINUTE);
    expect(ageMs(NOW + 60 * MINUTE)).toBe(2 * MINUTE);
  });
});
