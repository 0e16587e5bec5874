import { describe, expect, test } from '@jest/globals';
import { quantileOf, rankEntities, rankMetrics, shiftOf } from '../../../src/diagnosis/rank.ts';
import type { MetricKind, RankedMetric, RankSeries } from '../../../src/diagnosis/rank.ts';

const ALARM = 1_000_000;

/** Samples at given seconds from the alarm. */
const at = (kind: MetricKind, points: readonly (readonly [second: number, value: number])[]): RankSeries => ({
  entity: 'a',
  metric: 'm',
  kind,
  timesMs: Float64Array.from(points, ([second]) => ALARM + second * 1000),
  values: Float64Array.from(points, ([, value]) => value),
});
const flat = (from: number, to: number, value: number): (readonly [number, number])[] =>
  Array.from({ length: to - from }, (_, i) => [from + i, value] as const);

describe('how far a series moved', () => {
  test.each<[string, MetricKind, number, number, number]>([
    ['a twentieth of the usual utilisation', 'utilisation', 40, 44, 2],
    ['half a point of a low one', 'utilisation', 1, 2, 2],
    ['a fiftieth of the usual bytes', 'bytes', 1e9, 1.1e9, 5],
    ['a mebibyte of few bytes', 'bytes', 0, 2_097_152, 2],
    ['a tenth of the usual latency', 'latency', 100, 150, 5],
    ['a millisecond of a short one', 'latency', 2, 5, 3],
    ['a tenth of the usual ratio', 'ratio', 0.5, 0.6, 2],
    ['half a percent of a low one', 'ratio', 0, 0.02, 4],
    ['a tenth of the usual rate', 'rate', 100, 50, -5],
    ['a tenth of a request a second', 'rate', 0, 0.3, 3],
    ['a tenth of the usual count', 'count', 50, 60, 2],
    ['one of few', 'count', 0, 4, 4],
    ['a tenth of the size of a negative level', 'latency', -100, -50, 5],
  ])('in spreads of at least %s', (_, kind, before, after, shift) => {
    const found = shiftOf(at(kind, [...flat(-90, -61, before), ...flat(0, 5, after)]), ALARM);
    expect(found?.shift).toBeCloseTo(shift, 9);
    expect(found?.score).toBeCloseTo(Math.log1p(Math.abs(shift)), 9);
    expect(found).toMatchObject({ entity: 'a', metric: 'm', kind, before, after });
  });

  test('in quartile ranges, where those are wider', () => {
    // numpy.percentile([0, 10, 20, 30, 40], [25, 75]) = 10, 30
    const before = [0, 10, 20, 30, 40].map((value, i) => [-90 + i, value] as const);
    expect(shiftOf(at('count', [...before, ...flat(0, 3, 100)]), ALARM)?.shift).toBe(4);
  });

  test.each<[string, readonly (readonly [number, number])[], number | undefined]>([
    ['three samples a side are enough', [...flat(-64, -61, 0), ...flat(0, 3, 5)], 5],
    ['two before are too few', [...flat(-63, -61, 0), ...flat(0, 3, 5)], undefined],
    ['two after are too few', [...flat(-64, -61, 0), ...flat(0, 2, 5)], undefined],
    ['the guard belongs to neither side', [...flat(-62, -60, 0), [-60, 0], ...flat(-59, 0, 9), ...flat(0, 3, 5)], undefined],
    ['the moment of the alarm is after it', [...flat(-64, -61, 0), [0, 5], [1, 5], [2, 5]], 5],
    ['what is no number is no sample', [...flat(-64, -61, 0), ...flat(0, 3, 5), [3, NaN], [4, Infinity], [5, 5]], 5],
    ['with them alone there are too few', [...flat(-64, -61, 0), [0, 5], [1, 5], [2, NaN]], undefined],
  ])('%s', (_, points, shift) => {
    expect(shiftOf(at('count', points), ALARM)?.shift).toBe(shift);
  }); // prettier-ignore

  test('guard and samples may be set', () => {
    const points = [...flat(-3, 0, 0), ...flat(0, 1, 5)];
    expect(shiftOf(at('count', points), ALARM, { guardMs: 0, minSamples: 1 })?.shift).toBe(5);
    expect(shiftOf(at('count', points), ALARM)).toBeUndefined();
  });
});

describe('when it began', () => {
  const before = flat(-90, -61, 0);
  const onset = (points: readonly (readonly [number, number])[]) => {
    const found = shiftOf(at('count', points), ALARM)?.onsetAtMs;
    return found === undefined ? undefined : (found - ALARM) / 1000;
  };
  test.each<[string, readonly (readonly [number, number])[], number]>([
    ['at the alarm', [...before, ...flat(0, 5, 10)], 0],
    ['in the guard', [...before, ...flat(-40, -20, 0), ...flat(-20, 5, 10)], -20],
    ['half of the shift is enough', [...before, [-10, 4.9], [-9, 5], ...flat(0, 5, 10)], -9],
    ['not before the guard', [...before, [-62, 10], [-61, 10], [-60, 10], ...flat(-59, 5, 10)], -60],
    ['since it last came back', [...before, ...flat(-20, -10, 10), [-9, 0], ...flat(0, 5, 10)], 0],
    ['gaps do not end it', [...before, [-10, 10], [-5, NaN], ...flat(0, 5, 10)], -10],
    ['downwards', [...flat(-90, -61, 10), [-10, 5.1], [-9, 5], ...flat(0, 5, 0)], -9],
    ['it did not stay: the end of the series', [...before, ...flat(0, 5, 10), [5, 0]], 5],
    ['a series that did not move has always been there', [...flat(-90, -61, 3), ...flat(-30, 5, 3)], -30],
  ])('%s', (_, points, second) => {
    expect(onset(points)).toBe(second);
  });
});

describe('ranking', () => {
  /** Moves from 0 to `to` at so many seconds from the alarm. */
  const moving = (entity: string, metric: string, to: number, second = 0, kind: MetricKind = 'count'): RankSeries => ({
    ...at(kind, [...flat(-90, -61, 0), ...flat(-60, second, 0), ...flat(second, 5, to)]),
    entity,
    metric,
  });
  const ranked = (...series: readonly RankSeries[]) => rankMetrics(series, ALARM);
  const names = (found: readonly RankedMetric[]) => found.map(({ entity, metric }) => `${entity} ${metric}`);

  test.each<[string, readonly RankSeries[], readonly string[]]>([
    ['the most shifted first', [moving('a', 'm', 5), moving('b', 'm', 500), moving('c', 'm', -50)], ['b m', 'c m', 'a m']],
    ['near ties by onset', [moving('a', 'm', 100), moving('b', 'm', 95, -20)], ['b m', 'a m']],
    ['what is no near tie is not', [moving('a', 'm', 100), moving('b', 'm', 50, -20)], ['a m', 'b m']],
    ['equals by name', [moving('b', 'm', 9), moving('a', 'n', 9), moving('a', 'm', 9)], ['a m', 'a n', 'b m']],
    ['behind the near ties by score again', [moving('a', 'm', 100), moving('b', 'm', 98, -20), moving('c', 'm', 5), moving('d', 'm', 6)], ['b m', 'a m', 'd m', 'c m']],
    ['what cannot be judged is left out', [at('count', flat(0, 9, 5)), moving('b', 'm', 9)], ['b m']],
    ['nothing', [], []],
  ])('%s', (_, series, expected) => {
    expect(names(ranked(...series))).toEqual(expected);
  }); // prettier-ignore

  test('entities by their first metric; within one what it holds goes before what it does', () => {
    const MIB = 1_048_576;
    const found = rankEntities(
      ranked(moving('a', 'cpu', 20, -5), moving('a', 'memory', 12 * MIB, -3, 'bytes'), moving('b', 'cpu', 400, -1)),
    );
    expect(found.map(({ entity, metrics }) => [entity, ...metrics.map(({ metric }) => metric)])).toEqual([
      ['b', 'cpu'],
      ['a', 'memory', 'cpu'],
    ]);
    expect(found[0]).toMatchObject({ score: Math.log1p(400), onsetAtMs: ALARM - 1000 });
    expect(found[1]).toMatchObject({ score: Math.log1p(20), onsetAtMs: ALARM - 5000 });
  });

  test('memory that is given back goes before nothing', () => {
    const found = rankEntities(ranked(moving('a', 'cpu', 20), moving('a', 'memory', -12 * 1_048_576, 0, 'bytes')));
    expect(found[0]?.metrics.map(({ metric }) => metric)).toEqual(['cpu', 'memory']);
  });
});

test('quantiles at the ends and of one value', () => {
  expect(quantileOf(Float64Array.of(3), 0.25)).toBe(3);
  expect(quantileOf(Float64Array.of(1, 5), 0.25)).toBe(2);
});
