import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../tools/rig/wait.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { deployment, feltLatency, policy } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const SYSTEM = 'aegis-scale-test';
const MINUTE = 60_000;
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

interface Action {
  readonly spec: { readonly action: string; readonly target: { readonly name: string } };
  readonly status?: {
    readonly state?: string;
    readonly rollback?: { readonly done: boolean; readonly readBack?: string };
  };
}

const scaling = {
  detection: feltLatency,
  verification: { stabilizationSeconds: 10, timeoutSeconds: 150 },
  remedies: [{ on: ['any'], steps: [{ action: 'scale_up', scale: { percent: 100, returnAfterSeconds: 20 } }] }],
};

/** What Aegis adds it takes away again, as the API server has it. */
withCluster('replicas that the operator added on a real API server', () => {
  let cluster: RigHandle;
  let namespace: string;
  let installed: InstalledOperator;

  const apply = (...items: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const specOf = async (name: string): Promise<{ replicas: number }> => {
    const text = await cluster.kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'json']);
    return (JSON.parse(text) as { spec: { replicas: number } }).spec;
  };
  const actionOn = async (name: string): Promise<Action | undefined> => {
    const text = await cluster.kubectl(['get', 'aegishealingactions', '-n', namespace, '-o', 'json']);
    const { items } = JSON.parse(text) as { items: readonly Action[] };
    return items.find(({ spec }) => spec.target.name === name && spec.action === 'scale_up');
  };

  beforeAll(async () => {
    cluster = requireRig();
    installed = await installOperator(cluster, { helmBinary: helmBinary ?? '', system: SYSTEM });
    namespace = await cluster.freshNamespace('shop');
    const names = ['busy', 'hopeless', 'calm-a', 'calm-b', 'calm-c', 'calm-d'];
    for (const name of names) await cluster.metrics.setWorkload(namespace, name, { requestsPerSecond: 60 });
    await apply(...names.map((name) => deployment(namespace, name, 3)));
    await apply(...names.map((name) => policy(namespace, name, scaling)));
    await installed.start();
    await waitUntil('busy has learnt', 4 * MINUTE, async () => {
      const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'busy', '-n', namespace, '-o', 'json']);
      const { status } = JSON.parse(text) as { status?: { conditions?: { type: string; status: string }[] } };
      return status?.conditions?.some((each) => each.type === 'Learned' && each.status === 'True') === true;
    });
  }, 6 * MINUTE);

  afterAll(() => installed?.remove(namespace), MINUTE);

  test(
    'that do not help are taken back at once, and the object equals what it was',
    async () => {
      const before = await specOf('hopeless');
      await cluster.metrics.addFault(namespace, 'hopeless', { kind: 'overload', factor: 5 });
      await waitUntil('hopeless is scaled', 5 * MINUTE, async () => (await specOf('hopeless')).replicas > 3);
      // Whatever is added, more comes.
      await cluster.metrics.setWorkload(namespace, 'hopeless', { requestsPerSecond: 6_000 });
      await waitUntil(
        'hopeless is undone',
        5 * MINUTE,
        async () => (await actionOn('hopeless'))?.status?.state === 'RolledBack',
      );
      expect(await specOf('hopeless')).toEqual(before);
      expect((await actionOn('hopeless'))?.status?.rollback).toMatchObject({
        ...{ done: true, readBack: expect.stringContaining('3 replicas were read back') },
      });
    },
    12 * MINUTE,
  );

  test(
    'go back to the baseline after recovery, and the object equals what it was',
    async () => {
      const before = await specOf('busy');
      await cluster.metrics.addFault(namespace, 'busy', { kind: 'overload', factor: 5 });
      await waitUntil('busy is scaled and healed', 5 * MINUTE, async () => {
        const state = (await actionOn('busy'))?.status?.state;
        if (state !== undefined && !['Pending', 'Blocked', 'Executing', 'Verifying', 'Healed'].includes(state)) {
          throw new Error(`scale_up ended ${state}`);
        }
        return state === 'Healed';
      });
      expect((await specOf('busy')).replicas).toBe(6);
      await cluster.metrics.setWorkload(namespace, 'busy', { requestsPerSecond: 60 });
      await waitUntil(
        'busy has returned',
        6 * MINUTE,
        async () => (await actionOn('busy'))?.status?.rollback?.done === true,
      );
      expect(await specOf('busy')).toEqual(before);
      expect((await actionOn('busy'))?.status?.rollback?.readBack).toContain('3 replicas were read back');
    },
    13 * MINUTE,
  );
});
