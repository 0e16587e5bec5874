import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEngine } from '../../../src/detection/engine.ts';
import { podSeriesKey } from '../../../src/detection/engine-input.ts';
import type { DetectionSettings, Engine, PodObservation } from '../../../src/detection/engine-input.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import type { Reading } from '../../../src/detection/sample.ts';
import type { MetricVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import {
  STEP,
  T0,
  aJudgeInput,
  aRef,
  aValue,
  anObservation,
  readings,
  someSettings,
} from '../../support/builders/detection.ts';

const PODS = ['a', 'b', 'c'];
type Values = Readonly<Record<string, number | undefined>>;

let engine: Engine;
let nowMs: number;
const random = seededRandom(11);

beforeEach(() => {
  engine = createEngine({ seed: 1 });
  nowMs = T0;
});

/** One poll of three pods; `values` gives each pod's readings. */
function poll(
  values: (pod: string) => Values,
  over: {
    pods?: readonly string[];
    observation?: Partial<PodObservation>;
    settings?: Partial<DetectionSettings>;
    stepMs?: number;
  } = {},
): WorkloadVerdict {
  nowMs += over.stepMs ?? STEP;
  const names = over.pods ?? PODS;
  const metrics = [...new Set(names.flatMap((name) => Object.keys(values(name))))];
  const pods = names.map((name) =>
    anObservation(name, { readings: readings(values(name), nowMs), ...over.observation }),
  );
  return engine.judge(aJudgeInput(metrics, { nowMs, pods, settings: someSettings(over.settings) }));
}

const quiet = (): Values => ({ cpu_usage: 30 + random.normal(), memory_usage: 40 + 0.3 * random.normal() });
const learn = (polls: number, values: (pod: string) => Values = quiet): void => {
  for (let i = 0; i < polls; i++) poll(values);
};
const states = (verdict: WorkloadVerdict): string => verdict.pods.map(({ state }) => state[0] ?? '').join('');
const metricOf = (verdict: WorkloadVerdict, pod: string, metric: string): MetricVerdict | undefined =>
  verdict.pods.find(({ pod: { name } }) => name === pod)?.metrics.find((candidate) => candidate.metric === metric);

describe('three answers', () => {
  test('a first poll of ordinary values is healthy by saturation alone', () => {
    const verdict = poll(quiet);
    expect(verdict.state).toBe('healthy');
    expect(verdict.oldestSampleMs).toBe(nowMs);
  });

  test('cpu at 95 % of its limit without history is anomalous, 35 % is not', () => {
    const verdict = poll((pod) => ({ cpu_usage: pod === 'a' ? 95 : 35 }));
    expect(states(verdict)).toBe('uhh');
    expect(verdict.pods[0]?.score).toBeGreaterThanOrEqual(0.85);
  });

  test.each<[string, Reading]>([
    ['absent', { kind: 'unknown', reason: 'Absent' }],
    ['not a number', aValue(NaN, T0 + STEP * 2)],
    ['infinite', aValue(Infinity, T0 + STEP * 2)],
    ['stale', aValue(30, T0 - 3_600_000)],
    ['an hour ahead', aValue(30, T0 + 3_600_000)],
    ['partial', { kind: 'unknown', reason: 'Partial' }],
    ['a source error', { kind: 'unknown', reason: 'SourceError' }],
  ])('a known series that is %s makes its pod unknown, never zero, never healthy', (_, reading) => {
    poll(quiet);
    nowMs += STEP;
    const pod = anObservation('a', { readings: [{ metric: 'cpu_usage', reading }] });
    const verdict = engine.judge(aJudgeInput(['cpu_usage'], { nowMs, pods: [pod] }));
    expect(verdict.pods[0]?.state).toBe('unknown');
    expect(verdict.pods[0]?.metrics[0]?.verdict.kind).toBe('no-verdict');
    expect(verdict.state).toBe('unknown');
    expect(engine.samples(podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'cpu_usage'))).toBe(1);
  });

  test('a metric that the pod never had is not missed', () => {
    learn(3);
    const verdict = poll(() => ({ ...quiet(), volume_usage: undefined }));
    expect(states(verdict)).toBe('hhh');
  });

  test('harm outweighs blindness: full memory is unhealthy while cpu cannot be seen', () => {
    learn(3);
    expect(states(poll(() => ({ cpu_usage: undefined, memory_usage: 99 })))).toBe('uuu');
  });

  test('status alone speaks for a pod without any reading', () => {
    const status = [{ reason: 'CrashLoopBackOff', message: '', severity: 0.95 }];
    const verdict = poll(() => ({ cpu_usage: undefined }), { observation: { status } });
    expect(verdict.state).toBe('unhealthy');
    expect(verdict.score).toBe(0.95);
    expect(verdict.oldestSampleMs).toBeUndefined();
  });

  test('no pods and no readings: unknown', () => {
    expect(engine.judge(aJudgeInput(['cpu_usage'])).state).toBe('unknown');
  });

  test('one starting pod without readings does not make the workload unknown; half of the grown ones do', () => {
    learn(3);
    const young = (name: string): PodObservation =>
      anObservation(name, name === 'new' ? { ageMs: 5000 } : { readings: readings(quiet(), nowMs) });
    nowMs += STEP;
    const judge = (pods: readonly PodObservation[]): WorkloadVerdict =>
      engine.judge(aJudgeInput(['cpu_usage', 'memory_usage'], { nowMs, pods }));
    expect(judge([...PODS, 'new'].map(young)).state).toBe('healthy');
    expect(judge([...PODS.map((name) => anObservation(name)), young('d')]).state).toBe('unknown');
  });
});

describe('gaps', () => {
  test('a silence of more than two intervals: five fresh samples are neither judged nor learnt', () => {
    learn(40);
    const before = engine.samples(podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'cpu_usage'));
    nowMs += 10 * STEP;
    for (let i = 0; i < 5; i++) {
      const verdict = poll(() => ({ cpu_usage: 0, memory_usage: 99 }));
      expect(states(verdict)).toBe('uuu');
      expect(verdict.state).toBe('unknown');
      expect(metricOf(verdict, 'a', 'memory_usage')?.verdict).toMatchObject({ kind: 'no-verdict', reason: 'Gap' });
    }
    expect(engine.samples(podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'cpu_usage'))).toBe(before);
    expect(poll(quiet).state).toBe('healthy');
  });

  test('a late poll is no gap', () => {
    learn(10);
    expect(poll(quiet, { stepMs: 2 * STEP }).state).toBe('healthy');
  });

  test('the same sample seen again changes nothing and keeps its score', () => {
    learn(60);
    const values = { cpu_usage: 97, memory_usage: 40 };
    const pods = [anObservation('a', { readings: readings(values, nowMs + STEP) })];
    const judge = (atMs: number): WorkloadVerdict =>
      engine.judge(aJudgeInput(['cpu_usage', 'memory_usage'], { nowMs: atMs, pods }));
    const first = judge(nowMs + STEP);
    const again = judge(nowMs + STEP + 5000);
    expect(again.pods[0]?.score).toBe(first.pods[0]?.score);
    expect(again.pods[0]?.metrics[0]?.detectors.map(({ score }) => score)).toEqual(
      first.pods[0]?.metrics[0]?.detectors.map(({ score }) => score),
    );
  });
});

describe('learning and its protection', () => {
  const hot = (): Values => ({ response_time: 400 + 5 * random.normal(), cpu_usage: 30 });
  const cool = (): Values => ({ response_time: 80 + 4 * random.normal(), cpu_usage: 30 });

  test('below minSamples own history is silent', () => {
    learn(20, cool);
    expect(metricOf(poll(hot), 'a', 'response_time')?.detectors.map(({ detector }) => detector)).not.toContain(
      'own-history',
    );
  });

  test('a latched anomaly stays at its score while it lasts, and is accepted as normal only after half an hour', () => {
    learn(200, cool);
    const minutesHeld: number[] = [];
    for (let i = 0; i < 240; i++) {
      const verdict = poll(hot);
      if (verdict.state === 'unhealthy') minutesHeld.push((i * STEP) / 60_000);
    }
    expect(minutesHeld.length).toBeGreaterThan(100);
    expect(Math.max(...minutesHeld)).toBeGreaterThan(29);
    expect(Math.max(...minutesHeld)).toBeLessThan(35);
  });

  test('after a short fault the old normal is still known, and calm returns at once', () => {
    learn(200, cool);
    for (let i = 0; i < 20; i++) poll(hot);
    const after = Array.from({ length: 40 }, () => poll(cool));
    expect(after.slice(3).every(({ state }) => state === 'healthy')).toBe(true);
    expect(Array.from({ length: 4 }, () => poll(hot)).at(-1)?.state).toBe('unhealthy');
  });

  test('a broken pod teaches nothing', () => {
    learn(50);
    const key = podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'cpu_usage');
    const before = engine.samples(key);
    poll(() => ({ cpu_usage: 1, memory_usage: 1 }), {
      observation: { status: [{ reason: 'CrashLoopBackOff', message: '', severity: 0.95 }] },
    });
    expect(engine.samples(key)).toBe(before);
  });

  test('a service that was always slow becomes known as slow while it is young', () => {
    const slow = (): Values => ({ response_time: 2000 + 30 * random.normal() });
    expect(poll(slow).state).toBe('unhealthy');
    learn(60, slow);
    expect(poll(slow).state).toBe('healthy');
    for (let i = 0; i < 3; i++) poll(() => ({ response_time: 9000 }));
    expect(poll(() => ({ response_time: 9000 })).state).toBe('unhealthy');
  });

  test('back-fill teaches what polls would have, oldest first, and skips what is not finite or out of order', () => {
    const key = podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'response_time');
    const n = 300;
    const times = Float64Array.from({ length: n }, (_, i) => T0 - (n - i) * STEP);
    const values = Float64Array.from({ length: n }, () => 80 + 4 * random.normal());
    values[10] = NaN;
    times[20] = times[5] ?? 0;
    expect(engine.teach(key, metricSpec('response_time'), times, values)).toBe(n - 2);
    expect(engine.samples(key)).toBe(n - 2);
    nowMs = T0 - STEP;
    expect([1, 2, 3].map(() => poll(hot, { pods: ['a'] }).state).at(-1)).toBe('unhealthy');
  });
});

describe('explanations', () => {
  test('the decisive detector comes first and every verdict carries observed, expected, band, samples', () => {
    learn(120);
    for (let i = 0; i < 3; i++) poll((pod) => (pod === 'a' ? { cpu_usage: 98, memory_usage: 40 } : quiet()));
    const metric = metricOf(
      poll((pod) => (pod === 'a' ? { cpu_usage: 98, memory_usage: 40 } : quiet())),
      'a',
      'cpu_usage',
    );
    expect(metric?.verdict).toEqual(metric?.detectors[0]);
    expect(metric?.detectors.map(({ detector }) => detector).toSorted()).toEqual([
      'own-history',
      'peers',
      'saturation',
    ]);
    const own = metric?.detectors.find(({ detector }) => detector === 'own-history');
    expect(own?.observed).toBe(98);
    expect(own?.expected).toBeCloseTo(30, 0);
    expect(own?.band?.[1]).toBeGreaterThan(40);
    expect(own?.p).toBeLessThan(0.05);
    expect(own?.samples).toBeGreaterThan(100);
    expect(own?.modelAgeMs).toBeGreaterThan(100 * STEP);
    const scores = metric?.detectors.map(({ score }) => score) ?? [];
    expect(scores).toEqual(scores.toSorted((x, y) => y - x));
  });

  test('a verdict survives JSON unchanged', () => {
    learn(120);
    const verdict = poll(quiet);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  test('the vector speaks once its workload has been learnt, and never makes a pod unhealthy by itself', () => {
    learn(60, () => ({ ...quiet(), request_rate: 100 + 10 * random.normal() }));
    const verdict = poll((pod) => ({ cpu_usage: pod === 'a' ? 45 : 30, memory_usage: 40, request_rate: 100 }));
    const [odd, plain] = verdict.pods.map(({ vector }) => vector);
    expect(odd?.score).toBeGreaterThan(0.85);
    expect(plain?.score).toBeLessThan(0.85);
    expect(odd?.contributions['cpu_usage']).toBeGreaterThan(0.9);
    expect(states(verdict)).toBe('hhh');
  });
});

describe('one series, for the REST interface', () => {
  const settings = someSettings({ maxSampleAgeMs: Infinity, intervalMs: Infinity });
  const judge = (metric: string, value: number, atMs: number): MetricVerdict =>
    engine.judgeSeries('rest', metricSpec(metric), aValue(value, atMs), settings, T0);

  test.each([
    ['cpu_usage', 95, true],
    ['cpu_usage', 35, false],
    ['error_rate', 0.5, true],
    ['response_time', 1500, true],
    ['memory_usage', 97, true],
  ])('%s of %p and no history: anomaly is %p', (metric, value, anomalous) => {
    const { verdict } = judge(metric, value, T0);
    expect(verdict.kind === 'score' && verdict.score >= 0.85).toBe(anomalous);
  });

  test('an unknown metric without history says so', () => {
    expect(judge('queue_depth', 5, T0).verdict).toEqual({ kind: 'no-verdict', reason: 'InsufficientData', samples: 0 });
  });

  test('with history an unknown metric is judged by its own past', () => {
    const at = (i: number): number => T0 - (400 - i) * 60_000;
    for (let i = 0; i < 300; i++) judge('queue_depth', 50 + random.normal(), at(i));
    expect(judge('queue_depth', 51, at(300)).verdict).toMatchObject({ kind: 'score', detector: 'own-history' });
    const last = [301, 302, 303].map((i) => judge('queue_depth', 200, at(i)).verdict).at(-1);
    expect(last?.kind === 'score' && last.score >= 0.85).toBe(true);
  });

  test('any value gives a finite score in [0, 1] or a reason; nothing throws', () => {
    const metric = fc.constantFrom('cpu_usage', 'memory_usage', 'request_rate', 'error_rate', 'disk_io', 'odd_metric');
    fc.assert(
      fc.property(metric, fc.array(fc.double(), { minLength: 1, maxLength: 60 }), (name, values) => {
        values.forEach((value, i) => {
          const { verdict } = engine.judgeSeries(
            name,
            metricSpec(name),
            aValue(value, T0 + i),
            someSettings({ minSamples: 10 }),
            T0,
          );
          if (verdict.kind === 'score') expect(verdict.score >= 0 && verdict.score <= 1).toBe(true);
          else expect(verdict.reason.length).toBeGreaterThan(0);
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('forgetting', () => {
  test('series that nobody asked about are evicted, and their slots start from nothing', () => {
    learn(5);
    expect(engine.seriesCount()).toBe(6);
    expect(engine.evict(nowMs)).toBe(0);
    expect(engine.evict(nowMs + 1)).toBe(6);
    expect(engine.seriesCount()).toBe(0);
    poll(quiet);
    expect(engine.samples(podSeriesKey(aRef, { name: 'a', uid: 'a' }, 'cpu_usage'))).toBe(1);
  });
});
