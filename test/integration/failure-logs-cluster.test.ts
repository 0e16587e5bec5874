import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperatorProcess } from '../../tools/demo/operator-process.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { deployment } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const SYSTEM = 'aegis-failure-logs-test';
const MINUTE = 60_000;
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

/** A real API server passes on what the node's kubelet tells; the program has the rights that the chart gives, no more. */
withCluster('detect-failure with the log API of Kubernetes', () => {
  let cluster: RigHandle;
  let namespace: string;
  let pod: string;
  let installed: InstalledOperator;
  let operator: OperatorProcess;

  beforeAll(async () => {
    cluster = requireRig();
    const values = ['podLogs.enabled=true'];
    const env = { FAILURE_LOGS: 'kubernetes' };
    installed = await installOperator(cluster, { helmBinary: helmBinary ?? '', system: SYSTEM, values, env });
    namespace = await cluster.freshNamespace('shop');
    await cluster.kubectl(['apply', '-f', '-'], { stdin: deployment(namespace, 'checkout', 1) });
    await cluster.kubectl(['rollout', 'status', 'deployment/checkout', '-n', namespace, '--timeout=60s']);
    pod = (await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    operator = await installed.start();
  }, 3 * MINUTE);

  afterAll(async () => {
    cluster.resetPodLogs();
    await installed?.remove(namespace);
  }, MINUTE);

  const detect = async (labels: object, logs: readonly object[] = []): Promise<unknown> => {
    const timestamp = new Date().toISOString();
    const reply = await fetch(`${operator.url}/api/v1/detect-failure`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': 'dev_api_key' },
      body: JSON.stringify({ metrics: [{ metric_type: 'cpu_usage', value: 20, timestamp, labels }], logs }),
    });
    expect(reply.status).toBe(200);
    return reply.json();
  };

  test(
    'the lines of the pods that a request names are found, and name the failure',
    async () => {
      cluster.writePodLog(['listening on :8080', 'level=error write failed: No space left on device']);
      expect(await detect({ pod, namespace })).toMatchObject({ failure_detected: true, failure_type: 'volume_full' });
    },
    MINUTE,
  );

  test(
    'lines that the request brings are the only ones that count',
    async () => {
      cluster.writePodLog(['level=error write failed: No space left on device']);
      const line = { timestamp: new Date().toISOString(), level: 'info', message: 'ready', service: 'checkout' };
      expect(await detect({ pod, namespace }, [line])).toMatchObject({ failure_detected: false });
    },
    MINUTE,
  );

  test(
    'a pod that is not there: an answer all the same, which says that lines are missing',
    async () => {
      const { details } = (await detect({ pod: 'checkout-gone', namespace })) as {
        details: { missing_evidence: readonly string[] };
      };
      expect(details.missing_evidence).toContainEqual(expect.stringMatching(/^log/));
    },
    MINUTE,
  );
});
