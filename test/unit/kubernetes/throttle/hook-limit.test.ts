import { describe, expect, test } from '@jest/globals';
import type { OutboundFault, OutboundReply, ThrottleHook } from '../../../../src/controller/ports.ts';
import { ThrottleApi } from '../../../../src/kubernetes/executors/throttle-api.ts';
import { limitProviders } from '../../../../src/kubernetes/throttle/providers.ts';
import { err, ok, type Result } from '../../../../src/lib/result.ts';
import { aLiveWorkload, anEffect, fakeClient } from '../../../support/builders/kubernetes.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const LIVE = aLiveWorkload();
describe('the hook', () => {
  type Reply = Result<OutboundReply, OutboundFault>;
  const answered = (status: number, retryAfterMs?: number): Reply =>
    ok({ status, body: '', ...(retryAfterMs !== undefined && { retryAfterMs }) });
  const fault = (kind: OutboundFault['kind']): Reply => err({ kind, message: kind });
  function aHook(...replies: readonly Reply[]) {
    const calls: Parameters<ThrottleHook['send']>[0][] = [];
    const hook: ThrottleHook = {
      send: (call) => {
        calls.push(call);
        return Promise.resolve(replies[calls.length - 1] ?? answered(204));
      },
    };
    const context = { client: fakeClient(() => ({})), clock: fakeClock(), mayBeginEffect: () => true };
    return { calls, executor: new ThrottleApi(limitProviders(context, { allowed: [], hook })) };
  }
  const throttle = { provider: 'Hook', percentOfBaseline: 80, ttlSeconds: 900 } as const;
  const parameters = { kind: 'throttle', throttle, limitPerSecond: 60, routes: [] } as const;
  const intent = anEffect({ name: 'web-1', action: 'throttle_api', pods: [], parameters });

  test.each<[string, readonly Reply[], object, number]>([
    ['takes it', [answered(200)], { kind: 'applied' }, 1],
    ['loses its answer once: asked again with the same key', [fault('Timeout'), answered(200)], { kind: 'applied' }, 2],
    ['fails once', [answered(503), answered(200)], { kind: 'applied' }, 2],
    ['loses its answer twice', [fault('Broken'), fault('Broken')], { kind: 'ambiguous' }, 2],
    ['is at an address that is not on the list', [fault('Forbidden')], { kind: 'refused', reason: 'UrlForbidden' }, 1],
    ['cannot be reached', [fault('Unsent')], { kind: 'blocked', reason: 'UnsafeToRead' }, 1],
    ['has no time', [answered(429, 30_000)], { kind: 'blocked', reason: 'Backoff', retryAfterMs: 30_000 }, 1],
    ['refuses', [answered(400)], { kind: 'failed', reason: 'Rejected' }, 1],
  ])('%s', async (_, replies, expected, count) => {
    const { calls, executor } = aHook(...replies);
    expect(await executor.perform(intent, LIVE)).toMatchObject(expected);
    expect(calls).toHaveLength(count);
    expect(new Set(calls.map(({ key }) => key)).size).toBe(1);
  });

  test('knows a limit by the action; each prolongation is a call of its own', async () => {
    const { calls, executor } = aHook(answered(204), answered(204), answered(404));
    await executor.perform(intent, LIVE);
    await executor.renew(intent, 1);
    expect(await executor.undo(intent)).toMatchObject({ kind: 'already' });
    expect(calls.map(({ id, action, key }) => [id, action, key])).toEqual([
      ['web-1', 'apply', 'web-1/apply'],
      ['web-1', 'apply', 'web-1/apply/1'],
      ['web-1', 'remove', 'web-1/remove'],
    ]);
    expect([executor.leavesTrace(intent), await executor.settle(intent)]).toEqual([false, 'absent']);
  });
});
