import { describe, expect, test } from '@jest/globals';
import { actionObject, actionStatusObject, parseAction } from '../../../src/api/v1alpha1/convert-action.ts';
import type { ApiRequest } from '../../../src/kubernetes/client.ts';
import { LiveClusterWriter } from '../../../src/kubernetes/cluster-writer.ts';
import type { CallFault } from '../../../src/kubernetes/errors.ts';
import { type Json, record } from '../../../src/kubernetes/json.ts';
import type { ActionStatus } from '../../../src/healing/decision.ts';
import type { StoredAction } from '../../../src/healing/stored-action.ts';
import { anApiIntent } from '../../support/builders/api.ts';
import { aDeployment, aFault, aPod, aReplicaSet, fakeClient } from '../../support/builders/kubernetes.ts';

const intent = anApiIntent();
const pending: ActionStatus = { attempts: [] };
const blocked: ActionStatus = {
  attempts: [],
  blocked: { reason: 'DisruptionBudget', message: 'no room', atMs: 1_767_614_400_000, nextLookMs: 1_767_614_430_000 },
};

function wire(status: ActionStatus = pending, change: Json = {}): Json {
  const object = record(actionObject(intent));
  const metadata = {
    ...record(object.metadata),
    uid: 'action-uid',
    resourceVersion: '5',
    creationTimestamp: '2026-01-05T12:00:00Z',
    ...change,
  };
  return { ...object, metadata, status: actionStatusObject(intent, status) };
}

function stored(status: ActionStatus = pending, change: Json = {}): StoredAction {
  const action = parseAction(wire(status, change));
  if (!action.ok) throw new Error(JSON.stringify(action.error));
  return action.value;
}

function aWriter(reply: (request: ApiRequest) => Json | CallFault, namespaced = false) {
  const client = fakeClient(reply);
  return { writer: new LiveClusterWriter(client, { namespaced }), client };
}

describe('actions', () => {
  test('are created as the object of their intent, by the field manager', async () => {
    const { writer, client } = aWriter(() => wire());
    expect(await writer.createAction(intent)).toMatchObject({
      ok: true,
      value: { uid: 'action-uid', intent: { name: intent.name } },
    });
    expect(client.requests[0]).toMatchObject({
      method: 'POST',
      body: actionObject(intent),
      target: { query: { fieldManager: 'aegis' } },
    });
  });

  test('a second creator gets a conflict', async () => {
    const { writer } = aWriter(() => aFault({ kind: 'Conflict', message: 'exists' }));
    expect(await writer.createAction(intent)).toMatchObject({ ok: false, error: { kind: 'Conflict' } });
  });

  test('a status is merged into the version that was read; what is gone becomes null', async () => {
    const { writer, client } = aWriter(() => wire(blocked));
    expect(await writer.writeActionStatus(stored(), blocked)).toMatchObject({
      ok: true,
      value: { status: { blocked: { reason: 'DisruptionBudget' } } },
    });
    const there = client.requests[0];
    expect(there).toMatchObject({
      method: 'PATCH',
      patch: 'merge',
      target: { subresource: 'status' },
      body: { metadata: { resourceVersion: '5', uid: 'action-uid' } },
    });
    expect(JSON.stringify(there?.body)).toContain('DisruptionBudget');

    const back = aWriter(() => wire());
    await back.writer.writeActionStatus(stored(blocked), pending);
    expect(record(record(back.client.requests[0]?.body).status).blockedReason).toBeNull();
  });

  test('a status that is the same is not written', async () => {
    const { writer, client } = aWriter(() => wire());
    expect((await writer.writeActionStatus(stored(blocked), blocked)).ok).toBe(true);
    expect(client.requests).toEqual([]);
  });

  test('the finalizer is set and taken away beside those of others, and only where that changes something', async () => {
    const other = ['example.com/keep'];
    const { writer, client } = aWriter(() => wire(pending, { finalizers: [...other, 'healing.aegis.dev/reversal'] }));
    const held = await writer.setActionFinalizer(stored(pending, { finalizers: other }), true);
    if (!held.ok) throw new Error('not set');
    await writer.setActionFinalizer(held.value, true);
    await writer.setActionFinalizer(held.value, false);
    expect(client.requests.map(({ body }) => record(record(body).metadata).finalizers)).toEqual([
      [...other, 'healing.aegis.dev/reversal'],
      other,
    ]);
  });

  test('deleting names the UID; one that is gone is a success, one that was replaced is not touched', async () => {
    const { writer, client } = aWriter(() => aFault({ kind: 'NotFound' }));
    expect(await writer.deleteAction(stored())).toEqual({ ok: true, value: undefined });
    expect(client.requests[0]).toMatchObject({ method: 'DELETE', body: { preconditions: { uid: 'action-uid' } } });
    const replaced = aWriter(() => aFault({ kind: 'Conflict' }));
    expect(await replaced.writer.deleteAction(stored())).toMatchObject({ ok: false, error: { kind: 'Conflict' } });
  });

  test('an object that Aegis cannot have written is a fault', async () => {
    const { writer } = aWriter(() => ({ ...wire(), spec: {} }));
    expect(await writer.readAction('shop', intent.name)).toMatchObject({ ok: false, error: { kind: 'Unknown' } });
  });
});

test("a policy's status is written whole: an absent last action is taken away", async () => {
  const { writer, client } = aWriter(() => ({}));
  const status = {
    observedGeneration: 2,
    conditions: [],
    targets: { matched: 1, anomalous: 0, unknown: 0 },
    incidents: [],
  };
  expect(await writer.writePolicyStatus({ namespace: 'shop', name: 'checkout' }, status)).toEqual({
    ok: true,
    value: undefined,
  });
  expect(client.requests[0]).toMatchObject({
    method: 'PATCH',
    patch: 'merge',
    target: { subresource: 'status', namespace: 'shop', name: 'checkout' },
    body: { status: { ...status, lastAction: null } },
  });
});

test('a guardrail’s status is written whole, at the cluster’s scope', async () => {
  const { writer, client } = aWriter(() => ({}));
  const condition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Valid',
    message: 'ok',
    observedGeneration: 2,
  } as const;
  const conditions = [{ ...condition, lastTransitionMs: 1_767_614_400_000 }];
  await writer.writeGuardrailStatus('all', { observedGeneration: 2, conditions });
  expect(client.requests[0]).toMatchObject({
    ...{ method: 'PATCH', patch: 'merge', target: { name: 'all', subresource: 'status' } },
    body: {
      status: {
        ...{ observedGeneration: 2, boundPolicies: null },
        conditions: [{ ...condition, lastTransitionTime: '2026-01-05T12:00:00.000Z' }],
      },
    },
  });
  expect(client.requests[0]?.target.namespace).toBeUndefined();
});

test('an approval is written to the version that was read, and to nothing else of the action', async () => {
  const { writer, client } = aWriter(() => wire());
  const approval = { decision: 'Approved', by: 'key:ops', reason: 'looked at it' } as const;
  await writer.answerApproval(stored(), { ...approval, atMs: 1_767_614_400_000 });
  expect(client.requests[0]).toMatchObject({ method: 'PATCH', patch: 'merge', target: { name: intent.name } });
  expect(client.requests[0]?.target.subresource).toBeUndefined();
  expect(client.requests[0]?.body).toEqual({
    metadata: { resourceVersion: '5', uid: 'action-uid' },
    spec: { approval: { ...approval, time: '2026-01-05T12:00:00.000Z' } },
  });
});

describe('the live workload', () => {
  const cluster =
    (change: Readonly<Record<string, Json | CallFault>> = {}) =>
    ({ target }: ApiRequest): Json | CallFault => {
      const answers: Record<string, Json | CallFault> = {
        deployments: aDeployment(),
        pods: { items: [aPod({ name: 'web-1' }), aPod({ name: 'orphan', owner: 'gone' })] },
        replicasets: { items: [aReplicaSet(), aReplicaSet({ uid: 'foreign', owner: 'other' })] },
        horizontalpodautoscalers: { items: [] },
        scaledobjects: aFault({ kind: 'NotFound' }),
        poddisruptionbudgets: { items: [] },
        resourcequotas: { items: [] },
        namespaces: { metadata: { name: 'shop', labels: { 'healing.aegis.dev/exclude': 'true' } } },
        ...change,
      };
      return answers[target.resource.plural] ?? aFault({ kind: 'NotFound' });
    };
  const ref = { kind: 'Deployment', namespace: 'shop', name: 'web' } as const;

  test('is read without a resourceVersion, with its own pods only', async () => {
    const { writer, client } = aWriter(cluster());
    const live = await writer.readWorkload(ref);
    expect(live).toMatchObject({
      ok: true,
      value: { resourceVersion: '7', autoscalersKnown: true, namespaceLabels: { 'healing.aegis.dev/exclude': 'true' } },
    });
    expect(live.ok && live.value.pods.map((pod) => pod.name)).toEqual(['web-1']);
    expect(client.requests.every(({ target }) => target.query?.resourceVersion === undefined)).toBe(true);
    expect(client.requests.find(({ target }) => target.resource.plural === 'pods')?.target.query).toMatchObject({
      labelSelector: 'app=web',
    });
  });

  const faults: [string, Record<string, Json | CallFault>, object][] = [
    [
      'a workload that is gone',
      { deployments: aFault({ kind: 'NotFound' }) },
      { ok: false, error: { kind: 'NotFound' } },
    ],
    ['pods that cannot be read', { pods: aFault({ kind: 'Timeout' }) }, { ok: false, error: { kind: 'Timeout' } }],
    ['budgets that cannot be read', { poddisruptionbudgets: aFault({ kind: 'Forbidden' }) }, { ok: false }],
    ['a namespace that cannot be read', { namespaces: aFault({ kind: 'Forbidden' }) }, { ok: false }],
    [
      'autoscalers that cannot be read',
      { horizontalpodautoscalers: aFault({ kind: 'Forbidden' }) },
      { ok: true, value: { autoscalersKnown: false } },
    ],
    [
      'KEDA that cannot be read',
      { scaledobjects: aFault({ kind: 'Forbidden' }) },
      { ok: true, value: { autoscalersKnown: false } },
    ],
  ];
  test.each(faults)('%s', async (_row, change, expected) => {
    expect(await aWriter(cluster(change)).writer.readWorkload(ref)).toMatchObject(expected);
  });

  test('in single-namespace mode a forbidden namespace is merely unknown', async () => {
    const { writer } = aWriter(cluster({ namespaces: aFault({ kind: 'Forbidden' }) }), true);
    expect(await writer.readWorkload(ref)).toMatchObject({ ok: true, value: { namespaceLabels: {} } });
  });

  test('more pods than a page holds are read to the end', async () => {
    let page = 0;
    const { writer } = aWriter((request) => {
      if (request.target.resource.plural !== 'pods') return cluster()(request);
      page += 1;
      return { metadata: { continue: page < 3 ? 'more' : '' }, items: [aPod({ name: `web-${page}` })] };
    });
    const live = await writer.readWorkload(ref);
    expect(live.ok && live.value.pods).toHaveLength(3);
  });
});
