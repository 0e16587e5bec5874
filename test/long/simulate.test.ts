import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SimulationReport } from '../../src/cli/simulate/report.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { deployment, policy } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';
import { StateMetrics } from '../support/state-metrics.ts';

const SYSTEM = 'aegis-simulate-test';
const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const MINUTE = 60_000;
const POLL_MS = 5_000;
const run = promisify(execFile);
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

interface Action {
  readonly metadata: { readonly creationTimestamp: string };
  readonly spec: {
    readonly action: string;
    readonly target: { readonly name: string };
    readonly pods?: readonly { readonly name: string }[];
    readonly diagnosis: { readonly failureType: string };
  };
  readonly status?: { readonly state?: string };
}

const NAMES = ['leaking', 'calm', 'steady', 'still'];

/** A live operator acts on what Prometheus measures; afterwards the same policy is tried on what Prometheus has kept. */
withCluster('a backtest from a real Prometheus', () => {
  let cluster: RigHandle;
  let namespace: string;
  let installed: InstalledOperator;
  let state: StateMetrics;
  let folder: string;
  let fromMs: number;

  const policies = (): readonly object[] => NAMES.map((name) => policy(namespace, name));
  const apply = (...items: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const actions = async (): Promise<readonly Action[]> => {
    const text = await cluster.kubectl(['get', 'aegishealingactions', '-n', namespace, '-o', 'json']);
    return (JSON.parse(text) as { readonly items: readonly Action[] }).items;
  };
  const aegis = (...argv: readonly string[]) =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...argv], {
      env: { PATH: process.env['PATH'], HOME: folder, PROMETHEUS_SCRAPE_INTERVAL_SECONDS: '1' },
      maxBuffer: 64 << 20,
    });
  const simulate = async (file: string, ...more: readonly string[]): Promise<SimulationReport> => {
    const range = ['--from', new Date(fromMs).toISOString(), '--prometheus', cluster.prometheusUrl];
    const { stdout } = await aegis('simulate', '-f', file, ...range, '--step', '5s', '--json', ...more);
    return JSON.parse(stdout) as SimulationReport;
  };

  beforeAll(async () => {
    cluster = requireRig();
    folder = mkdtempSync(join(tmpdir(), 'aegis-simulate-'));
    installed = await installOperator(cluster, { helmBinary: helmBinary ?? '', system: SYSTEM });
    namespace = await cluster.freshNamespace('shop');
    for (const name of NAMES)
      await cluster.metrics.setWorkload(namespace, name, { requestsPerSecond: 60, memoryBytes: 70e6 });
    await apply(...NAMES.map((name) => deployment(namespace, name, 3)));
    for (const name of NAMES) await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace]);
    state = new StateMetrics(cluster, namespace);
    await state.start();
    await apply(...policies());
    fromMs = Date.now();
    await installed.start();
    await waitUntil('leaking has learnt', 4 * MINUTE, async () => {
      const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'leaking', '-n', namespace, '-o', 'json']);
      const { status } = JSON.parse(text) as { status?: { conditions?: { type: string; status: string }[] } };
      return status?.conditions?.some((each) => each.type === 'Learned' && each.status === 'True') === true;
    });
  }, 8 * MINUTE);

  afterAll(async () => {
    state?.stop();
    rmSync(folder, { recursive: true, force: true });
    await installed?.remove(namespace);
  }, MINUTE);

  test(
    'names the incident, the pod and the action that the live operator chose, within three polls of it; and no other',
    async () => {
      const names = '{.items[0].metadata.name}';
      const pod = await cluster.kubectl([
        'get',
        'pods',
        '-n',
        namespace,
        '-l',
        'app=leaking',
        '-o',
        `jsonpath=${names}`,
      ]);
      await cluster.metrics.addFault(namespace, 'leaking', { kind: 'leak', bytesPerSecond: 1.5e6, pods: [pod] });
      await waitUntil('the leaking pod was restarted', 5 * MINUTE, async () =>
        (await actions()).some(({ spec, status }) => spec.action === 'restart_pod' && status?.state === 'Healed'),
      );
      const file = join(folder, 'policies.yaml');
      writeFileSync(
        file,
        policies()
          .map((each) => JSON.stringify(each))
          .join('\n---\n'),
      );
      const [live, ...others] = await actions();
      expect(others).toEqual([]);
      expect(live?.spec).toMatchObject({ action: 'restart_pod', diagnosis: { failureType: 'memory_leak' } });

      const report = await simulate(file);
      expect(report.pods).toBeGreaterThanOrEqual(3 * NAMES.length);
      expect(report.workloads.length).toBe(NAMES.length);
      const done = report.incidents.flatMap((incident) =>
        incident.actions.map(({ action, failureType, pods, atMs }) => ({
          workload: incident.workload,
          action,
          failureType,
          pods,
          atMs,
        })),
      );
      const told = report.incidents.map(({ diagnosis = 'none', held }) =>
        [diagnosis, ...held.map(({ reason }) => reason)].join(', '),
      );
      expect({ done, told }).toEqual({
        told: expect.anything(),
        done: [
          {
            ...{ workload: expect.stringContaining('leaking'), action: 'restart_pod', failureType: 'memory_leak' },
            ...{ pods: [pod], atMs: expect.any(Number) },
          },
        ],
      });
      const decidedMs = Date.parse(live?.metadata.creationTimestamp ?? '');
      expect(Math.abs((done[0]?.atMs ?? 0) - decidedMs)).toBeLessThanOrEqual(3 * POLL_MS);

      // In Observe the same would have been decided, and nothing done.
      const observed = await simulate(file, '--mode', 'Observe');
      expect(observed.incidents.length).toBe(report.incidents.length);
    },
    12 * MINUTE,
  );

  test(
    'says what is wrong where nothing was recorded, or nobody answers',
    async () => {
      const file = join(folder, 'elsewhere.yaml');
      writeFileSync(file, JSON.stringify(policy('nowhere', 'leaking')));
      const range = ['simulate', '-f', file, '--from', '5m', '--prometheus'];
      await expect(aegis(...range, cluster.prometheusUrl)).rejects.toMatchObject({
        ...{ code: 1, stderr: expect.stringContaining('Prometheus has no series of namespace nowhere') },
      });
      await expect(aegis(...range, 'http://127.0.0.1:9')).rejects.toMatchObject({
        ...{ code: 1, stderr: expect.stringContaining('Prometheus: Unreachable') },
      });
    },
    3 * MINUTE,
  );
});
