import { afterEach, describe, expect, test } from '@jest/globals';
import { apiKey } from '../../../src/http/access/api-key.ts';
import { anActionRecord } from '../../support/builders/store.ts';
import { anApi, type Api } from '../../support/builders/http.ts';

const PATH = '/api/v1/effectiveness';
const RESET = `${PATH}/reset`;
const BODY = { action: 'restart_pod', reason: 'a new release' };

let api: Api;

async function serving(): Promise<void> {
  const keys = [apiKey('kim', 'the-admin-key', ['admin']), apiKey('reader', 'the-reader-key', ['read', 'approve'])];
  api = await anApi({ options: { keys: { kind: 'configured', keys } } });
  const nowMs = api.deps.clock.nowMs();
  for (const [incident, state] of ['Healed', 'Healed', 'Ineffective'].entries()) {
    await api.store.saveAction(
      anActionRecord({
        ...{ name: `heal-${incident}`, incidentId: `incident-${incident}`, action: 'restart_pod', spent: true },
        ...{ failureType: 'memory_leak', decidedAtMs: nowMs - 60_000, endedAtMs: nowMs - 1_000, dryRun: false },
        state: state as 'Healed' | 'Ineffective',
      }),
    );
  }
}

const get = (key = 'the-reader-key') => api.call(PATH, { headers: { 'x-api-key': key } });
const post = (body: unknown = BODY, headers: Record<string, string | null> = {}) =>
  api.post(RESET, body, { headers: { 'x-api-key': 'the-admin-key', 'idempotency-key': 'k-1', ...headers } });

afterEach(() => api.stop());

describe('the routes of effectiveness', () => {
  test('show how often each effect helped, and what an order may rest on', async () => {
    await serving();
    expect((await get()).json).toEqual({
      effectiveness: [
        {
          ...{ failure_type: 'memory_leak', action: 'restart_pod', workload_kind: 'Deployment' },
          ...{ incidents: 3, helped: 2, estimate: 4 / 7, used: 0.5 },
        },
      ],
      resets: [],
    });
  });

  test('a reset bears the name of the key, whatever the body says, and takes effect', async () => {
    await serving();
    const answer = await post({ ...BODY, by: 'key:root' });
    expect([answer.status, answer.json]).toMatchObject([
      200,
      { by: 'key:kim', reason: 'a new release', action: 'restart_pod', failure_type: null, workload_kind: null },
    ]);
    const shown = (await get()).json;
    expect(shown['effectiveness']).toEqual([]);
    expect(shown['resets']).toEqual([answer.json]);
    expect(await api.store.history({ limit: 10 })).toMatchObject([{ kind: 'reset', facts: { by: 'key:kim' } }]);
  });

  test('the same request twice is one reset; the same key for another is refused', async () => {
    await serving();
    const [first, second] = [await post(), await post()];
    expect(second.json).toEqual(first.json);
    expect((await post({ ...BODY, reason: 'another' })).status).toBe(409);
    expect(await api.store.history({ limit: 10 })).toHaveLength(1);
  });

  test('needs its own scope', async () => {
    await serving();
    expect((await post(BODY, { 'x-api-key': 'the-reader-key' })).status).toBe(403);
    expect((await post(BODY, { 'x-api-key': null })).status).toBe(401);
    expect(await api.store.history({ limit: 10 })).toEqual([]);
  });

  test.each<[what: string, body: unknown, headers: Record<string, string | null>, status: number]>([
    ['no Idempotency-Key', BODY, { 'idempotency-key': null }, 400],
    ['no reason', { action: 'restart_pod' }, {}, 422],
    ['an empty reason', { ...BODY, reason: '' }, {}, 422],
    ['an action that has no effect', { ...BODY, action: 'alert_admin' }, {}, 422],
    ['a failure that is none', { ...BODY, failure_type: 'bad_luck' }, {}, 422],
    ['a reason that is a book', { ...BODY, reason: 'x'.repeat(1_025) }, {}, 422],
  ])('refuses %s', async (_, body, headers, status) => {
    await serving();
    expect((await post(body, headers)).status).toBe(status);
    expect(await api.store.history({ limit: 10 })).toEqual([]);
  });

  test('a store that is away is said to be', async () => {
    await serving();
    await api.store.close();
    expect([(await get()).status, (await post()).status]).toEqual([503, 503]);
  });
});
