import { describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import { isCorroborated } from '../../../src/detection/model-agreement.ts';
import type { MetricVerdict } from '../../../src/detection/verdict.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { STEP, T0, aJudgeInput, anObservation, readings, someSettings } from '../../support/builders/detection.ts';

const THRESHOLD = 0.85;

/** A pod without peers lives through a latency's past; the verdict on it after the last value. */
function lived(past: readonly number[], last: readonly number[]): MetricVerdict | undefined {
  const engine = createEngine({ seed: 1 });
  let verdict: MetricVerdict | undefined;
  [...past, ...last].forEach((value, i) => {
    const nowMs = T0 + i * STEP;
    const pod = anObservation('a', { readings: readings({ response_time: value }, nowMs) });
    const judged = engine.judge(aJudgeInput(['response_time'], { nowMs, pods: [pod], settings: someSettings() }));
    verdict = judged.pods[0]?.metrics[0];
  });
  return verdict;
}

const random = seededRandom(6);
const around = (level: number, n: number): number[] =>
  Array.from({ length: n }, () => level * (1 + 0.04 * random.normal()));
const slowly = (from: number, to: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (from + ((to - from) * i) / n) * (1 + 0.04 * random.normal()));
const said = (verdict: MetricVerdict | undefined): string =>
  (verdict?.models ?? []).map(({ model, agrees }) => `${model}:${agrees ? 'yes' : 'no'}`).join(' ');

describe('models of several ages', () => {
  test.each<[string, number[], number[], string, boolean]>([
    ['a series of minutes has one young model', around(80, 60), around(400, 4), 'recent:yes', false],
    ['a series of an hour has two, and they agree on a jump', around(80, 300), around(400, 4), 'recent:yes past:yes', true],
    ['what needs no history is believed at once', around(80, 60), around(3000, 4), 'recent:yes', true],
    ['a level accepted lately is young again', [...around(80, 300), ...around(400, 150), ...around(400, 30)], around(900, 4), 'recent:yes', false],
    ['where a slow rise has made the young model follow, it does not agree', [...around(80, 3000), ...slowly(80, 155, 300)], around(185, 4), 'recent:no past:yes', false],
  ])('%s', (_, past, last, models, corroborated) => {
    const verdict = lived(past, last);
    expect(said(verdict)).toBe(models);
    expect(verdict === undefined ? undefined : isCorroborated(verdict, THRESHOLD)).toBe(corroborated);
  }); // prettier-ignore

  test('a calm metric names no models: they are evidence of an anomaly', () => {
    expect(lived(around(80, 300), around(80, 4))?.models).toBeUndefined();
  });

  test('each model says how many samples it rests on and what it expects', () => {
    const [recent, past] = lived(around(80, 300), around(400, 4))?.models ?? [];
    expect(recent).toMatchObject({ model: 'recent', samples: 60 });
    expect(past?.samples).toBe(300);
    expect(recent?.expected).toBeCloseTo(80, -1);
    expect(past?.expected).toBeCloseTo(80, -1);
  });
});
