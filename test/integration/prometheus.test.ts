import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MetricWish, PolledPolicy, PolledReading } from '../../src/controller/ports.ts';
import { systemClock } from '../../src/system-clock.ts';
import { createMetricSource, type PrometheusSource } from '../../src/prometheus/metric-source.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { aPreset, aQuery, aWish } from '../support/builders/prometheus.ts';
import { recordedLog } from '../support/recorders.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';
import { scriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

const SCRAPE_MS = 1000;

const valueOf = ({ reading }: PolledReading): number => (reading.kind === 'value' ? reading.value : Number.NaN);
const of = (polled: PolledPolicy, metric: string): readonly PolledReading[] =>
  polled.readings.filter((reading) => reading.metric === metric);
const isWhole = (polled: PolledPolicy, metrics: number): boolean =>
  polled.readings.length >= metrics && polled.readings.every(({ reading }) => reading.kind === 'value');

(rig() ? describe : describe.skip)('the metric source on a real Prometheus', () => {
  let cluster: RigHandle;
  let source: PrometheusSource;

  const poll = async (...wishes: MetricWish[]): Promise<readonly PolledPolicy[]> =>
    (await source.poll(wishes, Date.now())).policies;
  const pollOne = async (wish: MetricWish): Promise<PolledPolicy> => {
    const [polled] = await poll(wish);
    if (polled === undefined) throw new Error('no policy');
    return polled;
  };

  beforeAll(() => {
    cluster = requireRig();
  });
  beforeEach(() => {
    source = createMetricSource(
      { url: cluster.prometheusUrl, log: recordedLog(), scrapeIntervalMs: SCRAPE_MS },
      systemClock,
    );
  });
  afterEach(() => source.close());

  describe('simulated pods', () => {
    let namespace: string;
    const wish = (change: Partial<MetricWish> = {}): MetricWish => aWish({ namespace, targetName: 'web', ...change });
    const podMetrics = ['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time'];

    beforeAll(async () => {
      namespace = await cluster.freshNamespace('metrics');
      await cluster.kubectl(['create', 'deployment', 'web', '--image=web:1', '--replicas=3', '-n', namespace]);
      await cluster.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=60s']);
      await cluster.metrics.setWorkload(namespace, 'web', { errorRatio: 0.05 });
    }, 120_000);
    afterAll(() => cluster.metrics.removeWorkload(namespace, 'web'));

    test('every preset gives a fresh, finite value for each pod, in its own unit', async () => {
      const all = wish({ metrics: podMetrics.map(aPreset) });
      await waitUntil('readings', 60_000, async () => isWhole(await pollOne(all), 18));
      const before = Date.now();
      const polled = await pollOne(all);
      expect(polled.problems).toEqual([]);
      for (const metric of podMetrics) expect(of(polled, metric).map(({ pod }) => pod)).toHaveLength(3);
      for (const { reading } of polled.readings) {
        expect(reading.kind === 'value' && before - reading.atMs).toBeLessThanOrEqual(2 * SCRAPE_MS + 1000);
      }
      expect(Math.max(...of(polled, 'cpu_usage').map(valueOf))).toBeLessThan(64);
      expect(Math.min(...of(polled, 'memory_usage').map(valueOf))).toBeGreaterThan(1 << 20);
      expect(Math.max(...of(polled, 'error_rate').map(valueOf))).toBeLessThanOrEqual(1);
    }, 90_000);

    test('a sample that is polled twice keeps its time', async () => {
      const cpu = wish({ metrics: [aPreset('cpu_usage')] });
      await waitUntil('readings', 60_000, async () => isWhole(await pollOne(cpu), 3));
      const times = new Set<number>();
      const started = Date.now();
      while (Date.now() - started < 3 * SCRAPE_MS) {
        for (const { reading } of (await pollOne(cpu)).readings) if (reading.kind === 'value') times.add(reading.atMs);
      }
      // Dozens of polls of three pods, but no more moments than there were scrapes.
      expect(times.size).toBeLessThanOrEqual(5);
    }, 90_000);

    test('an author sees his own namespace, whatever his query names', async () => {
      const other = await cluster.freshNamespace('metrics-other');
      const queries = [
        'sum by (pod) (container_memory_working_set_bytes{container!=""})',
        `sum by (pod) (container_memory_working_set_bytes{namespace="${namespace}"})`,
        'sum by (pod) (up) # \r or sum by (pod) (container_memory_working_set_bytes{namespace=~".*"})',
      ];
      const metrics = queries.map((query, i) => aQuery(query, `q${i}`));
      await waitUntil('readings', 60_000, async () => isWhole(await pollOne(wish({ metrics })), 9));
      const [own, foreign] = await poll(wish({ metrics }), wish({ policyUid: 'other', namespace: other, metrics }));
      expect(own?.readings.filter(({ reading }) => reading.kind === 'value')).toHaveLength(9);
      expect(foreign?.readings.map(({ reading }) => reading)).toEqual(
        Array(3).fill({ kind: 'unknown', reason: 'Absent' }),
      );
    }, 90_000);

    test('what was gone for two scrapes is not shown any more', async () => {
      const memory = wish({ metrics: [aPreset('memory_usage')] });
      await waitUntil('readings', 60_000, async () => isWhole(await pollOne(memory), 3));
      await cluster.kubectl(['scale', 'deployment/web', '--replicas=1', '-n', namespace]);
      await waitUntil('two pods vanish', 30_000, async () => {
        const polled = await pollOne(memory);
        return polled.readings.filter(({ reading }) => reading.kind === 'value').length === 1;
      });
    }, 120_000);

    test('the past can be had', async () => {
      const cpu = wish({ metrics: [aPreset('cpu_usage')] });
      await waitUntil('a past', 60_000, async () => {
        const reply = await source.backfill(cpu, Date.now() - 60_000, Date.now(), SCRAPE_MS);
        return (
          reply.ok && reply.value.some(({ timesMs, values }) => timesMs.length > 2 && values.every(Number.isFinite))
        );
      });
    }, 90_000);
  });

  describe('errors of the real server', () => {
    test('a query that it refuses is the author’s mistake', async () => {
      const polled = await pollOne(aWish({ metrics: [aQuery('rate(up)')] }));
      expect(polled.problems[0]?.error.kind).toBe('QueryInvalid');
    });

    test('no alert fires', async () => {
      expect(await source.firingAlerts()).toEqual({ ok: true, value: [] });
    });

    test('metadata and rules', async () => {
      expect((await source.metadata()).ok).toBe(true);
      expect(await source.rules()).toEqual({ ok: true, value: [] });
    });
  });

  describe('a target with every kind of traffic', () => {
    let page: ScriptedServer;
    const started = Date.now();

    beforeAll(async () => {
      page = await scriptedServer((_, response) => void response.end(trafficPage((Date.now() - started) / 1000)));
      cluster.prometheus.addTarget('traffic', `127.0.0.1:${page.port}`);
    });
    afterAll(() => page.close());

    test.each([
      ['OpenTelemetry', 'otel'],
      ['OpenTelemetry', 'otel-pushed'],
      ['Istio', 'istio'],
      ['Envoy', 'envoy'],
      ['IngressNginx', 'nginx'],
      ['HttpRequestsTotal', 'http'],
    ] as const)(
      '%s in namespace %s: 20 requests a second, a quarter failed, each 100 ms',
      async (trafficSource, name) => {
        const metrics = ['request_rate', 'error_rate', 'response_time'].map(aPreset);
        const named = aWish({ namespace: `traffic-${name}`, targetName: 'web', metrics, trafficSource });
        const auto: MetricWish = { ...named, trafficSource: 'Auto' };
        await waitUntil('readings', 60_000, async () => {
          const [rate = 0, ...others] = (await pollOne(named)).readings.map(valueOf);
          // A series of a second ago shows too little; the shortest window is full after five.
          return rate > 15 && others.every(Number.isFinite);
        });
        for (const polled of [await pollOne(named), await pollOne(auto)]) {
          const [rate, errors, time] = polled.readings.map(valueOf);
          expect(rate).toBeGreaterThan(15);
          expect(rate).toBeLessThan(25);
          expect(errors).toBeCloseTo(0.25, 1);
          expect(time).toBeGreaterThan(50);
          expect(time).toBeLessThan(200);
        }
      },
      120_000,
    );
  });
});

/** Counters of 20 requests a second under the names of each instrumentation, one namespace each. */
function trafficPage(seconds: number): string {
  const fine = seconds * 15;
  const failed = seconds * 5;
  const all = fine + failed;
  const lines: string[] = [];
  const pod = (name: string): string => `namespace="traffic-${name}",pod="web-1"`;
  const pushed = 'k8s_namespace_name="traffic-otel-pushed",k8s_pod_name="web-1"';
  const histogram = (name: string, labels: string, unit: number): void => {
    for (const le of [0.05, 0.1, 0.2]) lines.push(`${name}_bucket{${labels},le="${le * unit}"} ${le < 0.1 ? 0 : all}`);
    lines.push(
      `${name}_bucket{${labels},le="+Inf"} ${all}`,
      `${name}_sum{${labels}} ${all * 0.1 * unit}`,
      `${name}_count{${labels}} ${all}`,
    );
  };
  const split = (name: string, label: string, labels: string): void => {
    lines.push(`${name}{${labels},${label}="200"} ${fine}`, `${name}{${labels},${label}="503"} ${failed}`);
  };
  for (const labels of [pod('otel'), pushed]) {
    const name = 'http_server_request_duration_seconds';
    for (const [code, count] of [
      ['200', fine],
      ['503', failed],
    ] as const) {
      const own = `${labels},http_response_status_code="${code}"`;
      lines.push(`${name}_bucket{${own},le="0.1"} ${count}`, `${name}_bucket{${own},le="+Inf"} ${count}`);
      lines.push(`${name}_sum{${own}} ${count * 0.1}`, `${name}_count{${own}} ${count}`);
    }
  }
  split('istio_requests_total', 'response_code', `${pod('istio')},reporter="destination"`);
  histogram('istio_request_duration_milliseconds', `${pod('istio')},reporter="destination"`, 1000);
  const cluster = `${pod('envoy')},envoy_cluster_name="inbound|8080||"`;
  lines.push(`envoy_cluster_upstream_rq_total{${cluster}} ${all}`);
  lines.push(`envoy_cluster_upstream_rq_xx{${cluster},envoy_response_code_class="5"} ${failed}`);
  histogram('envoy_cluster_upstream_rq_time', cluster, 1000);
  const ingress = 'namespace="ingress-nginx",exported_namespace="traffic-nginx",exported_service="web"';
  split('nginx_ingress_controller_requests', 'status', ingress);
  histogram('nginx_ingress_controller_request_duration_seconds', ingress, 1);
  split('http_requests_total', 'code', pod('http'));
  histogram('http_request_duration_seconds', pod('http'), 1);
  return `${lines.join('\n')}\n`;
}
