import { describe, expect, test } from '@jest/globals';
import type { ApiRequest } from '../../../../src/kubernetes/client.ts';
import { answerFault, type CallFault } from '../../../../src/kubernetes/errors.ts';
import { ThrottleApi } from '../../../../src/kubernetes/executors/throttle-api.ts';
import { type Json, at, record } from '../../../../src/kubernetes/json.ts';
import { limitProviders } from '../../../../src/kubernetes/throttle/providers.ts';
import { ProviderSurvey } from '../../../../src/kubernetes/throttle/survey.ts';
import type { Intent } from '../../../../src/policy/action.ts';
import { aFault, aLiveWorkload, anEffect, fakeClient } from '../../../support/builders/kubernetes.ts';
import { aContainer, aPod } from '../../../support/builders/workload.ts';
import { aRoute, FakeObjects } from '../../../support/fakes/fake-objects.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const BTP = 'backendtrafficpolicies';
const LIVE = aLiveWorkload({
  replicas: { desired: 3, current: 3, updated: 3, ready: 3, available: 3 },
  pods: [0, 1, 2].map((i) =>
    aPod(i, { labels: { app: 'web' }, containers: [aContainer(), aContainer({ name: 'istio-proxy' })] }),
  ),
});
const plain = { ...LIVE, pods: LIVE.pods.map((pod) => ({ ...pod, containers: [aContainer()] })) };

interface World {
  readonly objects: FakeObjects;
  proxies: number;
  /** An answer in the server's place. */
  trouble: (request: ApiRequest) => CallFault | undefined;
  /** What the server makes of a new object. */
  admit: (object: Json) => Json;
  selector: Json;
}

const notFound = (what: string): CallFault => answerFault(404, { message: `${what} not found` });

/** An API server with what a provider asks of it. */
function answerOf(world: World, request: ApiRequest): Json | CallFault {
  const { objects } = world;
  const { target, method } = request;
  const { namespace = '', name = '' } = target;
  const { plural } = target.resource;
  if (plural === 'pods') {
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    return { items: Array.from({ length: world.proxies }, () => ready) };
  }
  if (plural === 'deployments') return { spec: { selector: world.selector } };
  if (method === 'GET' && name === '') return { items: objects.list(plural, namespace) };
  if (method === 'GET') return objects.get(plural, namespace, name) ?? notFound(name);
  const body = record(request.body);
  if (method === 'DELETE') {
    return objects.delete(plural, namespace, name, record(body['preconditions'])) ? {} : answerFault(409, {});
  }
  const isDryRun = target.query?.['dryRun'] === 'All';
  return method === 'POST' ? made(world, plural, body, isDryRun) : patched(objects, target, body, isDryRun);
}

function made({ objects, admit }: World, plural: string, body: Json, isDryRun: boolean): Json | CallFault {
  const admitted = admit(body);
  if (isDryRun) return admitted;
  return objects.create(plural, admitted) ?? answerFault(409, { message: 'already exists' });
}

/** A merge patch of annotations, under the version that it names. */
function patched(objects: FakeObjects, target: ApiRequest['target'], body: Json, isDryRun: boolean): Json | CallFault {
  const { plural } = target.resource;
  const known = objects.get(plural, target.namespace ?? '', target.name ?? '');
  if (known === undefined) return notFound(target.name ?? '');
  if (at(body, 'metadata')['resourceVersion'] !== at(known, 'metadata')['resourceVersion']) return answerFault(409, {});
  const wanted = { ...at(known, 'metadata', 'annotations'), ...at(body, 'metadata', 'annotations') };
  const annotations = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null));
  if (!isDryRun) objects.put(plural, { ...known, metadata: { ...at(known, 'metadata'), annotations } });
  return {};
}

function aWorld(over: Partial<World> = {}) {
  const world: World = {
    ...{ objects: new FakeObjects(), proxies: 2, trouble: () => undefined, admit: (object: Json) => object },
    selector: { matchLabels: { app: 'web' } },
    ...over,
  };
  const { objects } = world;
  aRoute(objects, 'web');
  const client = fakeClient((request) => world.trouble(request) ?? answerOf(world, request));
  const context = { client, clock: fakeClock(), mayBeginEffect: () => true };
  const providers = limitProviders(context, { allowed: ['EnvoyGateway', 'Istio', 'IngressNginx'] });
  return { world, client, survey: new ProviderSurvey(providers), executor: new ThrottleApi(providers) };
}

const intentFor = (
  provider: 'EnvoyGateway' | 'Istio' | 'IngressNginx' | 'Hook',
  over: Partial<Intent> = {},
  routes: readonly string[] = provider === 'Istio' || provider === 'Hook' ? [] : ['web'],
): Intent => {
  const throttle = { provider, percentOfBaseline: 80, ttlSeconds: 900 };
  const parameters = { kind: 'throttle', throttle, limitPerSecond: 60, routes } as const;
  return anEffect({ name: 'web-1', action: 'throttle_api', pods: [], target: LIVE.ref, parameters, ...over });
};
const aPolicy = (spec: Json, name = 'theirs'): Json => ({ metadata: { name, namespace: 'shop' }, spec });
const found = async (world: ReturnType<typeof aWorld>, provider: string, live = LIVE) => {
  const paths = await world.survey.look(live);
  if (!paths.ok) return paths.error.kind;
  const path = paths.value.find((each) => each.provider === provider);
  return path === undefined ? 'none' : (path.refused?.reason ?? path.routes.join());
};
const toRoute = { kind: 'HTTPRoute', name: 'web' };

describe('Envoy Gateway carries the traffic', () => {
  test.each<[string, (world: World) => void, string]>([
    ['an accepted route leads to the workload', () => undefined, 'web'],
    [
      'the route leads elsewhere',
      ({ objects }) =>
        objects.put('services', { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: { app: 'other' } } }),
      'none',
    ],
    [
      'a Service without a selector leads nowhere',
      ({ objects }) => objects.put('services', { metadata: { name: 'web', namespace: 'shop' }, spec: {} }),
      'none',
    ],
    [
      'the route was not accepted',
      ({ objects }) => objects.put('httproutes', { ...objects.get('httproutes', 'shop', 'web'), status: {} }),
      'none',
    ],
    [
      'another gateway accepted it',
      ({ objects }) =>
        objects.put('httproutes', {
          ...objects.get('httproutes', 'shop', 'web'),
          status: {
            parents: [
              {
                controllerName: 'example.com/other',
                parentRef: { name: 'x' },
                conditions: [{ type: 'Accepted', status: 'True' }],
              },
            ],
          },
        }),
      'none',
    ],
    [
      'the route carries another service as well',
      ({ objects }) =>
        objects.put('httproutes', {
          ...objects.get('httproutes', 'shop', 'web'),
          spec: { rules: [{ backendRefs: [{ name: 'web' }] }, { backendRefs: [{ name: 'api' }] }] },
        }),
      'UnsupportedByCluster',
    ],
    [
      'a policy by name is on the route',
      ({ objects }) => objects.put(BTP, aPolicy({ targetRefs: [toRoute] })),
      'ThrottleConflict',
    ],
    [
      'a policy in the old form is on the route',
      ({ objects }) => objects.put(BTP, aPolicy({ targetRef: toRoute })),
      'ThrottleConflict',
    ],
    [
      'a policy is on another route',
      ({ objects }) => objects.put(BTP, aPolicy({ targetRefs: [{ ...toRoute, name: 'api' }] })),
      'web',
    ],
    [
      'a policy selects the route by its labels',
      ({ objects }) => {
        objects.put('httproutes', {
          ...objects.get('httproutes', 'shop', 'web'),
          metadata: { name: 'web', namespace: 'shop', labels: { team: 'a' } },
        });
        objects.put(BTP, aPolicy({ targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { team: 'a' } }] }));
      },
      'ThrottleConflict',
    ],
    [
      'a policy on the gateway is none on the route',
      ({ objects }) => objects.put(BTP, aPolicy({ targetRefs: [{ kind: 'Gateway', name: 'public' }] })),
      'web',
    ],
    ['no proxy can be seen', (world) => (world.proxies = 0), 'UnsupportedByCluster'],
    [
      'the kind is not defined here',
      (world) => (world.trouble = ({ target }) => (target.resource.plural === BTP ? notFound('kind') : undefined)),
      'none',
    ],
    [
      'the right to look is missing',
      (world) =>
        (world.trouble = ({ target }) =>
          target.resource.plural === 'httproutes'
            ? answerFault(403, { message: 'User "aegis" cannot list' })
            : undefined),
      'none',
    ],
    [
      'the server does not answer: not known',
      (world) => (world.trouble = ({ target }) => (target.resource.plural === 'httproutes' ? aFault() : undefined)),
      'Unavailable',
    ],
  ])('%s', async (_, prepare, expected) => {
    const made = aWorld();
    prepare(made.world);
    expect(await found(made, 'EnvoyGateway')).toBe(expected);
  });
});

describe('a limit by Envoy Gateway', () => {
  const specOf = (world: World): Json => at(world.objects.get(BTP, 'shop', 'aegis-web-1'), 'spec');
  const ownGateway = ({ objects }: World): void => {
    const route = objects.get('httproutes', 'shop', 'web');
    const parents = [
      {
        controllerName: 'gateway.envoyproxy.io/x',
        parentRef: { name: 'public' },
        conditions: [{ type: 'Accepted', status: 'True' }],
      },
    ];
    objects.put('httproutes', { ...route, status: { parents } });
  };

  test.each<[string, (world: World) => void, Json]>([
    [
      'of a gateway elsewhere is merged: its own policy cannot be looked for',
      () => undefined,
      { mergeType: 'StrategicMerge' },
    ],
    ['of a gateway beside it stands alone', ownGateway, { mergeType: undefined }],
    [
      'of a gateway beside it with a policy is merged',
      (world) => {
        ownGateway(world);
        world.objects.put(BTP, aPolicy({ targetRefs: [{ kind: 'Gateway', name: 'public' }] }));
      },
      { mergeType: 'StrategicMerge' },
    ],
    [
      'is shared by the proxies',
      (world) => (world.proxies = 4),
      { rateLimit: { type: 'Local', local: { rules: [{ limit: { requests: 15, unit: 'Second' } }] } } },
    ],
  ])('%s', async (_, prepare, expected) => {
    const { world, executor } = aWorld();
    prepare(world);
    expect(await executor.perform(intentFor('EnvoyGateway'), LIVE)).toMatchObject({ kind: 'applied' });
    expect({ mergeType: undefined, ...specOf(world) }).toMatchObject(expected);
  });

  test('is refused where the definition is too old to merge, and nothing is left', async () => {
    const drop = ({ spec, ...rest }: Json): Json => ({ ...rest, spec: { ...record(spec), mergeType: undefined } });
    const { world, executor } = aWorld({ admit: drop });
    for (const call of [
      executor.dryRun(intentFor('EnvoyGateway'), LIVE),
      executor.perform(intentFor('EnvoyGateway'), LIVE),
    ]) {
      expect(await call).toMatchObject({ kind: 'refused', reason: 'UnsupportedByCluster' });
    }
    expect(world.objects.list(BTP, 'shop')).toEqual([]);
  });

  test('made twice is one', async () => {
    const { executor } = aWorld();
    await executor.perform(intentFor('EnvoyGateway'), LIVE);
    expect(await executor.perform(intentFor('EnvoyGateway'), LIVE)).toMatchObject({ kind: 'already' });
  });

  test('whose answer was lost is found by looking', async () => {
    const { world, executor } = aWorld();
    world.trouble = ({ method, target, body }) => {
      if (method !== 'POST') return undefined;
      world.objects.create(target.resource.plural, record(body));
      return aFault({ kind: 'Timeout' });
    };
    expect(await executor.perform(intentFor('EnvoyGateway'), LIVE)).toMatchObject({ kind: 'ambiguous' });
    expect([
      await executor.isVisible(intentFor('EnvoyGateway')),
      await executor.settle(intentFor('EnvoyGateway')),
    ]).toEqual([true, 'done']);
  });

  test('under whose name something else stands is refused, settled as foreign and left alone', async () => {
    const { world, executor } = aWorld();
    world.objects.put(BTP, aPolicy({}, 'aegis-web-1'));
    const intent = intentFor('EnvoyGateway');
    expect(await executor.perform(intent, LIVE)).toMatchObject({ kind: 'refused', reason: 'ThrottleConflict' });
    expect(await executor.settle(intent)).toBe('foreign');
    expect(await executor.undo(intent)).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
  });

  test.each<[string, CallFault, object]>([
    [
      'it may not be made',
      answerFault(403, { message: 'User "aegis" cannot create' }),
      { kind: 'blocked', reason: 'Forbidden' },
    ],
    [
      'a webhook denies it',
      answerFault(422, { message: 'admission webhook denied the request' }),
      { kind: 'failed', reason: 'Rejected' },
    ],
    ['the kind is gone', notFound('kind'), { kind: 'refused', reason: 'UnsupportedByCluster' }],
    ['nothing was sent', aFault({ sent: false }), { kind: 'blocked', reason: 'UnsafeToRead' }],
  ])('%s', async (_, fault, expected) => {
    const { executor } = aWorld({ trouble: ({ method }) => (method === 'POST' ? fault : undefined) });
    expect(await executor.perform(intentFor('EnvoyGateway'), LIVE)).toMatchObject(expected);
  });

  test('cannot be looked at: neither settled nor given up', async () => {
    const { world, executor } = aWorld();
    const intent = intentFor('EnvoyGateway');
    await executor.perform(intent, LIVE);
    world.trouble = () => aFault({ sent: false });
    expect(await executor.settle(intent)).toBe('unseen');
    expect(await executor.standing(intent)).toMatchObject({ kind: 'unseen' });
    expect(await executor.undo(intent)).toMatchObject({ kind: 'blocked' });
  });

  test('is taken back by UID and version: somebody who writes in between keeps it', async () => {
    const { world, executor } = aWorld();
    const intent = intentFor('EnvoyGateway');
    await executor.perform(intent, LIVE);
    world.trouble = ({ method }) => {
      if (method === 'DELETE') world.objects.edit(BTP, 'shop', 'aegis-web-1', { theirs: true });
      return undefined;
    };
    expect(await executor.undo(intent)).toMatchObject({ kind: 'blocked', reason: 'TargetChanged' });
    expect(await executor.undo(intent)).toMatchObject({ kind: 'refused', reason: 'TargetChanged' });
    expect(world.objects.list(BTP, 'shop')).toHaveLength(1);
  });

  test('is not prolonged once it is gone', async () => {
    const { world, executor } = aWorld();
    const intent = intentFor('EnvoyGateway');
    await executor.perform(intent, LIVE);
    expect(await executor.renew(intent, 1)).toMatchObject({ kind: 'applied' });
    world.objects.delete(BTP, 'shop', 'aegis-web-1');
    expect(await executor.renew(intent, 2)).toMatchObject({ kind: 'refused' });
  });
});

describe('Istio carries the traffic', () => {
  const filter =
    (spec: Json) =>
    ({ objects }: World): void =>
      objects.put('envoyfilters', aPolicy(spec));
  const limiting = { configPatches: [{ patch: { value: { name: 'envoy.filters.http.local_ratelimit' } } }] };
  test.each<[string, (world: World) => void, typeof LIVE, string]>([
    ['every pod has the sidecar', () => undefined, LIVE, ''],
    ['no pod has', () => undefined, plain, 'none'],
    ['one pod has not', () => undefined, { ...LIVE, pods: [...LIVE.pods, ...plain.pods.slice(0, 1)] }, 'none'],
    [
      'another filter limits these pods',
      filter({ ...limiting, workloadSelector: { labels: { app: 'web' } } }),
      LIVE,
      'ThrottleConflict',
    ],
    ['a filter limits the whole namespace', filter(limiting), LIVE, 'ThrottleConflict'],
    ['a filter limits other pods', filter({ ...limiting, workloadSelector: { labels: { app: 'api' } } }), LIVE, ''],
    ['a filter does something else', filter({ configPatches: [] }), LIVE, ''],
    [
      'the workload selects by expressions',
      (world) => (world.selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] }),
      LIVE,
      'UnsupportedByCluster',
    ],
  ])('%s', async (_, prepare, live, expected) => {
    const made = aWorld();
    prepare(made.world);
    expect(await found(made, 'Istio', live)).toBe(expected);
  });

  test('each ready pod gets its share', async () => {
    const { world, executor } = aWorld();
    expect(await executor.perform(intentFor('Istio'), LIVE)).toMatchObject({ kind: 'applied' });
    const made = JSON.stringify(world.objects.get('envoyfilters', 'shop', 'aegis-web-1'));
    expect(made).toContain('"token_bucket":{"max_tokens":20,"tokens_per_fill":20,"fill_interval":"1s"}');
  });
});

describe('ingress-nginx carries the traffic', () => {
  const RPS = 'nginx.ingress.kubernetes.io/limit-rps';
  const BURST = 'nginx.ingress.kubernetes.io/limit-burst-multiplier';
  const anIngress = (annotations: Json = {}, spec: Json = {}, name = 'web'): Json => ({
    metadata: { name, namespace: 'shop', annotations },
    spec: { ingressClassName: 'nginx', defaultBackend: { service: { name: 'web' } }, ...spec },
  });
  const withEarlier = (annotations: Readonly<Record<string, string | null>>): Partial<Intent> => ({
    baseline: { ...intentFor('IngressNginx').baseline, annotations },
  });
  const put =
    (...ingresses: readonly Json[]) =>
    ({ objects }: World): void => {
      for (const each of ingresses) objects.put('ingresses', each);
    };

  test.each<[string, (world: World) => void, string]>([
    ['one Ingress leads to the workload', put(anIngress()), 'web'],
    ['its class is another', put(anIngress({}, { ingressClassName: 'traefik' })), 'none'],
    [
      'its class is told the old way',
      put(anIngress({ 'kubernetes.io/ingress.class': 'nginx-internal' }, { ingressClassName: undefined })),
      'web',
    ],
    ['two lead there', put(anIngress(), anIngress({}, {}, 'web-2')), 'UnsupportedByCluster'],
    [
      'it carries another service as well',
      put(anIngress({}, { rules: [{ http: { paths: [{ backend: { service: { name: 'api' } } }] } }] })),
      'UnsupportedByCluster',
    ],
    ['another action limits it', put(anIngress({ 'healing.aegis.dev/action': 'web-0' })), 'ThrottleConflict'],
  ])('%s', async (_, prepare, expected) => {
    const made = aWorld();
    prepare(made.world);
    expect(await found(made, 'IngressNginx')).toBe(expected);
  });

  test('its annotations are restored to what they were, absent ones to absent', async () => {
    const { world, executor } = aWorld();
    world.objects.put('ingresses', anIngress({ [RPS]: '500', other: 'stays' }));
    const intent = intentFor('IngressNginx', withEarlier({ [RPS]: '500', [BURST]: null }));
    const now = () => at(world.objects.get('ingresses', 'shop', 'web'), 'metadata', 'annotations');
    expect(await executor.perform(intent, LIVE)).toMatchObject({ kind: 'applied' });
    expect(now()).toEqual({ [RPS]: '60', [BURST]: '1', other: 'stays', 'healing.aegis.dev/action': 'web-1' });
    expect([await executor.settle(intent), (await executor.standing(intent)).kind]).toEqual(['done', 'holds']);
    expect(await executor.undo(intent)).toMatchObject({ kind: 'applied' });
    expect(now()).toEqual({ [RPS]: '500', other: 'stays' });
    expect(await executor.undo(intent)).toMatchObject({ kind: 'already' });
  });

  test.each<[string, Json, Partial<Intent>, object]>([
    [
      'what it had is no longer what it had',
      { [RPS]: '400' },
      withEarlier({ [RPS]: '500', [BURST]: null }),
      { kind: 'refused', reason: 'TargetChanged' },
    ],
    [
      'its own limit is stricter',
      { [RPS]: '50' },
      withEarlier({ [RPS]: '50', [BURST]: null }),
      { kind: 'refused', reason: 'ThrottleConflict' },
    ],
  ])('nothing is written where %s', async (_, annotations, over, expected) => {
    const { world, executor } = aWorld();
    world.objects.put('ingresses', anIngress(annotations));
    expect(await executor.perform(intentFor('IngressNginx', over), LIVE)).toMatchObject(expected);
  });
});

test('a provider that was switched off since keeps what it owes', async () => {
  const executor = new ThrottleApi([]);
  const intent = intentFor('EnvoyGateway');
  expect(await executor.perform(intent, LIVE)).toMatchObject({ kind: 'refused', reason: 'UnsupportedByCluster' });
  expect(await executor.undo(intent)).toMatchObject({ kind: 'blocked' });
  expect(await executor.settle(intent)).toBe('unseen');
});
