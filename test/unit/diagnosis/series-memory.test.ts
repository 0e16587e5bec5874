import { describe, expect, test } from '@jest/globals';
import { SeriesMemory } from '../../../src/diagnosis/series-memory.ts';
import type { MetricVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { aVerdict } from '../../support/builders/incident.ts';
import { podRef } from '../../support/builders/workload.ts';

const reading = (metric: string, atMs: number, value?: number): MetricVerdict => ({
  metric,
  verdict: { kind: 'no-verdict', reason: 'InsufficientData', samples: 1 },
  detectors: [],
  ...(value !== undefined && { value, atMs }),
});

const poll = (pods: readonly (readonly MetricVerdict[])[], workloadMetrics: readonly MetricVerdict[] = []) =>
  aVerdict({
    pods: pods.map((metrics, i): WorkloadVerdict['pods'][number] => ({
      ...{ pod: podRef(i), state: 'healthy', score: 0, metrics, status: [] },
    })),
    workloadMetrics,
  });

const pointsOf = (memory: SeriesMemory): readonly (readonly number[])[] =>
  memory.all().map(({ points }) => points.map(({ value }) => value));

describe('the memory of series', () => {
  test('gives the values of each series back, oldest first', () => {
    const memory = new SeriesMemory();
    memory.remember(poll([[reading('cpu', 1, 10)], [reading('cpu', 1, 20)]], [reading('queue', 1, 5)]));
    memory.remember(poll([[reading('cpu', 2, 11)], [reading('cpu', 2, 21)]], [reading('queue', 2, 6)]));
    expect(memory.all()).toEqual([
      {
        metric: 'cpu',
        pod: 'pod-0',
        points: [
          { atMs: 1, value: 10 },
          { atMs: 2, value: 11 },
        ],
      },
      {
        metric: 'cpu',
        pod: 'pod-1',
        points: [
          { atMs: 1, value: 20 },
          { atMs: 2, value: 21 },
        ],
      },
      {
        metric: 'queue',
        points: [
          { atMs: 1, value: 5 },
          { atMs: 2, value: 6 },
        ],
      },
    ]);
  });

  test('keeps the last 64 values of a series', () => {
    const memory = new SeriesMemory();
    for (let i = 1; i <= 100; i++) memory.remember(poll([[reading('cpu', i, i)]]));
    expect(pointsOf(memory)).toEqual([Array.from({ length: 64 }, (_, i) => 37 + i)]);
  });

  test.each([
    ['a sample that a second poll shows again', reading('cpu', 5, 7)],
    ['a sample older than the newest', reading('cpu', 4, 7)],
    ['a reading without a value', reading('cpu', 6)],
    ['a value that is not finite', reading('cpu', 6, NaN)],
  ])('%s adds nothing', (_, again) => {
    const memory = new SeriesMemory();
    memory.remember(poll([[reading('cpu', 5, 1)]]));
    memory.remember(poll([[again]]));
    expect(pointsOf(memory)).toEqual([[1]]);
  });

  test('knows a series that never had a value', () => {
    const memory = new SeriesMemory();
    memory.remember(poll([[reading('cpu', 1)]]));
    expect(memory.all()).toEqual([{ metric: 'cpu', pod: 'pod-0', points: [] }]);
  });

  test('forgets the series of a pod that is gone after 64 polls, and no other', () => {
    const memory = new SeriesMemory();
    memory.remember(poll([[reading('cpu', 1, 1)], [reading('cpu', 1, 2)]]));
    for (let i = 2; i <= 64; i++) memory.remember(poll([[reading('cpu', i, i)]]));
    expect(memory.all()).toHaveLength(2);
    memory.remember(poll([[reading('cpu', 65, 65)]]));
    expect(memory.all().map(({ pod }) => pod)).toEqual(['pod-0']);
  });
});
