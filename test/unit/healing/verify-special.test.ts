import { describe, expect, test } from '@jest/globals';
import type { LimitStanding } from '../../../src/healing/decision.ts';
import { cacheFailure, limitFailure, type Measured } from '../../../src/healing/verify-special.ts';
import { aThrottle } from '../../support/builders/action.ts';
import { aPodVerdict, aVerdict } from '../../support/builders/incident.ts';
import { podRef } from '../../support/builders/workload.ts';

const MINUTE = 60_000;
/** 80 requests a second over four pods. */
const measured = (before: number | undefined, after: number | undefined, sinceMs = MINUTE): Measured => ({
  intent: aThrottle(),
  before: before === undefined ? {} : { request_rate: before },
  after: after === undefined ? {} : { request_rate: after },
  verdict: aVerdict({ pods: [0, 1, 2, 3].map((i) => aPodVerdict(podRef(i))) }),
  sinceMs,
});
const is = (kind: LimitStanding['kind']): LimitStanding => ({ kind, message: 'as they say' });

describe('a limit has failed', () => {
  test.each([
    ['the gateway does not accept it', measured(50, 20, 1_000), is('refused'), 'NotAccepted'],
    ['the gateway said nothing for a minute', measured(50, 20), is('pending'), 'NotAccepted'],
    ['the gateway may still say something', measured(50, 20, MINUTE - 1), is('pending'), undefined],
    ['somebody took it away', measured(50, 20, 1_000), is('gone'), 'Reverted'],
    ['it could not be looked at: the requests tell', measured(50, 48), is('unseen'), 'StillAnomalous'],
    ['the requests are not down after a minute', measured(50, 48), is('holds'), 'StillAnomalous'],
    ['the requests may still come down', measured(50, 48, MINUTE - 1), is('holds'), undefined],
    ['the requests are down by a tenth', measured(50, 45), is('holds'), undefined],
    ['the requests were at the limit before', measured(21, 21), is('holds'), undefined],
    ['nobody counts the requests', measured(undefined, undefined), is('holds'), undefined],
    ['they were not counted before', measured(undefined, 48), is('holds'), undefined],
  ])('%s', (_, given, standing, reason) => {
    expect(limitFailure(given, standing)?.reason).toBe(reason);
  });

  test('no verdict is no proof', () => {
    expect(limitFailure({ ...measured(50, 48), verdict: undefined }, is('holds'))).toBeUndefined();
  });
});

describe('a cleared cache has failed', () => {
  const cache = (before: Measured['before'], after: Measured['after'], sinceMs = MINUTE): Measured => ({
    ...measured(0, 0, sinceMs),
    ...{ before, after },
  });
  test.each([
    ['memory fell by a third', cache({ memory_usage: 90 }, { memory_usage: 60 }), false, undefined],
    ['memory did not fall', cache({ memory_usage: 90 }, { memory_usage: 88 }), false, 'StillAnomalous'],
    [
      'the volume fell, where the cache lives',
      cache({ memory_usage: 90, volume_usage: 80 }, { memory_usage: 90, volume_usage: 20 }),
      false,
      undefined,
    ],
    ['it may still fall', cache({ memory_usage: 90 }, { memory_usage: 88 }, MINUTE - 1), false, undefined],
    [
      'the polls in band would prove it, but nothing fell',
      cache({ memory_usage: 90 }, { memory_usage: 88 }, 20_000),
      true,
      'StillAnomalous',
    ],
    [
      'answers are slower by half',
      cache({ memory_usage: 90, response_time: 100 }, { memory_usage: 60, response_time: 150 }),
      false,
      'StillAnomalous',
    ],
    [
      'answers are slower by a fifth',
      cache({ memory_usage: 90, response_time: 100 }, { memory_usage: 60, response_time: 120 }),
      false,
      undefined,
    ],
    ['nothing is measured', cache({}, {}), false, undefined],
  ])('%s', (_, given, isProven, reason) => {
    expect(cacheFailure(given, isProven)?.reason).toBe(reason);
  });
});
