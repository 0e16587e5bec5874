import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { toAllowedOrigin } from '../../../src/http/allowed-origin.ts';
import { createOutbound, type Outbound } from '../../../src/http/outbound.ts';
import { createNotifier } from '../../../src/notify/notifier.ts';
import { anAlert } from '../../support/builders/notify.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { hang, json, reset, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer;
let outbound: Outbound;

beforeEach(async () => {
  server = await scriptedServer(json({}));
  const origin = toAllowedOrigin({ scheme: 'http', host: '127.0.0.1', port: server.port });
  if (!origin.ok) throw new Error(origin.error);
  outbound = createOutbound({ allowed: [origin.value], apiServer: [], timeoutMs: 500 });
});
afterEach(async () => {
  await outbound.close();
  await server.close();
});

/** Waits of the retries pass by themselves; those of the sockets are real. */
const send = async (url = server.url) => {
  const clock = fakeClock();
  const impatient = { ...clock, after: (_: number, run: () => void) => (setImmediate(run), () => undefined) };
  const notifier = createNotifier([{ type: 'Webhook', name: 'w', url, secretFile: '/key' }], {
    ...{ post: outbound.post, clock: impatient, log: recordedLog(), random: () => 1 },
    readSecret: () => Promise.resolve('shared'),
  });
  return notifier.send([], anAlert());
};

test.each<[string, Script]>([
  ['fails', json({}, 500)],
  ['is slow', hang],
  ['takes the message and drops the reply', reset],
])('N1: a sink that %s gets it again, and can tell by the key that it is the same', async (_, script) => {
  let tries = 0;
  server.script((...args) => (++tries === 1 ? script : json({}))(...args));
  expect(await send()).toEqual({ delivered: ['w'], failed: [] });
  expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(2).fill('incident-1/firing'));
  for (const { headers, body } of server.requests) {
    const signed = `${String(headers['x-aegis-timestamp'])}.${body}`;
    const expected = createHmac('sha256', 'shared').update(signed).digest('hex');
    expect(headers['x-aegis-signature']).toBe(`v1=${expected}`);
  }
});

test('a sink whose host nobody listed is not called, and that is reported at once', async () => {
  const result = await send(server.url.replace('127.0.0.1', 'localhost'));
  expect(result.failed[0]?.message).toContain('not on the administrator');
  expect(server.requests).toEqual([]);
});
