import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type KubeClient } from '../../src/kubernetes/client.ts';
import { CachedClusterReader } from '../../src/kubernetes/cluster-reader.ts';
import { ClusterEvidenceReader } from '../../src/kubernetes/evidence/evidence-reader.ts';
import type { WorkloadSnapshot } from '../../src/lib/workload.ts';
import { createMetricEvidence } from '../../src/prometheus/evidence-source.ts';
import { createTransport } from '../../src/prometheus/transport.ts';
import { systemClock } from '../../src/system-clock.ts';
import { untilEstablished } from '../../tools/rig/established.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { CHART, helm, helmPath, PROMETHEUS } from '../support/helm.ts';
import { definition } from '../support/manifests.ts';
import { recordedLog, recordedMetrics } from '../support/recorders.ts';
import { promQuery, requireRig, rig } from '../support/rig.ts';

const path = await helmPath();
const withCluster = path === undefined || rig() === undefined ? describe.skip : describe;
const MINUTE = 60_000;

withCluster('what a workload stands on, read from a real API server with the rights of the chart', () => {
  let system: string;
  let shop: string;
  let client: KubeClient;
  let cached: CachedClusterReader;

  const apply = (...items: readonly object[]) =>
    requireRig().kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const install = (...values: readonly string[]) => {
    const sets = [PROMETHEUS, 'persistence.enabled=false', ...values].flatMap((value) => ['--set', value]);
    const flags = ['--take-ownership', '--force-conflicts', '-n', system];
    return helm(path ?? '', ['upgrade', '--install', 'aegis', CHART, ...flags, ...sets], requireRig().kubeconfigPath);
  };
  /** As one that has stood for a day: else whatever the test makes came with it. */
  const web = (): WorkloadSnapshot => {
    const [found] = cached.workloads(shop, { kind: 'Deployment', name: 'web' });
    if (found === undefined) throw new Error('the deployment is not seen');
    return { ...found, createdAtMs: found.createdAtMs - 24 * 60 * MINUTE };
  };
  const look = () => new ClusterEvidenceReader({ client, clock: systemClock }).look(web());

  beforeAll(async () => {
    const cluster = requireRig();
    system = await cluster.freshNamespace('aegis-evidence');
    shop = await cluster.freshNamespace('shop');
    await install();
    const access = { kind: 'kubeconfig', path: await cluster.serviceAccountKubeconfig(system, 'aegis') } as const;
    const log = recordedLog();
    const made = await createClient({ access, clock: systemClock, log });
    if (!made.ok) throw new Error(made.error);
    client = made.value;
    const volumes = [
      { name: 'conf', configMap: { name: 'settings' } },
      { name: 'tls', secret: { secretName: 'web-tls' } },
      { name: 'db', secret: { secretName: 'db' } },
    ];
    await apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: shop }, data: { colour: 'red' } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: shop },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: { volumes, containers: [{ name: 'app', image: 'web:1' }] },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: shop },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      },
    );
    cached = new CachedClusterReader({
      client,
      clock: systemClock,
      random: () => 0.5,
      log,
      metrics: recordedMetrics(),
    });
    cached.start();
    await waitUntil('the pods', MINUTE, () => {
      const [found] = cached.workloads(shop, { kind: 'Deployment', name: 'web' });
      return found?.replicas.ready === 2 && found.pods.length === 2;
    });
  }, 3 * MINUTE);

  afterAll(async () => {
    await cached?.stop();
    client?.close();
    const cluster = rig();
    if (cluster === undefined) return;
    await helm(path ?? '', ['uninstall', 'aegis', '-n', system, '--ignore-not-found'], cluster.kubeconfigPath);
    const kinds = ['certificates.cert-manager.io', 'externalsecrets.external-secrets.io'];
    await cluster.kubectl(['delete', 'customresourcedefinition', '--ignore-not-found', ...kinds]);
  }, MINUTE);

  test('endpoints are those of the real controller, and a selector that fits nothing empties them', async () => {
    await waitUntil('endpoints', 30_000, async () => (await look()).endpoints?.[0]?.readyEndpoints === 2);
    const pods = web()
      .pods.map(({ name }) => name)
      .sort();
    expect((await look()).services).toEqual([{ name: 'web', readyEndpoints: 2, pods }]);
    const broken = JSON.stringify({ spec: { selector: { app: 'typo' } } });
    await requireRig().kubectl(['patch', 'service', 'web', '-n', shop, '--type=merge', '-p', broken]);
    await waitUntil('no endpoint', 30_000, async () => (await look()).endpoints?.[0]?.readyEndpoints === 0);
    const { changes } = await look();
    expect(changes).toContainEqual({ kind: 'service', name: 'web', atMs: expect.any(Number) });
  }, 90_000);

  test('a NetworkPolicy that takes in the pods is a change of now; one of others is none', async () => {
    const policy = (name: string, app: string) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace: shop },
      spec: { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'] },
    });
    const startedMs = 1_000 * Math.floor(Date.now() / 1_000);
    await apply(policy('lockdown', 'web'), policy('other', 'api'));
    const { changes } = await look();
    const found = changes.filter(({ kind }) => kind === 'network-policy');
    expect(found.map(({ name }) => name)).toEqual(['lockdown']);
    expect(found[0]?.atMs).toBeGreaterThanOrEqual(startedMs);
  }, 30_000);

  test('ConfigMaps: not with the rights of the chart, and with its value by metadata alone', async () => {
    expect((await look()).missing).toContain('configmaps: no right to read them');
    await install('evidence.configMaps=true');
    await waitUntil('the right', 30_000, async () => (await look()).missing.length === 0);
    const target = {
      resource: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
    };
    const reply = await client.call({
      method: 'GET',
      target: { ...target, namespace: shop, name: 'settings' },
      as: 'metadata',
    });
    expect(reply).toMatchObject({ ok: true, value: { kind: 'PartialObjectMetadata', metadata: { name: 'settings' } } });
    expect(reply.ok && reply.value).not.toHaveProperty('data');
    const before = (await look()).changes.find(({ kind }) => kind === 'config');
    const blue = JSON.stringify({ data: { colour: 'blue' } });
    // Times in metadata are whole seconds.
    await waitUntil('another second', 5_000, () => Date.now() > (before?.atMs ?? 0) + 1_100);
    await requireRig().kubectl(['patch', 'configmap', 'settings', '-n', shop, '--type=merge', '-p', blue]);
    const after = (await look()).changes.find(({ kind }) => kind === 'config');
    expect(after?.name).toBe('settings');
    expect(after?.atMs).toBeGreaterThan(before?.atMs ?? Infinity);
  }, 90_000);

  test('credentials: none of these kinds is defined; then both are, one in its older version', async () => {
    const before = await look();
    expect([before.credentials, before.missing.filter((each) => /cert|secret/.test(each))]).toEqual([[], []]);
    await apply(
      definition({ group: 'cert-manager.io', version: 'v1', plural: 'certificates', kind: 'Certificate' }),
      definition({
        group: 'external-secrets.io',
        version: 'v1beta1',
        plural: 'externalsecrets',
        kind: 'ExternalSecret',
      }),
    );
    await untilEstablished(requireRig().kubectl);
    await apply(
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: { name: 'web', namespace: shop },
        spec: { secretName: 'web-tls' },
        status: {
          notAfter: '2020-01-01T00:00:00Z',
          conditions: [{ type: 'Ready', status: 'False', reason: 'Expired' }],
        },
      },
      {
        apiVersion: 'external-secrets.io/v1beta1',
        kind: 'ExternalSecret',
        metadata: { name: 'db', namespace: shop },
        spec: {},
        status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
      },
    );
    await waitUntil('both', 30_000, async () => (await look()).credentials?.length === 2);
    expect((await look()).credentials).toEqual([
      { kind: 'certificate', name: 'web', ready: false, notAfterMs: Date.parse('2020-01-01T00:00:00Z') },
      { kind: 'secret', name: 'db', ready: true, renewedAtMs: Date.parse('2026-01-01T00:00:00Z') },
    ]);
  }, 90_000);
});

(rig() === undefined ? describe.skip : describe)('what a real Prometheus says of claims and calls', () => {
  let page: Server;
  let requests = 0;

  beforeAll(async () => {
    page = createServer((_, response) => {
      requests += 7;
      const istio = 'reporter="source",source_workload="cart",source_workload_namespace="evidence"';
      const callee =
        'destination_workload="unknown",destination_service_name="db",destination_service_namespace="data"';
      const host = 'server_address="ledger",namespace="evidence",pod="cart-1"';
      response.end(
        [
          'kubelet_volume_stats_available_bytes{namespace="evidence",persistentvolumeclaim="data-0"} 2e8',
          'kubelet_volume_stats_capacity_bytes{namespace="evidence",persistentvolumeclaim="data-0"} 1e9',
          'kubelet_volume_stats_available_bytes{namespace="evidence",persistentvolumeclaim="other"} 1',
          `istio_requests_total{${istio},${callee},response_code="503"} ${requests}`,
          `http_client_request_duration_seconds_count{${host}} ${requests}`,
          '',
        ].join('\n'),
      );
    });
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const { port } = page.address() as AddressInfo;
    requireRig().prometheus.addTarget('evidence', `127.0.0.1:${port}`);
    await waitUntil('two samples', MINUTE, async () => {
      const query = 'count_over_time(istio_requests_total{source_workload="cart"}[5m])';
      const found = await promQuery(requireRig().prometheusUrl, query);
      return (found[0]?.value ?? 0) >= 3;
    });
  }, 90_000);

  afterAll(() => new Promise((resolve) => page.close(() => resolve(undefined))));

  test('room on a claim, without a slope that minutes cannot show; who is called, though it never answered', async () => {
    const options = { url: requireRig().prometheusUrl, log: recordedLog() };
    const transport = createTransport(options);
    const source = createMetricEvidence(transport, options);
    expect(await source.claims('evidence', ['data-0', 'other'])).toEqual({
      ok: true,
      value: [{ claim: 'data-0', freeRatio: 0.2, freeBytes: 2e8 }],
    });
    const calls = await source.calls(['evidence', 'bank']);
    expect(calls).toMatchObject({ ok: true });
    expect(calls.ok ? calls.value : []).toEqual(
      expect.arrayContaining([
        { caller: { namespace: 'evidence', workload: 'cart' }, callee: { namespace: 'data', service: 'db' } },
        { caller: { namespace: 'evidence', pod: 'cart-1' }, callee: { namespace: 'evidence', service: 'ledger' } },
      ]),
    );
    expect(await source.calls(['nobody'])).toEqual({ ok: true, value: undefined });
    await transport.close();
  });
});
