import { describe, expect, test } from '@jest/globals';
import { fromPrometheus } from '../../../../src/cli/simulate/from-prometheus.ts';
import { readOpenMetrics } from '../../../../src/cli/simulate/read-openmetrics.ts';
import { RecordedSource } from '../../../../src/cli/simulate/recorded-source.ts';
import type { RecordedSeries } from '../../../../src/cli/simulate/recorded-series.ts';
import { wishOf } from '../../../../src/controller/poller.ts';
import type { MetricSource, RangeSeries } from '../../../../src/controller/ports.ts';
import { ok } from '../../../../src/lib/result.ts';
import type { HealingPolicy } from '../../../../src/policy/healing-policy.ts';
import { aPolicy } from '../../../support/builders/policy.ts';

const METRICS: HealingPolicy['detection']['metrics'] = [
  { name: 'lag', query: 'sum by (deployment) (lag)', unit: '1', direction: 'Above' },
];
const POLICY = aPolicy({ detection: { ...aPolicy().detection, metrics: METRICS } });
const SECOND = 1_000;

/** Whose the replay says that each series is, at the beginning of the tenth second. */
async function owners(series: readonly RecordedSeries[]): Promise<readonly unknown[]> {
  const source = new RecordedSource({ series, lookBackMs: 60 * SECOND, rateWindowMs: SECOND });
  const reply = await source.poll([wishOf(POLICY)], 10 * SECOND);
  const polled = reply.policies.flatMap(({ readings }) => readings.map(({ pod, workload }) => pod ?? workload));
  const past = await source.backfill(wishOf(POLICY), 0, 60 * SECOND);
  // The past says the same of them.
  expect(past.ok ? past.value.map(({ pod, workload }) => pod ?? workload) : []).toEqual(polled);
  return polled;
}

describe('a series keeps whose it is', () => {
  test('as Prometheus tells it, in parts of which each is joined to its own', async () => {
    const past = (atMs: number, over: Partial<RangeSeries>): RangeSeries => ({
      ...{ metric: 'lag', timesMs: Float64Array.of(atMs), values: Float64Array.of(atMs / SECOND), ...over },
    });
    const source = {
      backfill: (wish: { readonly metrics: readonly { readonly name: string }[] }, fromMs: number) =>
        Promise.resolve(
          ok(
            wish.metrics[0]?.name !== 'lag'
              ? []
              : [
                  past(fromMs, { workload: { name: 'cart', kind: 'Deployment' } }),
                  past(fromMs, { workload: { name: 'cart', kind: 'StatefulSet' } }),
                  past(fromMs, { workload: { name: 'mail' } }),
                  past(fromMs, { pod: 'web-1' }),
                  past(fromMs, {}),
                ],
          ),
        ),
    } as unknown as MetricSource;
    const stepMs = SECOND;
    const found = await fromPrometheus(source, { policies: [POLICY], fromMs: 0, toMs: 9_001 * stepMs, stepMs });
    if (!found.ok) throw new Error(found.error);
    expect(found.value.map(({ timesMs }) => timesMs.length)).toEqual([2, 2, 2, 2, 2]);
    expect(await owners(found.value)).toEqual([
      ...[{ name: 'cart', kind: 'Deployment' }, { name: 'cart', kind: 'StatefulSet' }, { name: 'mail' }, 'web-1'],
      undefined,
    ]);
  });

  test('as the labels of an OpenMetrics file tell it, the most exact first', async () => {
    const lines = [
      'lag{deployment="cart",workload="other"} 1 5',
      'lag{rollout="cart"} 2 5',
      'lag{daemonset="agent"} 3 5',
      'lag{destination_workload="mail"} 4 5',
      'lag{pod="web-1",deployment="web"} 5 5',
      'lag 6 5',
    ];
    const read = readOpenMetrics('lag.txt', lines.join('\n'), POLICY.namespace);
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    expect(await owners(read.value)).toEqual([
      { name: 'cart', kind: 'Deployment' },
      { name: 'cart', kind: 'Rollout' },
      { name: 'agent', kind: 'DaemonSet' },
      { name: 'mail' },
      'web-1',
      undefined,
    ]);
  });
});
