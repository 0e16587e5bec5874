import { describe, expect, test } from '@jest/globals';
import { Poller } from '../../../src/controller/poller.ts';
import type { MetricSource, PolledPolicy, PolledReading } from '../../../src/controller/ports.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

const SECOND = 1_000;
const HOUR = 3_600_000;

const policy = aPolicy(); // every 15 s
const reading = (metric: string): PolledReading => ({
  ...{ metric, unit: 'percent', pod: 'pod-0' },
  reading: { kind: 'value', value: 1, atMs: 0 },
});
const unknown = (metric: string): PolledReading => ({
  ...{ metric, unit: 'percent' },
  reading: { kind: 'unknown', reason: 'SourceError' },
});
const polled = (readings: readonly PolledReading[]): PolledPolicy => ({
  policyUid: policy.uid,
  readings,
  problems: [],
});

function aPoller(answer: () => PolledPolicy = () => polled([])) {
  const metrics = recordedMetrics();
  const source = {
    poll: (_: unknown, atMs: number) => Promise.resolve({ atMs, queries: 1, policies: [answer()] }),
    backfill: () => Promise.resolve({ ok: false, error: { kind: 'Timeout', message: 'slow' } }),
  } as unknown as MetricSource;
  return { poller: new Poller({ source, metrics, clock: fakeClock(0), log: recordedLog() }), metrics };
}

describe('the rhythm', () => {
  test('the first poll is due at once, the next after the interval', async () => {
    const { poller } = aPoller();
    expect(poller.due([policy], 0)).toEqual([policy]);
    await poller.poll([policy], 0, 0);
    expect(poller.due([policy], 14_999)).toEqual([]);
    expect(poller.due([policy], 15_000)).toEqual([policy]);
  });

  test('a poll that comes a little late does not shift those after it', async () => {
    const { poller } = aPoller();
    for (const atMs of [0, 15_400, 30_900, 45_300]) await poller.poll([policy], atMs, atMs);
    expect(poller.due([policy], 59_999)).toEqual([]);
    expect(poller.due([policy], 60_000)).toEqual([policy]);
  });

  test('after a long silence it does not catch up', async () => {
    const { poller } = aPoller();
    await poller.poll([policy], 0, 0);
    await poller.poll([policy], 100_000, 100_000);
    expect(poller.due([policy], 107_499)).toEqual([]);
    expect(poller.due([policy], 107_500)).toEqual([policy]);
  });

  test('policies that were created one after the other are polled together', async () => {
    const { poller } = aPoller();
    const younger = { ...policy, uid: 'younger' };
    await poller.poll([policy], 0, 0);
    await poller.poll([younger], 4_000, 4_000);
    expect(poller.due([policy, younger], 14_999)).toEqual([]);
    expect(poller.due([policy, younger], 15_000)).toEqual([policy, younger]);
  });

  test('a first poll just before the beat is not followed by another at once', async () => {
    const { poller } = aPoller();
    await poller.poll([policy], 14_000, 14_000);
    expect(poller.due([policy], 15_000)).toEqual([]);
    expect(poller.due([policy], 21_500)).toEqual([policy]);
    await poller.poll([policy], 21_500, 21_500);
    expect(poller.due([policy], 29_999)).toEqual([]);
    expect(poller.due([policy], 30_000)).toEqual([policy]);
  });

  test('a policy that is forgotten and comes back is due at once', async () => {
    const { poller } = aPoller();
    await poller.poll([policy], 0, 0);
    poller.forget(() => false);
    expect(poller.due([policy], SECOND)).toEqual([policy]);
    expect(poller.state(policy.uid)).toBeUndefined();
  });
});

describe('the metrics that are watched', () => {
  const names = (poller: Poller, of: PolledPolicy, atMs: number): readonly string[] =>
    poller.specs(policy, of, atMs).map(({ name }) => name);

  test('before anything was seen: what every cluster can measure', () => {
    const { poller } = aPoller();
    expect(names(poller, polled([]), 0)).toEqual(['cpu_usage', 'memory_usage', 'restarts']);
  });

  test('what was seen, and the restarts', () => {
    const { poller } = aPoller();
    expect(names(poller, polled([reading('cpu_usage'), reading('request_rate')]), 0)).toEqual([
      'cpu_usage',
      'request_rate',
      'restarts',
    ]);
  });

  test.each([
    ['a minute', 60 * SECOND],
    ['59 minutes', 59 * 60 * SECOND],
  ])('a metric that vanished %s ago is still expected: its absence is unknown, not healthy', (_, afterMs) => {
    const { poller } = aPoller();
    names(poller, polled([reading('cpu_usage'), reading('memory_usage')]), HOUR);
    expect(names(poller, polled([reading('cpu_usage')]), HOUR + afterMs)).toContain('memory_usage');
  });

  test('one that vanished more than an hour ago is not, and a source that is silent for days still leaves the basics', () => {
    const { poller } = aPoller();
    names(poller, polled([reading('cpu_usage'), reading('request_rate')]), HOUR);
    expect(names(poller, polled([reading('cpu_usage')]), 2 * HOUR + 1)).toEqual(['cpu_usage', 'restarts']);
    expect(names(poller, polled([]), 99 * HOUR)).toEqual(['cpu_usage', 'memory_usage', 'restarts']);
  });

  test('a policy that names its metrics gets those, whatever exists', () => {
    const { poller } = aPoller();
    const metrics = [{ name: 'queue', unit: '', direction: 'Above' as const, query: 'queue_length' }];
    const named = aPolicy({ detection: { ...policy.detection, metrics } });
    expect(poller.specs(named, polled([reading('cpu_usage')]), 0)).toEqual(metrics);
  });
});

describe('availability', () => {
  test.each([
    ['a value is there', [reading('cpu_usage'), unknown('memory_usage')], true, 'ok'],
    ['every reading is unknown', [unknown('cpu_usage'), unknown('memory_usage')], false, 'error'],
    ['nothing came back', [], false, 'error'],
  ] as const)('%s', async (_, readings, isAvailable, result) => {
    const { poller, metrics } = aPoller(() => polled(readings));
    await poller.poll([policy], 0, 0);
    expect(poller.state(policy.uid)?.isAvailable).toBe(isAvailable);
    expect(metrics.value('aegis_polls_total', { result })).toBe(1);
  });

  test('no back-fill only means a slower start', async () => {
    const { poller } = aPoller();
    expect(await poller.past(policy, HOUR, HOUR)).toEqual([]);
  });
});
