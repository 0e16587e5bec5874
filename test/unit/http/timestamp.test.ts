import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTimestamp } from '../../../src/http/schemas/timestamp.ts';

describe('an RFC 3339 time', () => {
  const good: readonly (readonly [text: string, iso: string])[] = [
    ['2024-01-25T10:00:00Z', '2024-01-25T10:00:00.000Z'],
    ['2024-01-25T10:00:00', '2024-01-25T10:00:00.000Z'],
    ['2024-01-25t10:00:00z', '2024-01-25T10:00:00.000Z'],
    ['2024-01-25 10:00:00Z', '2024-01-25T10:00:00.000Z'],
    ['2024-01-25T10:00:00.5Z', '2024-01-25T10:00:00.500Z'],
    ['2024-01-25T10:00:00.123456789Z', '2024-01-25T10:00:00.123Z'],
    ['2024-01-25T10:00:00+05:30', '2024-01-25T04:30:00.000Z'],
    ['2024-01-25T10:00:00-08:00', '2024-01-25T18:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ];
  test.each(good)('%s', (text, iso) => {
    expect(new Date(parseTimestamp(text) ?? NaN).toISOString()).toBe(iso);
  });

  const bad = [
    '',
    'yesterday',
    '2024-01-25',
    '2024-1-25T10:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00Z',
    '2024-01-01T00:00:00Z\n',
    ' 2024-01-01T00:00:00Z',
    '+2024-01-01T00:00:00Z',
    '٢٠٢٤-01-01T00:00:00Z',
  ];
  test.each(bad)('%j is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test('what JavaScript writes is read back exactly', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });
});
