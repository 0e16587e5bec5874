import { beforeEach, describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import { podSeriesKey } from '../../../src/detection/engine-input.ts';
import type { Engine } from '../../../src/detection/engine-input.ts';
import { stepIncident } from '../../../src/detection/incident-step.ts';
import type { IncidentHistory } from '../../../src/detection/incident-step.ts';
import type { Score, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { SimulatedWorkload } from '../../support/simulated-workload.ts';
import {
  STEP,
  T0,
  aJudgeInput,
  aRef,
  anObservation,
  readings,
  someSettings,
} from '../../support/builders/detection.ts';

const MIN_SAMPLES = 100;
let engine: Engine;
let nowMs: number;
const random = seededRandom(8);

beforeEach(() => {
  engine = createEngine({ seed: 1 });
  nowMs = T0;
});

type Pods = Readonly<Record<string, { readonly latency: number; readonly template?: string | undefined }>>;

/** One poll: every named pod shows its latency, in milliseconds, with 4 % of noise. */
function poll(pods: Pods): WorkloadVerdict {
  nowMs += STEP;
  const observed = Object.entries(pods).map(([name, { latency, ...rest }]) => {
    const { templateHash: _left, ...observation } = anObservation(name, {
      readings: readings({ response_time: latency * (1 + 0.04 * random.normal()) }, nowMs),
    });
    const template = 'template' in rest ? rest.template : 'h1';
    return template === undefined ? observation : { ...observation, templateHash: template };
  });
  return engine.judge(
    aJudgeInput(['response_time'], { nowMs, pods: observed, settings: someSettings({ minSamples: MIN_SAMPLES }) }),
  );
}

function polls(count: number, pods: Pods): WorkloadVerdict | undefined {
  let last: WorkloadVerdict | undefined;
  for (let i = 0; i < count; i++) last = poll(pods);
  return last;
}

const own = (verdict: WorkloadVerdict | undefined, pod = 0): Score | undefined =>
  verdict?.pods[pod]?.metrics[0]?.detectors.find(({ detector }) => detector === 'own-history');
const learnt = (pod: string): number => engine.samples(podSeriesKey(aRef, { name: pod, uid: pod }, 'response_time'));

describe('a replaced pod', () => {
  test('starts from its predecessor’s band and says so, instead of from nothing', () => {
    polls(600, { old: { latency: 80 } });
    const first = own(poll({ new: { latency: 80 } }));
    expect(first?.expected).toBeCloseTo(80, -1);
    expect(first?.inherited).toBe(2 * MIN_SAMPLES);
    expect(first?.samples).toBe(2 * MIN_SAMPLES);
    expect(first?.modelAgeMs).toBeGreaterThanOrEqual(599 * STEP);
  });

  test('fires nothing on inherited bands alone while it warms up', () => {
    polls(600, { old: { latency: 80 } });
    const warming = Array.from({ length: 20 }, () => poll({ new: { latency: 400 } }));
    expect(warming.map(({ state }) => state)).not.toContain('unhealthy');
    expect(Math.max(...warming.map((verdict) => own(verdict)?.score ?? 0))).toBeGreaterThan(0.7);
  });

  test('is judged by its band once it has lived for as many samples as are asked of it', () => {
    polls(600, { old: { latency: 80 } });
    polls(MIN_SAMPLES, { new: { latency: 80 } });
    expect(polls(3, { new: { latency: 400 } })?.state).toBe('unhealthy');
  });

  test('that is slower than its predecessor becomes known as such', () => {
    polls(600, { old: { latency: 80 } });
    const states = Array.from({ length: 900 }, () => poll({ new: { latency: 140 } }).state);
    expect(states).not.toContain('unhealthy');
    expect(own(poll({ new: { latency: 140 } }))?.expected).toBeGreaterThan(115);
  });

  test('pools its peers: mean of all, and the spread between them', () => {
    polls(300, { a: { latency: 60 }, b: { latency: 100 } });
    const verdict = poll({ a: { latency: 60 }, b: { latency: 100 }, c: { latency: 80 } });
    const [low = NaN, high = NaN] = own(verdict, 2)?.band ?? [];
    expect(own(verdict, 2)?.expected).toBeCloseTo(80, -1);
    // Four sigmas of 20 between the pods.
    expect((high - low) / 2).toBeGreaterThan(75);
  });

  test.each<[string, Pods]>([
    ['of another template: a release may need another amount of everything', { new: { latency: 80, template: 'h2' } }],
    ['of no known template', { new: { latency: 80, template: undefined } }],
  ])('%s starts from nothing', (_, pods) => {
    polls(600, { old: { latency: 80 } });
    expect(own(poll(pods))).toBeUndefined();
    expect(learnt('new')).toBe(1);
  });

  test('whose predecessor knew too little starts from nothing', () => {
    polls(MIN_SAMPLES - 2, { old: { latency: 80 } });
    poll({ new: { latency: 80 } });
    expect(learnt('new')).toBe(1);
  });

  test('a fault of the predecessor is not inherited: it was never learnt', () => {
    polls(600, { old: { latency: 80 } });
    polls(60, { old: { latency: 900 } });
    expect(own(poll({ new: { latency: 80 } }))?.expected).toBeCloseTo(80, -1);
  });

  test('a chain of short-lived pods hands on what the first one knew', () => {
    polls(600, { p0: { latency: 80 } });
    for (let i = 1; i < 12; i++) polls(5, { [`p${i}`]: { latency: 80 } });
    expect(own(poll({ p12: { latency: 80 } }))?.expected).toBeCloseTo(80, -1);
  });

  test('the predecessors are known after a restart of the operator', () => {
    polls(600, { old: { latency: 80 } });
    const bytes = engine.snapshot();
    engine = createEngine({ seed: 1 });
    engine.restore(bytes);
    expect(own(poll({ new: { latency: 80 } }))?.inherited).toBe(2 * MIN_SAMPLES);
  });

  test('forgotten workloads leave no lineage behind', () => {
    polls(600, { old: { latency: 80 } });
    engine.evict(nowMs + 1);
    poll({ new: { latency: 80 } });
    expect(learnt('new')).toBe(1);
  });

  test('the day’s profile goes on: the successor expects the hour, not the mean of the day', () => {
    const wave = (): number => 200 + 150 * Math.sin((2 * Math.PI * nowMs) / 86_400_000);
    engine = createEngine({ seed: 1 });
    const slow = someSettings({ intervalMs: 300_000, minSamples: MIN_SAMPLES, maxSampleAgeMs: 600_000 });
    const step = (name: string): WorkloadVerdict => {
      nowMs += 300_000;
      const pod = anObservation(name, { readings: readings({ response_time: wave() + random.normal() }, nowMs) });
      return engine.judge(aJudgeInput(['response_time'], { nowMs, pods: [pod], settings: slow }));
    };
    for (let i = 0; i < 8 * 288; i++) step('old');
    for (let i = 0; i < 3; i++) step('new');
    const seasonal = step('new').pods[0]?.metrics[0]?.detectors.find(({ detector }) => detector === 'seasonal');
    expect(seasonal?.feature).toBe('time-of-day');
    expect(Math.abs((seasonal?.expected ?? NaN) - wave())).toBeLessThan(25);
  });

  test('pods that are replaced all day in ordinary, lively life open no incident', () => {
    const workload = new SimulatedWorkload({ seed: 3, pods: 4, intervalMs: 60_000 });
    let history: IncidentHistory | undefined;
    let opened = 0;
    for (let i = 0; i < 1500; i++) {
      if (i > 300 && i % 150 === 0) workload.replaceOne();
      const verdict = engine.judge(workload.poll());
      const context = { policyUid: 'p', intervalMs: 60_000, anomalyThreshold: 0.85 };
      const step = stepIncident(history, verdict, { breaches: 3, polls: 5, closeAfter: 3 }, context);
      history = step.history;
      if (step.transition === 'opened') opened++;
    }
    expect(opened).toBe(0);
  });
});
