import { describe, expect, jest, test } from '@jest/globals';
import type { LogSource } from '../../../src/controller/ports.ts';
import { ok } from '../../../src/lib/result.ts';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import {
  aCertificate,
  aNetworkPolicy,
  anExternalSecret,
  aService,
  aSlice,
  aTemplated,
} from '../../support/builders/evidence.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { FakeEvidence } from '../../support/fakes/fake-evidence.ts';
import { asCrashing } from '../../support/fakes/pod-states.ts';
import { cacheGrows } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
jest.setTimeout(60_000);

/** Whatever is wrong: more pods. What must not be done is then seen by its absence. */
const scaleUp = {
  remedies: [
    {
      on: ['any', 'anomaly:response_time'],
      minSeverity: 'low',
      steps: [{ action: 'scale_up', attempts: 1, timeoutSeconds: 300 }],
    },
  ],
} satisfies Partial<HealingPolicy>;

/** Limits on what people feel, and on memory: they need no history to be sure of. */
const detection = {
  ...quickPolicy().detection,
  metrics: [
    { ...PRESETS.response_time, limit: { enter: 300, leave: 200, forSeconds: 0 } },
    { ...PRESETS.memory_usage, limit: { enter: 80, leave: 70, forSeconds: 0 } },
    PRESETS.request_rate,
    PRESETS.cpu_usage,
  ],
};

const shop = async (over: Partial<HealingPolicy> = {}) => {
  const world = await aShop({ detection, ...over });
  const evidence = new FakeEvidence();
  evidence.objects.put('deployments', aTemplated({ name: 'checkout' }, {}));
  return { world, evidence };
};

/** A metric of one workload multiplied from now on. */
function disturb(world: World, metric: string, times: number, workload = 'checkout'): () => void {
  const change = (vitals: Record<string, number>, _: unknown, { ref }: { ref: { name: string } }): void => {
    if (ref.name === workload) vitals[metric] = (vitals[metric] ?? 0) * times;
  };
  world.source.disturbances.push(change);
  return () => void world.source.disturbances.splice(world.source.disturbances.indexOf(change), 1);
}

const told = (...messages: readonly string[]): LogSource & { from: number } => {
  const source = {
    from: Infinity,
    read: (_: string, pods: readonly string[], sinceMs: number) => {
      const begunMs = Math.max(sinceMs, source.from);
      if (!Number.isFinite(begunMs)) return Promise.resolve(ok([]));
      return Promise.resolve(
        ok(
          messages.map((message, i) => ({
            atMs: begunMs + i,
            level: 'error' as const,
            message,
            service: 'checkout',
            pod: pods[0] ?? '',
          })),
        ),
      );
    },
  };
  return source;
};

/** `CauseElsewhere: the cause is ...` of the open incident. */
function heldBecause({ book }: Awaited<ReturnType<typeof anOperator>>, workload = 'checkout'): string {
  const decision = book.tracks().find((track) => track.workload.name === workload)?.decision;
  return decision?.kind === 'hold' ? `${decision.reason}: ${decision.message}` : (decision?.kind ?? 'no decision');
}

const isScaled = (world: World): boolean => world.cluster.actions().some(({ intent }) => intent.action === 'scale_up');

const advice = (world: World): readonly string[] =>
  world.firing().map(({ failureType, advice: text }) => `${failureType}: ${text}`);

describe('a dependency is down', () => {
  const begin = async (annotations: Readonly<Record<string, string>>) => {
    const { world, evidence } = await shop(scaleUp);
    world.cluster.addWorkload({ name: 'payments', pods: 2 });
    world.cluster.editWorkload('checkout', (each) => ({ ...each, annotations }));
    const running = await anOperator(world, { evidence });
    await world.run(3 * MINUTE);
    return { world, evidence, running };
  };
  const takeDown = (world: World): void => {
    for (const { name } of world.cluster.workload('payments').pods) {
      world.cluster.editPod(name, (pod) => asCrashing(pod, world.clock.nowMs()));
    }
    disturb(world, 'response_time', 20);
  };

  test('it is declared: the caller is held, and the callee is named', async () => {
    const { world, running } = await begin({ 'healing.aegis.dev/depends-on': 'payments' });
    takeDown(world);
    await world.run(2 * MINUTE);
    expect(heldBecause(running)).toBe('CauseElsewhere: the cause is the dependency payments');
    await world.run(10 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
    expect(world.faults()).toEqual([]);
  });

  test('traffic metrics show it: the same', async () => {
    const { world, evidence, running } = await begin({});
    const caller = { namespace: 'shop', workload: 'checkout' };
    evidence.edges = [{ caller, callee: { namespace: 'shop', service: 'payments' } }];
    takeDown(world);
    await world.run(2 * MINUTE);
    expect(heldBecause(running)).toBe('CauseElsewhere: the cause is the dependency payments');
    expect(world.cluster.foreignWrites()).toEqual([]);
  });

  test('the callee of the callee is down: it is named, not the one between', async () => {
    const { world, running } = await begin({ 'healing.aegis.dev/depends-on': 'cart' });
    world.cluster.addWorkload({
      name: 'cart',
      pods: 2,
      over: { annotations: { 'healing.aegis.dev/depends-on': 'payments' } },
    });
    takeDown(world);
    await world.run(2 * MINUTE);
    expect(heldBecause(running)).toBe('CauseElsewhere: the cause is the dependency payments');
  });

  test('nothing tells who calls whom: the caller is treated as its policy says', async () => {
    const { world } = await begin({});
    takeDown(world);
    await world.until('it is scaled', () => isScaled(world), 5 * MINUTE);
  });

  test('the callee is watched and well: the caller is not held for it', async () => {
    const { world } = await begin({ 'healing.aegis.dev/depends-on': 'payments' });
    const policy = quickPolicy();
    world.cluster.putPolicy({
      ...policy,
      uid: 'p-2',
      name: 'payments',
      target: { kind: 'Deployment', name: 'payments' },
    });
    await world.run(2 * MINUTE);
    disturb(world, 'response_time', 20);
    await world.until('it is scaled', () => isScaled(world), 5 * MINUTE);
  });

  test('it heals: the caller is free again', async () => {
    const { world, running } = await begin({ 'healing.aegis.dev/depends-on': 'payments' });
    const before = world.cluster.workload('payments').pods;
    takeDown(world);
    await world.run(2 * MINUTE);
    expect(heldBecause(running)).toContain('CauseElsewhere');
    world.cluster.editWorkload('payments', (each) => ({ ...each, pods: before }));
    await world.until('it is scaled', () => isScaled(world), 5 * MINUTE);
  });
});

test('DNS is down: nothing is done to the applications, and DNS is named', async () => {
  const { world, evidence } = await shop(scaleUp);
  const running = await anOperator(world, { evidence });
  await world.run(3 * MINUTE);
  evidence.dns = { name: 'kube-system/kube-dns', ready: 0, total: 2 };
  disturb(world, 'response_time', 20);
  await world.run(2 * MINUTE);
  expect(heldBecause(running)).toMatch(/cause is the dns kube-system\/kube-dns|names are not resolved/);
  await world.run(8 * MINUTE);
  expect(world.cluster.foreignWrites()).toEqual([]);
});

test('a volume fills: people get the command that expands it, and nothing is restarted', async () => {
  const { world, evidence } = await shop();
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'checkout-data' } }];
  evidence.objects.put('deployments', aTemplated({ name: 'checkout' }, { volumes }));
  await anOperator(world, { evidence });
  await world.run(3 * MINUTE);
  evidence.rooms = [{ claim: 'checkout-data', freeRatio: 0.04, freeBytes: 4e8, slopeBytesPerSecond: -1e5 }];
  disturb(world, 'response_time', 20);
  await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
  expect(advice(world)[0]).toMatch(/^volume_full: Expand the claim.*patch pvc checkout-data/);
  expect(world.cluster.foreignWrites()).toEqual([]);
  expect(world.faults()).toEqual([]);
});

test('a NetworkPolicy was made and the Service has no endpoint: people are told which change to revert', async () => {
  const { world, evidence } = await shop();
  evidence.objects.put('services', aService({ name: 'checkout' }, { app: 'checkout' }));
  evidence.objects.put('endpointslices', aSlice('checkout', { 'checkout-0': true }));
  await anOperator(world, { evidence });
  await world.run(5 * MINUTE);
  evidence.objects.put('networkpolicies', aNetworkPolicy({ name: 'lockdown', createdAtMs: world.clock.nowMs() }));
  evidence.objects.put('endpointslices', aSlice('checkout', {}));
  disturb(world, 'request_rate', 0);
  disturb(world, 'response_time', 20);
  await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
  expect(advice(world)[0]).toMatch(/^network_policy_block: Revert the change of networkpolicy lockdown/);
  expect(world.cluster.foreignWrites()).toEqual([]);
});

describe('a certificate', () => {
  const begin = async () => {
    const { world, evidence } = await shop();
    const logs = told('x509: certificate has expired or is not yet valid', 'tls: failed to verify certificate');
    evidence.objects.put(
      'deployments',
      aTemplated({ name: 'checkout' }, { volumes: [{ secret: { secretName: 'tls' } }] }),
    );
    const times = { notBeforeMs: world.clock.nowMs() - 90 * DAY, notAfterMs: world.clock.nowMs() + 5 * MINUTE };
    evidence.objects.put('certificates', aCertificate({ name: 'web' }, 'tls', { ready: 'True', ...times }));
    await anOperator(world, { evidence, logs });
    await world.run(5 * MINUTE);
    const expired = { ready: 'False', reason: 'Expired', ...times } as const;
    evidence.objects.put('certificates', aCertificate({ name: 'web' }, 'tls', expired));
    logs.from = world.clock.nowMs();
    disturb(world, 'response_time', 20);
    return { world, evidence };
  };

  test('expired: people are told to renew it, and no pod is restarted', async () => {
    const { world } = await begin();
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    expect(advice(world)[0]).toMatch(/^certificate_expired: Renew certificate web: cmctl renew web -n shop/);
    await world.run(10 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
  });

  test('renewed after the pods began: now they are restarted', async () => {
    const { world, evidence } = await begin();
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    const nowMs = world.clock.nowMs();
    const renewed = { ready: 'True', notBeforeMs: nowMs, notAfterMs: nowMs + 90 * DAY, sinceMs: nowMs } as const;
    evidence.objects.put('certificates', aCertificate({ name: 'web' }, 'tls', renewed));
    await world.until('restarted', () => world.cluster.effects().length > 0, 5 * MINUTE);
    expect(world.cluster.effects()[0]).toMatch(/^(evict|rollout)/);
  });

  test('a periodic refresh of a rejected password proves nothing: no restart', async () => {
    const { world, evidence } = await shop();
    const logs = told('password authentication failed for user "app"', 'FATAL: password authentication failed');
    evidence.objects.put(
      'deployments',
      aTemplated({ name: 'checkout' }, { volumes: [{ secret: { secretName: 'db' } }] }),
    );
    await anOperator(world, { evidence, logs });
    await world.run(5 * MINUTE);
    logs.from = world.clock.nowMs();
    const times = { refreshedAtMs: world.clock.nowMs(), sinceMs: world.clock.nowMs() - 30 * DAY };
    evidence.objects.put('externalsecrets', anExternalSecret({ name: 'db' }, times));
    disturb(world, 'response_time', 20);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    await world.run(10 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
  });
});

describe('a cache, cleared where its memory climbs', () => {
  const clear = {
    remedies: [
      {
        ...{ on: ['any'], minSeverity: 'low' },
        steps: [
          {
            ...{ action: 'clear_cache', attempts: 1, timeoutSeconds: 300 },
            cache: { http: { port: 8080, path: '/cache/clear' } },
          },
        ],
      },
    ],
  } satisfies Partial<HealingPolicy>;
  const growing = async (annotations: Readonly<Record<string, string>>) => {
    const { world, evidence } = await shop(clear);
    world.cluster.addWorkload({ name: 'db', pods: 2 });
    world.cluster.editWorkload('checkout', (each) => ({ ...each, annotations }));
    world.cluster.putPolicy({
      ...quickPolicy({ mode: 'Observe', detection }),
      ...{ uid: 'p-2', name: 'db', target: { kind: 'Deployment', name: 'db' } },
    });
    await anOperator(world, { evidence });
    await world.run(3 * MINUTE);
    cacheGrows(world);
    return world;
  };
  const store = { 'healing.aegis.dev/cache-store': 'db' };
  const cleared = (world: World): boolean => world.cluster.effects().some((effect) => effect.startsWith('cache'));

  test('the store behind it is watched and well', async () => {
    const world = await growing(store);
    await world.until('cleared', () => cleared(world), 5 * MINUTE);
  });

  test('the store behind it is ill: a cold cache would crush it', async () => {
    const world = await growing(store);
    const [first] = world.cluster.workload('db').pods;
    world.cluster.editPod(first?.name ?? '', (pod) => asCrashing(pod, world.clock.nowMs()));
    await world.until('told', () => world.firing().length > 0, 10 * MINUTE);
    expect(cleared(world)).toBe(false);
  });
});

describe('what is asked, and when', () => {
  test('while all is well: nothing', async () => {
    const { world, evidence } = await shop();
    await anOperator(world, { evidence });
    await world.run(20 * MINUTE);
    expect([evidence.objects.asked, evidence.asked]).toEqual([[], []]);
  });

  test('during an incident: twice a minute and workload; nobody but the leader', async () => {
    const { world, evidence } = await shop({ mode: 'Observe' });
    const bystander = new FakeEvidence();
    await anOperator(world, { evidence });
    await anOperator(world, { evidence: bystander, leads: false });
    await world.run(3 * MINUTE);
    disturb(world, 'response_time', 20);
    await world.run(MINUTE);
    const before = evidence.objects.asked.length;
    await world.run(10 * MINUTE);
    const gets = evidence.objects.asked.slice(before).filter((each) => each.startsWith('deployments'));
    expect(gets.length).toBeGreaterThan(10);
    expect(gets.length).toBeLessThan(26);
    expect(bystander.objects.asked).toEqual([]);
  });

  test('what could not be read stands under the advice, and nothing follows from it', async () => {
    const { world, evidence } = await shop();
    for (const plural of ['services', 'networkpolicies', 'endpointslices']) evidence.objects.refused.set(plural, 403);
    evidence.fault = { kind: 'Timeout', message: 'no reply within 10 s' };
    evidence.dns = undefined;
    await anOperator(world, { evidence });
    await world.run(3 * MINUTE);
    disturb(world, 'response_time', 20);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    const [text = ''] = advice(world);
    for (const what of [
      'services: no right to read them',
      'networkpolicies: no right',
      'call graph: no reply within 10 s',
      'DNS: its pods cannot be seen',
    ]) {
      expect(text).toContain(what);
    }
    expect(world.cluster.foreignWrites()).toEqual([]);
  });
});
