import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperatorProcess } from '../../tools/demo/operator-process.ts';
import { applyDefinitions } from '../../tools/rig/definitions.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { acceptRoute, gatewayProxies, httpRoute, service, type Gateway } from '../support/gateways.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { deployment, feltLatency, policy } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const SYSTEM = 'aegis-limits-test';
const MINUTE = 60_000;
const USUAL = 40;
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

interface Action {
  readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] };
  readonly spec: { readonly action: string; readonly target: { readonly name: string } };
  readonly status?: {
    readonly state?: string;
    readonly rollback?: { readonly done: boolean; readonly abandoned?: string; readonly readBack?: string };
  };
}

const POLICIES = 'backendtrafficpolicies.gateway.envoyproxy.io';
const throttling = (provider: string) => ({
  detection: feltLatency,
  remedies: [
    {
      on: ['any'],
      steps: [{ action: 'throttle_api', throttle: { provider, percentOfBaseline: 80, ttlSeconds: 100 } }],
    },
  ],
});

/** The whole operator as a child process, with the rights that the chart grants for Envoy Gateway; the gateway is played. */
withCluster('the operator limits traffic on a real API server', () => {
  let cluster: RigHandle;
  let namespace: string;
  let gateway: Gateway;
  let installed: InstalledOperator;
  let operator: OperatorProcess;

  const apply = (...items: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const itemsOf = async <T>(kind: string): Promise<readonly T[]> =>
    (JSON.parse(await cluster.kubectl(['get', kind, '-n', namespace, '-o', 'json'])) as { items: readonly T[] }).items;
  const actionOn = async (workload: string): Promise<Action | undefined> =>
    (await itemsOf<Action>('aegishealingactions')).find(
      ({ spec }) => spec.target.name === workload && spec.action === 'throttle_api',
    );
  const limitsOf = async (action: Action | undefined) =>
    (await itemsOf<{ metadata: { name: string } }>(POLICIES)).filter(
      ({ metadata }) => metadata.name === `aegis-${action?.metadata.name}`,
    );
  /** As the gateway does: it accepts the policy, and lets in what the limit allows. */
  const playGateway = async (workload: string): Promise<Action> => {
    let action: Action | undefined;
    await waitUntil(`${workload} is limited`, 4 * MINUTE, async () => {
      action = await actionOn(workload);
      return (await limitsOf(action)).length === 1;
    });
    if (action === undefined) throw new Error('no action');
    const condition = {
      ...{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 1 },
      lastTransitionTime: new Date().toISOString(),
    };
    const ancestorRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', ...gateway };
    const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
    const status = { ancestors: [{ ancestorRef, controllerName, conditions: [condition] }] };
    await cluster.kubectl([
      ...['patch', POLICIES, `aegis-${action.metadata.name}`, '-n', namespace, '--subresource', 'status'],
      ...['--type', 'merge', '-p', JSON.stringify({ status })],
    ]);
    await cluster.metrics.setWorkload(namespace, workload, { requestsPerSecond: 0.8 * USUAL });
    return action;
  };

  beforeAll(async () => {
    cluster = requireRig();
    await applyDefinitions(cluster.kubectl, ['gatewayApi', 'envoyGateway']);
    installed = await installOperator(cluster, {
      helmBinary: helmBinary ?? '',
      system: SYSTEM,
      values: ['actions.throttleApi.envoyGateway=true'],
      env: { THROTTLE_PROVIDERS: 'EnvoyGateway' },
    });
    namespace = await cluster.freshNamespace('shop');
    gateway = { name: 'public', namespace: await cluster.freshNamespace('gateways') };
    await apply(gatewayProxies(gateway.namespace, { ...gateway, count: 2 }));
    const names = ['api', 'edited', 'lonely', 'calm-a', 'calm-b', 'calm-c'];
    for (const name of names) await cluster.metrics.setWorkload(namespace, name, { requestsPerSecond: USUAL });
    await apply(...names.map((name) => deployment(namespace, name, 3)));
    for (const name of ['api', 'edited']) {
      await apply(service(namespace, name), httpRoute(namespace, name, gateway));
      await acceptRoute(cluster.kubectl, namespace, name, gateway);
    }
    await apply(...names.map((name) => policy(namespace, name, throttling('EnvoyGateway'))));
    operator = await installed.start();
    // Healthy traffic must have been seen before there is something to limit to.
    await waitUntil('api has learnt', 4 * MINUTE, async () => {
      const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'api', '-n', namespace, '-o', 'json']);
      const { status } = JSON.parse(text) as { status?: { conditions?: { type: string; status: string }[] } };
      return status?.conditions?.some((each) => each.type === 'Learned' && each.status === 'True') === true;
    });
    await new Promise((resolve) => setTimeout(resolve, 2 * MINUTE));
  }, 8 * MINUTE);

  afterAll(() => installed?.remove(namespace, gateway.namespace), MINUTE);

  test('a workload that nothing can limit is told so beforehand, with the reason', async () => {
    const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'lonely', '-n', namespace, '-o', 'json']);
    const { status } = JSON.parse(text) as { status: { conditions: { type: string }[] } };
    expect(status.conditions.find(({ type }) => type === 'Limited')).toMatchObject({
      ...{ status: 'True', reason: 'UnsupportedByCluster' },
      message: expect.stringContaining('lonely'),
    });
  });

  test(
    'a limit that somebody changed is left alone and reported',
    async () => {
      await cluster.metrics.setWorkload(namespace, 'edited', { requestsPerSecond: 8 * USUAL });
      const action = await playGateway('edited');
      const theirs = { spec: { rateLimit: { local: { rules: [{ limit: { requests: 77, unit: 'Second' } }] } } } };
      const name = `aegis-${action.metadata.name}`;
      await cluster.kubectl([
        'patch',
        POLICIES,
        name,
        '-n',
        namespace,
        '--type',
        'merge',
        '-p',
        JSON.stringify(theirs),
      ]);
      await waitUntil(
        'the inverse is given up',
        5 * MINUTE,
        async () => (await actionOn('edited'))?.status?.rollback?.abandoned !== undefined,
      );
      expect(await limitsOf(action)).toMatchObject([theirs]);
      const events = await cluster.kubectl(['get', 'events', '-n', namespace, '-o', 'json']);
      expect(events).toContain('"RollbackAbandoned"');
    },
    10 * MINUTE,
  );

  test(
    'a limit is set under the action’s id, and lifted in its time by the process after the one that was killed',
    async () => {
      await cluster.metrics.setWorkload(namespace, 'api', { requestsPerSecond: 8 * USUAL });
      const action = await playGateway('api');
      expect((await actionOn('api'))?.metadata.finalizers).toEqual(['healing.aegis.dev/reversal']);
      operator.signal('SIGKILL');
      await operator.ended;
      expect(await limitsOf(action)).toHaveLength(1);
      operator = await installed.start();
      await waitUntil(
        'the limit is lifted',
        4 * MINUTE,
        async () => (await actionOn('api'))?.status?.rollback?.done === true,
      );
      expect(await limitsOf(action)).toEqual([]);
      expect((await actionOn('api'))?.status?.rollback?.readBack).toContain('it is gone');
      const errors = readFileSync(operator.logFile, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      expect(errors).toEqual([]);
    },
    10 * MINUTE,
  );
});
