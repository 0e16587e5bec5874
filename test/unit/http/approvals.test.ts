import { afterEach, describe, expect, test } from '@jest/globals';
import type { ApprovalAnswer, ApprovalOutcome } from '../../../src/controller/approvals.ts';
import { apiKey } from '../../../src/http/access/api-key.ts';
import { anApi, type Api } from '../../support/builders/http.ts';

const PATH = '/api/v1/actions/shop/checkout-1/approval';
const BODY = { decision: 'Approved', reason: 'looked at it', policy_hash: 'abc' };

let api: Api;
let answers: ApprovalAnswer[];

async function serving(outcome: ApprovalOutcome = 'recorded'): Promise<void> {
  answers = [];
  const approvals = {
    answer: (answer: ApprovalAnswer) => {
      answers.push(answer);
      return Promise.resolve(outcome);
    },
  };
  const keys = [apiKey('ops', 'the-ops-key', ['approve']), apiKey('reader', 'the-reader-key', ['read', 'detect'])];
  api = await anApi({ deps: { approvals }, options: { keys: { kind: 'configured', keys } } });
}

const post = (body: unknown = BODY, headers: Record<string, string | null> = {}) =>
  api.post(PATH, body, { headers: { 'x-api-key': 'the-ops-key', 'idempotency-key': 'k-1', ...headers } });

afterEach(() => api.stop());

describe('the route that answers approvals', () => {
  test('bears the name of the key, whatever the body says', async () => {
    await serving();
    const answer = await post({ ...BODY, by: 'key:admin' });
    expect([answer.status, answer.json]).toEqual([
      200,
      { namespace: 'shop', name: 'checkout-1', decision: 'Approved', by: 'key:ops', reason: 'looked at it' },
    ]);
    expect(answers).toEqual([
      {
        ...{ namespace: 'shop', name: 'checkout-1', decision: 'Approved', reason: 'looked at it' },
        ...{ policyHash: 'abc', by: 'key:ops' },
      },
    ]);
  });

  test('needs its own scope', async () => {
    await serving();
    expect((await post(BODY, { 'x-api-key': 'the-reader-key' })).status).toBe(403);
    expect((await post(BODY, { 'x-api-key': null })).status).toBe(401);
    expect(answers).toEqual([]);
  });

  test.each<[what: string, body: unknown, headers: Record<string, string | null>, status: number]>([
    ['no Idempotency-Key', BODY, { 'idempotency-key': null }, 400],
    ['one that is too long', BODY, { 'idempotency-key': 'x'.repeat(129) }, 400],
    ['no decision', { policy_hash: 'abc' }, {}, 422],
    ['another decision', { ...BODY, decision: 'approved' }, {}, 422],
    ['no policy hash', { decision: 'Denied' }, {}, 422],
    ['a reason that is a book', { ...BODY, reason: 'x'.repeat(1_025) }, {}, 422],
  ])('refuses %s', async (_, body, headers, status) => {
    await serving();
    expect((await post(body, headers)).status).toBe(status);
    expect(answers).toEqual([]);
  });

  test('takes a key for one request: its repetition is the same, another is refused', async () => {
    await serving();
    expect((await post()).status).toBe(200);
    expect((await post()).status).toBe(200);
    expect((await post({ ...BODY, decision: 'Denied' })).status).toBe(409);
    expect(answers.map(({ decision }) => decision)).toEqual(['Approved', 'Approved']);
    expect((await post({ ...BODY, decision: 'Denied' }, { 'idempotency-key': 'k-2' })).status).toBe(200);
  });

  test.each<[outcome: ApprovalOutcome, status: number]>([
    ['not-found', 404],
    ['not-awaited', 409],
    ['answered', 409],
    ['expired', 409],
    ['other-policy', 409],
    ['changed', 409],
    ['not-leading', 503],
    ['unavailable', 503],
  ])('%s is %d', async (outcome, status) => {
    await serving(outcome);
    expect((await post()).status).toBe(status);
  });
});
