import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quickAnomalyBody, quickFailureBody, requestSchemas } from '../../../src/http/schemas/requests.ts';
import { aLine, aMetric, without } from '../../support/builders/http.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const schemas = requestSchemas(() => NOW);

type Members = Record<string, fc.Arbitrary<unknown>>;

/** Mostly good, now and then bad. */
const mostly = (good: fc.Arbitrary<unknown>, ...bad: readonly unknown[]) =>
  fc.oneof({ weight: 12, arbitrary: good }, fc.constantFrom(...bad));

/** Mostly whole; now and then members are missing. */
const nearly = (members: Members): fc.Arbitrary<Record<string, unknown>> =>
  fc.oneof({ weight: 8, arbitrary: fc.record(members) }, fc.record(members, { requiredKeys: [] }));

const timestamp = mostly(
  fc.constantFrom('2024-01-25T10:00:00Z', '2024-01-25T10:00:00.250+02:00', new Date(NOW + 300_000).toISOString()),
  '2025-02-30T10:00:00Z',
  '',
  5,
  null,
  new Date(NOW + 300_001).toISOString(),
);
const name = fc.string({ maxLength: 3 }).filter((text) => text !== '__proto__');
const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`l${i}`, '']));
const labels = mostly(
  fc.oneof(fc.dictionary(name, fc.string({ maxLength: 4 })), fc.constantFrom({ a: 'x'.repeat(1_024) }, many(64))),
  null,
  [],
  { a: 1 },
  { a: 'x'.repeat(1_025) },
  { ['x'.repeat(1_025)]: '' },
  many(65),
);
const metadata = mostly(fc.constantFrom({}, { a: [1] }), null, [], 'x');
const metric = nearly({
  metric_type: mostly(fc.constantFrom('cpu_usage', 'a', 'x'.repeat(64)), 'x'.repeat(65), 'CPU', '', 'a\n', 5),
  value: mostly(fc.double({ noNaN: true, noDefaultInfinity: true }), '1', null, true, Infinity),
  timestamp,
  labels,
  metadata,
});
const line = nearly({
  timestamp,
  level: mostly(fc.constantFrom('error', 'warning', 'WARN', 'info'), 'trace', 'toString', 5),
  message: mostly(fc.oneof(fc.string(), fc.constant('y'.repeat(9_000))), 5),
  service: mostly(fc.oneof(fc.string(), fc.constant('s'.repeat(300))), null),
  metadata,
});
const context = fc.constantFrom<unknown>(undefined, undefined, undefined, {}, null, 'x');
const body = fc.record({
  metrics: fc.array(metric, { maxLength: 2 }),
  logs: fc.array(line, { maxLength: 2 }),
  context,
});

describe('what is taken quickly', () => {
  test('the schema accepts, too, and reads the same', () => {
    let taken = 0;
    fc.assert(
      fc.property(body, (value) => {
        for (const [quick, schema] of [
          [quickAnomalyBody(value, NOW), schemas.detectAnomaly],
          [quickFailureBody(value, NOW), schemas.detectFailure],
        ] as const) {
          if (quick === undefined) continue;
          taken += 1;
          const parsed = schema.safeParse(value);
          expect(parsed.error?.issues ?? []).toEqual([]);
          expect(quick).toEqual(parsed.data);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  test('are the usual bodies', () => {
    expect(quickAnomalyBody({ metrics: [aMetric(), aMetric({ metadata: { a: 1 } })] }, NOW)).toBeDefined();
    expect(quickFailureBody({ metrics: [aMetric()], logs: [aLine()] }, NOW)).toBeDefined();
  });

  test('are not those that need a second look', () => {
    expect(quickAnomalyBody({ metrics: [without(aMetric(), 'labels')] }, NOW)).toBeUndefined();
    expect(quickAnomalyBody({ metrics: [] }, NOW)).toBeUndefined();
    expect(quickFailureBody({ metrics: [], logs: [] }, NOW)).toBeUndefined();
    expect(quickAnomalyBody({ metrics: Array.from({ length: 10_001 }, () => aMetric()) }, NOW)).toBeUndefined();
  });
});
