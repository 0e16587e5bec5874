import { EFFECTS } from '../../../../src/policy/action.ts';
import { describe, expect, test } from '@jest/globals';
import type { ApiRequest } from '../../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../../src/kubernetes/errors.ts';
import { executors } from '../../../../src/kubernetes/executors/registry.ts';
import { Scale } from '../../../../src/kubernetes/executors/scale.ts';
import type { Json } from '../../../../src/kubernetes/json.ts';
import { aFault, aLiveWorkload, anEffect, fakeClient, NO_PROVIDERS } from '../../../support/builders/kubernetes.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const intent = anEffect({
  action: 'scale_up',
  pods: [],
  parameters: { kind: 'scale', from: 3, to: 5, returnAfterSeconds: 1_800 },
});
const minimum = anEffect({
  action: 'scale_up',
  parameters: { kind: 'scale', from: 2, to: 4, returnAfterSeconds: 1_800, autoscaler: 'web-hpa' },
});
const live = aLiveWorkload();

const scaleObject = (replicas: number, uid = 'deploy-uid') => ({
  metadata: { name: 'web', namespace: 'shop', uid, resourceVersion: '99' },
  spec: { replicas },
});

function anExecutor(read: Json | CallFault, write: Json | CallFault = {}, mayBegin = true) {
  const client = fakeClient(({ method }: ApiRequest) => (method === 'GET' ? read : write));
  const executor = new Scale('scale_up', { client, clock: fakeClock(), mayBeginEffect: () => mayBegin });
  const writes = (): ApiRequest[] => client.requests.filter(({ method }) => method !== 'GET');
  return { executor, writes };
}

describe('scaling', () => {
  test('reads the scale and puts it back with the version that was just read', async () => {
    const { executor, writes } = anExecutor(scaleObject(3));
    expect(await executor.perform(intent, live)).toEqual({ kind: 'applied', detail: 'replicas went from 3 to 5' });
    expect(writes()).toEqual([
      expect.objectContaining({
        method: 'PUT',
        deadlineMs: 10_000,
        body: {
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name: 'web', namespace: 'shop', resourceVersion: '99', uid: 'deploy-uid' },
          spec: { replicas: 5 },
        },
      }),
    ]);
    expect(writes()[0]?.target).toMatchObject({ subresource: 'scale', query: { fieldManager: 'aegis' } });
  });

  test("the dry run is the same request with the server's dry run", async () => {
    const { executor, writes } = anExecutor(scaleObject(3), {}, false);
    expect(await executor.dryRun(intent, live)).toMatchObject({ kind: 'applied' });
    expect(writes()[0]?.target.query).toEqual({ fieldManager: 'aegis', dryRun: 'All' });
  });

  const rows: [string, Json | CallFault, Json | CallFault, object, number][] = [
    ['already at the new value: nothing is written', scaleObject(5), {}, { kind: 'already' }, 0],
    ['somebody else changed it: left alone', scaleObject(4), {}, { kind: 'refused', reason: 'TargetChanged' }, 0],
    ['another workload bears the name now', scaleObject(3, 'new'), {}, { kind: 'refused', reason: 'TargetGone' }, 0],
    ['the workload is gone', aFault({ kind: 'NotFound' }), {}, { kind: 'refused', reason: 'TargetGone' }, 0],
    [
      'it cannot be read: nothing was sent',
      aFault({ kind: 'Timeout' }),
      {},
      { kind: 'blocked', reason: 'UnsafeToRead' },
      0,
    ],
    [
      '409: read and judged again',
      scaleObject(3),
      aFault({ kind: 'Conflict' }),
      { kind: 'blocked', reason: 'TargetChanged' },
      1,
    ],
    ['403', scaleObject(3), aFault({ kind: 'Forbidden' }), { kind: 'blocked', reason: 'Forbidden' }, 1],
    ['422', scaleObject(3), aFault({ kind: 'Rejected' }), { kind: 'failed', reason: 'Rejected' }, 1],
    ['a lost answer', scaleObject(3), aFault({ kind: 'Timeout' }), { kind: 'ambiguous' }, 1],
  ];
  test.each(rows)('%s', async (_row, read, write, outcome, written) => {
    const { executor, writes } = anExecutor(read, write);
    expect(await executor.perform(intent, live)).toMatchObject(outcome);
    expect(writes()).toHaveLength(written);
  });

  test.each([0, -1, 1.5, Number.NaN])('%s replicas are never asked for', async (to) => {
    const { executor, writes } = anExecutor(scaleObject(3));
    const zero = { ...intent, parameters: { kind: 'scale', from: 3, to, returnAfterSeconds: 1 } } as const;
    expect(await executor.perform(zero, live)).toMatchObject({ kind: 'refused', reason: 'AtMinimum' });
    expect(writes()).toEqual([]);
  });

  test('without a lease renewed under 4 s ago nothing is written', async () => {
    const { executor, writes } = anExecutor(scaleObject(3), {}, false);
    expect(await executor.perform(intent, live)).toMatchObject({ kind: 'blocked', reason: 'NotLeader' });
    expect(writes()).toEqual([]);
  });

  test.each([
    [5, 'done', true],
    [3, 'absent', false],
    [4, 'foreign', false],
  ] as const)('after a crash %s replicas mean %s', (desired, settlement, visible) => {
    const { executor } = anExecutor({});
    const found = aLiveWorkload({ replicas: { ...live.replicas, desired } });
    expect(executor.settle(intent, found)).toBe(settlement);
    expect(executor.isVisible(intent, found)).toBe(visible);
  });
});

describe('undo', () => {
  test('goes back where the field still holds what Aegis wrote, and needs no fresh effect lease', async () => {
    const { executor, writes } = anExecutor(scaleObject(5), {}, false);
    expect(await executor.undo(intent, live)).toEqual({ kind: 'applied', detail: 'replicas went from 5 to 3' });
    expect(writes()[0]?.body).toMatchObject({ spec: { replicas: 3 } });
  });

  test('leaves alone what somebody changed meanwhile', async () => {
    const { executor, writes } = anExecutor(scaleObject(8));
    expect(await executor.undo(intent, live)).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
    expect(writes()).toEqual([]);
  });

  test('done already is done', async () => {
    expect(await anExecutor(scaleObject(3)).executor.undo(intent, live)).toMatchObject({ kind: 'already' });
  });
});

describe("an HPA's minimum", () => {
  const hpa = (minReplicas?: number) => ({
    metadata: { name: 'web-hpa', namespace: 'shop', uid: 'hpa-uid', resourceVersion: '12' },
    spec: minReplicas === undefined ? { maxReplicas: 9 } : { minReplicas, maxReplicas: 9 },
  });

  test('is raised by a merge patch with its version, and replicas are not written', async () => {
    const { executor, writes } = anExecutor(hpa(2));
    expect(await executor.perform(minimum, live)).toMatchObject({ kind: 'applied' });
    expect(writes()).toEqual([
      expect.objectContaining({
        method: 'PATCH',
        patch: 'merge',
        body: { metadata: { resourceVersion: '12', uid: 'hpa-uid' }, spec: { minReplicas: 4 } },
      }),
    ]);
    expect(writes()[0]?.target).toMatchObject({ resource: { plural: 'horizontalpodautoscalers' }, name: 'web-hpa' });
  });

  test('an absent minimum is 1', async () => {
    const { executor, writes } = anExecutor(hpa());
    expect(await executor.perform(minimum, live)).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
    expect(writes()).toEqual([]);
  });

  test('is settled by the autoscaler that the snapshot shows', () => {
    const { executor } = anExecutor({});
    const showing = (minReplicas?: number) =>
      aLiveWorkload({
        autoscalers: [{ kind: 'HorizontalPodAutoscaler', name: 'web-hpa', ...(minReplicas ? { minReplicas } : {}) }],
      });
    expect(executor.settle(minimum, showing(4))).toBe('done');
    expect(executor.settle(minimum, showing(2))).toBe('absent');
    expect(executor.settle(minimum, showing())).toBe('foreign');
    expect(executor.settle(minimum, live)).toBe('foreign');
  });
});

test('the registry holds the effects of this build, one executor each', () => {
  const context = { client: fakeClient(() => ({})), clock: fakeClock(), mayBeginEffect: () => true };
  expect([...executors(context, NO_PROVIDERS).keys()]).toEqual([...EFFECTS]);
});
