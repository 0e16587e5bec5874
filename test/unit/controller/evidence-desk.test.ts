import { beforeEach, describe, expect, test } from '@jest/globals';
import { EvidenceDesk } from '../../../src/controller/evidence-desk.ts';
import type { ClusterEvidence, ClusterEvidenceSource } from '../../../src/controller/evidence-ports.ts';
import { IncidentBook } from '../../../src/controller/incident-book.ts';
import type { Store } from '../../../src/controller/store-ports.ts';
import { readDeclared } from '../../../src/diagnosis/declared.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { anIncident, aVerdict } from '../../support/builders/incident.ts';
import {
  aContainer,
  aNode,
  aPod,
  aWorkload,
  DAY,
  MINUTE,
  NOW,
  SECOND,
  withReplicas,
} from '../../support/builders/workload.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { FakeEvidence } from '../../support/fakes/fake-evidence.ts';
import { recordedLog, type RecordedLog } from '../../support/recorders.ts';

const named = (name: string, over: Partial<WorkloadSnapshot> = {}): WorkloadSnapshot => {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name, uid: `w-${name}` } as const;
  return aWorkload({ ref, pods: [aPod(0, { name: `${name}-0`, uid: `${name}-0` })], ...over });
};
const depends = (on: string, more: Readonly<Record<string, string>> = {}): Partial<WorkloadSnapshot> => ({
  annotations: { 'healing.aegis.dev/depends-on': on, ...more },
});

/** It runs and is ready, for the third time within a minute. */
const betweenCrashes = (index: number): PodSnapshot => {
  const lastTermination = { reason: 'Error', exitCode: 1, startedAtMs: NOW - 20_000, finishedAtMs: NOW - 10_000 };
  return aPod(index, { containers: [aContainer({ restartCount: 3, startedAtMs: NOW - 5_000, lastTermination })] });
};

let clock: FakeClock;
let log: RecordedLog;
let book: IncidentBook;
let evidence: FakeEvidence;
let workloads: WorkloadSnapshot[];
let looks: string[];
let answer: (workload: WorkloadSnapshot) => Promise<ClusterEvidence>;
let desk: EvidenceDesk;

const NOTHING: ClusterEvidence = { changes: [], missing: [] };

beforeEach(() => {
  clock = fakeClock(NOW);
  log = recordedLog();
  book = new IncidentBook({} as Store, log, clock);
  evidence = new FakeEvidence();
  workloads = [];
  looks = [];
  answer = () => Promise.resolve(NOTHING);
  const cluster: ClusterEvidenceSource = {
    look: (workload) => {
      looks.push(workload.ref.name);
      return answer(workload);
    },
  };
  const reader = {
    workloads: (namespace: string, { name }: { name?: string }) =>
      workloads.filter(({ ref }) => ref.namespace === namespace && ref.name === name),
    nodes: () => [aNode()],
  };
  desk = new EvidenceDesk({ ...evidence.adapters(clock), cluster, reader, book, clock, log });
});

/** A workload that a policy watches, as the last poll found it. */
function watched(workload: WorkloadSnapshot, state: 'healthy' | 'unhealthy' | 'unknown', ageMs = 0): WorkloadSnapshot {
  workloads.push(workload);
  const track = book.track('p', workload.ref);
  book.remember(track, aVerdict({ workload: workload.ref, state, atMs: NOW - ageMs }));
  if (state === 'unhealthy') {
    track.history = {
      polls: [],
      incident: anIncident({ id: workload.ref.uid, workload: workload.ref, onsetAtMs: NOW - MINUTE }),
    };
  }
  return workload;
}
const ill = (workload: WorkloadSnapshot): WorkloadSnapshot => watched(workload, 'unhealthy');
const plain = (workload: WorkloadSnapshot): void => void workloads.push(workload);

/** `payments unhealthy` of each dependency of `checkout`; DNS left out. */
async function around(checkout: WorkloadSnapshot): Promise<readonly string[]> {
  await desk.refresh([checkout]);
  const { dependencies = [] } = desk.gathered(checkout, NOW);
  return dependencies.filter(({ kind }) => kind !== 'dns').map(({ name, state }) => `${name} ${state}`);
}

describe('the state of what is called', () => {
  const checkout = named('checkout', depends('payments'));
  test.each<[string, () => void, readonly string[]]>([
    ['watched and well', () => watched(named('payments'), 'healthy'), ['payments healthy']],
    ['watched and ill', () => ill(named('payments')), ['payments unhealthy']],
    [
      'watched, and the last poll could not judge it',
      () => watched(named('payments'), 'unknown'),
      ['payments unknown'],
    ],
    [
      'watched and well, ten minutes ago',
      () => watched(named('payments'), 'healthy', 10 * MINUTE),
      ['payments unknown'],
    ],
    [
      'nobody watches it, its pods are ready: not known to be well',
      () => plain(named('payments')),
      ['payments unknown'],
    ],
    [
      'nobody watches it, no pod is ready',
      () => plain(withReplicas(named('payments'), { ready: 0 })),
      ['payments unhealthy'],
    ],
    [
      'nobody watches it, all of its pods crash again and again and one is ready between two crashes',
      () => plain(named('payments', { pods: [betweenCrashes(0), betweenCrashes(1)] })),
      ['payments unhealthy'],
    ],
    [
      'nobody watches it, one of its two pods crashes again and again',
      () => plain(named('payments', { pods: [betweenCrashes(0), aPod(1)] })),
      ['payments unknown'],
    ],
    [
      'nobody watches it, it was switched off',
      () => plain(withReplicas(named('payments'), { ready: 0, desired: 0 })),
      ['payments unhealthy'],
    ],
    [
      'an autoscaler put it to sleep',
      () =>
        plain(
          withReplicas(named('payments', { autoscalers: [{ kind: 'ScaledObject', name: 'x' }] }), {
            ready: 0,
            desired: 0,
          }),
        ),
      ['payments unknown'],
    ],
    ['it does not exist', () => undefined, ['payments unknown']],
  ])('%s', async (_, given, expected) => {
    given();
    expect(await around(ill(checkout))).toEqual(expected);
  });

  test('what was declared and leads nowhere is said', async () => {
    const subject = ill(named('checkout', depends('payments, P@y, external:api.example.com')));
    await desk.refresh([subject]);
    const { missing = [] } = desk.gathered(subject, NOW);
    expect(missing.join('\n')).toMatch(/payments, which it depends on, is no workload/);
    expect(missing.join('\n')).toMatch(/"P@y" is no name/);
    expect(missing.join('\n')).not.toContain('api.example.com');
  });

  test('a declaration reaches no further than its own namespace', async () => {
    const elsewhere = named('payments');
    ill({ ...elsewhere, ref: { ...elsewhere.ref, namespace: 'bank' } });
    expect(await around(ill(checkout))).toEqual(['payments unknown']);
  });

  test('a Service stands for the watched workload behind it', async () => {
    watched(named('postgres'), 'healthy');
    const services = [{ name: 'orders-db', readyEndpoints: 1, pods: ['postgres-0'] }];
    answer = () => Promise.resolve({ ...NOTHING, services });
    expect(await around(ill(named('checkout', depends('orders-db'))))).toEqual(['postgres healthy']);
  });

  test('a Service without a ready endpoint is ill, whatever stands behind it', async () => {
    watched(named('postgres'), 'healthy');
    const services = [{ name: 'orders-db', readyEndpoints: 0, pods: ['postgres-0'] }];
    answer = () => Promise.resolve({ ...NOTHING, services });
    expect(await around(ill(named('checkout', depends('orders-db'))))).toEqual(['postgres unhealthy']);
  });

  test('traffic metrics count calls by pod, and lead on through watched workloads', async () => {
    watched(named('cart'), 'unhealthy');
    watched(named('ledger'), 'unhealthy');
    evidence.edges = [
      { caller: { namespace: 'shop', pod: 'checkout-0' }, callee: { service: 'cart', namespace: 'shop' } },
      { caller: { namespace: 'shop', workload: 'cart' }, callee: { workload: 'ledger', namespace: 'shop' } },
      { caller: { namespace: 'shop', pod: 'other-0' }, callee: { service: 'mail', namespace: 'shop' } },
    ];
    const subject = ill(named('checkout'));
    expect(await around(subject)).toEqual(['cart unhealthy', 'ledger unhealthy']);
    const { dependencies = [] } = desk.gathered(subject, NOW);
    expect(dependencies.find(({ name }) => name === 'cart')?.anomalousCallees).toEqual(['ledger']);
  });

  test('a callee of another namespace bears its name', async () => {
    const elsewhere = named('ledger');
    ill({ ...elsewhere, ref: { ...elsewhere.ref, namespace: 'bank' } });
    evidence.edges = [
      { caller: { namespace: 'shop', workload: 'checkout' }, callee: { workload: 'ledger', namespace: 'bank' } },
    ];
    expect(await around(ill(named('checkout')))).toEqual(['bank/ledger unhealthy']);
  });
});

describe('the store behind a cache', () => {
  const named_ = (state: 'healthy' | 'unhealthy' | 'unknown') => () => void watched(named('db'), state);
  const store = { 'healing.aegis.dev/cache-store': 'db' };
  test.each<[string, Partial<WorkloadSnapshot>, () => void, string | undefined]>([
    ['named and well', { annotations: store }, named_('healthy'), 'healthy'],
    ['named and ill', { annotations: store }, named_('unhealthy'), 'anomalous'],
    ['named, and nothing is known of it', { annotations: store }, () => undefined, 'unknown'],
    ['none is named, a callee is ill', depends('db'), named_('unhealthy'), 'anomalous'],
    ['none is named, every callee is well', depends('db'), named_('healthy'), 'healthy'],
    ['none is named, a callee is unknown', depends('db'), named_('unknown'), undefined],
    ['nothing is declared', {}, named_('unhealthy'), undefined],
  ])('%s', async (_, over, given, expected) => {
    given();
    const checkout = ill(named('checkout', over));
    await desk.refresh([checkout]);
    expect(desk.backingStore(checkout, NOW)).toBe(expected);
  });
});

describe('room on volumes', () => {
  const claims = [
    { claim: 'data', volume: 'data' },
    { claim: 'tmp-checkout-0', pod: 'checkout-0', volume: 'tmp' },
  ];
  const volumes = async (slopeBytesPerSecond?: number) => {
    answer = () => Promise.resolve({ ...NOTHING, claims });
    evidence.rooms = [
      {
        claim: 'data',
        freeRatio: 0.5,
        freeBytes: 1000,
        ...(slopeBytesPerSecond !== undefined && { slopeBytesPerSecond }),
      },
    ];
    const checkout = ill(named('checkout', { annotations: { 'healing.aegis.dev/cache-volumes': 'data' } }));
    await desk.refresh([checkout]);
    return desk.gathered(checkout, NOW);
  };

  test.each<[string, number | undefined, object]>([
    ['it fills', -2, { timeToFullMs: 500 * SECOND }],
    ['it empties: it is never full', 2, {}],
    ['it stands still', 0, {}],
    ['too young to tell', undefined, {}],
  ])('%s', async (_, slope, expected) => {
    expect((await volumes(slope)).volumes).toEqual([{ claim: 'data', freeRatio: 0.5, holdsCache: true, ...expected }]);
  });

  test('a claim without figures is said to have none', async () => {
    expect((await volumes()).missing).toContain('room on volumes: no figures of tmp-checkout-0');
  });

  test('the metric server does not answer: no volume is known', async () => {
    evidence.fault = { kind: 'Timeout', message: 'no reply' };
    const found = await volumes();
    expect(found).not.toHaveProperty('volumes');
    expect(found.missing).toContain('room on volumes: no reply');
  });
});

describe('when it looks', () => {
  const incident = (name: string): WorkloadSnapshot => ill(named(name));

  test('no incident: nothing is asked', async () => {
    await desk.refresh([]);
    expect([looks, evidence.asked]).toEqual([[], []]);
  });

  test('before the first look is through: that it was not read is said', () => {
    expect(desk.gathered(incident('checkout'), NOW).missing).toContain('what it stands on: not read yet');
  });

  test('a server that never answers delays a poll by three seconds, and once', async () => {
    answer = () => new Promise(() => undefined);
    const checkout = incident('checkout');
    const waiting = desk.refresh([checkout]);
    await clock.until(() => clock.pending() === 0, 10 * SECOND);
    await waiting;
    expect(clock.monotonicMs()).toBeLessThanOrEqual(3_100);
    clock.advance(MINUTE);
    await desk.refresh([checkout]);
    expect(looks).toEqual(['checkout']);
  });

  test('many incidents take turns, the longest unseen first', async () => {
    const all = Array.from({ length: 20 }, (_, i) => incident(`w${i}`));
    await desk.refresh(all);
    expect(looks).toHaveLength(8);
    await desk.refresh(all);
    await desk.refresh(all);
    expect(new Set(looks).size).toBe(20);
    await desk.refresh(all);
    expect(looks).toHaveLength(20);
    clock.advance(30 * SECOND);
    await desk.refresh(all);
    expect(looks.slice(20)).toEqual(looks.slice(0, 8));
  });

  test('two policies on one workload: one look', async () => {
    const checkout = incident('checkout');
    await desk.refresh([checkout, checkout]);
    expect(looks).toEqual(['checkout']);
  });

  test('calls are asked for once a minute, and at once for a further namespace', async () => {
    const checkout = incident('checkout');
    await desk.refresh([checkout]);
    clock.advance(30 * SECOND);
    await desk.refresh([checkout]);
    const elsewhere = named('ledger');
    const ledger = ill({ ...elsewhere, ref: { ...elsewhere.ref, namespace: 'bank' } });
    await desk.refresh([checkout, ledger]);
    expect(evidence.asked).toEqual(['calls of shop', 'calls of bank shop']);
  });

  test('what throws, though it never should, ends there and is told', async () => {
    answer = () => Promise.reject(new Error('boom'));
    const checkout = incident('checkout');
    await desk.refresh([checkout]);
    expect(desk.gathered(checkout, NOW).missing).toContain('what it stands on: a fault of Aegis itself, see its log');
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  test('an incident that is over is forgotten', async () => {
    const checkout = incident('checkout');
    await desk.refresh([checkout]);
    book.forget(() => false);
    await desk.refresh([]);
    expect(desk.gathered(checkout, NOW).missing).toContain('what it stands on: not read yet');
  });
});

describe('DNS', () => {
  test.each<[string, FakeEvidence['dns'], string | undefined]>([
    ['all ready', { name: 'kube-system/kube-dns', ready: 2, total: 2 }, 'healthy'],
    [
      'one of two: names are resolved, though not as they should',
      { name: 'kube-system/kube-dns', ready: 1, total: 2 },
      'unknown',
    ],
    ['none ready', { name: 'kube-system/kube-dns', ready: 0, total: 2 }, 'unhealthy'],
    ['all are gone', { name: 'kube-system/kube-dns', ready: 0, total: 0 }, 'unhealthy'],
    ['none can be seen', undefined, undefined],
  ])('%s', (_, dns, expected) => {
    evidence.dns = dns;
    const found = desk.gathered(ill(named('checkout')), NOW).dependencies ?? [];
    expect(found.find(({ kind }) => kind === 'dns')?.state).toBe(expected);
  });
});

test('declarations are bounded', () => {
  const many = Array.from({ length: 60 }, (_, i) => `s${i}`).join(' ');
  const found = readDeclared(named('checkout', depends(many)));
  expect(found.dependsOn).toHaveLength(50);
  expect(found.problems).toHaveLength(1);
});

test('everything that is gathered can be stored as JSON', async () => {
  const checkout = ill(named('checkout', { ...depends('payments'), createdAtMs: NOW - DAY }));
  ill(named('payments'));
  await desk.refresh([checkout]);
  const found = desk.gathered(checkout, NOW);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});
