import { describe, expect, test } from '@jest/globals';
import { lastChangeMs } from '../../../../src/kubernetes/evidence/last-change.ts';
import { readCertificate, readExternalSecret } from '../../../../src/kubernetes/evidence/read-credentials.ts';
import { readService, selectsPods, serviceStates } from '../../../../src/kubernetes/evidence/read-network.ts';
import { claimsOf, readTemplate } from '../../../../src/kubernetes/evidence/read-template.ts';
import {
  aCertificate,
  aMeta,
  anExternalSecret,
  aService,
  aSlice,
  aTemplated,
} from '../../../support/builders/evidence.ts';
import type { CertificateTimes, ExternalSecretTimes } from '../../../support/builders/evidence.ts';
import { DAY, HOUR, MINUTE, NOW, podRef } from '../../../support/builders/workload.ts';

describe('when an object was last written', () => {
  test.each<[string, object, number | undefined]>([
    ['its newest entry, the status left out', { metadata: aMeta({ name: 'x', writtenAtMs: NOW }) }, NOW],
    [
      'what Aegis wrote is nobody’s change',
      { metadata: { managedFields: [{ manager: 'aegis', time: '2025-06-04T12:00:00Z' }] } },
      undefined,
    ],
    ['without entries: its creation', { metadata: { creationTimestamp: '2025-06-04T12:00:00Z' } }, NOW],
    ['it says nothing', { metadata: {} }, undefined],
    ['it is no object', [], undefined],
  ])('%s', (_, object, expected) => {
    expect(lastChangeMs(object)).toBe(expected);
  });
});

describe('a Certificate', () => {
  const days = (n: number): number => NOW + n * DAY;
  test.each<[string, CertificateTimes, { ready?: boolean; renewedAtMs?: number } | undefined]>([
    [
      'good',
      { ready: 'True', notBeforeMs: days(-30), notAfterMs: days(60), sinceMs: days(-90) },
      { ready: true, renewedAtMs: days(-30) },
    ],
    ['expired', { ready: 'False', reason: 'Expired', notBeforeMs: days(-90), notAfterMs: days(-1) }, { ready: false }],
    [
      'expired, and its controller is away',
      { ready: 'True', notAfterMs: days(-1), sinceMs: days(-90) },
      { ready: true, renewedAtMs: days(-90) },
    ],
    [
      'renewed an hour ago, dated back',
      { ready: 'True', notBeforeMs: NOW - 2 * HOUR, notAfterMs: days(90), sinceMs: NOW - HOUR },
      { ready: true, renewedAtMs: NOW - HOUR },
    ],
    [
      'its request changed: what is in the Secret is good',
      { ready: 'False', reason: 'RequestChanged', notBeforeMs: days(-1), notAfterMs: days(60) },
      { ready: true, renewedAtMs: days(-1) },
    ],
    ['its Secret is gone', { ready: 'False', reason: 'DoesNotExist', notAfterMs: days(60) }, { ready: false }],
    ['it is not ready and nothing says until when it holds', { ready: 'False', reason: 'Renewing' }, { ready: false }],
    ['nobody has judged it', {}, undefined],
    ['its state is unknown', { ready: 'Unknown' }, undefined],
  ])('%s', (_, times, expected) => {
    const { secret, state } = readCertificate(aCertificate({ name: 'web' }, 'web-tls', times), NOW);
    expect(secret).toBe('web-tls');
    if (expected === undefined) expect(state).toBeUndefined();
    else expect(state).toMatchObject({ kind: 'certificate', name: 'web', ...expected });
    if (expected !== undefined && !('renewedAtMs' in expected)) expect(state).not.toHaveProperty('renewedAtMs');
  });
});

describe('an ExternalSecret', () => {
  test.each<[string, ExternalSecretTimes, { secret?: string; ready: boolean; renewedAtMs?: number }]>([
    [
      'the periodic refresh proves nothing',
      { refreshedAtMs: NOW, sinceMs: NOW - DAY },
      { ready: true, renewedAtMs: NOW - DAY },
    ],
    [
      'a refresh that only a change causes',
      { refreshedAtMs: NOW, sinceMs: NOW - DAY, spec: { refreshPolicy: 'OnChange' } },
      { ready: true, renewedAtMs: NOW },
    ],
    [
      'one without interval',
      { refreshedAtMs: NOW, spec: { refreshInterval: '0s' } },
      { ready: true, renewedAtMs: NOW },
    ],
    [
      'it became ready again',
      { refreshedAtMs: NOW, sinceMs: NOW - MINUTE },
      { ready: true, renewedAtMs: NOW - MINUTE },
    ],
    ['it cannot be fetched', { ready: 'False', refreshedAtMs: NOW, sinceMs: NOW }, { ready: false }],
    [
      'its Secret has another name',
      { sinceMs: NOW, spec: { target: { name: 'db-secret' } } },
      { secret: 'db-secret', ready: true, renewedAtMs: NOW },
    ],
  ])('%s', (_, times, { secret = 'db', ...expected }) => {
    const found = readExternalSecret(anExternalSecret({ name: 'db' }, times));
    expect(found.secret).toBe(secret);
    expect(found.state).toEqual({ kind: 'secret', name: 'db', ...expected });
  });
});

describe('Services', () => {
  const states = (slices: readonly object[], ...names: readonly string[]) =>
    serviceStates(
      names.flatMap((name) => readService(aService({ name }, { app: name })) ?? []),
      slices,
    );

  test.each<[string, readonly object[], { readyEndpoints: number; pods: readonly string[] }]>([
    [
      'one ready pod of two',
      [aSlice('web', { 'web-1': true, 'web-2': false })],
      { readyEndpoints: 1, pods: ['web-1', 'web-2'] },
    ],
    [
      'a pod on two stacks counts once',
      [aSlice('web', { 'web-1': true }), aSlice('web', { 'web-1': true })],
      { readyEndpoints: 1, pods: ['web-1'] },
    ],
    ['no slice at all: no endpoint', [], { readyEndpoints: 0, pods: [] }],
    ['slices of others do not count', [aSlice('api', { 'api-1': true })], { readyEndpoints: 0, pods: [] }],
    [
      'a missing condition means ready',
      [{ metadata: { labels: { 'kubernetes.io/service-name': 'web' } }, endpoints: [{ addresses: ['10.0.0.9'] }] }],
      { readyEndpoints: 1, pods: [] },
    ],
    [
      'a slice of garbage',
      [{ metadata: { labels: { 'kubernetes.io/service-name': 'web' } }, endpoints: 'x' }],
      { readyEndpoints: 0, pods: [] },
    ],
  ])('%s', (_, slices, expected) => {
    expect(states(slices, 'web')).toEqual([{ name: 'web', ...expected }]);
  });

  test('a name elsewhere has no endpoints to speak of, and an empty selector selects nothing', () => {
    expect(
      readService({ metadata: aMeta({ name: 'x' }), spec: { type: 'ExternalName', externalName: 'db.example' } }),
    ).toBeUndefined();
    const open = readService(aService({ name: 'x' }, {}));
    expect(open !== undefined && selectsPods(open, { app: 'web' })).toBe(false);
  });
});

describe('a pod template', () => {
  const object = aTemplated(
    { name: 'web' },
    {
      containers: [
        {
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } },
            { name: 'B', valueFrom: { secretKeyRef: { name: 'db', key: 'b' } } },
          ],
          envFrom: [{ configMapRef: { name: 'flags' } }, { secretRef: { name: 'token' } }],
        },
      ],
      volumes: [
        { name: 'conf', configMap: { name: 'settings' } },
        { name: 'tls', secret: { secretName: 'web-tls' } },
        {
          name: 'both',
          projected: { sources: [{ secret: { name: 'ca' } }, { configMap: { name: 'kube-root-ca.crt' } }] },
        },
        { name: 'data', persistentVolumeClaim: { claimName: 'web-data' } },
        { name: 'scratch', ephemeral: { volumeClaimTemplate: {} } },
      ],
    },
    { volumeClaimTemplates: [{ metadata: { name: 'store' } }] },
  );

  test('names what it stands on, each once', () => {
    const found = readTemplate('Deployment', object);
    expect([found.configMaps, found.secrets]).toEqual([
      ['settings', 'flags'],
      ['web-tls', 'ca', 'db', 'token'],
    ]);
  });

  test.each([
    ['Deployment', ['web-data', 'pod-0-scratch']],
    ['StatefulSet', ['web-data', 'store-pod-0', 'pod-0-scratch']],
  ] as const)('the claims of a %s', (kind, expected) => {
    expect(claimsOf(readTemplate(kind, object), [podRef(0)]).map(({ claim }) => claim)).toEqual(expected);
  });

  test('what is no template names nothing', () => {
    const found = readTemplate('StatefulSet', { spec: { template: 'x', volumeClaimTemplates: 7 } });
    expect(found).toMatchObject({ configMaps: [], secrets: [], volumes: [], claimTemplates: [] });
  });
});
