/** What only the engine puts together, in as few polls as can show it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import { podSeriesKey } from '../../../src/detection/engine-input.ts';
import type { Engine, JudgeInput, PodObservation } from '../../../src/detection/engine-input.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import type { Reading } from '../../../src/detection/sample.ts';
import type { MetricVerdict, PodVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
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

let engine: Engine;
let nowMs: number;
beforeEach(() => {
  engine = createEngine({ seed: 1 });
  nowMs = T0;
}); // prettier-ignore

type Values = Readonly<Record<string, number | undefined>>;

function judge(metrics: readonly string[], pods: readonly PodObservation[], over: Partial<JudgeInput> = {}): WorkloadVerdict {
  return engine.judge(aJudgeInput(metrics, { nowMs, pods, ...over }));
} // prettier-ignore

/** The next poll of one pod. */
function poll(values: Values, over: Partial<PodObservation> = {}): PodVerdict | undefined {
  nowMs += STEP;
  return judge(Object.keys(values), [anObservation('a', { readings: readings(values, nowMs), ...over })]).pods[0];
}
const learnt = (metric: string, pod = 'a'): number =>
  engine.samples(podSeriesKey(aRef, { name: pod, uid: pod }, metric));
const scoreBy = (verdict: MetricVerdict | undefined, detector: string) =>
  verdict?.detectors.find((each) => each.detector === detector);

describe('what is learnt of a pod', () => {
  test.each([
    [0.84, 2],
    [0.85, 1],
  ])('with a status of severity %p two samples teach %p', (severity, expected) => {
    poll({ disk_io: 5 });
    poll({ disk_io: 5 }, { status: [{ reason: 'R', message: '', severity }] });
    expect(learnt('disk_io')).toBe(expected);
  });

  /** A row that varies a little. */
  const ordinary = (i: number): Values => ({ response_time: 80 + (i % 7), error_rate: 0.001 * (i % 3) });

  test('its row, when it is healthy and has anything new: with 64 of them the vector speaks', () => {
    for (let i = 0; i < 63; i++) poll(ordinary(i));
    // The same sample asked for again and again is no news.
    const again = [anObservation('a', { readings: readings(ordinary(62), nowMs) })];
    for (let i = 0; i < 5; i++) judge(['response_time', 'error_rate'], again);
    expect(poll(ordinary(63))?.vector).toBeUndefined();
    expect(poll(ordinary(64))?.vector?.samples).toBe(64);
  });

  test('no row of an unhealthy pod', () => {
    const status = [{ reason: 'R', message: '', severity: 0.9 }];
    for (let i = 0; i < 70; i++) poll(ordinary(i), { status });
    expect(poll(ordinary(70))?.vector).toBeUndefined();
  });
});

describe('where the scale of a metric ends', () => {
  test.each<readonly [string, Values, Readonly<Record<string, number>>, string | undefined, unknown]>([
    ['at the container’s limit', { memory_usage: 50 }, { memory_usage: 100 }, 'share-of-limit', [0, 100]],
    ['nowhere, where the container has none', { memory_usage: 50 }, {}, undefined, undefined],
    ['at the unit’s own end', { error_rate: 0.2 }, {}, 'share-of-limit', [0, 1]],
    ['nowhere, where the unit has none', { response_time: 900 }, {}, 'expectation', undefined],
  ])('%s', (_, values, saturation, feature, band) => {
    const score = scoreBy(poll(values, { saturation })?.metrics[0], 'saturation');
    expect([score?.feature, score?.band]).toEqual([feature, band]);
  });

  test('and so for the workload’s own metrics, and for one that is asked about alone', () => {
    const workloadReadings = readings({ error_rate: 0.2 }, nowMs);
    const [whole] = judge(['error_rate'], [], { workloadReadings }).workloadMetrics;
    const alone = engine.judgeSeries('s', metricSpec('error_rate'), aValue(0.2, nowMs), someSettings(), nowMs);
    for (const verdict of [whole, alone]) expect(scoreBy(verdict, 'saturation')?.band).toEqual([0, 1]);
    expect(whole?.value).toBe(0.2);
  });
});

describe('metrics of pods and of the workload', () => {
  test('what is read of the workload is asked of no pod', () => {
    const pods = [anObservation('a', { readings: readings({ disk_io: 5 }, nowMs) })];
    const verdict = judge(['disk_io', 'error_rate'], pods, { workloadReadings: readings({ error_rate: 0.01 }, nowMs) });
    expect(verdict.pods[0]?.metrics.map(({ metric }) => metric)).toEqual(['disk_io']);
    expect(verdict.workloadMetrics.map(({ metric }) => metric)).toEqual(['error_rate']);
    expect(engine.samples(`${aRef.uid}//error_rate`)).toBe(1);
  });

  test('one that is not read at all is absent', () => {
    const verdict = judge(['disk_io'], [anObservation('a')]);
    expect(verdict.pods[0]?.metrics[0]?.verdict).toEqual({ kind: 'no-verdict', reason: 'Absent', samples: 0 });
  });
});

describe('replicas', () => {
  const replica = (name: string, memory: number, over: Partial<PodObservation> = {}): PodObservation =>
    anObservation(name, { readings: readings({ memory_usage: memory }, nowMs), ...over });
  const peerScores = (pods: readonly PodObservation[]): (number | undefined)[] =>
    judge(['memory_usage'], pods).pods.map(({ metrics }) => scoreBy(metrics[0], 'peers')?.expected);

  test('of one template are compared, others are not', () => {
    expect(peerScores([replica('a', 40), replica('b', 50), replica('c', 80, { templateHash: 'h2' })])).toEqual([50, 40, undefined]);
  }); // prettier-ignore

  test('of no known template are compared with one another', () => {
    const { templateHash: _a, ...a } = replica('a', 40);
    const { templateHash: _b, ...b } = replica('b', 50);
    expect(peerScores([a, b, replica('c', 80)])).toEqual([50, 40, undefined]);
  });

  test('one that is not ready is compared, and is no measure', () => {
    expect(peerScores([replica('a', 40), replica('b', 50, { ready: false })])).toEqual([undefined, 40]);
  });
});

test('a series is known from its first value on', () => {
  const ask = (reading: Reading) => engine.judgeSeries('s', metricSpec('disk_io'), reading, someSettings(), nowMs);
  ask({ kind: 'unknown', reason: 'Absent' });
  expect([engine.knows('s'), engine.seriesCount()]).toEqual([false, 0]);
  ask(aValue(5, nowMs));
  expect([engine.knows('s'), engine.knows('t'), engine.seriesCount()]).toEqual([true, false, 1]);
});

describe('back-fill', () => {
  const MINUTE = 60_000;
  const taught = (minutes: readonly number[], values = minutes.map(() => 5)): number =>
    engine.teach('s', metricSpec('disk_io'), Float64Array.from(minutes, (minute) => T0 + minute * MINUTE), Float64Array.from(values));

  test.each<readonly [string, readonly number[], number[] | undefined, number]>([
    ['one a minute', [0, 1, 2, 3, 4], undefined, 5],
    ['one is missing', [0, 1, 2, 4, 5], undefined, 5],
    ['a silence: the five after it are not to be trusted', [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15], undefined, 6],
    ['some are no numbers', [0, 1, 2, 3, 4], [5, NaN, 5, Infinity, 5], 3],
    ['one has no time', [0, NaN, 2, 3], undefined, 3],
    ['one comes twice', [0, 1, 1, 2], undefined, 3],
    ['there are fewer values than times', [0, 1, 2, 3], [5, 5], 2],
    ['a single one', [0], undefined, 1],
    ['none', [], undefined, 0],
  ])('%s', (_, minutes, values, expected) => {
    expect(taught(minutes, values)).toBe(expected);
    expect(engine.samples('s')).toBe(expected);
  });
}); // prettier-ignore

test('the shape of a series is watched where that is asked for, and nowhere else', () => {
  const shapes = createEngine({ seed: 1, shapeFor: ({ name }) => name === 'disk_io' });
  const size = (of: Engine, metric: string): number => {
    of.teach('s', metricSpec(metric), Float64Array.of(T0), Float64Array.of(5));
    return of.snapshot().length;
  };
  expect(size(shapes, 'disk_io')).toBeGreaterThan(size(createEngine({ seed: 1 }), 'disk_io') + 4000);
  expect(size(createEngine({ seed: 1, shapeFor: () => false }), 'disk_io')).toBe(size(createEngine({ seed: 1 }), 'disk_io'));
}); // prettier-ignore
