import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { actionObject } from '../../src/api/v1alpha1/convert-action.ts';
import { apiServer, type ApiServer } from '../support/api-server.ts';
import { anApiIntent } from '../support/builders/api.ts';
import { CHART, helm, helmPath, PROMETHEUS } from '../support/helm.ts';
import { requireRig, rig } from '../support/rig.ts';

type Json = Record<string, unknown>;

const path = await helmPath();
const withCluster = path === undefined || rig() === undefined ? describe.skip : describe;

withCluster('the chart in a real cluster', () => {
  const SYSTEM = 'aegis-chart-test';
  const OPERATOR = {
    user: `system:serviceaccount:${SYSTEM}:aegis`,
    groups: ['system:serviceaccounts', 'system:authenticated'],
  };
  let call: ApiServer;
  let tenantNamespace: string;
  let actions: string;

  const install = (kubeconfig: string, extra: readonly string[] = []) =>
    helm(
      path ?? '',
      // Another test may have applied the kinds already.
      [
        'upgrade',
        '--install',
        'aegis',
        CHART,
        '-n',
        SYSTEM,
        '--take-ownership',
        '--force-conflicts',
        '--set',
        'persistence.enabled=false',
        '--set',
        PROMETHEUS,
        ...extra,
      ],
      kubeconfig,
    );

  beforeAll(async () => {
    const cluster = requireRig();
    call = apiServer(cluster);
    await cluster.kubectl(['create', 'namespace', SYSTEM]);
    await cluster.kubectl(['label', 'namespace', SYSTEM, 'pod-security.kubernetes.io/enforce=restricted']);
    await install(cluster.kubeconfigPath);
    tenantNamespace = await cluster.freshNamespace('tenant');
    actions = `/apis/healing.aegis.dev/v1alpha1/namespaces/${tenantNamespace}/aegishealingactions`;
    for (const [user, role] of [
      ['tess', 'tenant'],
      ['ann', 'approver'],
    ] as const) {
      await cluster.kubectl([
        'create',
        'rolebinding',
        `${user}-${role}`,
        '-n',
        tenantNamespace,
        `--user=${user}`,
        `--clusterrole=aegis-${role}`,
      ]);
    }
    await admissionIsOn();
  }, 120_000);

  afterAll(async () => {
    const cluster = rig();
    if (cluster === undefined) return;
    await helm(path ?? '', ['uninstall', 'aegis', '-n', SYSTEM, '--ignore-not-found'], cluster.kubeconfigPath);
    await cluster.kubectl(['delete', 'namespace', SYSTEM, '--wait=false']);
  }, 60_000);

  const named = (name: string): Json => {
    const object = actionObject(anApiIntent({ approvalRequired: true })) as { spec: Json; metadata: Json };
    const target = { ...(object.spec['target'] as Json), namespace: tenantNamespace };
    return {
      ...object,
      metadata: { ...object.metadata, name, namespace: tenantNamespace },
      spec: { ...object.spec, target },
    };
  };
  const create = (name: string, as: { user: string; groups?: string[] }) =>
    call({ method: 'POST', path: actions, body: named(name), as });
  const approval = (by: string) => ({
    spec: { approval: { decision: 'Approved', by, reason: 'ok', time: '2025-01-01T00:00:00Z' } },
  });

  /** The API server takes up admission policies some time after they are stored. */
  async function admissionIsOn(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const probe = await call({
        method: 'POST',
        path: `${actions}?dryRun=All`,
        body: named('probe'),
        as: { user: 'admin', groups: ['system:masters'] },
      });
      if (probe.status === 403) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the admission policies were not enforced within 10 s');
  }

  test('the pod is admitted by a namespace that enforces the restricted standard', async () => {
    const { kubectl } = requireRig();
    const pods = async () =>
      JSON.parse(await kubectl(['get', 'pods', '-n', SYSTEM, '-o', 'json'])) as { items: Json[] };
    for (let attempt = 0; attempt < 100 && (await pods()).items.length === 0; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await pods()).items).toHaveLength(1);
  }, 20_000);

  test('the admission policies type-check against the kinds', async () => {
    const { kubectl } = requireRig();
    const out = await kubectl(['get', 'validatingadmissionpolicy', '-l', 'app.kubernetes.io/name=aegis', '-o', 'json']);
    const { items } = JSON.parse(out) as {
      items: { status?: { typeChecking?: { expressionWarnings?: unknown[] } } }[];
    };
    expect(items).toHaveLength(2);
    expect(items.flatMap((item) => item.status?.typeChecking?.expressionWarnings ?? [])).toEqual([]);
  });

  test('an upgrade keeps the API key', async () => {
    const { kubectl, kubeconfigPath } = requireRig();
    const key = () => kubectl(['get', 'secret', 'aegis-api-keys', '-n', SYSTEM, '-o', 'jsonpath={.data}']);
    const before = await key();
    await install(kubeconfigPath, ['--set-string', 'podAnnotations.turn=2']);
    expect(await key()).toBe(before);
  });

  test('[S38] nobody but Aegis creates actions, not even an administrator', async () => {
    for (const as of [{ user: 'root', groups: ['system:masters'] }]) {
      const reply = await create('forged', as);
      expect([reply.status, reply.message]).toEqual([
        403,
        expect.stringContaining(`only Aegis creates actions, not ${as.user}`),
      ]);
    }
    expect((await create('tenants', { user: 'tess' })).status).toBe(403);
    expect((await create('own', OPERATOR)).status).toBe(201);
  });

  test('[S38] an action is not born approved, not even by Aegis', async () => {
    const born = named('born');
    const body = { ...born, spec: { ...(born['spec'] as Json), ...approval('key:ops').spec } };
    const reply = await call({ method: 'POST', path: actions, body, as: OPERATOR });
    expect([reply.status, reply.message]).toEqual([422, expect.stringContaining('spec.approval must be absent')]);
  });

  test('[S38] [40] nobody but Aegis writes the status of an action', async () => {
    await create('judged', OPERATOR);
    const write = (as: { user: string; groups?: string[] }) =>
      call({ method: 'PATCH', path: `${actions}/judged/status`, body: { status: { state: 'Healed' } }, as });
    const forged = await write({ user: 'root', groups: ['system:masters'] });
    expect([forged.status, forged.message]).toEqual([
      403,
      expect.stringContaining('only Aegis writes the status of actions'),
    ]);
    expect((await write(OPERATOR)).status).toBe(200);
  });

  test('[48] an approval needs the verb approve, and bears the name of who gave it', async () => {
    await create('asked', OPERATOR);
    const answer = (by: string, as: { user: string; groups?: string[] }) =>
      call({ method: 'PATCH', path: `${actions}/asked`, body: approval(by), as });
    const { kubectl } = requireRig();
    // A right to patch alone, as an `edit` role of the cluster might give it, is not enough.
    await kubectl([
      'create',
      'role',
      'patcher',
      '-n',
      tenantNamespace,
      '--verb=get,patch',
      '--resource=aegishealingactions.healing.aegis.dev',
    ]);
    await kubectl(['create', 'rolebinding', 'pat', '-n', tenantNamespace, '--role=patcher', '--user=pat']);
    const noRight = await answer('pat', { user: 'pat' });
    expect([noRight.status, noRight.message]).toEqual([
      403,
      expect.stringContaining('pat may not answer: the verb approve'),
    ]);
    const otherName = await answer('tess', { user: 'ann' });
    expect([otherName.status, otherName.message]).toEqual([
      403,
      expect.stringContaining('spec.approval.by must be ann'),
    ]);
    const asKey = await answer('ann', OPERATOR);
    expect([asKey.status, asKey.message]).toEqual([403, expect.stringContaining('spec.approval.by must be key:NAME')]);
    expect((await answer('ann', { user: 'ann' })).status).toBe(200);
    const again = await answer('ann', { user: 'ann' });
    expect(again.status).toBe(200); // the same answer once more changes nothing
    const denied = { spec: { approval: { ...approval('ann').spec.approval, decision: 'Denied' } } };
    const changed = await call({ method: 'PATCH', path: `${actions}/asked`, body: denied, as: { user: 'ann' } });
    expect([changed.status, changed.message]).toEqual([422, expect.stringContaining('spec.approval is immutable')]);
  });

  test('[48] Aegis writes the approval that came with an API key', async () => {
    await create('by-key', OPERATOR);
    const reply = await call({ method: 'PATCH', path: `${actions}/by-key`, body: approval('key:ops'), as: OPERATOR });
    expect([reply.status, reply.message]).toEqual([200, '']);
  });

  const ACCESS: readonly [user: string, verb: string, resource: string, allowed: boolean][] = [
    ['tess', 'create', 'aegishealingpolicies', true],
    ['tess', 'get', 'aegishealingactions', true],
    ['tess', 'create', 'aegishealingactions', false],
    ['tess', 'patch', 'aegishealingactions', false],
    ['tess', 'patch', 'aegishealingactions/status', false],
    ['tess', 'patch', 'aegishealingpolicies/status', false],
    ['tess', 'create', 'aegisguardrails', false],
    ['tess', 'patch', 'aegisguardrails', false],
    ['tess', 'approve', 'aegishealingactions', false],
    ['ann', 'approve', 'aegishealingactions', true],
    ['ann', 'create', 'aegishealingactions', false],
    ['ann', 'patch', 'aegisguardrails', false],
  ];

  test.each(ACCESS)('[S5] %s may %s %s: %s', async (user, verb, resource, allowed) => {
    const { kubectl } = requireRig();
    const [name = '', subresource] = resource.split('/');
    const args = ['auth', 'can-i', verb, `${name}.healing.aegis.dev`, '--as', user, '-n', tenantNamespace];
    const answer = await kubectl([...args, ...(subresource === undefined ? [] : ['--subresource', subresource])]).catch(
      (error: unknown) => (error as { message: string }).message,
    );
    expect(answer.trim().startsWith('yes')).toBe(allowed);
  });

  test('uninstalling leaves the kinds and every record', async () => {
    const { kubectl, kubeconfigPath } = requireRig();
    await helm(path ?? '', ['uninstall', 'aegis', '-n', SYSTEM], kubeconfigPath);
    expect(await kubectl(['get', 'aha', 'own', '-n', tenantNamespace, '-o', 'name'])).toContain('own');
    expect(await kubectl(['get', 'crd', 'aegishealingpolicies.healing.aegis.dev', '-o', 'name'])).toContain('aegis');
  });
});
