import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { OperatorProcess } from '../../tools/demo/operator-process.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { helmPath } from '../support/helm.ts';
import { installOperator, type InstalledOperator } from '../support/installed-operator.ts';
import { requireRig, rig, type RigHandle } from '../support/rig.ts';
import { deployment, policy } from '../support/manifests.ts';

const SYSTEM = 'aegis-operator-test';
const MINUTE = 60_000;
const helmBinary = await helmPath();
const withCluster = rig() === undefined || helmBinary === undefined ? describe.skip : describe;

interface Action {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly action: string; readonly execution: string; readonly target: { readonly name: string } };
  readonly status?: {
    readonly state?: string;
    readonly blockedReason?: string;
    readonly verification?: { readonly verdict: string };
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The whole operator, as a child process with the rights of the chart's own service account and no others. */
withCluster('the operator on a real cluster', () => {
  let cluster: RigHandle;
  let namespace: string;
  let installed: InstalledOperator;
  let operator: OperatorProcess;

  const apply = (...objects: readonly object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items: objects } });
  const actionsOn = async (workload: string): Promise<readonly Action[]> => {
    const list = await cluster.kubectl(['get', 'aegishealingactions', '-n', namespace, '-o', 'json']);
    const { items } = JSON.parse(list) as { items: readonly Action[] };
    return items.filter(({ spec }) => spec.target.name === workload);
  };
  const condition = async (name: string, type: string): Promise<Condition | undefined> => {
    const text = await cluster.kubectl(['get', 'aegishealingpolicy', name, '-n', namespace, '-o', 'json']);
    const object = JSON.parse(text) as { status?: { conditions?: readonly Condition[] } };
    return object.status?.conditions?.find((each) => each.type === type);
  };
  const pods = async (app: string): Promise<readonly { name: string; uid: string }[]> => {
    const text = await cluster.kubectl(['get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'json']);
    const { items } = JSON.parse(text) as { items: readonly { metadata: { name: string; uid: string } }[] };
    return items.map(({ metadata }) => ({ name: metadata.name, uid: metadata.uid }));
  };
  const makeCrashLoop = async (app: string): Promise<string> => {
    const [first] = await pods(app);
    if (first === undefined) throw new Error(`${app} has no pod`);
    await cluster.kubectl(['label', 'pod', first.name, '-n', namespace, 'aegis.test/crash-loop=true']);
    return first.uid;
  };
  const untilState = (workload: string, action: string, state: string) =>
    waitUntil(`${action} on ${workload} is ${state}`, 3 * MINUTE, async () =>
      (await actionsOn(workload)).some((each) => each.spec.action === action && each.status?.state === state),
    );

  beforeAll(async () => {
    cluster = requireRig();
    installed = await installOperator(cluster, { helmBinary: helmBinary ?? '', system: SYSTEM });
    namespace = await cluster.freshNamespace('shop');
    // Three will fall ill within minutes: of eight that is rightly no storm yet.
    const quiet = ['calm', 'other', 'quiet-a', 'quiet-b', 'quiet-c'];
    const names = ['sick', 'guarded', 'watched', ...quiet];
    for (const name of names) await cluster.metrics.setWorkload(namespace, name, { requestsPerSecond: 30 });
    await apply(...names.map((name) => deployment(namespace, name, 3)));
    await apply(
      policy(namespace, 'sick'),
      policy(namespace, 'guarded'),
      policy(namespace, 'watched', { mode: 'Observe' }),
      ...quiet.map((name) => policy(namespace, name)),
      policy(namespace, 'broken', { rules: [{ name: 'typo', expression: 'action.nme == "x"', effect: 'Deny' }] }),
      policy(namespace, 'absent'),
    );
    operator = await installed.start();
  }, 3 * MINUTE);

  afterAll(() => installed?.remove(namespace), MINUTE);

  test(
    'all eight conditions are set on the first visit, each with its reason',
    async () => {
      const types = ['Accepted', 'Ready', 'MetricsAvailable', 'Learned', 'Healthy', 'Paused', 'Conflict', 'Limited'];
      await waitUntil('calm is healthy', MINUTE, async () => (await condition('calm', 'Healthy'))?.status === 'True');
      for (const type of types) expect((await condition('calm', type))?.reason).toMatch(/^[A-Z][A-Za-z]+$/);
    },
    2 * MINUTE,
  );

  test(
    'a policy with a broken rule is refused by name, and the others run',
    async () => {
      await waitUntil(
        'broken is refused',
        MINUTE,
        async () => (await condition('broken', 'Accepted'))?.status === 'False',
      );
      expect(await condition('broken', 'Accepted')).toMatchObject({ reason: 'RuleInvalid' });
      expect((await condition('broken', 'Accepted'))?.message).toContain('spec.rules[typo].expression');
      expect(await condition('calm', 'Accepted')).toMatchObject({ status: 'True' });
    },
    2 * MINUTE,
  );

  test(
    'a policy whose workload does not exist says so',
    async () => {
      await waitUntil('absent is judged', MINUTE, async () => (await condition('absent', 'Ready'))?.status === 'False');
      expect(await condition('absent', 'Ready')).toMatchObject({ reason: 'TargetNotFound' });
    },
    2 * MINUTE,
  );

  test(
    'one pod of three in a crash loop is evicted once, though the operator is killed in the middle',
    async () => {
      const before = await pods('sick');
      const ill = await makeCrashLoop('sick');
      await waitUntil('an eviction was begun', 2 * MINUTE, async () =>
        (await actionsOn('sick')).some(({ status }) => ['Executing', 'Verifying'].includes(status?.state ?? '')),
      );
      operator.signal('SIGKILL');
      await operator.ended;
      operator = await installed.start();
      await untilState('sick', 'restart_pod', 'Healed');
      const after = (await pods('sick')).map(({ uid }) => uid);
      expect(after).not.toContain(ill);
      expect(before.filter(({ uid }) => uid !== ill).every(({ uid }) => after.includes(uid))).toBe(true);
      expect(await actionsOn('sick')).toHaveLength(1);
      const events = await cluster.kubectl(['get', 'events', '-n', namespace, '-o', 'json']);
      for (const reason of ['IncidentOpened', 'ActionDecided', 'Healed']) expect(events).toContain(`"${reason}"`);
    },
    6 * MINUTE,
  );

  test(
    'a PodDisruptionBudget that allows nothing blocks, and no pod goes',
    async () => {
      await apply({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'guarded', namespace },
        spec: { minAvailable: 3, selector: { matchLabels: { app: 'guarded' } } },
      });
      const before = (await pods('guarded')).map(({ uid }) => uid);
      await makeCrashLoop('guarded');
      await waitUntil('the budget is named', 2 * MINUTE, async () => {
        const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'guarded', '-n', namespace, '-o', 'json']);
        const blocked = (await actionsOn('guarded')).some(({ status }) => status?.blockedReason === 'DisruptionBudget');
        return blocked || text.includes('DisruptionBudget');
      });
      expect((await pods('guarded')).map(({ uid }) => uid).sort()).toEqual(before.sort());
    },
    4 * MINUTE,
  );

  test(
    'Observe decides and records, and changes nothing',
    async () => {
      const before = (await pods('watched')).map(({ uid }) => uid);
      await makeCrashLoop('watched');
      await untilState('watched', 'restart_pod', 'Denied');
      const [action] = await actionsOn('watched');
      expect(action?.spec.execution).toBe('DryRun');
      expect((await pods('watched')).map(({ uid }) => uid).sort()).toEqual(before.sort());
    },
    4 * MINUTE,
  );

  test(
    'while Prometheus is away nothing is done and MetricsAvailable is False; it recovers by itself',
    async () => {
      const before = (await actionsOn('calm')).length;
      await cluster.prometheus.stop();
      await waitUntil(
        'the loss is told',
        MINUTE,
        async () => (await condition('calm', 'MetricsAvailable'))?.status === 'False',
      );
      const health = (await (await fetch(`${operator.url}/health`)).json()) as { status: string };
      expect(health.status).toBe('degraded');
      await cluster.prometheus.start();
      await waitUntil(
        'metrics are back',
        2 * MINUTE,
        async () => (await condition('calm', 'MetricsAvailable'))?.status === 'True',
      );
      expect((await actionsOn('calm')).length).toBe(before);
    },
    5 * MINUTE,
  );

  test(
    'nothing is written while nothing changes',
    async () => {
      const version = async () => {
        const text = await cluster.kubectl(['get', 'aegishealingpolicy', 'other', '-n', namespace, '-o', 'json']);
        return (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
      };
      await waitUntil(
        'other has learnt',
        3 * MINUTE,
        async () => (await condition('other', 'Learned'))?.status === 'True',
      );
      await waitUntil('other is healthy', MINUTE, async () => (await condition('other', 'Healthy'))?.status === 'True');
      const first = await version();
      const polls = async () =>
        Number(
          /aegis_polls_total\{result="ok"\} (\d+)/.exec(await (await fetch(`${operator.url}/metrics`)).text())?.[1] ??
            0,
        );
      const seen = await polls();
      await waitUntil('five more polls', MINUTE, async () => (await polls()) >= seen + 5);
      expect(await version()).toBe(first);
    },
    6 * MINUTE,
  );

  test(
    'SIGTERM ends it in good order, and the log holds no error',
    async () => {
      operator.signal('SIGTERM');
      expect(await operator.ended).toBe(0);
      const lines = readFileSync(operator.logFile, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      expect(lines).toEqual([]);
    },
    MINUTE,
  );
});
