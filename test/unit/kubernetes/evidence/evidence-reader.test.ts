import { beforeEach, describe, expect, test } from '@jest/globals';
import { ClusterEvidenceReader } from '../../../../src/kubernetes/evidence/evidence-reader.ts';
import { fakeClient } from '../../../support/builders/kubernetes.ts';
import {
  aCertificate,
  aMeta,
  anExternalSecret,
  aNetworkPolicy,
  aService,
  aSlice,
  aTemplated,
} from '../../../support/builders/evidence.ts';
import { DAY, MINUTE, NOW, SECOND, aWorkload, somePods } from '../../../support/builders/workload.ts';
import { fakeClock, type FakeClock } from '../../../support/fake-clock.ts';
import { StoredObjects } from '../../../support/fakes/stored-objects.ts';

const workload = aWorkload({ pods: somePods(2, { labels: { app: 'checkout' } }) });
const lately = NOW - 5 * MINUTE;

let clock: FakeClock;
let objects: StoredObjects;
let reader: ClusterEvidenceReader;

beforeEach(() => {
  clock = fakeClock(NOW);
  objects = new StoredObjects();
  reader = new ClusterEvidenceReader({ client: fakeClient(objects.reply), clock });
  const podSpec = {
    volumes: [
      { name: 'conf', configMap: { name: 'settings' } },
      { name: 'tls', secret: { secretName: 'tls' } },
    ],
  };
  objects.put('deployments', aTemplated({ name: 'checkout' }, podSpec));
  objects.put('services', aService({ name: 'checkout' }, { app: 'checkout' }), aService({ name: 'db' }, { app: 'db' }));
  objects.put('endpointslices', aSlice('checkout', { 'pod-0': true, 'pod-1': true }), aSlice('db', {}));
});

describe('what changed', () => {
  test.each<[string, () => void, readonly object[]]>([
    ['nothing lately', () => undefined, []],
    [
      'a NetworkPolicy of the pods',
      () => objects.put('networkpolicies', aNetworkPolicy({ name: 'deny', writtenAtMs: lately }, { app: 'checkout' })),
      [{ kind: 'network-policy', name: 'deny', atMs: lately }],
    ],
    [
      'one of every pod',
      () => objects.put('networkpolicies', aNetworkPolicy({ name: 'deny', createdAtMs: lately })),
      [{ kind: 'network-policy', name: 'deny', atMs: lately }],
    ],
    [
      'one of other pods',
      () => objects.put('networkpolicies', aNetworkPolicy({ name: 'deny', writtenAtMs: lately }, { app: 'db' })),
      [],
    ],
    [
      'its Service',
      () => objects.put('services', aService({ name: 'checkout', writtenAtMs: lately }, { app: 'typo' })),
      [{ kind: 'service', name: 'checkout', atMs: lately }],
    ],
    [
      'another Service',
      () => objects.put('services', aService({ name: 'db', writtenAtMs: lately }, { app: 'db' })),
      [],
    ],
    [
      'a ConfigMap that the template names',
      () => objects.put('configmaps', { metadata: aMeta({ name: 'settings', writtenAtMs: lately }) }),
      [{ kind: 'config', name: 'settings', atMs: lately }],
    ],
    [
      'one that it does not name',
      () => objects.put('configmaps', { metadata: aMeta({ name: 'other', writtenAtMs: lately }) }),
      [],
    ],
    [
      'a Secret, as its controller tells',
      () => objects.put('externalsecrets', anExternalSecret({ name: 'tls' }, { sinceMs: lately })),
      [{ kind: 'secret', name: 'tls', atMs: lately }],
    ],
  ])('%s', async (_, given, expected) => {
    given();
    const { changes } = await reader.look(workload);
    expect(changes.filter(({ atMs }) => atMs > NOW - DAY)).toEqual(expected);
  });

  test('what was made with the workload is no change', async () => {
    objects.put('networkpolicies', aNetworkPolicy({ name: 'deny', createdAtMs: lately }));
    const young = { ...workload, createdAtMs: lately - 10 * SECOND };
    expect((await reader.look(young)).changes).toEqual([]);
  });

  test('of a ConfigMap only the metadata is asked for, and no Secret ever', async () => {
    await reader.look(workload);
    expect(objects.asked).toContain('metadata of configmaps shop/settings');
    expect(objects.asked.filter((each) => /(^| )(secrets) /.test(each))).toEqual([]);
  });
});

describe('endpoints', () => {
  test('of its Services; those of the namespace beside them', async () => {
    const { endpoints, services } = await reader.look(workload);
    expect(endpoints).toEqual([{ service: 'checkout', readyEndpoints: 2 }]);
    expect(services?.map(({ name, readyEndpoints }) => `${name} ${readyEndpoints}`)).toEqual(['checkout 2', 'db 0']);
  });

  test('slices cannot be read: endpoints are not known, which is not none', async () => {
    objects.refused.set('endpointslices', 403);
    const found = await reader.look(workload);
    expect(found).not.toHaveProperty('endpoints');
    expect(found.missing).toEqual(['endpointslices: no right to read them']);
  });
});

describe('credentials', () => {
  test('of the Secrets that the template names', async () => {
    const times = { ready: 'False', reason: 'Expired', notAfterMs: lately } as const;
    objects.put(
      'certificates',
      aCertificate({ name: 'web' }, 'tls', times),
      aCertificate({ name: 'other' }, 'x', times),
    );
    const { credentials } = await reader.look(workload);
    expect(credentials).toEqual([{ kind: 'certificate', name: 'web', ready: false, notAfterMs: lately }]);
  });

  test('neither kind is defined here: none, and nothing is missing', async () => {
    objects.refused.set('certificates', 404).set('externalsecrets', 404);
    const { credentials, missing } = await reader.look(workload);
    expect([credentials, missing]).toEqual([[], []]);
  });

  test('an older release of external-secrets is found', async () => {
    objects.refused.set('externalsecrets.v1', 404);
    objects.put('externalsecrets', anExternalSecret({ name: 'tls' }, { sinceMs: lately }));
    expect((await reader.look(workload)).credentials).toHaveLength(1);
  });

  test('neither may be read: not known, and said', async () => {
    objects.refused.set('certificates', 403).set('externalsecrets', 403);
    const found = await reader.look(workload);
    expect(found).not.toHaveProperty('credentials');
    expect(found.missing).toEqual(['certificates: no right to read them', 'externalsecrets: no right to read them']);
  });

  test('one that nobody has judged yet is said to be missing', async () => {
    objects.put('certificates', aCertificate({ name: 'web' }, 'tls', {}));
    const { credentials, missing } = await reader.look(workload);
    expect([credentials, missing]).toEqual([[], ['who renews secret tls says nothing yet']]);
  });
});

describe('how often is asked', () => {
  const asked = async (afterMs: number): Promise<readonly string[]> => {
    clock.advance(afterMs);
    const before = objects.asked.length;
    await reader.look(workload);
    return objects.asked.slice(before).map((each) => each.replace(/ \S*$/, ''));
  };

  test('within half a minute nothing is asked again, after it everything is', async () => {
    const first = await asked(0);
    expect(await asked(20 * SECOND)).toEqual([]);
    expect([...(await asked(10 * SECOND))].sort()).toEqual([...first].sort());
  });

  test.each<[string, number, number, number]>([
    ['a definition that is absent: after five minutes', 404, 4 * MINUTE, 2 * MINUTE],
    ['a right that is withheld: after ten minutes', 403, 9 * MINUTE, 2 * MINUTE],
    ['a server that fails: after half a minute', 500, 20 * SECOND, 10 * SECOND],
  ])('%s', async (_, status, restMs, moreMs) => {
    objects.refused.set('certificates', status);
    expect(await asked(0)).toContain('certificates');
    expect(await asked(restMs)).not.toContain('certificates');
    expect(await asked(moreMs)).toContain('certificates');
  });
});

test('while the server fails, another namespace does not ask it again within ten seconds', async () => {
  objects.refused.set('certificates', 500);
  await reader.look(workload);
  const bank = { ...workload, ref: { ...workload.ref, namespace: 'bank' } };
  objects.put(
    'deployments',
    aTemplated({ name: 'checkout', namespace: 'bank' }, { volumes: [{ secret: { secretName: 'x' } }] }),
  );
  const before = objects.asked.length;
  const { missing } = await reader.look(bank);
  expect(objects.asked.slice(before).some((each) => each.startsWith('certificates'))).toBe(false);
  expect(missing).toContain('certificates: HTTP 500');
});

test('nothing at all can be read: nothing is known, each is said, and nothing throws', async () => {
  for (const plural of ['deployments', 'services', 'networkpolicies']) objects.refused.set(plural, 500);
  const found = await reader.look(workload);
  expect(found).toEqual({
    changes: [],
    missing: ['deployments: HTTP 500', 'services: HTTP 500', 'networkpolicies: HTTP 500'],
  });
});
