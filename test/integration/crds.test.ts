import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { actionObject, actionStatusObject, parseAction } from '../../src/api/v1alpha1/convert-action.ts';
import { parsePolicy } from '../../src/api/v1alpha1/convert-policy.ts';
import { policyStatusObject } from '../../src/api/v1alpha1/policy-status.ts';
import { apiServer, type ApiServer } from '../support/api-server.ts';
import { anApiIntent, anyActionStatus, anyIntent, aPolicyObject } from '../support/builders/api.ts';
import {
  ACTION_CREATE_REFUSALS,
  ACTION_EDIT_REFUSALS,
  GUARDRAIL_REFUSALS,
  POLICY_REFUSALS,
} from '../support/crd-refusals.ts';
import { untilEstablished } from '../../tools/rig/established.ts';
import { requireRig, rig } from '../support/rig.ts';

const ROOT = join(import.meta.dirname, '../..');
const API = '/apis/healing.aegis.dev/v1alpha1';
const STRICT = '?fieldValidation=Strict';

type Json = Record<string, unknown>;

let call: ApiServer;
let namespace: string;
let policies: string;
let actions: string;
/** Refusals seen so far: at the end every rule of every CRD must have refused something. */
const seen: string[] = [];

async function refused(path: string, object: unknown, method: 'POST' | 'PATCH' = 'POST') {
  const reply = await call({ method, path, body: object });
  seen.push(reply.message);
  return reply;
}

const named = (object: Json, name: string): Json => ({
  ...object,
  metadata: { ...(object['metadata'] as Json), name, namespace },
});
const anAction = (name: string, spec: Json = {}): Json => {
  const object = actionObject(anApiIntent({ approvalRequired: true })) as { spec: Json };
  const moved = { ...object.spec, target: { ...(object.spec['target'] as Json), namespace } };
  return named({ ...object, spec: { ...moved, ...spec } }, name);
};

(rig() ? describe : describe.skip)('the custom resources on a real API server', () => {
  beforeAll(async () => {
    const cluster = requireRig();
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(ROOT, 'crds')]);
    await untilEstablished(cluster.kubectl);
    call = apiServer(cluster);
    namespace = await cluster.freshNamespace('crds');
    policies = `${API}/namespaces/${namespace}/aegishealingpolicies`;
    actions = `${API}/namespaces/${namespace}/aegishealingactions`;
  }, 60_000);

  test('all three are established, structural and listed by kubectl under their short names', async () => {
    const { kubectl } = requireRig();
    for (const name of crdNames()) {
      const crd = JSON.parse(await kubectl(['get', 'crd', name, '-o', 'json'])) as { status: { conditions: Json[] } };
      const conditions: Json = Object.fromEntries(
        crd.status.conditions.map((one) => [String(one['type']), one['status']]),
      );
      expect(conditions).toMatchObject({ Established: 'True', NamesAccepted: 'True' });
      expect(conditions).not.toHaveProperty('NonStructuralSchema');
    }
    await expect(kubectl(['get', 'ahp,aha,agr', '-n', namespace])).resolves.toBeDefined();
    await expect(kubectl(['get', 'aegis', '-n', namespace])).resolves.toBeDefined();
  });

  test.each(readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.yaml')))(
    'the example %s applies with strict validation',
    async (name) => {
      const object = parse(readFileSync(join(ROOT, 'examples', name), 'utf8'), { version: '1.1' }) as Json;
      const isGuardrail = object['kind'] === 'AegisGuardrail';
      const path = isGuardrail ? `${API}/aegisguardrails` : policies;
      const own = isGuardrail ? object : { ...object, metadata: { ...(object['metadata'] as Json), namespace } };
      const reply = await call({ method: 'POST', path: `${path}${STRICT}&dryRun=All`, body: own });
      expect([reply.status, reply.message]).toEqual([201, '']);
    },
  );

  test('kubectl reads the quoted "on" of every example', async () => {
    const { kubectl } = requireRig();
    const out = await kubectl(['apply', '--dry-run=server', '-n', namespace, '-f', '-'], {
      stdin: readFileSync(join(ROOT, 'examples/memory-leak.yaml'), 'utf8').replace(
        'namespace: shop',
        `namespace: ${namespace}`,
      ),
    });
    expect(out).toContain('created');
  });

  test('the shortest policy gets its defaults from the server: they are those that Aegis fills in', async () => {
    const object = named(aPolicyObject(), 'defaults');
    const reply = await call({ method: 'POST', path: `${policies}${STRICT}`, body: object });
    expect(reply.status).toBe(201);
    const fromServer = parsePolicy(reply.body);
    const fromFile = parsePolicy(object);
    expect(fromServer.kind === 'valid' && fromFile.kind === 'valid').toBe(true);
    expect(fromServer).toMatchObject({ value: { hash: fromFile.kind === 'valid' ? fromFile.value.hash : '' } });
    expect(reply.body['spec']).toMatchObject({ limits: { maxDisrupted: '25%' }, detection: { trigger: { polls: 5 } } });
  });

  describe('a policy is refused with a message that names the field', () => {
    test.each(POLICY_REFUSALS)('%s', async (_, spec, message) => {
      const reply = await refused(policies, { ...named(aPolicyObject(), 'bad'), spec });
      expect(reply.status).toBe(422);
      expect(reply.message).toMatch(asPattern(message));
    });
  });

  describe('a guardrail is refused with a message that names the field', () => {
    test.each(GUARDRAIL_REFUSALS)('%s', async (_, spec, message) => {
      const object = {
        apiVersion: 'healing.aegis.dev/v1alpha1',
        kind: 'AegisGuardrail',
        metadata: { name: 'bad' },
        spec,
      };
      const reply = await refused(`${API}/aegisguardrails`, object);
      expect(reply.status).toBe(422);
      expect(reply.message).toMatch(asPattern(message));
    });
  });

  describe('what no schema sees', () => {
    test('[2] [7] an unknown field is refused strictly, and pruned otherwise', async () => {
      const limits = { minReplica: 3 };
      const target = { kind: 'Deployment', name: 'checkout', namespace: 'bank' };
      const object = named(aPolicyObject({ limits, target, secretRef: { name: 'token' } }), 'pruned');
      const strict = await call({ method: 'POST', path: `${policies}${STRICT}`, body: object });
      expect(strict.status).toBe(400);
      expect(strict.message).toMatch(
        /unknown field "spec.limits.minReplica".*unknown field "spec.secretRef".*unknown field "spec.target.namespace"/,
      );
      const lax = await call({ method: 'POST', path: `${policies}?fieldValidation=Ignore`, body: object });
      expect(lax.status).toBe(201);
      expect(lax.body['spec']).not.toHaveProperty('secretRef');
      expect(lax.body).not.toHaveProperty('spec.target.namespace');
      expect(lax.body).not.toHaveProperty('spec.limits.minReplica');
    });

    test.each([
      ['[13] NaN', '{"priority": NaN}'],
      ['[13] 1e400', '{"priority": 1e400}'],
    ])('%s as a number is not parseable', async (_, spec) => {
      const raw = JSON.stringify(named(aPolicyObject(), 'number')).replace(/"spec":\{.*\}\}$/, `"spec":${spec}}`);
      const reply = await call({ method: 'POST', path: policies, raw });
      expect(reply.status).toBe(400);
    });

    test('[37] duplicate keys are refused strictly', async () => {
      const raw = JSON.stringify(named(aPolicyObject(), 'twice')).replace(
        '"mode":"Auto"',
        '"mode":"Auto","mode":"Observe"',
      );
      const reply = await call({ method: 'POST', path: `${policies}${STRICT}`, raw });
      expect([reply.status, reply.message]).toEqual([400, expect.stringContaining('duplicate field "spec.mode"')]);
    });

    test('[35] a right-to-left override in a text is stored', async () => {
      const object = named(aPolicyObject({ pauseRequests: [{ name: 'a', reason: 'x\u202Ey' }] }), 'rtl');
      expect((await call({ method: 'POST', path: policies, body: object })).status).toBe(201);
    });

    test('[36] an object of 1.7 MB and an annotation of 300 KiB leave no trace', async () => {
      const big = named(aPolicyObject(), 'big');
      const annotated = {
        ...big,
        metadata: { ...(big['metadata'] as Json), annotations: { a: 'x'.repeat(300 * 1024) } },
      };
      expect((await call({ method: 'POST', path: policies, body: annotated })).status).toBe(422);
      // Fields are bounded or pruned; labels are all that can make an object so large.
      const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`label-${i}`, 'x'.repeat(63)]));
      const huge = { ...big, metadata: { ...(big['metadata'] as Json), labels } };
      expect((await call({ method: 'POST', path: policies, body: huge })).status).toBeGreaterThanOrEqual(400);
      expect((await call({ method: 'GET', path: `${policies}/big` })).status).toBe(404);
    });

    test('[40] status in a write of the spec is ignored', async () => {
      const object = { ...named(aPolicyObject(), 'forged'), status: { observedGeneration: 99 } };
      const reply = await call({ method: 'POST', path: policies, body: object });
      expect(reply.status).toBe(201);
      expect(reply.body).not.toHaveProperty('status');
    });

    test('[41] an unknown version: 404 in the path, 400 in the body alone', async () => {
      const inPath = policies.replace('v1alpha1', 'v9');
      expect((await call({ method: 'GET', path: inPath })).status).toBe(404);
      const inBody = { ...named(aPolicyObject(), 'version'), apiVersion: 'healing.aegis.dev/v9' };
      expect((await call({ method: 'POST', path: policies, body: inBody })).status).toBe(400);
    });
  });

  describe('an action', () => {
    test.each(ACTION_CREATE_REFUSALS)('with %s is refused', async (_, spec, message) => {
      const { spec: valid } = anAction('bad') as { spec: Json };
      const diagnosis = { ...(valid['diagnosis'] as Json), ...((spec as Json)['diagnosis'] as Json | undefined) };
      const reply = await refused(actions, anAction('bad', { ...(spec as Json), diagnosis }));
      expect(reply.status).toBe(422);
      expect(reply.message).toMatch(asPattern(message));
    });

    test('is immutable, whatever field is edited', async () => {
      expect((await call({ method: 'POST', path: `${actions}${STRICT}`, body: anAction('fixed') })).message).toBe('');
      for (const [sentence, spec, message] of ACTION_EDIT_REFUSALS) {
        const reply = await refused(`${actions}/fixed`, { spec }, 'PATCH');
        expect([sentence, reply.status, reply.message]).toEqual([
          sentence,
          422,
          expect.stringMatching(asPattern(message)),
        ]);
      }
    });

    test('takes one approval, which can be neither changed nor taken back', async () => {
      await call({ method: 'POST', path: actions, body: anAction('asked') });
      const approval = { decision: 'Denied', by: 'ann', reason: 'not now', time: '2025-01-01T00:00:00Z' };
      const given = await call({ method: 'PATCH', path: `${actions}/asked`, body: { spec: { approval } } });
      expect([given.status, given.message]).toEqual([200, '']);
      const changed = await refused(`${actions}/asked`, { spec: { approval: { decision: 'Approved' } } }, 'PATCH');
      expect([changed.status, changed.message]).toEqual([422, expect.stringContaining('spec.approval is immutable')]);
      const taken = await refused(`${actions}/asked`, { spec: { approval: null } }, 'PATCH');
      expect([taken.status, taken.message]).toEqual([
        422,
        expect.stringContaining('spec.approval cannot be taken back'),
      ]);
    });

    test('survives the real server exactly: intent and status, forty of any kind', async () => {
      const samples = fc.sample(fc.tuple(anyIntent, anyActionStatus), { numRuns: 40, seed: 7 });
      for (const [index, [sample, status]] of samples.entries()) {
        const intent = { ...sample, name: `any-${index}`, namespace, target: { ...sample.target, namespace } };
        const created = await call({ method: 'POST', path: `${actions}${STRICT}`, body: actionObject(intent) });
        expect([created.status, created.message]).toEqual([201, '']);
        const written = await call({
          method: 'PATCH',
          path: `${actions}/${intent.name}/status${STRICT}`,
          body: { status: actionStatusObject(intent, status) },
        });
        expect([written.status, written.message]).toEqual([200, '']);
        const read = parseAction(written.body);
        expect(read.ok ? { intent: read.value.intent, status: read.value.status } : read.error).toEqual({
          intent,
          status,
        });
      }
    }, 60_000);
  });

  test('the status of a policy is taken by the server, and kubectl shows it', async () => {
    await call({ method: 'POST', path: policies, body: named(aPolicyObject(), 'shown') });
    const condition = {
      status: 'True',
      reason: 'Ready',
      message: 'm',
      observedGeneration: 1,
      lastTransitionMs: 1e12,
    } as const;
    const status = policyStatusObject({
      observedGeneration: 1,
      conditions: [{ type: 'Ready', ...condition }],
      targets: { matched: 1, anomalous: 0, unknown: 0 },
      incidents: [],
      lastAction: {
        name: 'a',
        action: 'restart_pod',
        target: 'Deployment shop/checkout',
        outcome: 'Healed',
        atMs: 1e12,
      },
    });
    const reply = await call({ method: 'PATCH', path: `${policies}/shown/status${STRICT}`, body: { status } });
    expect([reply.status, reply.message]).toEqual([200, '']);
    const table = await requireRig().kubectl(['get', 'ahp', 'shown', '-n', namespace, '--no-headers']);
    expect(table.trim().split(/\s+/).slice(0, 5)).toEqual(['shown', 'Auto', 'Deployment', 'checkout', 'True']);
    expect(table).toContain('Healed');
  });

  test('every CEL rule of every kind has refused something above', () => {
    const rules = crdFiles().flatMap((file) => messagesOf(parse(readFileSync(file, 'utf8'))));
    const unproven = [...new Set(rules)].filter((rule) => !seen.some((message) => message.includes(rule)));
    expect(rules.length).toBeGreaterThan(30);
    expect(unproven).toEqual([]);
  });
});

const asPattern = (message: string | RegExp): RegExp =>
  typeof message === 'string' ? new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : message;

function crdFiles(): string[] {
  return readdirSync(join(ROOT, 'crds')).map((name) => join(ROOT, 'crds', name));
}

function crdNames(): string[] {
  return crdFiles().map((file) => (parse(readFileSync(file, 'utf8')) as { metadata: { name: string } }).metadata.name);
}

/** Messages of all `x-kubernetes-validations` below a value. */
function messagesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = (value as Json)['x-kubernetes-validations'];
  const messages = Array.isArray(own) ? own.map((rule) => (rule as { message: string }).message) : [];
  return [...messages, ...Object.values(value).flatMap(messagesOf)];
}
