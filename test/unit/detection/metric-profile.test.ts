import { describe, expect, test } from '@jest/globals';
import { saturationScore } from '../../../src/detection/detectors/saturation.ts';
import { metricSpec, profileOf } from '../../../src/detection/metric-profile.ts';
import { PRESET_NAMES, isPreset } from '../../../src/detection/presets.ts';
import { aWatched } from '../../support/builders/assessment.ts';

const LIMIT = { enter: 9, leave: 5, forSeconds: 0 };

describe('what is known of a preset', () => {
  test.each([...PRESET_NAMES])('%s: its floors, and a score of bare values that rises with them', (name) => {
    const spec = metricSpec(name);
    const profile = profileOf(spec);
    expect(profile.direction).toBe(spec.direction);
    expect(profile.absoluteFloor).toBeGreaterThan(0);
    expect(profile.relativeFloor).toBeGreaterThan(0);
    const points = profile.expectation ?? [];
    points.forEach(([value, score], i) => {
      const [before, scoreBefore] = points[i - 1] ?? [0, 0];
      expect(value).toBeGreaterThan(before);
      expect(score).toBeGreaterThan(scoreBefore);
      expect(score).toBeLessThan(1);
    });
  });

  const having = (of: (name: (typeof PRESET_NAMES)[number]) => unknown): string[] =>
    PRESET_NAMES.filter((name) => of(name) === true);
  test.each<readonly [string, string[], readonly string[]]>([
    ['fill up', having((name) => profileOf(metricSpec(name)).fills), ['memory_usage', 'volume_usage']],
    ['are a share of a limit that must be known', having((name) => profileOf(metricSpec(name)).expectationNeedsLimit), ['cpu_usage', 'memory_usage']],
    ['may always have been high', having((name) => profileOf(metricSpec(name)).expectationYieldsToHistory), ['cpu_usage', 'memory_usage', 'response_time']],
    ['rise with load', having((name) => profileOf(metricSpec(name)).load === 'follower'), ['cpu_usage', 'memory_usage', 'disk_io', 'cpu_throttling']],
    ['are load', having((name) => profileOf(metricSpec(name)).load === 'driver'), ['request_rate']],
  ])('those that %s', (_, found, expected) => {
    expect(found).toEqual(expected);
  }); // prettier-ignore

  test('a policy may say another direction', () => {
    expect(profileOf({ ...metricSpec('request_rate'), direction: 'Below' })).toEqual({
      ...profileOf(metricSpec('request_rate')),
      direction: 'Below',
    });
  });
});

describe('a metric that Aegis does not know', () => {
  test('harms on both sides, and a change by half may matter', () => {
    expect(isPreset('queue_depth')).toBe(false);
    expect(metricSpec('queue_depth')).toEqual({ name: 'queue_depth', unit: '', direction: 'Both' });
    expect(profileOf(metricSpec('queue_depth'))).toMatchObject({ absoluteFloor: 0, relativeFloor: 0.5, load: 'none' });
  });

  test.each([
    ['Above', LIMIT, true],
    ['Both', LIMIT, true],
    ['Below', LIMIT, false],
    ['Above', undefined, false],
    ['Both', undefined, false],
    ['Below', undefined, false],
  ] as const)('harmful %s, with the limit %j: it fills towards it: %p', (direction, limit, fills) => {
    const profile = profileOf({ name: 'queue_depth', unit: '', direction, ...(limit && { limit }) });
    expect([profile.fills, profile.direction]).toEqual([fills, direction]);
  });
});

describe('a bare value', () => {
  const { profile } = aWatched({ expectation: [[50, 0.1], [100, 0.9]], ceiling: 100, expectationYieldsToHistory: true }); // prettier-ignore
  const needsLimit = { ...profile, expectationNeedsLimit: true };
  const input = { profile, value: 75, limit: undefined, samples: 3, ordinaryUpTo: undefined };

  test.each([
    ['is read on its own scale', input, 0.5, 'expectation'],
    ['is read as a share of its limit', { ...input, value: 150, limit: 200 }, 0.5, 'share-of-limit'],
    ['a limit of nothing is none', { ...input, limit: 0 }, 0.5, 'expectation'],
    ['is ordinary for the series: shown, below any threshold', { ...input, value: 100, ordinaryUpTo: 100 }, 0.8, 'expectation'],
    ['is beyond what is ordinary', { ...input, value: 100, ordinaryUpTo: 99 }, 0.9, 'expectation'],
    ['is low anyway, and ordinary', { ...input, ordinaryUpTo: 99 }, 0.5, 'expectation'],
    ['of a metric that never yields', { ...input, value: 100, ordinaryUpTo: 100, profile: { ...profile, expectationYieldsToHistory: false } }, 0.9, 'expectation'],
    ['where the unit has no end of its own', { ...input, limit: 200, profile: aWatched({ expectation: [[50, 0.1], [100, 0.9]] }).profile }, 0.5, 'expectation'],
    ['of a share, with its limit', { ...input, value: 150, limit: 200, profile: needsLimit }, 0.5, 'share-of-limit'],
  ])('%s', (_, of, score, feature) => {
    const found = saturationScore(of);
    expect(found?.score).toBeCloseTo(score, 9);
    expect(found).toMatchObject({ detector: 'saturation', feature, observed: of.value, samples: 3 });
    expect(found?.band).toEqual(feature === 'share-of-limit' ? [0, of.limit] : undefined);
  }); // prettier-ignore

  test.each([undefined, 0, -5])('of a share says nothing with a limit of %p', (limit) => {
    expect(saturationScore({ ...input, limit, profile: needsLimit })).toBeUndefined();
  });

  test('of a metric without expectation says nothing', () => {
    expect(saturationScore({ ...input, profile: aWatched().profile })).toBeUndefined();
  });
});
