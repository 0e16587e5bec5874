import { describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import type { WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { T0, aJudgeInput, anObservation, readings, someSettings } from '../../support/builders/detection.ts';

const HOUR = 3_600_000;

interface Life {
  readonly hours: number;
  readonly intervalMs: number;
  /** Memory of the pod `a`, in per cent of its limit; its peers stay at 45. */
  readonly memory: (hour: number) => number;
}

/** Hours until memory of `a` is anomalous below 90 % of its limit, and what said so. */
function seen({
  hours,
  intervalMs,
  memory,
}: Life): { hour: number; value: number; verdict: WorkloadVerdict } | undefined {
  const engine = createEngine({ seed: 1 });
  const random = seededRandom(3);
  for (let atMs = 0; atMs < hours * HOUR; atMs += intervalMs) {
    const hour = atMs / HOUR;
    const nowMs = T0 + atMs;
    const value = memory(hour) + 0.5 * random.normal();
    const pod = anObservation('a', { readings: readings({ memory_usage: value }, nowMs) });
    const settings = someSettings({ intervalMs, minSamples: 100 });
    const verdict = engine.judge(aJudgeInput(['memory_usage'], { nowMs, pods: [pod], settings }));
    if (verdict.state === 'unhealthy') return { hour, value, verdict };
  }
  return undefined;
}

describe('a leak that takes hours, in a pod without peers', () => {
  test.each([
    [6, 5000],
    [6, 60_000],
    [12, 15_000],
    [12, 60_000],
  ])(
    'over %p h at polls of %p ms: warned of an hour or more before the limit, with slope and time',
    (hours, intervalMs) => {
      const found = seen({ hours, intervalMs, memory: (hour) => 40 + (60 * hour) / hours });
      expect(found?.value ?? 100).toBeLessThan(90);
      expect(hours - (found?.hour ?? hours)).toBeGreaterThan(1);
      const [score] = found?.verdict.pods[0]?.metrics[0]?.detectors ?? [];
      expect(score?.detector).toBe('trend');
      expect((score?.slopePerSecond ?? 0) * 3600).toBeCloseTo(60 / hours, 0);
      expect((score?.timeToLimitMs ?? 0) / HOUR).toBeGreaterThan(0.5 * (hours - (found?.hour ?? 0)));
    },
  );

  test.each<[string, Life]>([
    ['a cache that warms up for hours and levels off', { hours: 14, intervalMs: 60_000, memory: (hour) => 88 - 60 * Math.exp(-hour / 2) }],
    ['a cache that levels off within minutes', { hours: 6, intervalMs: 15_000, memory: (hour) => 80 - 40 * Math.exp(-hour * 6) }],
    ['a heap between collections', { hours: 12, intervalMs: 60_000, memory: (hour) => 45 + 30 * ((hour * 2) % 1) }],
  ])('%s is no leak', (_, life) => {
    expect(seen(life)).toBeUndefined();
  }); // prettier-ignore
});
