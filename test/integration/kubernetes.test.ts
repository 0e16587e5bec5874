import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Executor } from '../../src/controller/ports.ts';
import type { Outcome } from '../../src/healing/decision.ts';
import { type KubeClient, createClient } from '../../src/kubernetes/client.ts';
import { CachedClusterReader } from '../../src/kubernetes/cluster-reader.ts';
import { LiveClusterWriter } from '../../src/kubernetes/cluster-writer.ts';
import { KubernetesEventSink } from '../../src/kubernetes/event-sink.ts';
import { executors } from '../../src/kubernetes/executors/registry.ts';
import { LeaseLeadership } from '../../src/kubernetes/lease.ts';
import { missingRights } from '../../src/kubernetes/self-check.ts';
import type { WorkloadSnapshot } from '../../src/lib/workload.ts';
import type { EffectName, Intent } from '../../src/policy/action.ts';
import { untilEstablished } from '../../tools/rig/established.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { anApiIntent } from '../support/builders/api.ts';
import { anEffect, NO_PROVIDERS } from '../support/builders/kubernetes.ts';
import { realClock } from '../support/real-clock.ts';
import { recordedLog, recordedMetrics } from '../support/recorders.ts';
import { type RigHandle, requireRig, rig } from '../support/rig.ts';

const ROOT = join(import.meta.dirname, '../..');
const clock = realClock();
const log = recordedLog();

let cluster: RigHandle;
let client: KubeClient;
let writer: LiveClusterWriter;
let namespace: string;

async function connect(path: string): Promise<KubeClient> {
  const made = await createClient({ access: { kind: 'kubeconfig', path }, clock, log });
  if (!made.ok) throw new Error(made.error);
  return made.value;
}

/** The executor of an effect, with whatever stands between it and the server. */
function executor(action: EffectName, through: KubeClient = client): Executor {
  const found = executors({ client: through, clock, mayBeginEffect: () => true }, NO_PROVIDERS).get(action);
  if (found === undefined) throw new Error(`no executor for ${action}`);
  return found;
}

const kubectl = (...args: string[]): Promise<string> => cluster.kubectl([...args, '-n', namespace]);

async function live(kind: 'Deployment' | 'StatefulSet' = 'Deployment'): Promise<WorkloadSnapshot> {
  const read = await writer.readWorkload({ kind, namespace, name: 'web' });
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

async function deploy(replicas = 3): Promise<WorkloadSnapshot> {
  await kubectl('create', 'deployment', 'web', '--image=web:1', `--replicas=${replicas}`);
  return settledAt(replicas);
}

/** Waits until the controllers have nothing left to do, so that versions stand still. */
async function settledAt(
  replicas: number,
  kind: 'Deployment' | 'StatefulSet' = 'Deployment',
): Promise<WorkloadSnapshot> {
  await waitUntil(`${replicas} ready`, 30_000, async () => {
    const { replicas: now, observedGeneration, generation, pods } = await live(kind);
    return (
      now.ready === replicas && now.updated === replicas && pods.length === replicas && observedGeneration >= generation
    );
  });
  return live(kind);
}

const intentFor = (workload: WorkloadSnapshot, change: Partial<Intent> = {}): Intent =>
  anEffect({
    namespace,
    target: workload.ref,
    pods: workload.pods.slice(0, 1).map(({ name, uid }) => ({ name, uid })),
    decidedAtMs: Date.now(),
    ...change,
  });

const scaleTo = (from: number, to: number): Partial<Intent> => ({
  action: 'scale_up',
  parameters: { kind: 'scale', from, to, returnAfterSeconds: 60 },
});

const uids = (workload: WorkloadSnapshot): string[] =>
  workload.pods
    .filter((pod) => pod.deletedAtMs === undefined)
    .map((pod) => pod.uid)
    .sort();

(rig() ? describe : describe.skip)('the Kubernetes adapter on a real API server', () => {
  beforeAll(async () => {
    cluster = requireRig();
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(ROOT, 'crds')]);
    await untilEstablished(cluster.kubectl);
    client = await connect(cluster.kubeconfigPath);
    writer = new LiveClusterWriter(client);
  }, 60_000);

  afterAll(() => client.close());

  beforeEach(async () => {
    namespace = await cluster.freshNamespace('kube');
  }, 30_000);

  describe('eviction', () => {
    test('evicts exactly the pod that was meant; the workload replaces it', async () => {
      const before = await deploy();
      const intent = intentFor(before);
      expect(await executor('restart_pod').dryRun(intent, before)).toMatchObject({ kind: 'applied' });
      expect(uids(await live())).toEqual(uids(before));
      expect(await executor('restart_pod').perform(intent, before)).toMatchObject({ kind: 'applied' });
      const after = await live();
      expect(executor('restart_pod').isVisible(intent, after)).toBe(true);
      expect(executor('restart_pod').settle(intent, after)).toBe('done');
      const treated = intent.pods[0]?.uid ?? '';
      expect(uids(await settledAt(3)).filter((uid) => uids(before).includes(uid))).toEqual(
        uids(before).filter((uid) => uid !== treated),
      );
    }, 60_000);

    test('a pod of the same name that was made since lives', async () => {
      const set = {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'web', namespace },
        spec: {
          replicas: 1,
          serviceName: 'web',
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1' }] } },
        },
      };
      await cluster.kubectl(['apply', '-f', '-'], { stdin: set });
      const before = await settledAt(1, 'StatefulSet');
      const intent = intentFor(before);
      await kubectl('delete', 'pod', 'web-0', '--wait=true');
      const after = await settledAt(1, 'StatefulSet');
      expect(after.pods[0]?.name).toBe('web-0');
      expect(after.pods[0]?.uid).not.toBe(intent.pods[0]?.uid);
      // The snapshot is the stale one, so only the precondition stands between the write and the new pod.
      const outcome = await executor('restart_pod').perform(intent, before);
      expect(outcome).toMatchObject({ kind: 'refused', reason: 'TargetGone' });
      const now = await live('StatefulSet');
      expect(uids(now)).toEqual(uids(after));
    }, 60_000);

    test('a budget that allows none blocks it, in the dry run too, and no pod goes', async () => {
      const before = await deploy();
      await kubectl('create', 'poddisruptionbudget', 'all', '--selector=app=web', '--min-available=3');
      await waitUntil('the budget is counted', 20_000, async () => (await live()).disruptionBudgets.length === 1);
      const intent = intentFor(before);
      for (const attempt of [
        executor('restart_pod').dryRun(intent, before),
        executor('restart_pod').perform(intent, before),
      ]) {
        const outcome = await attempt;
        expect(outcome).toMatchObject({ kind: 'blocked', reason: 'DisruptionBudget' });
        expect((outcome as Outcome & { kind: 'blocked' }).retryAfterMs).toBeGreaterThanOrEqual(30_000);
      }
      expect(uids(await live())).toEqual(uids(before));
    }, 60_000);

    test('two budgets over one pod are told as such, and no pod goes', async () => {
      const before = await deploy();
      for (const name of ['one', 'two']) {
        await kubectl('create', 'poddisruptionbudget', name, '--selector=app=web', '--max-unavailable=1');
      }
      const outcome = await executor('restart_pod').perform(intentFor(before), before);
      expect(outcome).toMatchObject({ kind: 'blocked', reason: 'BudgetMisconfigured' });
      expect(uids(await live())).toEqual(uids(before));
    }, 60_000);

    test('an account without the right is blocked, and the self-check says which right is missing', async () => {
      const before = await deploy();
      const poor = await connect(await cluster.serviceAccountKubeconfig(namespace, 'default'));
      try {
        const outcome = await executor('restart_pod', poor).perform(intentFor(before), before);
        expect(outcome).toMatchObject({ kind: 'blocked', reason: 'Forbidden', retryAfterMs: 60_000 });
        const rights = await missingRights(poor, ['restart_pod'], { namespace });
        expect(rights).toMatchObject({ ok: true, value: [{ effect: 'restart_pod' }] });
        expect(rights.ok && rights.value[0]?.missing).toContain('create pods/eviction');
        expect(await missingRights(client, ['restart_pod', 'scale_up'])).toMatchObject({
          ok: true,
          value: [{ missing: [] }, { missing: [] }],
        });
      } finally {
        poor.close();
      }
    }, 60_000);
  });

  describe('rollout restart', () => {
    test('replaces every pod once; the same intent again is no second rollout', async () => {
      const before = await deploy(2);
      const intent = intentFor(before, { pods: [], parameters: { kind: 'restart', how: 'rollout' } });
      expect(await executor('restart_pod').dryRun(intent, before)).toMatchObject({ kind: 'applied' });
      expect((await live()).generation).toBe(before.generation);
      expect(await executor('restart_pod').perform(intent, before)).toMatchObject({ kind: 'applied' });
      const after = await settledAt(2);
      expect(executor('restart_pod').settle(intent, after)).toBe('done');
      expect(uids(after).some((uid) => uids(before).includes(uid))).toBe(false);
      await executor('restart_pod').perform(intent, after);
      expect((await live()).generation).toBe(after.generation);
    }, 60_000);

    test('a workload that changed since it was read is a conflict', async () => {
      const before = await deploy(1);
      await kubectl('annotate', 'deployment', 'web', 'touched=yes');
      const intent = intentFor(before, { pods: [], parameters: { kind: 'restart', how: 'rollout' } });
      const outcome = await executor('restart_pod').perform(intent, before);
      expect(outcome).toMatchObject({ kind: 'blocked', reason: 'TargetChanged' });
      const now = await live();
      expect(now.templateAnnotations).toEqual({});
      expect(uids(now)).toEqual(uids(before));
    }, 60_000);
  });

  describe('scaling', () => {
    /** The cluster's own controllers write a status just now: read and judged again, as the gate does it. */
    async function judgedAgain<T extends { readonly kind: string }>(
      run: (now: WorkloadSnapshot) => Promise<T> | undefined,
    ): Promise<T | undefined> {
      let outcome = await run(await live());
      for (let again = 0; again < 5 && outcome?.kind === 'blocked'; again += 1) outcome = await run(await live());
      return outcome;
    }

    test('up, seen, and back; the dry run changes nothing', async () => {
      const before = await deploy();
      const intent = intentFor(before, scaleTo(3, 5));
      expect(await executor('scale_up').dryRun(intent, before)).toMatchObject({ kind: 'applied' });
      expect((await live()).replicas.desired).toBe(3);
      expect(await executor('scale_up').perform(intent, before)).toMatchObject({ kind: 'applied' });
      const scaled = await live();
      expect(executor('scale_up').isVisible(intent, scaled)).toBe(true);
      expect(scaled.replicasManagers).toContain('aegis');
      expect(await executor('scale_up').perform(intent, scaled)).toMatchObject({ kind: 'already' });
      const undone = await judgedAgain((now) => executor('scale_up').undo?.(intent, now));
      expect(undone).toMatchObject({ kind: 'applied' });
      expect((await live()).replicas.desired).toBe(3);
    }, 60_000);

    test('somebody who writes between reading and writing wins: 409, nothing is lost', async () => {
      const before = await deploy();
      const racing: KubeClient = {
        ...wrapped(client),
        call: async (request) => {
          if (request.method === 'PUT') await kubectl('scale', 'deployment', 'web', '--replicas=4');
          return client.call(request);
        },
      };
      const outcome = await executor('scale_up', racing).perform(intentFor(before, scaleTo(3, 5)), before);
      expect(outcome).toMatchObject({ kind: 'blocked', reason: 'TargetChanged' });
      expect((await live()).replicas.desired).toBe(4);
      const undone = await executor('scale_up').undo?.(intentFor(before, scaleTo(3, 5)), before);
      expect(undone).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
      expect((await live()).replicas.desired).toBe(4);
    }, 60_000);

    test("an HPA's minimum is raised instead where that was decided", async () => {
      await deploy();
      await kubectl('autoscale', 'deployment', 'web', '--name=web', '--min=2', '--max=8', '--cpu=80%');
      const before = await live();
      expect(before.autoscalers).toMatchObject([{ kind: 'HorizontalPodAutoscaler', minReplicas: 2, maxReplicas: 8 }]);
      const intent = intentFor(before, {
        action: 'scale_up',
        parameters: { kind: 'scale', from: 2, to: 4, returnAfterSeconds: 60, autoscaler: 'web' },
      });
      const outcome = await judgedAgain(() => executor('scale_up').perform(intent, before));
      expect(outcome).toMatchObject({ kind: 'applied' });
      expect(executor('scale_up').settle(intent, await live())).toBe('done');
    }, 60_000);
  });

  describe('own objects', () => {
    const anIntent = (): Intent => {
      const intent = anApiIntent();
      return { ...intent, namespace, target: { ...intent.target, namespace } };
    };

    test('an action is created once, its status moves by version, its finalizer holds it', async () => {
      const created = await writer.createAction(anIntent());
      if (!created.ok) throw new Error(created.error.message);
      expect(await writer.createAction(anIntent())).toMatchObject({ ok: false, error: { kind: 'Conflict' } });
      const blocked = {
        reason: 'Cooldown',
        message: 'too soon',
        atMs: 1_767_614_400_000,
        nextLookMs: 1_767_614_460_000,
      } as const;
      const written = await writer.writeActionStatus(created.value, { attempts: [], blocked });
      expect(written).toMatchObject({ ok: true, value: { status: { blocked: { reason: 'Cooldown' } } } });
      expect(await writer.writeActionStatus(created.value, { attempts: [], executingAtMs: 1 })).toMatchObject({
        ok: false,
        error: { kind: 'Conflict' },
      });
      if (!written.ok) throw new Error('not written');
      const cleared = await writer.writeActionStatus(written.value, { attempts: [] });
      expect(cleared.ok && cleared.value.status.blocked).toBeUndefined();
      if (!cleared.ok) throw new Error('not cleared');
      const held = await writer.setActionFinalizer(cleared.value, true);
      if (!held.ok) throw new Error(held.error.message);
      expect(await writer.deleteAction(held.value)).toEqual({ ok: true, value: undefined });
      const going = await writer.readAction(namespace, held.value.intent.name);
      if (!going.ok) throw new Error(going.error.message);
      expect(going.value.deletedAtMs).toBeDefined();
      expect((await writer.setActionFinalizer(going.value, false)).ok).toBe(true);
      expect(await writer.readAction(namespace, held.value.intent.name)).toMatchObject({ error: { kind: 'NotFound' } });
    }, 30_000);

    test('events tell the story where people look for it, repetitions as one series', async () => {
      const { ref } = await deploy(1);
      let ids = 0;
      const sink = new KubernetesEventSink({
        client,
        clock,
        log,
        instance: 'test',
        newId: () => `${Date.now()}-${(ids += 1)}`,
      });
      const note = {
        regarding: ref,
        type: 'Normal',
        reason: 'Healed',
        action: 'Verify',
        note: 'memory fell to 40 %',
      } as const;
      const told = async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
        const text = await kubectl('get', 'events.events.k8s.io', '-o', 'json');
        const { items } = JSON.parse(text) as { items: Readonly<Record<string, unknown>>[] };
        return items.filter((item) => item['reason'] === 'Healed');
      };
      sink.emit(note);
      await waitUntil('the event', 10_000, async () => (await told()).length === 1);
      sink.emit(note);
      await waitUntil('the series', 10_000, async () => JSON.stringify(await told()).includes('"count":2'));
      sink.stop();
      expect(await told()).toMatchObject([
        { reportingController: 'healing.aegis.dev/aegis', note: 'memory fell to 40 %', regarding: { name: 'web' } },
      ]);
      expect(await kubectl('describe', 'deployment', 'web')).toContain('memory fell to 40 %');
    }, 60_000);
  });

  describe('leadership', () => {
    const timing = { durationMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400, effectWindowMs: 800 };
    const replica = (identity: string): LeaseLeadership =>
      new LeaseLeadership({ client, clock, random: Math.random, log, namespace, name: 'aegis', identity, timing });

    test('one leads; released, the other leads at once; abandoned, after the duration', async () => {
      const [a, b] = [replica('a'), replica('b')];
      a.start();
      await waitUntil('a leads', 10_000, () => a.isLeader());
      b.start();
      await a.stop();
      expect([a.isLeader(), a.mayWrite()]).toEqual([false, false]);
      const releasedMs = performance.now();
      await waitUntil('b leads', 5_000, () => b.isLeader());
      expect(performance.now() - releasedMs).toBeLessThan(2_500);
      const lease = await kubectl(
        'get',
        'lease',
        'aegis',
        '-o',
        'jsonpath={.spec.holderIdentity} {.spec.leaseTransitions}',
      );
      expect(lease).toBe('b 1');
      await b.stop();
      expect(await kubectl('get', 'lease', 'aegis', '-o', 'jsonpath={.spec.leaseDurationSeconds}')).toBe('1');
    }, 30_000);
  });

  describe('the caches', () => {
    test('follow the cluster, agree with live reads, and survive a restart of the API server', async () => {
      const reader = new CachedClusterReader({
        ...{ client, clock, random: Math.random, log, metrics: recordedMetrics() },
        timing: { watchSeconds: [4, 6] },
      });
      reader.start();
      try {
        await waitUntil('the caches are synced', 30_000, () => reader.synced());
        const shown = (): WorkloadSnapshot | undefined =>
          reader.workloads(namespace, { kind: 'Deployment', name: 'web' })[0];
        await deploy();
        await waitUntil(
          'the workload is shown',
          10_000,
          () => shown()?.replicas.ready === 3 && shown()?.pods.length === 3,
        );
        expect(shown()).toEqual(await live());
        expect(reader.nodes().length).toBeGreaterThan(0);
        expect(reader.problems()).toEqual([]);

        await cluster.apiServer.kill();
        expect(shown()?.pods).toHaveLength(3);
        // On a loaded machine the API server may give up waiting for itself; that is not what is tested here.
        await cluster.apiServer.start().catch(() => cluster.apiServer.start());
        await kubectl('scale', 'deployment', 'web', '--replicas=1');
        await waitUntil('the change is shown', 60_000, () => shown()?.pods.length === 1);
        await waitUntil('every cache is confirmed', 60_000, () => reader.ageMs() < 10_000);
      } finally {
        await reader.stop();
      }
    }, 200_000);
  });
});

/** The methods of a client, so that one of them can be replaced. */
const wrapped = (inner: KubeClient): KubeClient => ({
  namespace: inner.namespace,
  call: (request) => inner.call(request),
  groups: () => inner.groups(),
  readText: (target, signal) => inner.readText(target, signal),
  exec: (target, command) => inner.exec(target, command),
  watch: (target, signal, listener) => inner.watch(target, signal, listener),
  fenceWrites: (mayWrite) => inner.fenceWrites(mayWrite),
  close: () => inner.close(),
});
