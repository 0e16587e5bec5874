import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recommendedAction } from '../../../src/controller/anomaly-answer.ts';
import type { DetectionService, MetricSample } from '../../../src/controller/detection-api.ts';
import { createDetectionService } from '../../../src/controller/detection-service.ts';
import { seriesKeyOf, type JudgedSample } from '../../../src/controller/request-judge.ts';
import { createEngine } from '../../../src/detection/engine.ts';
import type { Engine } from '../../../src/detection/engine-input.ts';

const NOW = Date.UTC(2026, 0, 5, 12);

function aService(over: { engine?: Engine; maxSeries?: number; anomalyThreshold?: number } = {}): DetectionService {
  return createDetectionService({
    engine: createEngine({ seed: 1 }),
    scratch: createEngine({ seed: 2 }),
    anomalyThreshold: 0.85,
    minSamples: 100,
    failureWindowMs: 300_000,
    ...over,
  });
}

const aSample = (over: Partial<MetricSample> = {}): MetricSample => ({
  metricType: 'cpu_usage',
  value: 35,
  atMs: NOW,
  labels: { pod: 'api-1' },
  ...over,
});

describe('the action from metrics alone', () => {
  const judged = (metricType: string, score: number, value = 10, expected?: number): JudgedSample => {
    const decisive = {
      ...({ kind: 'score', score, detector: 'own-history', feature: 'range', observed: value, samples: 200 } as const),
      ...(expected === undefined ? {} : { expected }),
    };
    const sample = aSample({ metricType, value });
    return { sample, seriesKey: metricType, score, decisive, detectors: [decisive], samples: 200 };
  };
  const rows: readonly (readonly [what: string, affected: readonly JudgedSample[], action: string])[] = [
    ['nothing anomalous', [], 'no_action'],
    ['cpu', [judged('cpu_usage', 0.88)], 'scale_up'],
    ['memory, high', [judged('memory_usage', 0.88)], 'clear_cache'],
    ['memory, critical', [judged('memory_usage', 0.95)], 'restart_pod'],
    ['requests above their band', [judged('request_rate', 0.88, 90, 10)], 'scale_up'],
    ['requests above it, critical', [judged('request_rate', 0.95, 90, 10)], 'throttle_api'],
    ['requests below it', [judged('request_rate', 0.95, 1, 10)], 'alert_admin'],
    ['latency alone', [judged('response_time', 0.95)], 'alert_admin'],
    ['latency with cpu', [judged('response_time', 0.95), judged('cpu_usage', 0.9)], 'scale_up'],
    ['latency with requests up', [judged('response_time', 0.95), judged('request_rate', 0.9, 90, 10)], 'scale_up'],
    ['latency with requests down', [judged('response_time', 0.95), judged('request_rate', 0.9, 1, 10)], 'alert_admin'],
    ['errors', [judged('error_rate', 0.99)], 'alert_admin'],
    ['disk', [judged('disk_io', 0.99)], 'alert_admin'],
    ['any other metric', [judged('my_metric', 0.99)], 'alert_admin'],
    ['the first of several decides', [judged('cpu_usage', 0.97), judged('memory_usage', 0.9)], 'scale_up'],
  ];
  test.each(rows)('%s', (_what, affected, action) => {
    expect(recommendedAction(affected)).toBe(action);
  });
});

describe('a series', () => {
  test('is its metric and its labels, in whatever order they come', () => {
    const key = (labels: Record<string, string>, metricType = 'a') => seriesKeyOf({ metricType, labels });
    expect(key({ a: '1', b: '2' })).toBe(key({ b: '2', a: '1' }));
    expect(key({ a: '1', b: '2' })).not.toBe(key({ a: '2', b: '1' }));
    expect(key({ a: '1' })).not.toBe(key({ a: '1', b: '' }));
    expect(key({}, 'a')).not.toBe(key({}, 'b'));
    expect(key({ a: '1\u0000b\u00012' })).not.toBe(key({ a: '1', b: '2' }));
    expect(key({ a: '\u0002' + '0' })).not.toBe(key({ a: '\u0000' }));
  });

  test('has a short key, however long its labels are', () => {
    const key = (end: string) =>
      seriesKeyOf(aSample({ labels: { pod: 'x'.repeat(1_000) + end, zone: 'y'.repeat(1_000) } }));
    expect(key('a').length).toBeLessThan(200);
    expect(key('a')).toBe(key('a'));
    expect(key('a')).not.toBe(key('b'));
  });

  test('beyond the number that is kept the longest silent ones are forgotten, those in use are not', () => {
    const engine = createEngine({ seed: 1 });
    const service = aService({ engine, maxSeries: 100 });
    let nowMs = NOW;
    const inUse = aSample({ labels: { pod: 'in use' } });
    for (let i = 0; i < 2_000; i += 1) {
      nowMs += 1_000;
      service.detectAnomaly(
        { metrics: [{ ...inUse, atMs: nowMs }, aSample({ labels: { pod: `p-${i}` }, atMs: nowMs })] },
        nowMs,
      );
      expect(engine.seriesCount()).toBeLessThanOrEqual(103);
    }
    expect(engine.samples(seriesKeyOf(inUse))).toBeGreaterThan(1_000);
  });

  test('label sets that are sent once take no room in the engine, and no more than so many are waited for', () => {
    const engine = createEngine({ seed: 1 });
    const service = aService({ engine, maxSeries: 100 });
    for (let i = 0; i < 1_000; i += 1) {
      service.detectAnomaly({ metrics: [aSample({ labels: { pod: `p-${i}` }, atMs: NOW + i })] }, NOW + i);
    }
    expect(engine.seriesCount()).toBe(0);
    expect(service.facts().series).toBe(100);
  });

  test('its second sample finds the first one learnt', () => {
    const engine = createEngine({ seed: 1 });
    const service = aService({ engine });
    const answers = [0, 1, 2].map((i) =>
      service.detectAnomaly({ metrics: [aSample({ atMs: NOW + i * 15_000 })] }, NOW + i * 15_000),
    );
    expect(answers.map(({ details }) => details.features['cpu_usage']?.samples)).toEqual([0, 1, 2]);
    expect(engine.seriesCount()).toBe(1);
  });

  test('a request with more series than are kept is answered whole', () => {
    const engine = createEngine({ seed: 1 });
    const service = aService({ engine, maxSeries: 10 });
    const metrics = Array.from({ length: 500 }, (_, i) =>
      aSample({ value: i === 250 ? 99 : 35, labels: { pod: `p-${i}` } }),
    );
    expect(service.detectAnomaly({ metrics }, NOW)).toMatchObject({ is_anomaly: true, details: { series: 500 } });
    service.detectAnomaly({ metrics: [aSample()] }, NOW + 1);
    expect(engine.seriesCount()).toBeLessThanOrEqual(10);
  });
});

describe('an answer', () => {
  test('in steps is the answer in one go', () => {
    const metrics = Array.from({ length: 2_000 }, (_, i) => aSample({ atMs: NOW + i * 1_000, value: 30 + (i % 9) }));
    const steps = aService().anomalyInSteps({ metrics }, NOW);
    let yields = 0;
    let result = steps.next();
    for (; result.done !== true; result = steps.next()) yields += 1;
    expect(yields).toBeGreaterThanOrEqual(4);
    expect(result.value).toEqual(aService().detectAnomaly({ metrics }, NOW));
  });

  test('is the same for the same calls in the same order', () => {
    const calls = Array.from({ length: 50 }, (_, i) => [aSample({ atMs: NOW + i * 5_000, value: (i * 37) % 100 })]);
    const answers = (service: DetectionService) => calls.map((metrics) => service.detectAnomaly({ metrics }, NOW));
    expect(answers(aService())).toEqual(answers(aService()));
  });

  test('keeps its promises for any request', () => {
    const sample = fc.record({
      metricType: fc.constantFrom(
        'cpu_usage',
        'memory_usage',
        'request_rate',
        'response_time',
        'disk_io',
        'error_rate',
        'x',
        'constructor',
      ),
      value: fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(0, -0, 5e-324, 1.7e308, -1.7e308, 95),
      ),
      atMs: fc.integer({ min: NOW - 1e9, max: NOW + 300_000 }),
      labels: fc.dictionary(fc.constantFrom('pod', 'constructor', 'a'), fc.constantFrom('', 'x', '__proto__')),
    });
    const service = aService();
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (metrics) => {
        const answer = service.detectAnomaly({ metrics }, NOW);
        expect(answer.anomaly_score).toBeGreaterThanOrEqual(0);
        expect(answer.anomaly_score).toBeLessThanOrEqual(1);
        expect(answer.is_anomaly).toBe(answer.anomaly_score >= 0.85);
        expect(answer.affected_metrics.length > 0).toBe(answer.is_anomaly);
        expect(answer.recommended_action === 'no_action').toBe(!answer.is_anomaly);
        expect(answer.confidence >= 0 && answer.confidence <= 1).toBe(true);
        expect(JSON.parse(JSON.stringify(answer))).toEqual(normalised(answer));
        const failure = service.detectFailure({ metrics, logs: [] }, NOW);
        expect(failure.recommended_actions.length).toBeGreaterThan(0);
        expect(failure.failure_detected).toBe(failure.failure_type !== null);
        expect(failure.confidence >= 0 && failure.confidence <= 1).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** Minus zero is the one finite number that JSON changes. */
const normalised = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, member: unknown) =>
      typeof member === 'number' && !Number.isFinite(member) ? 'lost' : member,
    ),
  );
