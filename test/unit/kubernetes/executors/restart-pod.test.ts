import { describe, expect, test } from '@jest/globals';
import type { ApiRequest } from '../../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../../src/kubernetes/errors.ts';
import { RestartPod } from '../../../../src/kubernetes/executors/restart-pod.ts';
import type { Json } from '../../../../src/kubernetes/json.ts';
import { aFault, aLivePod, aLiveWorkload, anEffect, fakeClient } from '../../../support/builders/kubernetes.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

function anExecutor(reply: (request: ApiRequest) => Json | CallFault = () => ({}), mayBegin = true) {
  const client = fakeClient(reply);
  const executor = new RestartPod({ client, clock: fakeClock(), mayBeginEffect: () => mayBegin });
  return { executor, client };
}

const two = anEffect({
  pods: [
    { name: 'a', uid: 'uid-a' },
    { name: 'b', uid: 'uid-b' },
  ],
});
const rollout = anEffect({ parameters: { kind: 'restart', how: 'rollout' }, pods: [] });
const live = aLiveWorkload();

describe('eviction', () => {
  test('is a policy/v1 Eviction with the UID, the field manager and 10 s; never a delete, never a grace period', async () => {
    const { executor, client } = anExecutor();
    expect(await executor.perform(anEffect(), live)).toEqual({ kind: 'applied', detail: 'evicted a' });
    expect(client.requests).toEqual([
      expect.objectContaining({
        method: 'POST',
        deadlineMs: 10_000,
        urgent: true,
        target: expect.objectContaining({
          namespace: 'shop',
          name: 'a',
          subresource: 'eviction',
          query: { fieldManager: 'aegis' },
        }) as unknown,
        body: {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: 'a', namespace: 'shop' },
          deleteOptions: { preconditions: { uid: 'uid-a' } },
        },
      }),
    ]);
  });

  test("the dry run is the same request with the server's dry run, and needs no fresh lease", async () => {
    const { executor, client } = anExecutor(() => ({}), false);
    expect(await executor.dryRun(anEffect(), live)).toEqual({ kind: 'applied', detail: 'would evict a' });
    expect(client.requests[0]).toMatchObject({
      target: { query: { dryRun: 'All' } },
      body: { deleteOptions: { preconditions: { uid: 'uid-a' }, dryRun: ['All'] } },
    });
  });

  test('without a lease renewed under 4 s ago nothing is sent', async () => {
    const { executor, client } = anExecutor(() => ({}), false);
    expect(await executor.perform(anEffect(), live)).toMatchObject({ kind: 'blocked', reason: 'NotLeader' });
    expect(client.requests).toEqual([]);
  });

  const answers: [string, Partial<CallFault>, object][] = [
    ['404: the target is gone', { kind: 'NotFound' }, { kind: 'refused', reason: 'TargetGone' }],
    [
      '403: blocked, and tried at most once a minute',
      { kind: 'Forbidden' },
      { kind: 'blocked', reason: 'Forbidden', retryAfterMs: 60_000 },
    ],
    ['422 or a webhook: rejected', { kind: 'Rejected' }, { kind: 'failed', reason: 'Rejected' }],
    [
      '429 of a budget: again after 30 s',
      { kind: 'TooManyRequests', causes: ['DisruptionBudget'] },
      { kind: 'blocked', reason: 'DisruptionBudget', retryAfterMs: 30_000 },
    ],
    [
      '429 of a budget that asks for longer',
      { kind: 'TooManyRequests', causes: ['DisruptionBudget'], retryAfterMs: 90_000 },
      { kind: 'blocked', reason: 'DisruptionBudget', retryAfterMs: 90_000 },
    ],
    [
      '429 of a busy server',
      { kind: 'TooManyRequests', retryAfterMs: 7_000 },
      { kind: 'blocked', reason: 'Backoff', retryAfterMs: 7_000 },
    ],
    [
      '500 of two budgets',
      {
        kind: 'Unavailable',
        message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      },
      { kind: 'blocked', reason: 'BudgetMisconfigured' },
    ],
    ['500 after sending: it may have happened', { kind: 'Unavailable' }, { kind: 'ambiguous' }],
    ['a time-out: it may have happened', { kind: 'Timeout' }, { kind: 'ambiguous' }],
    [
      'a connection that never stood: nothing happened',
      { kind: 'Unavailable', sent: false },
      { kind: 'blocked', reason: 'UnsafeToRead' },
    ],
  ];
  test.each(answers)('%s', async (_row, fault, outcome) => {
    const { executor } = anExecutor(() => aFault(fault));
    expect(await executor.perform(anEffect(), live)).toMatchObject(outcome);
  });

  test('409 where another pod bears the name now: the target is gone', async () => {
    const { executor } = anExecutor(({ method }) =>
      method === 'POST' ? aFault({ kind: 'Conflict' }) : { metadata: { uid: 'new' } },
    );
    expect(await executor.perform(anEffect(), live)).toMatchObject({ kind: 'refused', reason: 'TargetGone' });
  });

  test('409 with the same pod: read and judged again', async () => {
    const { executor } = anExecutor(({ method }) =>
      method === 'POST' ? aFault({ kind: 'Conflict' }) : { metadata: { uid: 'uid-a' } },
    );
    expect(await executor.perform(anEffect(), live)).toMatchObject({
      kind: 'blocked',
      reason: 'TargetChanged',
      retryAfterMs: 0,
    });
  });
});

describe('several pods', () => {
  const refuseSecond = ({ target }: ApiRequest): Json | CallFault =>
    target.name === 'b' ? aFault({ kind: 'TooManyRequests', causes: ['DisruptionBudget'], message: 'budget' }) : {};

  test('one that was evicted makes it an effect, whatever held back the next', async () => {
    const { executor } = anExecutor(refuseSecond);
    const outcome = await executor.perform(two, live);
    expect(outcome).toEqual({ kind: 'applied', detail: 'evicted a; then eviction of b: budget' });
  });

  test('pods that are gone or going are not evicted again', async () => {
    const { executor, client } = anExecutor();
    const half = aLiveWorkload({ pods: [aLivePod('a', { deletedAtMs: 5 }), aLivePod('b')] });
    expect(await executor.perform(two, half)).toEqual({ kind: 'applied', detail: 'evicted b' });
    expect(client.requests).toHaveLength(1);
  });

  test('all gone by themselves: nothing is sent', async () => {
    const { executor, client } = anExecutor();
    expect(await executor.perform(two, aLiveWorkload({ pods: [] }))).toMatchObject({
      kind: 'refused',
      reason: 'TargetGone',
    });
    expect(client.requests).toEqual([]);
  });

  test('an answer that is lost in the middle is ambiguous', async () => {
    const { executor } = anExecutor(({ target }) => (target.name === 'b' ? aFault({ kind: 'Timeout' }) : {}));
    expect(await executor.perform(two, live)).toMatchObject({ kind: 'ambiguous' });
  });

  test('after a crash: done once none stands, else the rest is redone; a namesake does not count', () => {
    const { executor } = anExecutor();
    const namesakes = aLiveWorkload({ pods: [aLivePod('a', { uid: 'new' }), aLivePod('b', { uid: 'new-b' })] });
    expect(executor.settle(two, namesakes)).toBe('done');
    expect(executor.settle(two, aLiveWorkload({ pods: [aLivePod('b')] }))).toBe('absent');
    expect(executor.isVisible(two, aLiveWorkload({ pods: [aLivePod('b')] }))).toBe(true);
    expect(executor.isVisible(two, live)).toBe(false);
  });
});

describe('rollout restart', () => {
  test('is a merge patch of the template with version, UID and the action, the same each time', async () => {
    const { executor, client } = anExecutor();
    await executor.perform(rollout, live);
    await executor.perform(rollout, live);
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      patch: 'merge',
      body: {
        metadata: { resourceVersion: '7', uid: 'deploy-uid' },
        spec: {
          template: {
            metadata: {
              annotations: {
                'kubectl.kubernetes.io/restartedAt': '2026-01-05T12:00:00.000Z',
                'healing.aegis.dev/action': 'aegis-0123456789abcdef',
              },
            },
          },
        },
      },
    });
    expect(client.requests[1]?.body).toEqual(client.requests[0]?.body);
  });

  test('of an Argo Rollout sets spec.restartAt', async () => {
    const { executor, client } = anExecutor();
    const ref = { ...live.ref, kind: 'Rollout', apiVersion: 'argoproj.io/v1alpha1' } as const;
    await executor.perform(rollout, aLiveWorkload({ ref }));
    expect(client.requests[0]).toMatchObject({
      target: { resource: { plural: 'rollouts' } },
      body: {
        spec: { restartAt: '2026-01-05T12:00:00.000Z' },
        metadata: { annotations: { 'healing.aegis.dev/action': rollout.name } },
      },
    });
  });

  test('409 is read and judged again', async () => {
    const { executor } = anExecutor(() => aFault({ kind: 'Conflict' }));
    expect(await executor.perform(rollout, live)).toMatchObject({ kind: 'blocked', reason: 'TargetChanged' });
  });

  test('is proven by the annotation', () => {
    const { executor } = anExecutor();
    const marked = aLiveWorkload({ templateAnnotations: { 'healing.aegis.dev/action': rollout.name } });
    expect([executor.settle(rollout, live), executor.settle(rollout, marked)]).toEqual(['absent', 'done']);
    expect([executor.isVisible(rollout, live), executor.isVisible(rollout, marked)]).toEqual([false, true]);
  });
});

test('a workload of the same name that was made since is not touched', async () => {
  const { executor, client } = anExecutor();
  const other = aLiveWorkload({ ref: { ...live.ref, uid: 'another' } });
  expect(await executor.perform(anEffect(), other)).toMatchObject({ kind: 'refused', reason: 'TargetGone' });
  expect(await executor.perform(rollout, other)).toMatchObject({ kind: 'refused', reason: 'TargetGone' });
  expect(client.requests).toEqual([]);
});
