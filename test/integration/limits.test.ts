import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ThrottleParameters } from '../../src/policy/action.ts';
import type { Intent } from '../../src/policy/action.ts';
import { createClient, type KubeClient } from '../../src/kubernetes/client.ts';
import { LiveClusterWriter } from '../../src/kubernetes/cluster-writer.ts';
import { ThrottleApi } from '../../src/kubernetes/executors/throttle-api.ts';
import { limitProviders } from '../../src/kubernetes/throttle/providers.ts';
import { ProviderSurvey } from '../../src/kubernetes/throttle/survey.ts';
import type { WorkloadSnapshot } from '../../src/lib/workload.ts';
import type { ThrottlePath, ThrottleProvider } from '../../src/policy/throttle-path.ts';
import { applyDefinitions } from '../../tools/rig/definitions.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { anEffect } from '../support/builders/kubernetes.ts';
import { acceptRoute, gatewayProxies, httpRoute, ingress, meshed, service } from '../support/gateways.ts';
import { realClock } from '../support/real-clock.ts';
import { recordedLog } from '../support/recorders.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const clock = realClock();
const withCluster = rig() === undefined ? describe.skip : describe;

interface Case {
  readonly provider: ThrottleProvider;
  readonly kind: string;
  /** Name of what is written. */
  readonly object: (action: string) => string;
  readonly written: object;
  /** As somebody does who knows better. */
  readonly foreign: object;
}

const OWN = (action: string): string => `aegis-${action}`;
const CASES: readonly Case[] = [
  {
    ...{ provider: 'EnvoyGateway', kind: 'backendtrafficpolicies', object: OWN },
    written: {
      spec: {
        mergeType: 'StrategicMerge',
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'web' }],
        rateLimit: { type: 'Local', local: { rules: [{ limit: { requests: 30, unit: 'Second' } }] } },
      },
    },
    foreign: { spec: { rateLimit: { local: { rules: [{ limit: { requests: 99, unit: 'Second' } }] } } } },
  },
  {
    ...{ provider: 'Istio', kind: 'envoyfilters', object: OWN },
    written: { spec: { workloadSelector: { labels: { app: 'web' } } } },
    foreign: { spec: { workloadSelector: { labels: { app: 'other' } } } },
  },
  {
    ...{ provider: 'IngressNginx', kind: 'ingresses', object: () => 'web' },
    written: {
      metadata: {
        annotations: {
          'nginx.ingress.kubernetes.io/limit-rps': '60',
          'nginx.ingress.kubernetes.io/limit-burst-multiplier': '1',
        },
      },
    },
    foreign: { metadata: { annotations: { 'nginx.ingress.kubernetes.io/limit-rps': '7' } } },
  },
];

withCluster('limits, with the definitions that their own projects ship', () => {
  let cluster: RigHandle;
  let client: KubeClient;
  let namespace: string;
  let gateways: string;
  let live: WorkloadSnapshot;
  let executor: ThrottleApi;
  let survey: ProviderSurvey;

  const apply = (...items: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const read = async (kind: string, name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await cluster.kubectl(['get', kind, name, '-n', namespace, '-o', 'json'])) as Record<string, unknown>;
  const names = async (kind: string): Promise<string> => cluster.kubectl(['get', kind, '-n', namespace, '-o', 'name']);
  const pathOf = async (provider: ThrottleProvider): Promise<ThrottlePath> => {
    const paths = await survey.look(live);
    const path = paths.ok ? paths.value.find((each) => each.provider === provider) : undefined;
    if (path === undefined) throw new Error(`no path: ${JSON.stringify(paths)}`);
    return path;
  };
  const intentFor = async (provider: ThrottleProvider, name: string): Promise<Intent> => {
    const path = await pathOf(provider);
    const throttle: ThrottleParameters = { provider, percentOfBaseline: 80, ttlSeconds: 60 };
    const intent = anEffect({ name, namespace, target: live.ref, pods: [], action: 'throttle_api' });
    return {
      ...intent,
      parameters: { kind: 'throttle', throttle, limitPerSecond: 60, routes: path.routes },
      baseline: { ...intent.baseline, ...(path.annotations !== undefined && { annotations: path.annotations }) },
    };
  };

  beforeAll(async () => {
    cluster = requireRig();
    await applyDefinitions(cluster.kubectl, ['gatewayApi', 'envoyGateway', 'istio', 'argoRollouts', 'keda']);
    [namespace, gateways] = [await cluster.freshNamespace('limits'), await cluster.freshNamespace('gateways')];
    await apply(gatewayProxies(gateways, { name: 'public', namespace: gateways, count: 2 }));
    await apply(meshed(namespace, 'web', 3), service(namespace, 'web'), ingress(namespace, 'web'));
    await waitUntil('the kinds are served', 30_000, async () => {
      await apply(httpRoute(namespace, 'web', { name: 'public', namespace: gateways }));
      return true;
    });
    await acceptRoute(cluster.kubectl, namespace, 'web', { name: 'public', namespace: gateways });
    const made = await createClient({
      ...{ access: { kind: 'kubeconfig', path: cluster.kubeconfigPath }, clock, log: recordedLog() },
    });
    if (!made.ok) throw new Error(made.error);
    client = made.value;
    const writer = new LiveClusterWriter(client);
    await waitUntil('the pods are ready', 60_000, async () => {
      const found = await writer.readWorkload({ kind: 'Deployment', namespace, name: 'web' });
      if (!found.ok || found.value.replicas.ready < 3) return false;
      live = found.value;
      return true;
    });
    const context = { client, clock, mayBeginEffect: () => true };
    const providers = limitProviders(context, { allowed: ['EnvoyGateway', 'Istio', 'IngressNginx'] });
    [executor, survey] = [new ThrottleApi(providers), new ProviderSurvey(providers)];
    await waitUntil('the proxies are ready', 60_000, async () => (await pathOf('EnvoyGateway')).refused === undefined);
  }, 180_000);

  afterAll(async () => {
    client?.close();
    await rig()?.kubectl(['delete', 'namespace', namespace, gateways, '--wait=false']);
  });

  test('the kinds of Argo Rollouts and KEDA are served as well', async () => {
    expect(await names('rollouts.argoproj.io')).toBe('');
    expect(await names('scaledobjects.keda.sh')).toBe('');
  });

  describe.each(CASES)('$provider', ({ provider, kind, object, written, foreign }) => {
    test('carries the traffic, is limited under the action’s id, and is as it was before afterwards', async () => {
      const intent = await intentFor(provider, `a-${provider.toLowerCase()}`);
      const name = object(intent.name);
      const before = provider === 'IngressNginx' ? await read(kind, name) : await names(kind);
      expect(await executor.dryRun(intent, live)).toMatchObject({ kind: 'applied' });
      expect(await executor.settle(intent)).toBe('absent');
      expect(await executor.perform(intent, live)).toMatchObject({ kind: 'applied' });
      const made = await read(kind, name);
      expect(made).toMatchObject(written);
      expect(made).toMatchObject({ metadata: { annotations: { 'healing.aegis.dev/action': intent.name } } });
      expect(JSON.stringify(made['metadata'])).not.toContain('"ownerReferences"');
      expect(await executor.perform(intent, live)).toMatchObject({ kind: 'already' });
      expect(await executor.settle(intent)).toBe('done');
      expect((await pathOf(provider)).refused).toMatchObject({ reason: 'ThrottleConflict', object: OWN(intent.name) });
      expect(await executor.undo(intent)).toMatchObject({ kind: 'applied' });
      const after = provider === 'IngressNginx' ? await read(kind, name) : await names(kind);
      expect(comparable(after)).toEqual(comparable(before));
      expect(await executor.undo(intent)).toMatchObject({ kind: 'already' });
    });

    test('is left alone once somebody else changed it', async () => {
      const intent = await intentFor(provider, `b-${provider.toLowerCase()}`);
      const name = object(intent.name);
      expect(await executor.perform(intent, live)).toMatchObject({ kind: 'applied' });
      const patch = ['patch', kind, name, '-n', namespace, '--type', 'merge', '-p', JSON.stringify(foreign)];
      await cluster.kubectl(patch);
      expect(await executor.standing(intent)).toMatchObject({ kind: 'gone' });
      expect(await executor.undo(intent)).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
      expect(await read(kind, name)).toMatchObject(foreign);
      await cluster.kubectl(['delete', kind, name, '-n', namespace]);
    });
  });

  test('the gateway’s word is read from the policy’s status', async () => {
    const intent = await intentFor('EnvoyGateway', 'c-verdict');
    await executor.perform(intent, live);
    expect(await executor.standing(intent)).toMatchObject({ kind: 'pending' });
    for (const [accepted, kind] of [
      ['True', 'holds'],
      ['False', 'refused'],
    ] as const) {
      const condition = {
        ...{ type: 'Accepted', status: accepted, reason: 'Test', message: 'said so', observedGeneration: 1 },
        lastTransitionTime: new Date().toISOString(),
      };
      const ancestor = {
        ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public', namespace: gateways },
        controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
        conditions: [condition],
      };
      const patch = JSON.stringify({ status: { ancestors: [ancestor] } });
      await cluster.kubectl([
        ...['patch', 'backendtrafficpolicies', `aegis-${intent.name}`, '-n', namespace],
        ...['--subresource', 'status', '--type', 'merge', '-p', patch],
      ]);
      expect(await executor.standing(intent)).toMatchObject({ kind });
    }
    expect(await executor.undo(intent)).toMatchObject({ kind: 'applied' });
  });
});

/** Without what every write moves. */
function comparable(object: unknown): unknown {
  if (typeof object === 'string') return object;
  const { metadata, ...rest } = object as { metadata: Record<string, unknown> };
  const { resourceVersion: _version, managedFields: _managers, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
