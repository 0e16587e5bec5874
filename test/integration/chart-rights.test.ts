import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClusterAccess } from '../../src/config/config.ts';
import type { ActionStatus } from '../../src/healing/decision.ts';
import type { StoredAction } from '../../src/healing/stored-action.ts';
import { createClient, type KubeClient } from '../../src/kubernetes/client.ts';
import { CachedClusterReader } from '../../src/kubernetes/cluster-reader.ts';
import { LiveClusterWriter } from '../../src/kubernetes/cluster-writer.ts';
import { KubernetesEventSink } from '../../src/kubernetes/event-sink.ts';
import { executors } from '../../src/kubernetes/executors/registry.ts';
import { LeaseLeadership } from '../../src/kubernetes/lease.ts';
import { RESOURCES } from '../../src/kubernetes/resources.ts';
import { missingRights } from '../../src/kubernetes/self-check.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Result } from '../../src/lib/result.ts';
import type { EffectName, Intent } from '../../src/policy/action.ts';
import { systemClock } from '../../src/system-clock.ts';
import { anApiIntent, aPolicyObject } from '../support/builders/api.ts';
import { CHART, helm, helmPath, PROMETHEUS } from '../support/helm.ts';
import { NO_PROVIDERS } from '../support/builders/kubernetes.ts';
import { requireRig, rig } from '../support/rig.ts';
import { recordedMetrics } from '../support/recorders.ts';
import { waitUntil } from '../../tools/rig/wait.ts';

/** What the chart's roles grant, tried by the very adapters that need it, as the very account that runs them. */

const path = await helmPath();
const withCluster = path === undefined || rig() === undefined ? describe.skip : describe;
const EFFECTS: readonly EffectName[] = ['restart_pod', 'scale_up', 'scale_down'];

const refusals: string[] = [];
const note = (message: string, facts?: object): void => void refusals.push(`${message} ${JSON.stringify(facts)}`);
const log: Log = { debug: () => undefined, info: () => undefined, warn: note, error: note, child: () => log };

const valueOf = <T, E>(result: Result<T, E>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

async function install(namespace: string, values: readonly string[]): Promise<ClusterAccess> {
  const cluster = requireRig();
  const sets = [PROMETHEUS, 'persistence.enabled=false', ...values].flatMap((value) => ['--set', value]);
  const flags = ['--take-ownership', '--force-conflicts', '-n', namespace];
  await helm(path ?? '', ['upgrade', '--install', 'aegis', CHART, ...flags, ...sets], cluster.kubeconfigPath);
  return { kind: 'kubeconfig', path: await cluster.serviceAccountKubeconfig(namespace, 'aegis') };
}

withCluster.each([
  ['all namespaces', false],
  ['one namespace', true],
] as const)('the rights of an installation for %s', (_, single) => {
  let system: string;
  let shop: string;
  let client: KubeClient;
  let writer: LiveClusterWriter;

  const intentFor = async (name: string, changes: Partial<Intent>): Promise<Intent> => {
    const { kubectl } = requireRig();
    const web = JSON.parse(await kubectl(['get', 'deployment', 'web', '-n', shop, '-o', 'json'])) as {
      metadata: { uid: string };
    };
    const pods = JSON.parse(await kubectl(['get', 'pods', '-n', shop, '-o', 'json'])) as {
      items: { metadata: { name: string; uid: string } }[];
    };
    const target = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: shop,
      name: 'web',
      uid: web.metadata.uid,
    } as const;
    const first = pods.items.slice(0, 1).map(({ metadata }) => ({ name: metadata.name, uid: metadata.uid }));
    return anApiIntent({ name, namespace: shop, target, pods: first, ...changes });
  };

  beforeAll(async () => {
    const cluster = requireRig();
    system = await cluster.freshNamespace('aegis-rights');
    shop = await cluster.freshNamespace('shop');
    const access = await install(system, single ? [`watchNamespaces={${shop}}`] : []);
    const scope = single ? { scope: [shop, system] } : {};
    client = valueOf(await createClient({ access, clock: systemClock, log, ...scope }));
    writer = new LiveClusterWriter(client, { namespaced: single });
    await cluster.kubectl(['create', 'deployment', 'web', '--image=web:1', '--replicas=3', '-n', shop]);
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '-n', shop, '--timeout=60s'], { timeoutMs: 70_000 });
  }, 120_000);

  afterAll(async () => {
    const cluster = rig();
    if (cluster === undefined) return;
    client.close();
    await helm(path ?? '', ['uninstall', 'aegis', '-n', system, '--ignore-not-found'], cluster.kubeconfigPath);
  }, 60_000);

  test('every cache fills and none is refused', async () => {
    const guardrailConfigMap = { namespace: system, name: 'aegis-guardrail' };
    const namespaces = single ? { namespaces: [shop], guardrailConfigMap } : {};
    const reader = new CachedClusterReader({
      client,
      clock: systemClock,
      random: () => 0.5,
      log,
      metrics: recordedMetrics(),
      ...namespaces,
    });
    refusals.length = 0;
    reader.start();
    await waitUntil('the caches', 20_000, () => reader.synced());
    const web = () => reader.workloads(shop, { kind: 'Deployment', name: 'web' })[0];
    await waitUntil('the workload', 10_000, () => web()?.pods.length === 3);
    const found = web();
    await reader.stop();
    expect(found).toMatchObject({ autoscalersKnown: true, replicas: { desired: 3 } });
    expect(refusals.filter((line) => /forbidden/i.test(line))).toEqual([]);
  }, 40_000);

  test('the self-check misses no right of any enabled action', async () => {
    const rights = valueOf(await missingRights(client, EFFECTS, single ? { namespace: shop } : {}));
    expect(rights).toEqual(EFFECTS.map((effect) => ({ effect, missing: [] })));
  });

  test('each executor passes authorization in the server’s dry run', async () => {
    const all = executors({ client, clock: systemClock, mayBeginEffect: () => true }, NO_PROVIDERS);
    const scale = (to: number) => ({ kind: 'scale', from: 3, to, returnAfterSeconds: 60 }) as const;
    const cases: readonly [EffectName, Partial<Intent>][] = [
      ['restart_pod', { action: 'restart_pod', parameters: { kind: 'restart', how: 'evict' } }],
      ['restart_pod', { action: 'restart_pod', parameters: { kind: 'restart', how: 'rollout' } }],
      ['scale_up', { action: 'scale_up', parameters: scale(4) }],
      ['scale_down', { action: 'scale_down', parameters: scale(2) }],
    ];
    for (const [effect, changes] of cases) {
      const live = valueOf(await writer.readWorkload({ kind: 'Deployment', namespace: shop, name: 'web' }));
      const outcome = await all.get(effect)?.dryRun(await intentFor('dry', changes), live);
      expect([effect, outcome]).toEqual([effect, expect.objectContaining({ kind: 'applied' })]);
    }
  });

  test('an action lives its whole life: created, judged, kept for its undo, removed', async () => {
    const intent = await intentFor('life', {});
    const status: ActionStatus = { attempts: [], executingAtMs: 1_700_000_000_000 };
    const created = valueOf(await writer.createAction(intent));
    expect(created.intent).toEqual(intent);
    const judged: StoredAction = valueOf(await writer.writeActionStatus(created, status));
    expect(judged.status).toEqual(status);
    const kept = valueOf(await writer.setActionFinalizer(judged, true));
    expect(kept.finalizers).toEqual(['healing.aegis.dev/reversal']);
    const free = valueOf(await writer.setActionFinalizer(kept, false));
    expect(valueOf(await writer.readAction(shop, 'life')).finalizers).toEqual([]);
    expect((await writer.deleteAction(free)).ok).toBe(true);
  });

  test('the status of a policy is written', async () => {
    const policy = aPolicyObject({}, { name: 'web', namespace: shop });
    await requireRig().kubectl(['apply', '-f', '-'], { stdin: policy });
    const targets = { matched: 1, anomalous: 0, unknown: 0 };
    const status = { observedGeneration: 1, conditions: [], targets, incidents: [] };
    expect(await writer.writePolicyStatus({ namespace: shop, name: 'web' }, status)).toEqual({
      ok: true,
      value: undefined,
    });
  });

  test('the guardrail is read, and its status written where it has one', async () => {
    const { kubectl } = requireRig();
    const guardrailConfigMap = { namespace: system, name: 'aegis-guardrail' };
    const shared = { client, clock: systemClock, random: () => 0.5, log, metrics: recordedMetrics() };
    const reader = new CachedClusterReader({
      ...shared,
      ...(single && { namespaces: [shop], guardrailConfigMap }),
    });
    const name = `stop-${randomUUID().slice(0, 8)}`;
    const suspended = () => reader.guardrails()?.some((each) => each.kind === 'valid' && each.value.suspended) === true;
    reader.start();
    try {
      await waitUntil('the caches', 20_000, () => reader.synced());
      expect(suspended()).toBe(false);
      if (single) {
        const set = (data: object) => ['--type', 'merge', '-p', JSON.stringify({ data })];
        const map = ['patch', 'configmap', 'aegis-guardrail', '-n', system];
        await kubectl([...map, ...set({ suspended: 'true' })]);
        await waitUntil('the kill switch', 5_000, suspended);
        await kubectl([...map, ...set({ suspended: null, suspend: 'true' })]);
        await waitUntil('the slip of the pen', 5_000, () => reader.guardrails()?.[0]?.kind === 'invalid');
        return;
      }
      const metadata = { name };
      const spec = { namespaceSelector: { matchLabels: { nobody: 'here' } }, suspended: true };
      const guardrail = { apiVersion: 'healing.aegis.dev/v1alpha1', kind: 'AegisGuardrail', metadata, spec };
      await kubectl(['apply', '-f', '-'], { stdin: guardrail });
      await waitUntil('the kill switch', 5_000, suspended);
      const told = { observedGeneration: 1, status: 'True', message: 'as it should be', lastTransitionMs: 0 } as const;
      const conditions = [
        { type: 'Accepted', reason: 'Valid', ...told },
        { type: 'Suspended', reason: 'Suspended', ...told },
      ] as const;
      const written = await writer.writeGuardrailStatus(name, { observedGeneration: 1, boundPolicies: 0, conditions });
      expect(written).toEqual({ ok: true, value: undefined });
      expect(await kubectl(['get', 'agr', name])).toMatch(new RegExp(`${name} +true +Auto +30 +3 +0 +True`));
    } finally {
      await reader.stop();
      if (!single) await kubectl(['delete', 'agr', name, '--ignore-not-found']);
    }
  }, 60_000);

  test('an approval is written once, under the name of an API key and no other', async () => {
    const created = valueOf(await writer.createAction(await intentFor('approval', { approvalRequired: true })));
    const approval = { decision: 'Approved', reason: 'looked at it', atMs: 1_767_614_400_000 } as const;
    const forged = await writer.answerApproval(created, { ...approval, by: 'ada' });
    expect(forged).toMatchObject({ ok: false, error: { message: expect.stringContaining('key:NAME') as unknown } });
    const answered = valueOf(await writer.answerApproval(created, { ...approval, by: 'key:ops' }));
    expect(answered.approval).toEqual({ ...approval, by: 'key:ops' });
    const again = await writer.answerApproval(answered, { ...approval, decision: 'Denied', by: 'key:ops' });
    expect(again.ok).toBe(false);
    expect((await writer.deleteAction(answered)).ok).toBe(true);
  });

  test('an event is written and its repetition counted', async () => {
    const sink = new KubernetesEventSink({ client, clock: systemClock, log, instance: 'test', newId: randomUUID });
    const regarding = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: shop, name: 'web', uid: 'x' };
    const event = { regarding, type: 'Normal', reason: 'Healed', action: 'restart_pod', note: 'well again' } as const;
    refusals.length = 0;
    sink.emit(event);
    sink.emit(event);
    await waitUntil('the event', 15_000, async () => {
      const found = await requireRig().kubectl(['get', 'events.events.k8s.io', '-n', shop, '-o', 'json']);
      return found.includes('"well again"') && found.includes('"series"');
    });
    expect(refusals.filter((line) => /forbidden/i.test(line))).toEqual([]);
  }, 20_000);

  test('the lease is taken, kept and given back', async () => {
    const lease = { namespace: system, name: 'aegis', identity: 'test' };
    const leadership = new LeaseLeadership({ client, clock: systemClock, random: () => 0.5, log, ...lease });
    leadership.start();
    await waitUntil('the lease', 10_000, () => leadership.isLeader());
    await leadership.stop();
    const holder = await requireRig().kubectl([
      'get',
      'lease',
      'aegis',
      '-n',
      system,
      '-o',
      'jsonpath={.spec.holderIdentity}',
    ]);
    expect(holder).toBe('');
  }, 30_000);

  test('logs can be read, secrets cannot', async () => {
    const [pod] = (await intentFor('logs', {})).pods;
    const target = { resource: RESOURCES.pods, namespace: shop, name: pod?.name ?? '', subresource: 'log' } as const;
    expect((await client.readText(target)).ok).toBe(true);
    const account = `system:serviceaccount:${system}:aegis`;
    const secrets = ['auth', 'can-i', 'get', 'secrets', '--as', account, '-n', shop];
    await expect(requireRig().kubectl(secrets)).rejects.toThrow();
  });
});
