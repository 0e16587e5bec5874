import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseVector, sampleValue } from '../../../src/prometheus/instant-vector.ts';
import { judge } from '../../../src/prometheus/sample-time.ts';

const limits = { maxSeries: 100, maxBytes: 1 << 20, maxPoints: 1000, concurrency: 1 };

test('law (I7): only finite decimal text is a value; everything else in JSON is unknown and never 0', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (raw) => {
      const value = sampleValue(raw);
      if (!Number.isNaN(value)) {
        expect(typeof raw).toBe('string');
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBe(Number(raw));
        expect((raw as string).trim()).not.toBe('');
      }
      const reading = judge(value, { replyMs: 1000, sampleMs: 1000 }, 1000, 60_000);
      expect(reading.kind).toBe(Number.isNaN(value) ? 'unknown' : 'value');
    }),
    { numRuns: 2000 },
  );
});

test('law: a number that Prometheus can write is read back exactly', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(sampleValue(String(value))).toBe(value === 0 ? 0 : value);
    }),
  );
});

test('law: no reply of any shape throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (data) => {
      parseVector(data, limits);
      const rows = parseVector({ resultType: 'vector', result: data }, limits);
      if (rows.ok) for (const row of rows.value) expect(typeof row.value).toBe('number');
    }),
    { numRuns: 1000 },
  );
});

test('law: a reading is never older than allowed, and never from the future', () => {
  const time = fc.oneof(fc.integer({ min: -200_000, max: 200_000 }), fc.constantFrom(Number.NaN, Infinity, -Infinity));
  fc.assert(
    fc.property(time, time, (replyMs, sampleMs) => {
      const reading = judge(1, { replyMs, sampleMs }, 0, 60_000);
      if (reading.kind === 'value') {
        expect(Math.max(replyMs, sampleMs)).toBeLessThanOrEqual(60_000);
        expect(reading.atMs).toBe(Math.min(replyMs, sampleMs));
        expect(reading.atMs).toBeGreaterThanOrEqual(-60_000);
      }
    }),
    { numRuns: 1000 },
  );
});
