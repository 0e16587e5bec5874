import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { actionObject } from '../../../src/api/v1alpha1/convert-action.ts';
import type { ClusterChange } from '../../../src/controller/ports.ts';
import { type KubeClient, createClient } from '../../../src/kubernetes/client.ts';
import { CachedClusterReader, type ClusterReaderOptions } from '../../../src/kubernetes/cluster-reader.ts';
import { aGuardrailObject, aPolicyObject, anApiIntent } from '../../support/builders/api.ts';
import { aDeployment, aKubeconfig, aPod, aReplicaSet } from '../../support/builders/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { type MemoryApi, memoryApi } from '../../support/memory-api.ts';
import { type RecordedLog, recordedLog, recordedMetrics } from '../../support/recorders.ts';
import { eventually } from '../../support/scripted-api.ts';

const OWN = '/apis/healing.aegis.dev/v1alpha1';
const meta = (name: string, version = '1', namespace = 'shop') => ({
  name,
  namespace,
  uid: `uid-${name}`,
  resourceVersion: version,
});

let api: MemoryApi;
let clock: FakeClock;
let log: RecordedLog;
let client: KubeClient;
let reader: CachedClusterReader;
let changes: ClusterChange[];

const MAP = '/api/v1/namespaces/aegis-system/configmaps';
const guardrailMap = (data: Record<string, string>, version = '1') => ({
  ...{ kind: 'ConfigMap', metadata: meta('aegis-guardrail', version, 'aegis-system'), data },
});

async function start(namespaces?: readonly string[], over: Partial<ClusterReaderOptions> = {}): Promise<void> {
  const path = await aKubeconfig(api.url);
  const made = await createClient({
    access: { kind: 'kubeconfig', path },
    clock,
    log,
    ...(namespaces ? { scope: [...namespaces, 'aegis-system'] } : {}),
  });
  if (!made.ok) throw new Error(made.error);
  client = made.value;
  reader = new CachedClusterReader({
    client,
    clock,
    random: () => 0,
    log,
    metrics: recordedMetrics(),
    ...(namespaces ? { namespaces } : {}),
    ...over,
  });
  reader.onChange((change) => changes.push(change));
  reader.start();
  await eventually(() => reader.synced(), 'the caches');
}

/** Sends an event once the watch is open on both ends. */
async function send(path: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): Promise<void> {
  await eventually(() => api.watched().includes(path), `a watch of ${path}`);
  api.send(path, type, object);
}

/** The web Deployment with its ReplicaSet, three pods, a stranger and a pod of the same labels without an owner. */
function fill(): void {
  api.put('/apis/apps/v1/deployments', [aDeployment()]);
  api.put('/apis/apps/v1/replicasets', [aReplicaSet()]);
  api.put('/api/v1/pods', [
    aPod({ name: 'web-1' }),
    aPod({ name: 'web-2' }),
    aPod({ name: 'stranger', owner: 'other' }),
  ]);
  api.put('/api/v1/namespaces', [{ metadata: { name: 'shop', labels: { team: 'a' } } as never }]);
  api.put('/apis/autoscaling/v2/horizontalpodautoscalers', [
    { metadata: meta('hpa'), spec: { maxReplicas: 9, scaleTargetRef: { kind: 'Deployment', name: 'web' } } } as never,
  ]);
  api.put('/apis/policy/v1/poddisruptionbudgets', [
    { metadata: meta('all'), spec: { selector: {} }, status: { disruptionsAllowed: 1 } } as never,
    { metadata: meta('web'), spec: { selector: { matchLabels: { app: 'web' } } }, status: {} } as never,
    { metadata: meta('db'), spec: { selector: { matchLabels: { app: 'db' } } }, status: {} } as never,
    { metadata: meta('none'), spec: {}, status: {} } as never,
  ]);
}

beforeEach(async () => {
  api = await memoryApi();
  clock = fakeClock();
  log = recordedLog();
  changes = [];
});

afterEach(async () => {
  await reader.stop();
  client.close();
  await api.stop();
});

describe('a workload', () => {
  const web = { kind: 'Deployment', name: 'web' } as const;

  test('is put together with its own pods, revisions, autoscalers, budgets and namespace', async () => {
    fill();
    await start();
    const [workload, ...others] = reader.workloads('shop', web);
    expect(others).toEqual([]);
    expect(workload?.pods.map((pod) => pod.name)).toEqual(['web-1', 'web-2']);
    expect(workload?.revisions).toMatchObject([{ name: 'web-abc', revision: 4, templateHash: 'abc' }]);
    expect(workload?.autoscalers).toEqual([{ kind: 'HorizontalPodAutoscaler', name: 'hpa', maxReplicas: 9 }]);
    expect(workload?.autoscalersKnown).toBe(true);
    expect(workload?.disruptionBudgets.map((budget) => budget.name)).toEqual(['all', 'web']);
    expect(workload?.namespaceLabels).toEqual({ team: 'a' });
    expect(JSON.parse(JSON.stringify(workload))).toEqual(workload);
    expect(reader.namespaceLabels('shop')).toEqual({ team: 'a' });
    expect(reader.namespaceLabels('other')).toBeUndefined();
  });

  test('is the same value until something in its namespace changes', async () => {
    fill();
    await start();
    const first = reader.workloads('shop', web)[0];
    expect(reader.workloads('shop', web)[0]).toBe(first);
    await send('/api/v1/pods', 'DELETED', aPod({ name: 'web-2', version: '3' }));
    await eventually(() => reader.workloads('shop', web)[0] !== first, 'the change');
    expect(reader.workloads('shop', web)[0]?.pods.map((pod) => pod.name)).toEqual(['web-1']);
  });

  test('a pod that changes its owner belongs to the new one', async () => {
    fill();
    await start();
    await send('/api/v1/pods', 'MODIFIED', aPod({ name: 'web-2', owner: 'other', version: '3' }));
    await eventually(() => reader.workloads('shop', web)[0]?.pods.length === 1, 'the change');
  });

  test('is selected by labels, never by an empty selector, never from elsewhere', async () => {
    fill();
    await start();
    const by = (matchLabels: Record<string, string>, namespace = 'shop') =>
      reader.workloads(namespace, { kind: 'Deployment', selector: { matchLabels, matchExpressions: [] } }).length;
    expect([by({ app: 'web' }), by({ app: 'db' }), by({}), by({ app: 'web' }, 'other')]).toEqual([1, 0, 0, 0]);
    expect(reader.workloads('other', web)).toEqual([]);
    expect(reader.workloads('shop', { kind: 'StatefulSet', name: 'web' })).toEqual([]);
  });

  test.each([
    ['HPAs are forbidden', '/apis/autoscaling/v2/horizontalpodautoscalers', 403, false],
    ['KEDA is forbidden', '/apis/keda.sh/v1alpha1/scaledobjects', 403, false],
    ['KEDA is not installed', '/apis/keda.sh/v1alpha1/scaledobjects', 404, true],
    ['VPAs are forbidden: they own no replicas', '/apis/autoscaling.k8s.io/v1/verticalpodautoscalers', 403, true],
  ])('who owns the replicas, where %s', async (_row, path, status, known) => {
    fill();
    api.refuse(path, status);
    await start();
    expect(reader.workloads('shop', web)[0]?.autoscalersKnown).toBe(known);
  });
});

describe('own kinds', () => {
  beforeEach(() => {
    const identity = (name: string) => ({ ...meta(name), generation: 1, creationTimestamp: '2026-01-05T12:00:00Z' });
    api.put(`${OWN}/aegishealingpolicies`, [
      aPolicyObject({}, identity('good')) as never,
      aPolicyObject({ mode: 'Sometimes' }, identity('bad')) as never,
    ]);
    api.put(`${OWN}/aegisguardrails`, [
      { ...aGuardrailObject(), metadata: { name: 'all', uid: 'g', resourceVersion: '1' } } as never,
    ]);
    const action = actionObject(anApiIntent()) as { metadata: object };
    api.put(`${OWN}/aegishealingactions`, [
      { ...action, metadata: { ...action.metadata, uid: 'action-uid', resourceVersion: '1' } } as never,
      { metadata: meta('forged'), spec: {} } as never,
    ]);
  });

  test('are parsed; a bad policy is shown with its problems and stops no other', async () => {
    await start();
    expect(
      reader
        .policies()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['invalid', 'valid']);
    expect(reader.guardrails()?.map(({ kind }) => kind)).toEqual(['valid']);
  });

  test('an action that cannot be read is no action, and is told', async () => {
    await start();
    expect(reader.actions().map(({ intent }) => intent.name)).toEqual([anApiIntent().name]);
    expect(reader.problems().map(({ resource }) => resource)).toEqual(['aegishealingactions shop/forged']);
  });

  test("a policy's own status write is no change of the policy; a new generation is", async () => {
    await start();
    changes.length = 0;
    const policy = (version: string, generation: number) =>
      aPolicyObject({}, { ...meta('good', version), generation, creationTimestamp: '2026-01-05T12:00:00Z' });
    const status = {
      observedGeneration: 1,
      conditions: [],
      targets: { matched: 1, anomalous: 0, unknown: 0 },
      incidents: [],
    };
    await send(`${OWN}/aegishealingpolicies`, 'MODIFIED', { ...policy('2', 1), status });
    await eventually(() => reader.policyStatus('shop', 'good') !== undefined, 'the status');
    expect(changes).toEqual([]);
    await send(`${OWN}/aegishealingpolicies`, 'MODIFIED', policy('3', 2));
    await eventually(() => changes.length === 1, 'the change');
    expect(changes).toEqual([{ kind: 'policy', namespace: 'shop', name: 'good' }]);
  });

  test('guardrails that cannot be read are unknown, not absent', async () => {
    api.refuse(`${OWN}/aegisguardrails`, 403);
    const path = await aKubeconfig(api.url);
    const made = await createClient({ access: { kind: 'kubeconfig', path }, clock, log });
    if (!made.ok) throw new Error(made.error);
    client = made.value;
    reader = new CachedClusterReader({ client, clock, random: () => 0, log, metrics: recordedMetrics() });
    reader.start();
    await eventually(() => reader.problems().some(({ state }) => state === 'denied'), 'the refusal');
    expect(reader.guardrails()).toBeUndefined();
    expect(reader.synced()).toBe(false);
    expect(reader.ageMs()).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('definitions', () => {
  const until = async (holds: () => boolean, what: string, seconds = 60): Promise<void> => {
    for (let second = 0; second < seconds && !holds(); second += 1) {
      for (let turn = 0; turn < 60 && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
    }
    await eventually(holds, what);
  };

  test('of Aegis that are missing are waited for, told, and found when they are made', async () => {
    for (const plural of ['aegishealingpolicies', 'aegishealingactions', 'aegisguardrails'])
      api.refuse(`${OWN}/${plural}`, 404);
    const path = await aKubeconfig(api.url);
    const made = await createClient({ access: { kind: 'kubeconfig', path }, clock, log });
    if (!made.ok) throw new Error(made.error);
    client = made.value;
    reader = new CachedClusterReader({ client, clock, random: () => 0, log, metrics: recordedMetrics() });
    reader.start();
    await eventually(() => reader.problems().filter(({ state }) => state === 'missing').length === 3, 'the problems');
    expect(reader.synced()).toBe(false);
    for (const plural of ['aegishealingpolicies', 'aegishealingactions', 'aegisguardrails'])
      api.refuse(`${OWN}/${plural}`, 200);
    await until(() => reader.synced() && reader.problems().length === 0, 'the recovery');
  });

  test('of Argo that are missing are no problem, and their objects are found later', async () => {
    api.refuse('/apis/argoproj.io/v1alpha1/rollouts', 404);
    await start();
    expect(reader.problems()).toEqual([]);
    const rollout = { ...aDeployment({ name: 'canary' }), status: {} };
    api.put('/apis/argoproj.io/v1alpha1/rollouts', [rollout]);
    api.refuse('/apis/argoproj.io/v1alpha1/rollouts', 200);
    // It is looked for every few minutes only: most clusters never have it.
    const found = (): boolean => reader.workloads('shop', { kind: 'Rollout', name: 'canary' }).length === 1;
    await until(found, 'the rollout', 600);
  });
});

describe('changes and age', () => {
  test('pods, workloads, nodes and warnings are announced by name', async () => {
    await start();
    changes.length = 0;
    await send('/api/v1/pods', 'ADDED', aPod({ name: 'web-9' }));
    await send('/apis/apps/v1/deployments', 'ADDED', aDeployment());
    await send('/api/v1/nodes', 'ADDED', { metadata: { name: 'n1', uid: 'n', resourceVersion: '1' } });
    const warning = {
      metadata: meta('e1'),
      type: 'Warning',
      reason: 'BackOff',
      involvedObject: { kind: 'Pod', name: 'web-9' },
      count: 1,
      lastTimestamp: '2026-01-05T12:00:00Z',
    };
    await send('/api/v1/events', 'ADDED', warning);
    await send('/api/v1/events', 'MODIFIED', { ...warning, metadata: meta('e1', '2') });
    await send('/api/v1/events', 'ADDED', { ...warning, metadata: meta('e2'), type: 'Normal' });
    await eventually(() => changes.length === 4, 'four changes');
    expect(changes.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).sort()).toEqual([
      'event shop/web-9',
      'node /n1',
      'pod shop/web-9',
      'workload shop/web',
    ]);
    expect(reader.events('shop', 0)).toHaveLength(1);
    expect(reader.events('shop', Date.UTC(2026, 0, 6))).toEqual([]);
    expect(reader.events('other', 0)).toEqual([]);
    expect(reader.nodes()).toHaveLength(1);
  });

  test('the age is that of the least recently confirmed cache', async () => {
    await start();
    await eventually(() => api.watched().length === 17, 'all watches');
    expect(reader.ageMs()).toBe(0);
    clock.advance(7_000);
    await send('/api/v1/pods', 'ADDED', aPod());
    await eventually(() => changes.some(({ kind }) => kind === 'pod'), 'the pod');
    expect(reader.ageMs()).toBe(7_000);
  });

  test('a listener that throws does not keep a change from the others', async () => {
    await start();
    reader.onChange(() => {
      throw new Error('boom');
    });
    const seen: ClusterChange[] = [];
    reader.onChange((change) => seen.push(change));
    await send('/api/v1/pods', 'ADDED', aPod());
    await eventually(() => seen.length === 1, 'the change');
  });
});

describe('single-namespace mode', () => {
  test('asks for nothing outside its namespaces, and needs no cluster-wide right', async () => {
    api.put('/api/v1/namespaces/shop', [{ metadata: { name: 'shop', labels: { team: 'b' } } as never }]);
    await start(['shop']);
    await eventually(() => reader.namespaceLabels('shop') !== undefined, 'the namespace');
    const outside = api.seen.map(({ path }) => path).filter((path) => !/\/namespaces\/shop(\/|$)/.test(path));
    expect(outside).toEqual([]);
    expect(reader.guardrails()).toEqual([]);
    expect(reader.nodes()).toEqual([]);
    expect(reader.namespaceLabels('shop')).toEqual({ team: 'b' });
  });

  const guardrailConfigMap = { namespace: 'aegis-system', name: 'aegis-guardrail' };

  test('has its kill switch in a ConfigMap, found by name and seen as soon as it is set', async () => {
    api.put(MAP, [guardrailMap({}), { metadata: { name: 'other', namespace: 'aegis-system' } }]);
    await start(['shop'], { guardrailConfigMap });
    const suspended = () => reader.guardrails()?.map((each) => each.kind === 'valid' && each.value.suspended);
    const asked = api.seen.filter(({ path }) => path === MAP);
    expect(asked.every(({ query }) => query.get('fieldSelector') === 'metadata.name=aegis-guardrail')).toBe(true);
    await send(MAP, 'MODIFIED', guardrailMap({ suspended: 'true' }, '2'));
    await eventually(() => suspended()?.includes(true) === true, 'the switch');
    expect(changes).toContainEqual({
      kind: 'guardrail',
      namespace: '',
      name: 'ConfigMap aegis-system/aegis-guardrail',
    });
    expect(reader.guardrailStatus('ConfigMap aegis-system/aegis-guardrail')).toBe('has none');
    await send(MAP, 'MODIFIED', guardrailMap({ suspend: 'true' }, '3'));
    await eventually(() => reader.guardrails()?.some(({ kind }) => kind === 'invalid') === true, 'the slip of the pen');
  });

  test('whose ConfigMap may not be read knows no guardrail, which holds', async () => {
    api.refuse(MAP, 403);
    const started = start(['shop'], { guardrailConfigMap });
    await expect(started).rejects.toThrow('the caches');
    expect(reader.guardrails()).toBeUndefined();
    expect(reader.problems()).toMatchObject([{ resource: 'configmaps', state: 'denied' }]);
  });
});

test('after stop no watch is open and no timer waits', async () => {
  await start();
  await eventually(() => api.watched().length === 17, 'all watches');
  await reader.stop();
  await eventually(() => api.openStreams() === 0, 'the watches to be closed');
  expect(clock.pending()).toBe(0);
});
