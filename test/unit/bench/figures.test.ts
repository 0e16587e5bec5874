import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { barChart } from '../../../bench/charts/bar-chart.ts';
import { histogram } from '../../../bench/charts/histogram.ts';
import { averagePrecision } from '../../../bench/forest/average-precision.ts';
import { storedAreas } from '../../../bench/forest/contenders.ts';
import { fixturesDigest, forestFixtures } from '../../../bench/forest/fixtures.ts';
import { isMet, markOf, renderAll } from '../../../bench/registry.ts';
import type { Figure } from '../../../bench/registry.ts';
import { nSigma } from '../../../bench/sets/n-sigma.ts';
import { rowFigures, unite } from '../../../bench/sets/row-scores.ts';
import { sameTimeYesterday } from '../../../bench/sets/same-time-yesterday.ts';
import { windowedGaussian } from '../../../bench/sets/windowed-gaussian.ts';

describe('average precision', () => {
  test.each([
    ['the example of scikit-learn’s page', [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.8333333333333333],
    ['ties share a threshold', [0.5, 0.5, 0.5, 0.2, 0.2, 0.2], [1, 0, 1, 0, 0, 1], 0.6111111111111112],
    ['three of eight', [0.9, 0.8, 0.7, 0.6, 0.55, 0.5, 0.3, 0.1], [0, 1, 0, 1, 1, 0, 0, 0], 0.5333333333333333],
  ])('%s, as in scikit-learn 1.9', (_, scores, labels, expected) => {
    expect(averagePrecision(scores, labels)).toBeCloseTo(expected, 12);
  });

  test('is NaN without a positive, and does not see the scale of scores', () => {
    expect(averagePrecision([1, 2], [0, 0])).toBeNaN();
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0, 1)), { minLength: 1 });
    fc.assert(
      fc.property(rows, (pairs) => {
        const labels = [1, ...pairs.map(([, label]) => label)];
        const scores = [5, ...pairs.map(([score]) => score)];
        const stretched = scores.map((score) => Math.exp(score));
        expect(averagePrecision(stretched, labels)).toBe(averagePrecision(scores, labels));
      }),
    );
  });
});

describe('rows of a stream', () => {
  const judged = {
    labels: Uint8Array.of(0, 1, 1, 1, 0, 0, 1, 1, 0, 0),
    scores: Float64Array.of(0, 0.9, 0, 0, 0, 0.95, 0, 0, 0.1, 0.1),
  };

  test('no point adjustment: one alarm in a stretch of three finds the stretch, but one row of three', () => {
    expect(rowFigures(judged, 0.85)).toMatchObject({ stretches: 2, found: 1, f1: 2 / 7, falsePer10k: 2000 });
  });

  test('the best F1 is at least that of any threshold', () => {
    const { bestF1 } = rowFigures(judged, 0);
    for (const threshold of [0, 0.1, 0.9, 0.95, 2]) {
      expect(bestF1).toBeGreaterThanOrEqual(rowFigures(judged, threshold).f1);
    }
  });

  test('two series as one: a stretch does not run from the end of one into the other', () => {
    const half = { labels: Uint8Array.of(0, 1), scores: Float64Array.of(0, 1) };
    const other = { labels: Uint8Array.of(1, 0), scores: Float64Array.of(0, 0) };
    expect(rowFigures(unite([half, other]), 0.5)).toMatchObject({ stretches: 2, found: 1 });
  });
});

describe('baselines', () => {
  test('windowed Gaussian: values of NAB’s own formula in Python', () => {
    const expected = [0, 1, 0.5, 0.9998807347313222, 0.9993400488642468, 0.6188099769831765];
    const scores = windowedGaussian(Float64Array.of(5, 7, 6, 9, 2, 6.5));
    expected.forEach((value, i) => {
      expect(scores[i]).toBeCloseTo(value, 6);
    });
  });

  test('windowed Gaussian: what is no number scores 0 and is not learnt', () => {
    const [whole, gapped] = [Float64Array.of(5, 7, 6, 9), Float64Array.of(5, 7, NaN, 6, Infinity, 9)];
    const scores = windowedGaussian(gapped);
    expect([0, 1, 3, 5].map((i) => scores[i])).toEqual([...windowedGaussian(whole)]);
    expect([scores[2], scores[4]]).toEqual([0, 0]);
  });

  test('same time yesterday: a day that repeats scores 0, one that does not scores more', () => {
    const hours = Array.from({ length: 72 }, (_, i) => i);
    const values = Float64Array.from(
      hours,
      (hour) => 10 + (hour % 24) + (hour === 60 ? 30 : 0) + (hour === 30 ? 1 : 0),
    );
    const scores = sameTimeYesterday(
      Float64Array.from(hours, (hour) => hour * 3_600_000),
      values,
    );
    expect(Math.max(...scores.subarray(0, 24))).toBe(0);
    expect(scores[60]).toBe(Math.max(...scores));
  });

  test('n-sigma ranks by standard deviations and names the metric', () => {
    const series = (entity: string, metric: string, values: readonly number[]) => ({
      entity,
      metric,
      kind: 'count' as const,
      timesMs: Float64Array.from(values, (_, i) => i),
      values: Float64Array.from(values),
    });
    const ranked = nSigma(
      [series('a', 'cpu', [1, 3, 1, 3, 8]), series('b', 'mem', [1, 2, 1, 2, 9]), series('b', 'cpu', [1, 2, 1, 2, 2])],
      4,
    );
    expect(ranked.map(({ entity, metric, score }) => [entity, metric, score])).toEqual([
      ['b', 'mem', 15],
      ['a', 'cpu', 6],
    ]);
  });
});

describe('forest fixtures', () => {
  test('are those that scikit-learn was measured on, each with ten forests', () => {
    const fixtures = forestFixtures();
    const stored = storedAreas();
    expect(stored.digest).toBe(fixturesDigest(fixtures));
    expect(stored.results.map(({ name, seed }) => `${name} ${seed}`)).toEqual(
      fixtures.map(({ name, seed }) => `${name} ${seed}`),
    );
    for (const { averagePrecision: areas } of stored.results) expect(areas).toHaveLength(10);
  });
});

describe('figures', () => {
  const figure = (value: number, target?: Figure['target']): Figure => ({
    name: 'f',
    value,
    unit: '',
    ...(target === undefined ? {} : { target }),
  });

  test.each<[string, Figure, boolean, string]>([
    ['at a lower bound', figure(0.9, { kind: 'min', value: 0.9 }), true, 'ok'],
    ['below a lower bound', figure(0.89, { kind: 'min', value: 0.9 }), false, 'MISSED'],
    ['above an upper bound', figure(4, { kind: 'max', value: 3 }), false, 'MISSED'],
    ['without a target', figure(4), true, ''],
    ['not measured', figure(NaN, { kind: 'max', value: 3 }), false, 'not measured'],
  ])('%s', (_, each, met, mark) => {
    expect([isMet(each), markOf(each)]).toEqual([met, mark]);
  });

  test('all met is said', () => {
    expect(renderAll([{ set: 's', figures: [figure(1)], lines: [] }])).toContain('every target is met');
  });
});

describe('charts', () => {
  const bars = barChart({
    title: 'a < b & "c"',
    subtitle: '',
    series: ['one', 'two'],
    groups: [
      { label: 'x', values: [0.25, NaN] },
      { label: 'y', values: [0.5, 2], isPeer: true },
    ],
    max: 1,
  });
  const widths = (svg: string, fill: string): number[] =>
    [...svg.matchAll(new RegExp(`width="([\\d.]+)" height="10" fill="${fill}"`, 'g'))].map(([, width]) =>
      Number(width),
    );

  test('bars are as long as their values; none for what was not measured; nothing runs over the edge', () => {
    const [quarter = NaN] = widths(bars, '#1a7f5a');
    expect(widths(bars, '#a8b1ba')).toEqual([2 * quarter, 4 * quarter]);
    expect(widths(bars, '#f0a848')).toEqual([]);
  });

  test('text is escaped', () => {
    expect(bars).toContain('<title>a &lt; b &amp; &quot;c&quot;</title>');
  });

  test('a histogram has a bar for every bin that is not empty, and its marks', () => {
    const svg = histogram({
      title: 't',
      subtitle: '',
      values: [1, 1.2, 3.4],
      binWidth: 1,
      unit: 'u',
      marks: [{ value: 2, label: 'mean 2' }],
    });
    const heights = [...svg.matchAll(/height="([\d.]+)" fill="#1a7f5a"/g)].map(([, height]) => Number(height));
    expect(heights).toEqual([204, 0, 102]);
    expect(svg).toContain('mean 2');
  });
});
