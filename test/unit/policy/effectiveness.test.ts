import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DAY } from '../../../src/lib/duration.ts';
import type { ActionRecord } from '../../../src/policy/ledger.ts';
import {
  effectivenessOf,
  estimateOf,
  LEAST_INCIDENTS,
  lessonOf,
  PRIOR_ESTIMATE,
  usableEstimate,
  type EffectivenessReset,
  type Lesson,
} from '../../../src/policy/effectiveness.ts';
import { aRecord } from '../../support/builders/policy.ts';
import { HOUR, MINUTE, NOW } from '../../support/builders/workload.ts';

const ended = (over: Partial<ActionRecord>): ActionRecord => aRecord({ endedAtMs: NOW - MINUTE, ...over });

const aLesson = (incident: number, helped: boolean, over: Partial<Lesson> = {}): Lesson => ({
  ...{ name: `a-${incident}-${String(helped)}`, incidentId: `i-${incident}`, failureType: 'memory_leak' },
  ...{ action: 'restart_pod', workloadKind: 'Deployment', endedAtMs: NOW - HOUR, helped },
  ...over,
});

describe('what an action teaches', () => {
  test.each<[what: string, over: Partial<ActionRecord>, helped: boolean | undefined]>([
    ['healed: it helped', { state: 'Healed', reason: 'Recovered' }, true],
    ['still anomalous: it did not', { state: 'Ineffective', reason: 'StillAnomalous' }, false],
    ['undone because it did not help', { state: 'RolledBack', reason: 'NotReady' }, false],
    ['its inverse failed after it did not help', { state: 'Failed', reason: 'RollbackFailed' }, false],
    [
      'untreated peers recovered as well: it is not what helped',
      { state: 'Ineffective', reason: 'RecoveredWithPeers' },
      false,
    ],
    ['there was no fresh data: nothing is known', { state: 'Ineffective', reason: 'NoFreshData' }, undefined],
    ['somebody took it back: nothing is known', { state: 'Ineffective', reason: 'Reverted' }, undefined],
    ['its answer was lost', { state: 'Failed', reason: 'Ambiguous' }, undefined],
    ['the server refused it', { state: 'Failed', reason: 'Rejected' }, undefined],
    ['it was never sent', { state: 'Denied', spent: false, reason: 'ReplicasOwned' }, undefined],
    ['the target went away', { state: 'Superseded', reason: 'TargetGone' }, undefined],
    ['a dry run', { state: 'Healed', dryRun: true }, undefined],
    ['an alert', { state: 'Healed', action: 'alert_admin', spent: false }, undefined],
    ['it is being verified', { state: 'Verifying', endedAtMs: undefined as unknown as number }, undefined],
    ['a workload of a kind that is not known', { state: 'Healed', workload: 'CronJob shop/x' }, undefined],
  ])('%s', (_what, over, helped) => {
    expect(lessonOf(ended(over))?.helped).toBe(helped);
  });

  test('it is filed under failure type, action and kind of workload', () => {
    expect(lessonOf(ended({ workload: 'StatefulSet shop/db', action: 'scale_up' }))).toMatchObject({
      ...{ failureType: 'memory_leak', action: 'scale_up', workloadKind: 'StatefulSet' },
    });
  });
});

describe('what the lessons come to', () => {
  test('an incident counts once, however many waves it had, by the share of them that helped', () => {
    const lessons = [
      ...[1, 2, 3].map((wave) => aLesson(1, true, { name: `w-${wave}` })),
      ...[aLesson(2, true, { name: 'x' }), aLesson(2, false, { name: 'y' })],
    ];
    expect(effectivenessOf(lessons, [], NOW)).toEqual([
      {
        ...{ failureType: 'memory_leak', action: 'restart_pod', workloadKind: 'Deployment' },
        ...{ incidents: 2, helped: 1.5, estimate: 3.5 / 6 },
      },
    ]);
  });

  test('what ended more than ninety days ago teaches nothing any more', () => {
    const lessons = [aLesson(1, true, { endedAtMs: NOW - 90 * DAY }), aLesson(2, true, { endedAtMs: NOW - 89 * DAY })];
    expect(effectivenessOf(lessons, [], NOW).map(({ incidents }) => incidents)).toEqual([1]);
  });

  const reset = (over: Partial<EffectivenessReset> = {}): EffectivenessReset => ({
    ...{ atMs: NOW - 30 * MINUTE, by: 'key:kim', reason: 'new release' },
    ...over,
  });
  test.each<[what: string, resets: readonly EffectivenessReset[], left: readonly string[]]>([
    ['all of it', [reset()], ['later']],
    ['one failure type', [reset({ failureType: 'memory_leak' })], ['surge', 'later']],
    ['one action', [reset({ action: 'scale_up' })], ['leak', 'later']],
    [
      'one kind of workload that nothing was learnt of',
      [reset({ workloadKind: 'StatefulSet' })],
      ['leak', 'surge', 'later'],
    ],
    [
      'an action against a failure that it was not used for',
      [reset({ action: 'scale_up', failureType: 'memory_leak' })],
      ['leak', 'surge', 'later'],
    ],
  ])('a reset of %s takes back what was learnt until then', (_what, resets, left) => {
    const lessons = [
      aLesson(1, true),
      aLesson(2, true, { failureType: 'traffic_surge', action: 'scale_up' }),
      aLesson(3, true, { failureType: 'oom_kill', action: 'clear_cache', endedAtMs: NOW - MINUTE }),
    ];
    const names: Record<string, string> = { memory_leak: 'leak', traffic_surge: 'surge', oom_kill: 'later' };
    const found = effectivenessOf(lessons, resets, NOW).map(({ failureType }) => names[failureType] ?? failureType);
    expect(found.toSorted()).toEqual([...left].toSorted());
  });

  test('what was learnt elsewhere before is added to, and reset with the rest', () => {
    const earlier = [{ ...aLesson(0, true), incidents: 8, helped: 6, estimate: estimateOf(6, 8) }];
    expect(effectivenessOf([aLesson(1, false)], [], NOW, earlier)).toMatchObject([{ incidents: 9, helped: 6 }]);
    expect(effectivenessOf([aLesson(1, false)], [reset()], NOW, earlier)).toEqual([]);
  });
});

describe('laws of the estimate', () => {
  const counts = fc
    .integer({ min: 0, max: 200 })
    .chain((incidents) => fc.tuple(fc.integer({ min: 0, max: incidents }), fc.constant(incidents)));

  test('one more success never lowers it, one more failure never raises it, and it stays between 0 and 1', () => {
    fc.assert(
      fc.property(counts, ([helped, incidents]) => {
        const now = estimateOf(helped, incidents);
        expect(estimateOf(helped + 1, incidents + 1)).toBeGreaterThan(now);
        expect(estimateOf(helped, incidents + 1)).toBeLessThan(now);
        expect(now).toBeGreaterThan(0);
        expect(now).toBeLessThan(1);
      }),
    );
  });

  test('it lies between the share that was seen and one half', () => {
    fc.assert(
      fc.property(counts, ([helped, incidents]) => {
        const share = incidents === 0 ? PRIOR_ESTIMATE : helped / incidents;
        const estimate = estimateOf(helped, incidents);
        expect(Math.min(share, PRIOR_ESTIMATE) - 1e-12).toBeLessThanOrEqual(estimate);
        expect(estimate).toBeLessThanOrEqual(Math.max(share, PRIOR_ESTIMATE) + 1e-12);
      }),
    );
  });

  test('with too few incidents nothing rests on it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LEAST_INCIDENTS - 1 }), fc.boolean(), (incidents, helped) => {
        const lessons = Array.from({ length: incidents }, (_, i) => aLesson(i, helped));
        expect(usableEstimate(effectivenessOf(lessons, [], NOW)[0])).toBe(PRIOR_ESTIMATE);
      }),
    );
  });

  test('turning any failure into a success never lowers what is made of the lessons, in whatever order they are read', () => {
    const lesson = fc.record({ incident: fc.integer({ min: 1, max: 6 }), helped: fc.boolean() });
    fc.assert(
      fc.property(fc.array(lesson, { minLength: 1, maxLength: 30 }), fc.nat(), (drawn, at) => {
        const lessons = drawn.map(({ incident, helped }, i) => aLesson(incident, helped, { name: `n-${i}` }));
        const better = lessons.map((each, i) => (i === at % lessons.length ? { ...each, helped: true } : each));
        const [before] = effectivenessOf(lessons, [], NOW);
        const [after] = effectivenessOf(better, [], NOW);
        expect(after?.estimate ?? 0).toBeGreaterThanOrEqual((before?.estimate ?? 1) - 1e-12);
        const [reversed] = effectivenessOf(lessons.toReversed(), [], NOW);
        expect(reversed?.estimate).toBeCloseTo(before?.estimate ?? -1, 12);
      }),
    );
  });
});
