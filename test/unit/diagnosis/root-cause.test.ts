import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calleesOf, deepestAnomalous } from '../../../src/diagnosis/call-graph.ts';
import { quantileOf, rankEntities, rankMetrics, shiftOf } from '../../../src/diagnosis/rank.ts';
import type { MetricKind, RankSeries } from '../../../src/diagnosis/rank.ts';
import { blameEdges, findRootCause } from '../../../src/diagnosis/root-cause.ts';
import type { SuspectEvidence } from '../../../src/diagnosis/root-cause.ts';

const ALARM = 1_000_000;

/** One sample a second: `before` up to the alarm, `after` from it. */
function series(
  entity: string,
  metric: string,
  kind: MetricKind,
  before: readonly number[],
  after: readonly number[],
): RankSeries {
  const values = Float64Array.from([...before, ...after]);
  const timesMs = Float64Array.from(values, (_, i) => ALARM + (i - before.length) * 1000);
  return { entity, metric, kind, timesMs, values };
}

const noisy = (level: number, noise: number, count = 200): number[] =>
  Array.from({ length: count }, (_, i) => level + noise * Math.sin(i * 1.7));

describe('quantiles of sorted values', () => {
  // numpy.quantile([1, 2, 4, 8], [0.25, 0.5, 0.75]) = 1.75, 3, 5
  test.each([
    [0.25, 1.75],
    [0.5, 3],
    [0.75, 5],
    [0, 1],
    [1, 8],
  ])('share %d is %d', (share, value) => {
    expect(quantileOf(Float64Array.of(1, 2, 4, 8), share)).toBe(value);
  });

  test('of nothing is no number', () => {
    expect(quantileOf(new Float64Array(), 0.5)).toBeNaN();
  });
});

describe('the shift of a series', () => {
  test('counts inter-quartile ranges of the time before', () => {
    const found = shiftOf(series('a', 'load', 'rate', noisy(100, 20), noisy(300, 20, 30)), ALARM);
    expect(found?.before).toBeCloseTo(100, 0);
    expect(found?.after).toBeCloseTo(300, -1);
    expect(found?.shift).toBeCloseTo(200 / 28, 0);
  });

  test('a series that never moved is floored, so a little is not everything', () => {
    const found = shiftOf(
      series('a', 'cpu', 'utilisation', Array<number>(100).fill(10), Array<number>(30).fill(10.1)),
      ALARM,
    );
    expect(found?.shift).toBeCloseTo(0.2, 5);
  });

  test('one outlier on either side changes nothing', () => {
    const calm = shiftOf(series('a', 'cpu', 'utilisation', [...noisy(10, 1), 900], [...noisy(10, 1, 30), 900]), ALARM);
    expect(Math.abs(calm?.shift ?? 99)).toBeLessThan(1);
  });

  test('samples of the guard belong to neither side', () => {
    const guarded = series(
      'a',
      'cpu',
      'utilisation',
      [...noisy(10, 1, 100), ...Array<number>(60).fill(90)],
      Array<number>(30).fill(90),
    );
    expect(shiftOf(guarded, ALARM)?.before).toBeCloseTo(10, 0);
  });

  test('gaps and too few samples', () => {
    expect(shiftOf(series('a', 'cpu', 'utilisation', noisy(10, 1, 62), [NaN, NaN, NaN, 90]), ALARM)).toBeUndefined();
    expect(shiftOf(series('a', 'cpu', 'utilisation', [], [1, 2, 3]), ALARM)).toBeUndefined();
  });

  test('scaling a rate and its floor-free spread changes nothing', () => {
    const base = series('a', 'x', 'rate', noisy(1000, 300), noisy(5000, 300, 30));
    const scaled = { ...base, values: base.values.map((value) => value * 7) };
    expect(shiftOf(scaled, ALARM)?.shift).toBeCloseTo(shiftOf(base, ALARM)?.shift ?? NaN, 6);
  });

  test('no finite input gives a NaN', () => {
    const value = fc.oneof(
      fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e300, max: 1e300 }),
      fc.constant(0),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 70, maxLength: 90 }), (values) => {
        const found = shiftOf(series('a', 'x', 'count', values.slice(0, -5), values.slice(-5)), ALARM);
        expect(found?.score).not.toBeNaN();
      }),
      { seed: 7, numRuns: 50 },
    );
  });
});

describe('rankings', () => {
  const quiet = series('b', 'cpu', 'utilisation', noisy(20, 2), noisy(21, 2, 30));

  test('the most shifted entity is first', () => {
    const ranked = rankEntities(
      rankMetrics([quiet, series('a', 'cpu', 'utilisation', noisy(10, 1), noisy(90, 1, 30))], ALARM),
    );
    expect(ranked.map((each) => each.entity)).toEqual(['a', 'b']);
  });

  test('of equal shifts the earlier onset decides', () => {
    const late = series('late', 'cpu', 'utilisation', noisy(10, 1), [...noisy(10, 1, 10), ...noisy(90, 1, 40)]);
    const early = series('early', 'cpu', 'utilisation', noisy(10, 1), noisy(90, 1, 50));
    expect(rankMetrics([late, early], ALARM)[0]?.entity).toBe('early');
  });

  test('memory that is held goes before the cpu that it costs', () => {
    const cpu = series('a', 'cpu', 'utilisation', noisy(1, 0.1), noisy(99, 0.1, 30));
    const memory = series('a', 'mem', 'bytes', noisy(3e8, 1e6), noisy(8e8, 1e6, 30));
    expect(rankEntities(rankMetrics([cpu, memory], ALARM))[0]?.metrics[0]?.metric).toBe('mem');
  });

  test('the order of the series does not matter', () => {
    const all = [
      quiet,
      series('a', 'cpu', 'utilisation', noisy(10, 1), noisy(90, 1, 30)),
      series('c', 'lat', 'latency', noisy(80, 5), noisy(300, 5, 30)),
    ];
    expect(rankMetrics([...all].reverse(), ALARM)).toEqual(rankMetrics(all, ALARM));
  });
});

const edges = (...pairs: readonly (readonly [string, string])[]) => ({
  edges: pairs.map(([caller, callee]) => ({ caller, callee })),
});

describe('the call graph', () => {
  const graph = edges(['web', 'cart'], ['web', 'user'], ['cart', 'db'], ['web', 'web']);

  test('callees, without self-calls', () => {
    expect([...(calleesOf(graph).get('web') ?? [])]).toEqual(['cart', 'user']);
  });

  test.each([
    ['the deepest of a chain', ['web', 'cart', 'db'], ['db']],
    ['a caller whose callees are well', ['web'], ['web']],
    ['two equally deep', ['web', 'user', 'db'], ['user', 'db']],
    ['a healthy service between ends the chain', ['web', 'db'], ['web', 'db']],
    ['nothing', [], []],
  ])('%s', (_, anomalous, deepest) => {
    expect(deepestAnomalous(graph, anomalous)).toEqual(deepest);
  });

  test('an unmeasured service between hides nothing', () => {
    expect(deepestAnomalous(graph, ['web', 'db'], (service) => service !== 'cart')).toEqual(['db']);
  });

  test('in a ring nobody is deepest', () => {
    expect(deepestAnomalous(edges(['a', 'b'], ['b', 'a']), ['a', 'b'])).toEqual(['a', 'b']);
  });
});

const suspect = (entity: string, inheritedScore: number, more: Partial<SuspectEvidence> = {}): SuspectEvidence => ({
  entity,
  ownScore: 0,
  inheritedScore,
  ...more,
});

describe('late edges are blamed on the end that they share', () => {
  test('the callee that all its callers find late', () => {
    const found = blameEdges([
      { caller: 'web', callee: 'cart', shift: 200 },
      { caller: 'checkout', callee: 'cart', shift: 90 },
      { caller: 'web', callee: 'user', shift: 0.1 },
      { caller: 'web', callee: 'ads', shift: 0.2 },
    ]);
    expect(found[0]).toEqual({ entity: 'cart', shift: 90 });
  });

  test('the caller that finds all its callees late', () => {
    const found = blameEdges(['cart', 'user', 'ads'].map((callee) => ({ caller: 'web', callee, shift: 50 })));
    expect(found.find((each) => each.entity === 'web')?.shift).toBe(50);
  });
});

describe('the root cause', () => {
  const graph = edges(['web', 'cart'], ['cart', 'db']);

  test('latency is blamed on the deepest anomalous node', () => {
    const { ranking } = findRootCause({ suspects: [suspect('web', 4), suspect('cart', 3), suspect('db', 2)], graph });
    expect(ranking[0]).toMatchObject({ entity: 'db', because: 'deepest' });
  });

  test('a busy cpu speaks for itself', () => {
    const suspects = [suspect('web', 4), suspect('cart', 3, { ownScore: 5 }), suspect('db', 0)];
    expect(findRootCause({ suspects, graph }).ranking[0]).toMatchObject({ entity: 'cart', because: 'own' });
  });

  test('an address that only callers see is never blamed, and does not end the chain', () => {
    const suspects = [suspect('web', 4), suspect('cart', 5, { isProxy: true }), suspect('db', 3)];
    expect(findRootCause({ suspects, graph }).ranking[0]?.entity).toBe('db');
  });

  test('of several the one that hands on most harm is first', () => {
    const both = edges(['web', 'cart'], ['web', 'rare']);
    const suspects = [
      suspect('web', 3, { impact: 900, calls: 100 }),
      suspect('cart', 2, { impact: 800, calls: 90 }),
      suspect('rare', 4, { impact: 50, calls: 20 }),
    ];
    expect(findRootCause({ suspects, graph: both, target: 'web' }).ranking[0]?.entity).toBe('cart');
  });

  test('what takes part in hardly any request does not explain the typical one', () => {
    const both = edges(['web', 'cart'], ['web', 'rare']);
    const suspects = [
      suspect('web', 3, { impact: 900, calls: 100 }),
      suspect('cart', 2, { impact: 800, calls: 90 }),
      suspect('rare', 9, { impact: 5000, calls: 1 }),
    ];
    expect(findRootCause({ suspects, graph: both, target: 'web' }).ranking[0]?.entity).toBe('cart');
  });

  test('two that explain it equally well are a contradiction', () => {
    const both = edges(['web', 'cart'], ['web', 'user']);
    const found = findRootCause({ suspects: [suspect('web', 4), suspect('cart', 3), suspect('user', 3)], graph: both });
    expect(found.contradiction).toBe('cart and user explain it equally well');
  });

  test('without a call graph it says what is missing', () => {
    expect(findRootCause({ suspects: [suspect('a', 3), suspect('b', 2)] }).missing).toEqual(['call graph']);
  });

  test('nothing anomalous, nobody blamed', () => {
    expect(findRootCause({ suspects: [suspect('a', 0.5), suspect('b', 0.2)], graph }).ranking).toEqual([]);
  });
});
