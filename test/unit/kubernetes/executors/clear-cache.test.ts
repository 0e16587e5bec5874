import { describe, expect, test } from '@jest/globals';
import type { OutboundFault, PostToPod } from '../../../../src/controller/ports.ts';
import type { ExecRequest } from '../../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../../src/kubernetes/errors.ts';
import type { ExecResult } from '../../../../src/kubernetes/exec-stream.ts';
import { ClearCache } from '../../../../src/kubernetes/executors/clear-cache.ts';
import { err, ok, type Result } from '../../../../src/lib/result.ts';
import type { PodSnapshot } from '../../../../src/lib/workload.ts';
import type { CacheParameters } from '../../../../src/policy/action.ts';
import { aFault, aLiveWorkload, anEffect, fakeClient } from '../../../support/builders/kubernetes.ts';
import { aPod } from '../../../support/builders/workload.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const HTTP: CacheParameters = { http: { port: 8080, path: '/clear' } };
const EXEC: CacheParameters = { exec: { container: 'app', command: ['redis-cli', 'FLUSHDB'] } };
const intent = (cache: CacheParameters, pods = [{ name: 'a', uid: 'uid-a' }]) =>
  anEffect({ action: 'clear_cache', pods, parameters: { kind: 'cache', cache } });
const live = (over: Partial<PodSnapshot> = {}) =>
  aLiveWorkload({ pods: [aPod(0, { name: 'a', uid: 'uid-a', podIP: '10.1.0.7', namespace: 'shop', ...over })] });

function anExecutor({
  reply = ok({ status: 204 }),
  ran = ok({ exitCode: 0, output: '' }),
  leads = true,
}: {
  reply?: Result<{ readonly status: number }, OutboundFault>;
  ran?: Result<ExecResult, CallFault>;
  leads?: boolean;
} = {}) {
  const posts: Parameters<PostToPod>[0][] = [];
  const runs: ExecRequest[] = [];
  const client = {
    ...fakeClient(() => ({})),
    exec: (_: unknown, request: ExecRequest) => {
      runs.push(request);
      return Promise.resolve(ran);
    },
  };
  const executor = new ClearCache({ client, clock: fakeClock(), mayBeginEffect: () => leads }, (request) => {
    posts.push(request);
    return Promise.resolve(reply);
  });
  return { executor, posts, runs };
}

describe('clear_cache by http', () => {
  test('asks the treated pod at its own address, once', async () => {
    const { executor, posts } = anExecutor();
    expect(await executor.perform(intent(HTTP), live())).toMatchObject({ kind: 'applied' });
    expect(posts).toEqual([{ address: '10.1.0.7', port: 8080, path: '/clear', timeoutMs: 10_000 }]);
  });

  test('a dry run asks nobody', async () => {
    const { executor, posts } = anExecutor();
    expect(await executor.dryRun(intent(HTTP), live())).toMatchObject({ kind: 'applied' });
    expect(posts).toEqual([]);
  });

  test.each([
    ['a refusal', ok({ status: 404 }), { kind: 'failed', reason: 'Rejected' }],
    ['the last status that is one', ok({ status: 499 }), { kind: 'failed', reason: 'Rejected' }],
    ['a failure in the middle', ok({ status: 500 }), { kind: 'ambiguous' }],
    ['a redirect', ok({ status: 302 }), { kind: 'failed', reason: 'Rejected' }],
    ['no answer: it may be cleared', err({ kind: 'Timeout', message: '' } as const), { kind: 'ambiguous' }],
    ['a broken answer: it may be cleared', err({ kind: 'Broken', message: '' } as const), { kind: 'ambiguous' }],
    ['nobody listens: nothing was sent', err({ kind: 'Unsent', message: '' } as const), { kind: 'blocked' }],
    ['no address of a pod', err({ kind: 'Forbidden', message: '' } as const), { kind: 'failed', reason: 'Rejected' }],
  ])('%s', async (_, reply, outcome) => {
    expect(await anExecutor({ reply }).executor.perform(intent(HTTP), live())).toMatchObject(outcome);
  });

  test.each([
    ['the pod is another by now', { uid: 'uid-b' }, 'TargetGone'],
    ['the pod is going', { deletedAtMs: 1 }, 'TargetGone'],
    ['the pod is not ready', { ready: false }, 'Unsupported'],
    ['the pod is on the host network: the address is the node’s', { hostNetwork: true }, 'Unsupported'],
  ])('%s: refused, and nobody is asked', async (_, over, reason) => {
    const { executor, posts } = anExecutor();
    expect(await executor.perform(intent(HTTP), live(over))).toMatchObject({ kind: 'refused', reason });
    expect(posts).toEqual([]);
  });

  test('two pods are never treated by one action', async () => {
    const { executor, posts } = anExecutor();
    const two = intent(HTTP, [
      { name: 'a', uid: 'uid-a' },
      { name: 'b', uid: 'uid-b' },
    ]);
    expect(await executor.perform(two, live())).toMatchObject({ kind: 'failed' });
    expect(posts).toEqual([]);
  });

  test('without a fresh lease nothing is sent', async () => {
    const { executor, posts } = anExecutor({ leads: false });
    expect(await executor.perform(intent(HTTP), live())).toMatchObject({ kind: 'blocked', reason: 'NotLeader' });
    expect(posts).toEqual([]);
  });
});

describe('clear_cache by a command', () => {
  test('runs the very arguments in the container', async () => {
    const { executor, runs } = anExecutor();
    expect(await executor.perform(intent(EXEC), live({ hostNetwork: true }))).toMatchObject({ kind: 'applied' });
    expect(runs).toMatchObject([{ container: 'app', command: ['redis-cli', 'FLUSHDB'], deadlineMs: 10_000 }]);
  });

  test.each([
    ['it fails, having run', ok({ exitCode: 1, output: 'no server' }), { kind: 'ambiguous' }],
    ['nobody says how it ended', err(aFault({ kind: 'Timeout' })), { kind: 'ambiguous' }],
    ['the right is missing', err(aFault({ kind: 'Forbidden' })), { kind: 'blocked', reason: 'Forbidden' }],
    ['it was not sent', err(aFault({ sent: false })), { kind: 'blocked', reason: 'UnsafeToRead' }],
  ])('%s', async (_, ran, outcome) => {
    expect(await anExecutor({ ran }).executor.perform(intent(EXEC), live())).toMatchObject(outcome);
  });
});

test('nothing shows whether a cache was cleared, and nothing puts it back', () => {
  const { executor } = anExecutor();
  expect([executor.settle(), executor.isVisible(), executor.leavesTrace(), 'undo' in executor]).toEqual([
    'unprovable',
    false,
    false,
    false,
  ]);
});
