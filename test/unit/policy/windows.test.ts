import { describe, expect, test } from '@jest/globals';
import type { Window } from '../../../src/policy/healing-policy.ts';
import { checkWindow, closedBy } from '../../../src/policy/windows.ts';

const at = (iso: string) => Date.parse(iso);
const window = (schedule: string, hours: number, effect: Window['effect'] = 'Allow', timeZone = 'UTC'): Window => ({
  schedule,
  durationSeconds: hours * 3600,
  timeZone,
  effect,
});
const BERLIN = 'Europe/Berlin';

describe('closedBy', () => {
  const office = window('0 9 * * 1-5', 8);
  const night = window('0 22 * * *', 8);
  const freeze = window('0 12 * * *', 1, 'Deny');
  test.each<readonly [string, readonly Window[], string, boolean]>([
    ['no windows: always open', [], '2025-06-04T12:00:00Z', false],
    ['the first moment', [office], '2025-06-04T09:00:00Z', false],
    ['the moment before', [office], '2025-06-04T08:59:59.999Z', true],
    ['the last moment', [office], '2025-06-04T16:59:59.999Z', false],
    ['the end is outside', [office], '2025-06-04T17:00:00Z', true],
    ['a Saturday', [office], '2025-06-07T12:00:00Z', true],
    ['over midnight', [night], '2025-06-05T03:00:00Z', false],
    ['any Allow opens', [office, night], '2025-06-04T23:00:00Z', false],
    ['between two Allows', [office, night], '2025-06-04T18:00:00Z', true],
    ['Deny wins over an open Allow', [office, freeze], '2025-06-04T12:30:00Z', true],
    ['Deny alone leaves other time open', [freeze], '2025-06-04T13:00:00Z', false],
    ['a schedule longer than its period is always open', [window('0 * * * *', 2)], '2025-06-04T12:59:59Z', false],
    ['noon in Berlin is ten in summer', [window('0 12 * * *', 1, 'Allow', BERLIN)], '2025-06-04T10:00:00Z', false],
    ['noon in Berlin is eleven in winter', [window('0 12 * * *', 1, 'Allow', BERLIN)], '2025-01-08T11:00:00Z', false],
    ['the day that has no half past two: it opens when the clock has jumped', [window('30 2 * * *', 1, 'Allow', BERLIN)], '2025-03-30T01:30:00Z', false],
    ['the day that has no half past two: not twice', [window('30 2 * * *', 1, 'Allow', BERLIN)], '2025-03-30T02:00:00Z', true],
    ['the day that has two: the first time', [window('30 2 * * *', 1, 'Allow', BERLIN)], '2025-10-26T00:30:00Z', false],
    ['the day that has two: an hour later it is over', [window('30 2 * * *', 1, 'Allow', BERLIN)], '2025-10-26T01:30:00Z', true],
    ['eight hours are eight hours on the long night', [window('0 22 * * *', 8, 'Allow', BERLIN)], '2025-10-26T03:59:59Z', false],
    ['and no longer', [window('0 22 * * *', 8, 'Allow', BERLIN)], '2025-10-26T04:00:00Z', true],
    ['a schedule that cannot be read closes', [window('nonsense', 1)], '2025-06-04T12:00:00Z', true],
    ['a time zone that does not exist closes', [window('0 9 * * *', 24, 'Allow', 'Mars/Olympus')], '2025-06-04T12:00:00Z', true],
  ])('%s', (_sentence, windows, time, closed) => {
    expect(closedBy(windows, at(time)) !== undefined).toBe(closed);
  }); // prettier-ignore

  test('says when it opens again', () => {
    expect(closedBy([office], at('2025-06-06T18:00:00Z'))?.opensAtMs).toBe(at('2025-06-09T09:00:00Z'));
    expect(closedBy([office, night], at('2025-06-06T18:00:00Z'))?.opensAtMs).toBe(at('2025-06-06T22:00:00Z'));
    expect(closedBy([freeze], at('2025-06-04T12:30:00Z'))?.opensAtMs).toBe(at('2025-06-04T13:00:00Z'));
  });
});

describe('checkWindow', () => {
  test.each([
    ['a good one', window('0 9 * * 1-5', 8), true],
    ['four fields', window('0 9 * *', 8), false],
    ['six fields: seconds are not offered', window('0 0 9 * * *', 8), false],
    ['a day that never comes', window('0 9 30 2 *', 8), false],
    ['no duration', window('0 9 * * *', 0), false],
    ['an unknown zone', window('0 9 * * *', 8, 'Allow', 'Mars/Olympus'), false],
  ])('%s', (_sentence, given, expected) => expect(checkWindow(given).ok).toBe(expected));
});
