import { describe, expect, test } from '@jest/globals';
import type { StormState } from '../../../src/policy/guard.ts';
import { namesOf, stormFor, stormStates } from '../../../src/policy/storm.ts';
import type { WatchedWorkload } from '../../../src/policy/storm.ts';
import { MINUTE, NOW } from '../../support/builders/workload.ts';

const SETTINGS = { unhealthyPercent: 40, minTargets: 3, cooldownSeconds: 600 };
const END = NOW + 10 * MINUTE;

/** So many workloads of a namespace, the first of them anomalous so long ago. */
function watched(total: number, anomalous: number, agoMs = 0, namespace = 'shop'): WatchedWorkload[] {
  return Array.from({ length: total }, (_, index) => ({
    workload: `Deployment ${namespace}/${index}`,
    namespace,
    ...(index < anomalous ? { lastAnomalousMs: NOW - agoMs } : {}),
  }));
}
const look = (workloads: readonly WatchedWorkload[], previous: readonly StormState[] = [], nowMs = NOW) =>
  stormStates({ nowMs, watched: workloads, settings: SETTINGS, previous });

describe('a storm (I2)', () => {
  test.each([
    ['2 of 2: too few', watched(2, 2), false],
    ['3 of 3', watched(3, 3), true],
    ['4 of 10: not more than 40 %', watched(10, 4), false],
    ['5 of 10', watched(10, 5), true],
    ['400 of 1000: exactly 40 %', watched(1000, 400), false],
    ['401 of 1000', watched(1000, 401), true],
    ['3 of 10: enough, but too small a share', watched(10, 3), false],
    ['5 of 10, five minutes ago', watched(10, 5, 5 * MINUTE), true],
    ['5 of 10, longer ago', watched(10, 5, 5 * MINUTE + 1), false],
    ['5 of 10, by a clock that runs ahead', watched(10, 5, -MINUTE), true],
    ['nothing watched', [], false],
  ])('%s', (_sentence, workloads, active) => expect(look(workloads)[0]?.active).toBe(active));

  test('one namespace alone may be in a storm, the cluster not', () => {
    const states = look([...watched(4, 4), ...watched(20, 0, 0, 'calm')]);
    expect(states.map(({ scope, active }) => [scope, active])).toEqual([['cluster', false], ['calm', false], ['shop', true]]); // prettier-ignore
    expect(stormFor(states, 'shop').active).toBe(true);
    expect(stormFor(states, 'calm').active).toBe(false);
  });

  test('the cluster may be in one, no namespace alone', () => {
    const states = look(['a', 'b', 'c', 'd'].flatMap((namespace) => watched(2, 1, 0, namespace)));
    expect(stormFor(states, 'a')).toMatchObject({ active: true, scope: 'cluster', anomalous: 4, watched: 8 });
  });

  test('a namespace that nothing is watched in is calm', () => {
    expect(stormFor([], 'shop')).toEqual({ active: false, scope: 'shop', anomalous: 0, watched: 0 });
  });
});

describe('its end', () => {
  const before = look(watched(10, 5));
  test('the brake stays on for ten minutes after the share fell', () => {
    expect(before[0]?.endsAtMs).toBe(END);
    expect(look(watched(10, 0), before, END - 1)[0]).toMatchObject({ active: true, endsAtMs: END });
    expect(look(watched(10, 0), before, END)[0]).toMatchObject({ active: false });
  });
  test('a second storm inside the cooldown restarts it', () => {
    const later = NOW + 5 * MINUTE;
    expect(look(watched(10, 5, -5 * MINUTE), before, later)[0]?.endsAtMs).toBe(later + 10 * MINUTE);
  });
  test('a stored end in a far future counts from now', () => {
    const [state] = look(watched(10, 0), [{ active: true, scope: 'cluster', anomalous: 5, watched: 10, endsAtMs: NOW + 1e9 }]); // prettier-ignore
    expect(state?.endsAtMs).toBe(END);
  });
  test('a namespace that vanished keeps its brake', () => {
    const gone = look(watched(3, 3, 0, 'gone'));
    expect(stormFor(look(watched(10, 0), gone), 'gone')).toMatchObject({ active: true });
  });
});

describe('which workloads a storm is made of', () => {
  test('ten of them at most, in the order of their names', () => {
    const [cluster] = look(watched(30, 20));
    expect(cluster?.workloads).toHaveLength(10);
    expect(cluster?.workloads?.[0]).toBe('Deployment shop/0');
    expect(look([...watched(3, 3)].reverse())[0]?.workloads).toEqual([0, 1, 2].map((i) => `Deployment shop/${i}`));
  });

  test.each([
    [['a', 'b'], 2, 'a, b'],
    [['a', 'b', 'c'], 3, 'a, b and 1 more'],
    [['a'], 9, 'a and 8 more'],
    [[], 9, ''],
    [['a', 'b'], 1, 'a, b'],
  ])('%j of %i: %s', (names, of, expected) => expect(namesOf(names, { most: 2, of })).toBe(expected));
});
