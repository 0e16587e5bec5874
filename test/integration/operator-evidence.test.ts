import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { OperatorProcess } from '../../tools/demo/operator-process.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { deployment, policy } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const SYSTEM = 'aegis-evidence-test';
const MINUTE = 60_000;
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

interface Incident {
  readonly failureType: string;
  readonly decision: string;
  readonly reason: string;
}

/** Whatever is wrong: more pods, so that what holds it back is seen. A limit needs no history. */
const slowIsScaled = {
  detection: {
    intervalSeconds: 5,
    minSamples: 20,
    metrics: [{ name: 'response_time', limit: { enter: '1500', leave: '1000', forSeconds: 1 } }],
  },
  remedies: [{ on: ['any', 'anomaly:response_time'], steps: [{ action: 'scale_up', timeoutSeconds: 600 }] }],
};

/** The whole operator, as a child process with the rights of the chart's own service account and no others. */
withCluster('the operator and what a workload stands on', () => {
  let cluster: RigHandle;
  let namespace: string;
  let installed: InstalledOperator;
  let operator: OperatorProcess;

  const apply = (...objects: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items: objects } });
  const incident = async (name: string): Promise<Incident | undefined> => {
    const text = await cluster.kubectl(['get', 'aegishealingpolicy', name, '-n', namespace, '-o', 'json']);
    return (JSON.parse(text) as { status?: { incidents?: readonly Incident[] } }).status?.incidents?.[0];
  };
  const replicas = async (name: string): Promise<string> =>
    cluster.kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'jsonpath={.spec.replicas}']);

  beforeAll(async () => {
    cluster = requireRig();
    installed = await installOperator(cluster, { helmBinary: helmBinary ?? '', system: SYSTEM });
    namespace = await cluster.freshNamespace('shop');
    const names = ['front', 'back', 'calm-a', 'calm-b', 'calm-c'];
    for (const name of names) await cluster.metrics.setWorkload(namespace, name, { requestsPerSecond: 30 });
    const front = deployment(namespace, 'front', 3) as { metadata: object };
    const annotations = { 'healing.aegis.dev/depends-on': 'back' };
    await apply(
      { ...front, metadata: { ...front.metadata, annotations } },
      ...names.slice(1).map((name) => deployment(namespace, name, 3)),
      policy(namespace, 'front', slowIsScaled),
      ...names.slice(2).map((name) => policy(namespace, name, slowIsScaled)),
    );
    operator = await installed.start();
  }, 3 * MINUTE);

  afterAll(() => installed?.remove(namespace), MINUTE);

  test(
    'a callee whose pods are not ready: its slow caller is held, and the callee is named',
    async () => {
      await waitUntil('front is healthy', 2 * MINUTE, async () => {
        const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'front', '-n', namespace, '-o', 'json']);
        return text.includes('"Healthy"') && (await incident('front')) === undefined;
      });
      await cluster.kubectl(['label', 'pods', '-l', 'app=back', '-n', namespace, 'aegis.test/crash-loop=true']);
      await waitUntil('every pod of back has crashed three times', MINUTE, async () => {
        const counts = '{.items[*].status.containerStatuses[0].restartCount}';
        const text = await cluster.kubectl([
          'get',
          'pods',
          '-l',
          'app=back',
          '-n',
          namespace,
          '-o',
          `jsonpath=${counts}`,
        ]);
        return text.split(' ').every((count) => Number(count) >= 3);
      });
      await cluster.metrics.addFault(namespace, 'front', { kind: 'slow', factor: 60 });
      await waitUntil('the callee is named', 2 * MINUTE, async () =>
        ((await incident('front'))?.reason ?? '').includes('back'),
      );
      expect(await incident('front')).toMatchObject({
        reason: expect.stringMatching(/^CauseElsewhere: the cause is the dependency back/),
      });
      expect(await replicas('front')).toBe('3');
    },
    5 * MINUTE,
  );

  test(
    'its log holds no error, and no right was missing',
    async () => {
      operator.signal('SIGTERM');
      expect(await operator.ended).toBe(0);
      const lines = readFileSync(operator.logFile, 'utf8').split('\n');
      expect(
        lines.filter((line) => line.includes('"level":"error"') || /cannot (get|list) resource/.test(line)),
      ).toEqual([]);
    },
    MINUTE,
  );
});
