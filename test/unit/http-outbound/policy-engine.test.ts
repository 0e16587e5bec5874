import { describe, expect, test } from '@jest/globals';
import type { OutboundPost, OutboundRequest } from '../../../src/controller/ports.ts';
import { createPolicyEngine } from '../../../src/http/policy-engine.ts';

const engine = { url: 'https://engine.example/api/v1/policy/evaluate', timeoutSeconds: 3 } as const;
const question = { action: 'restart_pod', resource: 'deployment:shop/checkout', context: { userId: 'aegis' } };

const ask = async (
  body: unknown,
  type: 'Aegis' | 'OPA' = 'Aegis',
  failurePolicy: 'Deny' | 'Allow' = 'Deny',
  status = 200,
) => {
  const sent: OutboundRequest[] = [];
  const post: OutboundPost = (request) => {
    sent.push(request);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve({ ok: true, value: { status, body: text } });
  };
  const answer = await createPolicyEngine({ post }).ask({ ...engine, type, failurePolicy }, question);
  return { answer, sent };
};

test('the Aegis exchange', async () => {
  const { answer, sent } = await ask({ allowed: true, reason: 'fine', appliedPolicies: ['office-hours'] });
  expect(answer).toEqual({ kind: 'allowed', policies: ['office-hours'] });
  expect(sent[0]).toMatchObject({ url: engine.url, timeoutMs: 3000 });
  expect(JSON.parse(sent[0]?.body ?? '')).toEqual({ ...question, type: 'self_healing' });
});

test('the OPA exchange wraps the question as input', async () => {
  const { answer, sent } = await ask({ result: { allow: false, reason: 'frozen' } }, 'OPA');
  expect(answer).toEqual({ kind: 'denied', reason: 'frozen', policies: [] });
  expect(JSON.parse(sent[0]?.body ?? '')).toEqual({ input: { ...question, type: 'self_healing' } });
});

describe('a plain yes or no', () => {
  test.each([
    ['OPA may answer with a bare true', 'OPA', { result: true }, 'allowed'],
    ['or a bare false', 'OPA', { result: false }, 'denied'],
    ['or say allowed', 'OPA', { result: { allowed: true } }, 'allowed'],
    ['a denial without a reason is a denial', 'Aegis', { allowed: false }, 'denied'],
  ] as const)('%s', async (_, type, body, kind) => {
    expect((await ask(body, type)).answer.kind).toBe(kind);
  });

  test('a denial keeps the engine’s words', async () => {
    const { answer } = await ask({
      allowed: false,
      reason: 'Denied by policy: freeze',
      appliedPolicies: ['freeze', 7],
    });
    expect(answer).toEqual({ kind: 'denied', reason: 'Denied by policy: freeze', policies: ['freeze'] });
  });

  test('a long reason is cut', async () => {
    const { answer } = await ask({ allowed: false, reason: 'x'.repeat(10_000) });
    expect(answer.kind === 'denied' && answer.reason.length).toBe(500);
  });
});

describe('any doubt is no answer, and carries the failure policy', () => {
  test.each([
    ['yes as text', 'Aegis', { allowed: 'true' }],
    ['yes as a number', 'Aegis', { allowed: 1 }],
    ['an OPA answer to an Aegis question', 'Aegis', { result: true }],
    ['nothing allowed or denied', 'Aegis', {}],
    ['a list', 'Aegis', [true]],
    ['null', 'Aegis', null],
    ['no JSON', 'Aegis', '<html>'],
    ['an empty body', 'Aegis', ''],
    ['OPA has no such rule', 'OPA', {}],
    ['OPA contradicts itself', 'OPA', { result: { allow: true, allowed: false } }],
    ['OPA says yes as text', 'OPA', { result: 'true' }],
    ['an Aegis answer to an OPA question', 'OPA', { allowed: true }],
  ] as const)('%s', async (_, type, body) => {
    expect((await ask(body, type, 'Allow')).answer).toMatchObject({ kind: 'unavailable', failurePolicy: 'Allow' });
  });

  test.each([204, 301, 400, 401, 403, 404, 500, 503])('status %i, even with a yes in it', async (status) => {
    expect((await ask({ allowed: true }, 'Aegis', 'Deny', status)).answer).toMatchObject({
      kind: 'unavailable',
      failurePolicy: 'Deny',
    });
  });

  test('no reply', async () => {
    const post: OutboundPost = () => Promise.resolve({ ok: false, error: { kind: 'Timeout', message: 'late' } });
    const answer = await createPolicyEngine({ post }).ask({ ...engine, type: 'OPA', failurePolicy: 'Deny' }, question);
    expect(answer).toEqual({ kind: 'unavailable', message: 'Timeout: late', failurePolicy: 'Deny' });
  });

  test('the key cannot be read: the question is not sent without it', async () => {
    let sent = 0;
    const post: OutboundPost = () => {
      sent++;
      return Promise.resolve({ ok: true, value: { status: 200, body: '{"allowed":true}' } });
    };
    const headers = () => Promise.reject(new Error('no such file'));
    const policyEngine = createPolicyEngine({ post, headers });
    expect((await policyEngine.ask({ ...engine, type: 'Aegis', failurePolicy: 'Deny' }, question)).kind).toBe(
      'unavailable',
    );
    expect(sent).toBe(0);
  });

  test('a key goes to the engine that it belongs to, and to no other', async () => {
    const sent: (readonly [string, string | undefined])[] = [];
    const post: OutboundPost = ({ url, headers }) => {
      sent.push([url, headers['authorization']]);
      return Promise.resolve({ ok: true, value: { status: 200, body: '{"allowed":true}' } });
    };
    const headers = (url: string): Promise<Readonly<Record<string, string>>> =>
      Promise.resolve(url === engine.url ? { authorization: 'Bearer ours' } : {});
    const policyEngine = createPolicyEngine({ post, headers });
    for (const url of [engine.url, 'http://theirs.example/decide']) {
      await policyEngine.ask({ ...engine, url, type: 'Aegis', failurePolicy: 'Deny' }, question);
    }
    expect(sent).toEqual([
      [engine.url, 'Bearer ours'],
      ['http://theirs.example/decide', undefined],
    ]);
  });
});
