import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOperator, type OperatorProcess } from '../../tools/demo/operator-process.ts';
import { freePorts } from '../../tools/rig/ports.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { deployment, policy } from '../support/manifests.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';

const CRDS = join(import.meta.dirname, '../../crds');
const MINUTE = 60_000;
const withCluster = rig() === undefined ? describe.skip : describe;

interface Shown {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

const query = (text: string) => ({
  detection: { intervalSeconds: 5, metrics: [{ name: 'mine', query: text, unit: '1', direction: 'Above' }] },
});
const rule = (expression: string) => ({ rules: [{ name: 'mine', expression, effect: 'Deny' }] });
const ladder = (on: string, ...steps: object[]) => ({ remedies: [{ on: [on], steps }] });
const window = (over: object) => ({
  windows: [{ schedule: '0 * * * *', durationSeconds: 60, effect: 'Allow', ...over }],
});

/** What the API server takes and Aegis must answer: name, spec, condition, its reason. */
const ROWS: readonly (readonly [string, object, string, string])[] = [
  ['query-syntax', query('sum(rate(x[5m])'), 'Accepted', 'False QueryInvalid'],
  ['query-deep', query(`${'('.repeat(1000)}up${')'.repeat(1000)}`), 'Accepted', 'False QueryInvalid'],
  ['query-scalar', query('scalar(up)'), 'Accepted', 'False QueryInvalid'],
  ['query-matrix', query('up[5m]'), 'Accepted', 'False QueryInvalid'],
  ['query-string', query('"up"'), 'Accepted', 'False QueryInvalid'],
  ['rule-syntax', rule('action.name =='), 'Accepted', 'False RuleInvalid'],
  ['rule-unknown', rule('nosuch == 1'), 'Accepted', 'False RuleInvalid'],
  ['rule-bomb', rule('target.name.matches("((a{1,1000}){1,1000}){1,1000}$")'), 'Accepted', 'False RuleInvalid'],
  ['rule-look-behind', rule('target.name.matches("(?<=a)b")'), 'Accepted', 'False RuleInvalid'],
  ['type-unknown', ladder('nosuch', { action: 'restart_pod' }), 'Accepted', 'False UnknownFailureType'],
  ['metric-unknown', ladder('anomaly:nosuch', { action: 'restart_pod' }), 'Accepted', 'False UnknownFailureType'],
  ['sink-unknown', { notifications: [{ sink: 'nosuch' }] }, 'Accepted', 'False SinkUnknown'],
  ['sink-in-step', ladder('any', { action: 'alert_admin', notify: { sinks: ['nosuch'] } }), 'Accepted', 'False SinkUnknown'],
  ['window-minute', window({ schedule: '61 * * * *' }), 'Accepted', 'False WindowInvalid'],
  ['window-zone', window({ timeZone: 'Mars/Base' }), 'Accepted', 'False WindowInvalid'],
  ['throttle', ladder('any', { action: 'throttle_api', throttle: { provider: 'Istio' } }), 'Limited', 'True UnsupportedByCluster'],
  ['absent', { target: { kind: 'Deployment', name: 'absent' } }, 'Ready', 'False TargetNotFound'],
  ['itself', { target: { kind: 'Deployment', name: 'aegis' } }, 'Accepted', 'False Protected'],
  ['first', { priority: 500 }, 'Conflict', 'False Alone'],
  ['second', { priority: 400 }, 'Conflict', 'True Conflict'],
]; // prettier-ignore

withCluster('policies that a hostile or clumsy user writes', () => {
  let cluster: RigHandle;
  let namespace: string;
  let stateDir: string;
  let operator: OperatorProcess;

  const list = async (): Promise<readonly Shown[]> => {
    const text = await cluster.kubectl(['get', 'aegishealingpolicies', '-n', namespace, '-o', 'json']);
    return (JSON.parse(text) as { items: readonly Shown[] }).items;
  };
  const inShort = (shown: Shown | undefined, type: string): string => {
    const found = shown?.status?.conditions?.find((each) => each.type === type);
    return `${found?.status} ${found?.reason}`;
  };

  beforeAll(async () => {
    cluster = requireRig();
    stateDir = mkdtempSync(join(tmpdir(), 'aegis-refusals-'));
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', CRDS]);
    namespace = await cluster.freshNamespace('hostile');
    const own = deployment(namespace, 'aegis', 1) as { metadata: object };
    const aegis = { ...own, metadata: { ...own.metadata, labels: { 'app.kubernetes.io/name': 'aegis' } } };
    const target = { kind: 'Deployment', name: 'web' };
    const policies = ROWS.map(([name, spec]) => policy(namespace, name, { target, ...spec }));
    const items = [deployment(namespace, 'web', 1), aegis, ...policies];
    await cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
    const [port = 0] = await freePorts(1);
    const { kubeconfigPath, prometheusUrl, stateDir: rigStateDir } = cluster;
    const env = { LEASE_NAMESPACE: namespace };
    operator = startOperator({ kubeconfigPath, prometheusUrl, stateDir, port, rigStateDir, env });
    await operator.ready();
  }, MINUTE);

  afterAll(async () => {
    await operator?.stop();
    await rig()?.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    rmSync(stateDir, { recursive: true, force: true });
  }, MINUTE);

  test(
    'each is answered with its condition, and none stands in the others’ way',
    async () => {
      const expected = ROWS.map(([name, , type, answer]) => `${name}: ${type} ${answer}`);
      const shown = async (): Promise<readonly string[]> => {
        const byName = new Map((await list()).map((each) => [each.metadata.name, each]));
        return ROWS.map(([name, , type]) => `${name}: ${type} ${inShort(byName.get(name), type)}`);
      };
      await waitUntil(
        'all are answered',
        MINUTE / 2,
        async () => String(await shown()) === String(expected),
        500,
      ).catch(() => undefined);
      expect(await shown()).toEqual(expected);
    },
    MINUTE,
  );

  test(
    'one that is edited over and over is reconciled at most once a second, and the last edit wins',
    async () => {
      const reconciles = async (): Promise<number> => {
        const page = await (await fetch(`${operator.url}/metrics`)).text();
        return Number(/aegis_reconciles_total\{kind="policy",result="ok"\} (\d+)/.exec(page)?.[1] ?? 0);
      };
      // Without the others' polls only the edits are counted.
      const others = ROWS.map(([name]) => name).filter((name) => name !== 'absent');
      await cluster.kubectl(['delete', 'aegishealingpolicies', '-n', namespace, ...others]);
      const before = await reconciles();
      const startedMs = Date.now();
      for (let edit = 1; edit <= 40; edit += 1) {
        const patch = JSON.stringify({ spec: { priority: edit } });
        await cluster.kubectl(['patch', 'aegishealingpolicy', 'absent', '-n', namespace, '--type=merge', '-p', patch]);
      }
      await waitUntil('the last edit is seen', 10_000, async () => {
        const [only] = await list();
        return only !== undefined && only.status?.observedGeneration === only.metadata.generation;
      });
      const seconds = (Date.now() - startedMs) / 1000;
      expect((await reconciles()) - before).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    },
    MINUTE,
  );

  test('nothing was done, and no fault is in the log', async () => {
    const actions = await cluster.kubectl(['get', 'aegishealingactions', '-n', namespace, '-o', 'name']);
    expect(actions.trim()).toBe('');
    const lines = readFileSync(operator.logFile, 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    expect(lines.length).toBeLessThan(200);
  });
});
