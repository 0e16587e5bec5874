import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type KubeClient, createClient } from '../../../src/kubernetes/client.ts';
import { podLogReader } from '../../../src/kubernetes/pod-log.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';
import { realClock } from '../../support/real-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { type ScriptedApi, answer, scriptedApi } from '../../support/scripted-api.ts';

const request = { sinceSeconds: 60, tailLines: 100, limitBytes: 10_000 };
let api: ScriptedApi;
let client: KubeClient;

beforeEach(async () => {
  api = await scriptedApi();
  const access = { kind: 'kubeconfig', path: await aKubeconfig(api.url) } as const;
  const made = await createClient({ access, clock: realClock(), log: recordedLog() });
  if (!made.ok) throw new Error(made.error);
  client = made.value;
});

afterEach(async () => {
  client.close();
  await api.stop();
});

test('asks for the last lines with their times and answers with the text', async () => {
  api.script((_request, response) => answer(response, 200, '2026-01-05T12:00:00Z hello\n'));
  expect(await podLogReader(client)('shop', 'web-1', request)).toEqual({
    ok: true,
    value: '2026-01-05T12:00:00Z hello\n',
  });
  expect(api.seen[0]?.path).toBe('/api/v1/namespaces/shop/pods/web-1/log');
  expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual({
    sinceSeconds: '60',
    tailLines: '100',
    limitBytes: '10000',
    timestamps: 'true',
  });
});

test('of several containers takes the first', async () => {
  const which =
    'a container name must be specified for pod web-1, choose one of: [main proxy] or one of the init containers: [i]';
  api.script(({ query }, response) =>
    query.get('container') === 'main' ? answer(response, 200, 'x') : answer(response, 400, { message: which }),
  );
  expect(await podLogReader(client)('shop', 'web-1', request)).toEqual({ ok: true, value: 'x' });
});

test('a pod that is gone, or whose name is none, is a fault', async () => {
  expect(await podLogReader(client)('shop', 'web-1', request)).toMatchObject({
    ok: false,
    error: { kind: 'NotFound' },
  });
  expect(await podLogReader(client)('shop', '../x', request)).toMatchObject({ ok: false, error: { kind: 'Rejected' } });
  expect(api.seen).toHaveLength(1);
});
