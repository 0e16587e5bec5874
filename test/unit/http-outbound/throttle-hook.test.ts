import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { OutboundRequest } from '../../../src/controller/ports.ts';
import { createThrottleHook } from '../../../src/http/throttle-hook.ts';
import { sign } from '../../../src/notify/webhook.ts';
import { ok } from '../../../src/lib/result.ts';

const call = {
  action: 'apply',
  ...{ id: 'checkout-1', key: 'checkout-1/apply', limitPerSecond: 80, ttlSeconds: 900 },
  target: { kind: 'Deployment', namespace: 'shop', name: 'checkout' },
} as const;

describe('the throttle hook', () => {
  test('is told what the specification says, signed like the webhook sink', async () => {
    const sent: OutboundRequest[] = [];
    const hook = createThrottleHook({
      sign,
      url: 'https://limits.example.com/hook',
      post: (request) => {
        sent.push(request);
        return Promise.resolve(ok({ status: 204, body: '' }));
      },
      secret: () => Promise.resolve('shared'),
      nowMs: () => 1_700_000_000_500,
    });
    await hook.send(call);
    const [request] = sent;
    expect(JSON.parse(request?.body ?? '')).toEqual({
      ...{ action: 'apply', id: 'checkout-1', limitPerSecond: 80, ttlSeconds: 900 },
      target: { kind: 'Deployment', namespace: 'shop', name: 'checkout' },
    });
    const signature = createHmac('sha256', 'shared').update(`1700000000.${request?.body}`).digest('hex');
    expect(request?.url).toBe('https://limits.example.com/hook');
    expect(request?.headers).toMatchObject({
      'x-aegis-timestamp': '1700000000',
      'x-aegis-signature': `v1=${signature}`,
      'idempotency-key': 'checkout-1/apply',
    });
  });

  test('is not called without its key', async () => {
    const hook = createThrottleHook({
      ...{ url: 'https://limits.example.com', nowMs: () => 0, sign },
      post: () => Promise.reject(new Error('nothing may be sent')),
      secret: () => Promise.reject(new Error('ENOENT')),
    });
    expect(await hook.send(call)).toMatchObject({ ok: false, error: { kind: 'Unsent' } });
  });
});
