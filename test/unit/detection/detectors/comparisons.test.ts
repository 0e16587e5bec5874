import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { limitIsCeiling, limitScore } from '../../../../src/detection/detectors/limit.ts';
import { peerDeviation } from '../../../../src/detection/detectors/peers.ts';
import { saturationScore } from '../../../../src/detection/detectors/saturation.ts';
import { statusScore, worstFinding } from '../../../../src/detection/detectors/status.ts';
import { PRESET_NAMES } from '../../../../src/detection/presets.ts';
import { metricSpec, profileOf } from '../../../../src/detection/metric-profile.ts';
import type { MetricLimit, MetricSpec } from '../../../../src/detection/sample.ts';
import { aRecord } from '../../../support/builders/detection.ts';

describe('peers', () => {
  const ratioOf = (value: number, others: readonly number[]): number => {
    const found = peerDeviation({ value, others, absoluteFloor: 10, relativeFloor: 0.25 });
    return found === undefined ? NaN : (value - found.expected) / found.needed;
  };

  test.each([
    ['three replicas, one far above', 75, [40, 41], true],
    ['three replicas: a healthy one beside the odd one does not blame itself', 40, [41, 75], false],
    ['three replicas in ordinary disagreement', 46, [40, 43], false],
    ['three replicas that disagree anyway need much more', 60, [30, 45], false],
    ['five replicas, one above', 62, [40, 42, 39, 41], true],
    ['five replicas, two odd ones do not hide each other', 75, [40, 41, 39, 74], true],
    ['two replicas: twice the floor is needed', 55, [40], false],
    ['two replicas, far apart', 80, [40], true],
    ['one per cent of difference among equals is no evidence', 41, [40, 40, 40, 40], false],
  ])('%s', (_, value, others, fires) => {
    expect(ratioOf(value, others) >= 1).toBe(fires);
  });

  test('nobody to compare with says nothing', () => {
    expect(ratioOf(99, [])).toBeNaN();
  });

  test('a leader that was always busier is measured against its own habit', () => {
    const usual = { mean: 30, variance: 1 };
    const found = peerDeviation({ value: 72, others: [40, 41], absoluteFloor: 10, relativeFloor: 0.25, usual });
    expect(found?.expected).toBeCloseTo(70.5, 9);
    expect(Math.abs((72 - (found?.expected ?? 0)) / (found?.needed ?? 1))).toBeLessThan(1);
  });

  test('order of the others does not matter; nothing is NaN', () => {
    const value = fc.double({ min: -1e100, max: 1e100, noNaN: true });
    fc.assert(
      fc.property(value, fc.array(value, { minLength: 1, maxLength: 8 }), (own, others) => {
        const ratio = ratioOf(own, others);
        expect(ratio).not.toBeNaN();
        expect(ratioOf(own, others.toReversed())).toBe(ratio);
      }),
    );
  });
});

describe('limit', () => {
  const spec = (limit: MetricLimit, direction: MetricSpec['direction'] = 'Above'): MetricSpec => ({
    name: 'queue_depth',
    unit: '',
    direction,
    limit,
  });
  const run = (of: MetricSpec, points: readonly (readonly [second: number, value: number])[]): string[] => {
    const c = aRecord();
    return points.map(([second, value]) => limitScore(c, of, value, 1_000_000 + second * 1000)?.feature ?? 'mute');
  };

  test('holds only after forSeconds, and until leave: between the marks it stays as it was', () => {
    const points = [
      [0, 90],
      [30, 101],
      [60, 105],
      [90, 105],
      [100, 90],
      [110, 79],
      [120, 90],
      [130, 100],
    ] as const;
    expect(run(spec({ enter: 100, leave: 80, forSeconds: 60 }), points)).toEqual([
      'within-limit',
      'limit-pending',
      'limit-pending',
      'limit',
      'limit',
      'within-limit',
      'within-limit',
      'limit-pending',
    ]);
  });

  test('a dip under enter before forSeconds starts the wait anew', () => {
    const points = [
      [0, 101],
      [30, 99],
      [40, 101],
      [80, 101],
      [100, 101],
    ] as const;
    expect(run(spec({ enter: 100, leave: 80, forSeconds: 60 }), points).at(-2)).toBe('limit-pending');
    expect(run(spec({ enter: 100, leave: 80, forSeconds: 60 }), points).at(-1)).toBe('limit');
  });

  test('a floor is breached from above', () => {
    const floor = spec({ enter: 5, leave: 10, forSeconds: 0 }, 'Below');
    expect(
      run(floor, [
        [0, 20],
        [1, 5],
        [2, 7],
        [3, 10],
      ]),
    ).toEqual(['within-limit', 'limit', 'limit', 'within-limit']);
  });

  test('its score is at the threshold from the first breach on, and rises beyond', () => {
    const c = aRecord();
    const of = spec({ enter: 100, leave: 80, forSeconds: 0 });
    const at = (value: number): number => limitScore(c, of, value, 1000)?.score ?? NaN;
    expect(at(100)).toBeCloseTo(0.9, 9);
    expect(at(110)).toBeCloseTo(0.95, 9);
    expect(at(1e308)).toBeLessThanOrEqual(1);
    expect(at(85)).toBeGreaterThanOrEqual(0.9);
  });

  test.each([
    ['Above', 100, 80, true],
    ['Below', 5, 10, false],
    ['Above', 80, 100, true],
    ['Below', 10, 5, false],
    ['Both', 80, 80, true],
    ['Both', 100, 80, true],
    ['Both', 5, 10, false],
  ] as const)('%s with enter %p, leave %p: a ceiling is %p', (direction, enter, leave, expected) => {
    expect(limitIsCeiling(spec({ enter, leave, forSeconds: 0 }, direction), { enter, leave, forSeconds: 0 })).toBe(
      expected,
    );
  });

  test('no limit, no word', () => {
    expect(limitScore(aRecord(), metricSpec('cpu_usage'), 99, 1)).toBeUndefined();
  });
});

describe('saturation and bare expectations', () => {
  const scoreOf = (metric: string, value: number, limit?: number, ordinaryUpTo?: number): number => {
    const profile = profileOf(metricSpec(metric));
    return saturationScore({ profile, value, limit, samples: 0, ordinaryUpTo })?.score ?? NaN;
  };

  test.each([
    ['cpu_usage', 95, 100, true],
    ['cpu_usage', 35, 100, false],
    ['memory_usage', 95, 100, true],
    ['memory_usage', 60, 100, false],
    ['error_rate', 0.3, undefined, true],
    ['error_rate', 0.01, undefined, false],
    ['response_time', 1200, undefined, true],
    ['response_time', 150, undefined, false],
    ['volume_usage', 92, 100, true],
    ['volume_usage', 50, 100, false],
    ['cpu_throttling', 1, undefined, false],
  ])('%s of %p (limit %p) without history: anomalous is %p', (metric, value, limit, anomalous) => {
    expect(scoreOf(metric, value, limit) >= 0.85).toBe(anomalous);
  });

  test.each(['request_rate', 'disk_io', 'restarts', 'queue_depth'])('%s has no expectation', (metric) => {
    expect(scoreOf(metric, 1e9, undefined)).toBeNaN();
  });

  test('a raw cpu number without a limit is not read as per cent', () => {
    expect(scoreOf('cpu_usage', 250)).toBeNaN();
    expect(scoreOf('memory_usage', 4e9)).toBeNaN();
  });

  test('a limit on another scale is read as the end of the scale', () => {
    expect(scoreOf('memory_usage', 0.96 * 2 ** 30, 2 ** 30)).toBeCloseTo(scoreOf('memory_usage', 96, 100), 9);
  });

  test('a heap that always lives at 94 % yields; an error rate that was always high does not', () => {
    expect(scoreOf('memory_usage', 94, 100, 95)).toBeLessThan(0.85);
    expect(scoreOf('memory_usage', 97, 100, 95)).toBeGreaterThanOrEqual(0.85);
    expect(scoreOf('error_rate', 0.4, undefined, 0.5)).toBeGreaterThanOrEqual(0.85);
  });

  test('scores rise with the value and stay in [0, 1], for every preset', () => {
    const value = fc.double({ min: -1e300, max: 1e300, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...PRESET_NAMES), value, value, (metric, a, b) => {
        const [low, high] = [scoreOf(metric, Math.min(a, b), 100), scoreOf(metric, Math.max(a, b), 100)];
        if (Number.isNaN(low)) return;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });
});

describe('status', () => {
  test('the gravest finding speaks, with its severity held to [0, 1]', () => {
    const findings = [
      { reason: 'NotReady', message: '', severity: 0.5 },
      { reason: 'CrashLoopBackOff', message: '', severity: 1.5 },
    ];
    const worst = worstFinding(findings);
    expect(worst?.reason).toBe('CrashLoopBackOff');
    expect(worst === undefined ? NaN : statusScore(worst).score).toBe(1);
    expect(worstFinding([])).toBeUndefined();
  });
});
