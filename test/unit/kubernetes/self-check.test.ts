import { expect, test } from '@jest/globals';
import type { ApiRequest } from '../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../src/kubernetes/errors.ts';
import { type Json, at, text } from '../../../src/kubernetes/json.ts';
import { missingRights } from '../../../src/kubernetes/self-check.ts';
import { aFault, fakeClient } from '../../support/builders/kubernetes.ts';

function aServer(denied: readonly string[], groups: readonly string[] = ['apps']) {
  return fakeClient(({ method, body }: ApiRequest): Json | CallFault => {
    if (method === 'GET') return { groups: groups.map((name) => ({ name })) };
    const asked = at(body, 'spec', 'resourceAttributes');
    const parts = [text(asked.verb), text(asked.resource), text(asked.subresource)];
    return { status: { allowed: !denied.includes(parts.filter((part) => part !== '').join(' ')) } };
  });
}

test('an effect whose rights are all there lacks nothing', async () => {
  expect(await missingRights(aServer([]), ['restart_pod', 'scale_up'])).toEqual({
    ok: true,
    value: [
      { effect: 'restart_pod', missing: [] },
      { effect: 'scale_up', missing: [] },
    ],
  });
});

test('each right that is missing is named, for the effect that needs it', async () => {
  const client = aServer(['create pods eviction', 'update deployments scale']);
  expect(await missingRights(client, ['restart_pod', 'scale_down'])).toEqual({
    ok: true,
    value: [
      { effect: 'restart_pod', missing: ['create pods/eviction'] },
      { effect: 'scale_down', missing: ['update deployments/scale'] },
    ],
  });
});

test('rights on Argo Rollouts are only asked for where Argo is', async () => {
  const denied = ['patch rollouts'];
  const without = await missingRights(aServer(denied), ['restart_pod']);
  const having = await missingRights(aServer(denied, ['argoproj.io']), ['restart_pod']);
  expect(without.ok && without.value[0]?.missing).toEqual([]);
  expect(having.ok && having.value[0]?.missing).toEqual(['patch rollouts']);
});

test('asks in the one namespace that is watched, and changes nothing', async () => {
  const client = aServer([]);
  await missingRights(client, ['restart_pod'], { namespace: 'shop' });
  const reviews = client.requests.filter(({ method }) => method !== 'GET');
  expect(reviews.every(({ target }) => target.resource.kind === 'SelfSubjectAccessReview')).toBe(true);
  expect(reviews.every(({ body }) => at(body, 'spec', 'resourceAttributes').namespace === 'shop')).toBe(true);
});

test('a server that does not answer is a fault, not a right', async () => {
  const client = fakeClient(() => aFault({ kind: 'Timeout' }));
  expect(await missingRights(client, ['restart_pod'])).toMatchObject({ ok: false, error: { kind: 'Timeout' } });
});

test.each([
  ['of the providers that may be used', ['EnvoyGateway'], ['gateway.envoyproxy.io', 'networking.istio.io'], 4],
  ['of none without a provider', [], ['gateway.envoyproxy.io', 'networking.istio.io'], 0],
  ['only of kinds that the cluster has', ['Istio'], ['gateway.envoyproxy.io'], 0],
] as const)('limits need the rights %s', async (_, providers, groups, count) => {
  const kinds = ['backendtrafficpolicies', 'envoyfilters'];
  const denied = kinds.flatMap((kind) => ['get', 'list', 'create', 'delete'].map((verb) => `${verb} ${kind}`));
  const answers = await missingRights(aServer(denied, groups), ['throttle_api'], { providers });
  expect(answers.ok && answers.value[0]?.missing).toHaveLength(count);
});
