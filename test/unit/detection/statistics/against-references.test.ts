import { describe, expect, test } from '@jest/globals';
import { halfWindowSlope } from '../../../../src/detection/statistics/half-window-slope.ts';
import { interpolate } from '../../../../src/detection/statistics/interpolate.ts';
import {
  HISTOGRAM_BINS,
  histogramAdd,
  histogramBin,
  histogramTailShare,
  histogramUpperQuantile,
} from '../../../../src/detection/statistics/log-histogram.ts';
import { medianAbsoluteDeviation } from '../../../../src/detection/statistics/median-absolute-deviation.ts';
import { median } from '../../../../src/detection/statistics/median.ts';
import { quantileOfSorted } from '../../../../src/detection/statistics/quantile.ts';
import { risingShare } from '../../../../src/detection/statistics/rising-share.ts';
import { robustZ } from '../../../../src/detection/statistics/robust-z.ts';
import { teachMoments } from '../../../../src/detection/statistics/running-moments.ts';
import { symmetricInverse } from '../../../../src/detection/statistics/symmetric-inverse.ts';
import { theilSenSlope } from '../../../../src/detection/statistics/theil-sen-slope.ts';

/** Two hundred different multiples of an eighth, exact in every language: x_i = (7919 i mod 1009) / 8. */
const X = Array.from({ length: 200 }, (_, i) => ((i * 7919) % 1009) / 8);
const SORTED = X.toSorted((a, b) => a - b);
const RISING = X.slice(0, 48).map((value, i) => value + 1.5 * i);

/** Reference values by numpy 2.4.6 and scipy 1.17.1; the call that gave each is its row's name. */
describe('on the same two hundred numbers', () => {
  test.each<[string, () => number, number]>([
    ['numpy.median(x)', () => median(X), 63.375],
    ['scipy.stats.median_abs_deviation(x)', () => medianAbsoluteDeviation(X), 31.5],
    ['numpy.quantile(x, 0.01)', () => quantileOfSorted(SORTED, 0.01), 1.62],
    ['numpy.quantile(x, 0.25)', () => quantileOfSorted(SORTED, 0.25), 32],
    ['numpy.quantile(x, 0.97)', () => quantileOfSorted(SORTED, 0.97), 122.03375],
    ['numpy.quantile(x, 0.99)', () => quantileOfSorted(SORTED, 0.99), 124.63],
    ['scipy.stats.theilslopes(x[:48] + 1.5 i).slope', () => theilSenSlope(RISING), 1.29375],
    ['numpy.median((w[24:] - w[:24]) / 24), w = x[:48] + 1.5 i', () => halfWindowSlope(RISING), 3.3958333333333335],
    ['scipy.stats.kendalltau(i, x[:48] + 1.5 i)', () => risingShare(RISING), 0.3209219858156029],
    ['scipy.stats.theilslopes(x[:30]).slope', () => theilSenSlope(X.slice(0, 30)), 0.27884615384615385],
    ['scipy.stats.kendalltau(i, x[:30])', () => risingShare(X.slice(0, 30)), 0.020689655172413793],
    ['(150 - median) / median_abs_deviation(x, scale="normal")', () => robustZ(150, X, 1e-9), 1.8548468130392246],
    ['numpy.interp(10, [0, 50, 100], [0, 0.1, 0.9])', () => interpolate([[50, 0.1], [100, 0.9]], 10), 0.02],
    ['numpy.interp(99, [0, 50, 100], [0, 0.1, 0.9])', () => interpolate([[50, 0.1], [100, 0.9]], 99), 0.884],
  ])('%s', (_, ours, theirs) => {
    expect(ours()).toBeCloseTo(theirs, 11);
  }); // prettier-ignore

  test.each([
    [50, 63.363636888562716, 1361.0035617140052],
    [1000, 63.35125, 1340.5164671875],
  ])('numpy.average and numpy.cov with the weights of a memory of %p', (memory, mean, variance) => {
    const moments = new Float64Array(2);
    X.forEach((value, i) => teachMoments(moments, 0, value, i + 1, memory));
    expect(moments[0]).toBeCloseTo(mean, 10);
    expect(moments[1]).toBeCloseTo(variance, 8);
  });

  test('numpy.quantile(exp((x - 60) / 20), q) and scipy.stats.percentileofscore(.., 8), to a bin of 19 %', () => {
    const counts = new Uint16Array(HISTOGRAM_BINS);
    let total = 0;
    for (const x of X) total = histogramAdd(counts, 0, histogramBin(Math.exp((x - 60) / 20)), total);
    expect(histogramUpperQuantile(counts, 0, total, 0.01) / 25.31768388024188).toBeCloseTo(1, 1);
    expect(histogramUpperQuantile(counts, 0, total, 0.03) / 22.23648389454191).toBeCloseTo(1, 1);
    // 8 is the lower edge of its bin: 20 % lie at or above it, and one more is added to both sides of the fraction.
    expect(histogramTailShare(counts, 0, total, histogramBin(8))).toBeCloseTo((0.2 * 200 + 1) / 201, 12);
  });

  test('numpy.linalg.inv(numpy.cov(five columns of 25, ddof=0)) and scipy.spatial.distance.mahalanobis', () => {
    const columns = Array.from({ length: 5 }, (_, k) => X.slice(25 * k, 25 * (k + 1)));
    const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / 25);
    const centred = columns.map((column, k) => column.map((value) => value - (means[k] ?? 0)));
    const covariance = Float64Array.from({ length: 25 }, (_, at) => {
      const [a = [], b = []] = [centred[Math.floor(at / 5)], centred[at % 5]];
      return a.reduce((sum, value, i) => sum + (value * (b[i] ?? 0)) / 25, 0);
    });
    const inverse = symmetricInverse(covariance, 5);
    const theirs = [0.001251188306250639, 0.0012913148903879303, 0.0014315007094253375, 0.0014162003754015513, 0.0015980727264247984]; // prettier-ignore
    theirs.forEach((value, k) => expect(inverse[6 * k]).toBeCloseTo(value, 13));
    expect(inverse[1]).toBeCloseTo(0.0002860849401426323, 13);
    expect(inverse[19]).toBeCloseTo(0.0005507151015580863, 13);
    const away = [100, 20, 60, 5, 90].map((value, k) => value - (means[k] ?? 0));
    const squared = away.reduce((sum, a, i) => sum + away.reduce((row, b, j) => row + a * b * (inverse[5 * i + j] ?? 0), 0), 0); // prettier-ignore
    expect(Math.sqrt(squared)).toBeCloseTo(2.657027613874372, 10);
  });
});
