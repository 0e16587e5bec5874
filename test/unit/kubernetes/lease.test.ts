import { describe, expect, test } from '@jest/globals';
import type { ApiRequest } from '../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../src/kubernetes/errors.ts';
import { type Json, at, metaOf, record, text } from '../../../src/kubernetes/json.ts';
import { LeaseLeadership } from '../../../src/kubernetes/lease.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { aFault, fakeClient } from '../../support/builders/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';

/** One Lease object with versions and conflicts, as the API server keeps it. */
function leaseServer() {
  let lease: Json | undefined;
  let version = 0;
  const answer = (request: ApiRequest): Json | CallFault => {
    if (request.method === 'GET') return lease ?? aFault({ kind: 'NotFound', message: 'no lease' });
    const body = record(request.body);
    const fresh = request.method === 'POST';
    if (fresh ? lease !== undefined : metaOf(body).resourceVersion !== metaOf(lease).resourceVersion) {
      return aFault({ kind: 'Conflict', message: 'modified' });
    }
    version += 1;
    lease = { ...body, metadata: { ...at(body, 'metadata'), resourceVersion: String(version) } };
    return lease;
  };
  return { answer, spec: () => at(lease, 'spec'), holder: () => text(at(lease, 'spec').holderIdentity) };
}

type Server = ReturnType<typeof leaseServer>;

function replica(identity: string, server: Server, clock: Clock) {
  const network = { cut: false, hang: false, loseReplies: false };
  const client = fakeClient((request) => {
    if (network.hang) return new Promise<never>(() => undefined);
    if (network.cut) return aFault({ message: 'ECONNREFUSED', sent: false });
    const reply = server.answer(request);
    return network.loseReplies && request.method !== 'GET' ? aFault({ kind: 'Timeout' }) : reply;
  });
  const lease = new LeaseLeadership({
    ...{ client, clock, random: () => 0, log: recordedLog(), namespace: 'aegis', name: 'aegis', identity },
  });
  const changes: boolean[] = [];
  lease.onChange((leader) => changes.push(leader));
  return { lease, client, network, changes };
}

/** Moves the clock in steps of 100 ms and lets the requests be answered in between. */
async function pass(clock: FakeClock, ms: number, eachStep: () => void = () => undefined): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(100);
    eachStep();
  }
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('one replica', () => {
  test('takes a lease that does not exist, and keeps it', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease, changes } = replica('a', server, clock);
    lease.start();
    lease.start();
    await pass(clock, 60_000, () => undefined);
    expect([lease.isLeader(), lease.mayWrite(), lease.mayBeginEffect()]).toEqual([true, true, true]);
    expect(changes).toEqual([true]);
    expect(server.spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(server.spec().renewTime).toMatch(/^2026-01-05T12:0[01]:\d\d\.\d{6}Z$/);
  });

  test('before it holds the lease it may do nothing', () => {
    const { lease } = replica('a', leaseServer(), fakeClock());
    expect([lease.isLeader(), lease.mayWrite(), lease.mayBeginEffect()]).toEqual([false, false, false]);
  });

  test('cut off: effects stop after 4 s, writes and leadership after 10 s, by the timer', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease, network, changes } = replica('a', server, clock);
    lease.start();
    await pass(clock, 4_000);
    network.hang = true;
    const lastRenewalMs = clock.monotonicMs();
    const stopped = { effects: 0, writes: 0, leading: 0 };
    await pass(clock, 15_000, () => {
      const since = clock.monotonicMs() - lastRenewalMs;
      if (lease.mayBeginEffect()) stopped.effects = since;
      if (lease.mayWrite()) stopped.writes = since;
      if (lease.isLeader()) stopped.leading = since;
    });
    expect(stopped.effects).toBeLessThan(4_000);
    expect(stopped.writes).toBeLessThan(10_000);
    expect(stopped.leading).toBeLessThan(10_000);
    expect(stopped.writes).toBeGreaterThan(5_000);
    expect(changes).toEqual([true, false]);
  });

  test('frozen for 20 s: on waking it may neither write nor begin before it is elected again', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease } = replica('a', server, clock);
    lease.start();
    await pass(clock, 4_000);
    // A stopped process runs no timer; on waking, time has passed and the first code to run must see it.
    const real = clock.monotonicMs.bind(clock);
    let frozenMs = 0;
    clock.monotonicMs = () => real() + frozenMs;
    frozenMs = 20_000;
    expect([lease.isLeader(), lease.mayWrite(), lease.mayBeginEffect()]).toEqual([false, false, false]);
  });

  test('a renewal counts from when it was sent, not from when it was answered', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    let release: (() => void) | undefined;
    const client = fakeClient(async (request) => {
      if (request.method === 'PUT') await new Promise<void>((resolve) => (release = resolve));
      return server.answer(request);
    });
    const lease = new LeaseLeadership({
      ...{ client, clock, random: () => 0, log: recordedLog(), namespace: 'aegis', name: 'aegis', identity: 'a' },
    });
    lease.start();
    await pass(clock, 2_100);
    expect(release).toBeDefined();
    await pass(clock, 3_900);
    release?.();
    await pass(clock, 0);
    expect(lease.mayBeginEffect()).toBe(false);
    expect(lease.mayWrite()).toBe(true);
  });

  test('a reply that is lost does not cost the lease: the next look shows it as its own', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease, network, changes } = replica('a', server, clock);
    lease.start();
    await pass(clock, 2_000);
    network.loseReplies = true;
    await pass(clock, 5_000);
    network.loseReplies = false;
    await pass(clock, 4_000);
    expect(lease.isLeader()).toBe(true);
    expect(changes).toEqual([true]);
  });

  test('a listener that throws does not harm the loop', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease } = replica('a', server, clock);
    lease.onChange(() => {
      throw new Error('boom');
    });
    lease.start();
    await pass(clock, 30_000);
    expect(lease.isLeader()).toBe(true);
  });

  test('a wall clock that jumps changes nothing', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const { lease, changes } = replica('a', server, clock);
    lease.start();
    await pass(clock, 5_000);
    clock.jump(-86_400_000);
    await pass(clock, 5_000);
    clock.jump(2 * 86_400_000);
    await pass(clock, 5_000);
    expect([lease.isLeader(), changes]).toEqual([true, [true]]);
  });
});

describe('two replicas', () => {
  test('only one leads; the other takes over within 20 s of its death', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const a = replica('a', server, clock);
    const b = replica('b', server, clock);
    a.lease.start();
    await pass(clock, 1_000);
    b.lease.start();
    await pass(clock, 30_000, () => expect(b.lease.isLeader()).toBe(false));
    a.network.cut = true;
    const diedMs = clock.monotonicMs();
    let tookOverMs = 0;
    await pass(clock, 25_000, () => {
      if (b.lease.isLeader() && tookOverMs === 0) tookOverMs = clock.monotonicMs() - diedMs;
      expect(a.lease.mayWrite() && b.lease.mayWrite()).toBe(false);
    });
    expect(tookOverMs).toBeGreaterThan(10_000);
    expect(tookOverMs).toBeLessThanOrEqual(20_000);
    expect(server.spec().leaseTransitions).toBe(1);
  });

  test('a clean stop releases: empty holder, duration 1, and the other leads within 5 s', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const a = replica('a', server, clock);
    const b = replica('b', server, clock);
    a.lease.start();
    await pass(clock, 1_000);
    b.lease.start();
    await pass(clock, 5_000);
    await a.lease.stop();
    expect(a.changes).toEqual([true, false]);
    expect(server.spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(a.lease.mayWrite()).toBe(false);
    await pass(clock, 5_000);
    expect(b.lease.isLeader()).toBe(true);
  });

  test('who never held it releases nothing', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const a = replica('a', server, clock);
    const b = replica('b', server, clock);
    a.lease.start();
    await pass(clock, 1_000);
    b.lease.start();
    await pass(clock, 3_000);
    await b.lease.stop();
    expect(server.holder()).toBe('a');
  });

  test('a holder renews with one request a round, and reads again after an answer that was lost', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const a = replica('a', server, clock);
    a.lease.start();
    await pass(clock, 1_000);
    a.client.requests.length = 0;
    await pass(clock, 10_000);
    expect(new Set(a.client.requests.map(({ method }) => method))).toEqual(new Set(['PUT']));
    a.network.loseReplies = true;
    await pass(clock, 2_000);
    a.network.loseReplies = false;
    a.client.requests.length = 0;
    await pass(clock, 2_000);
    expect(a.client.requests.map(({ method }) => method)).toEqual(['GET', 'PUT']);
    expect(a.changes).toEqual([true]);
  });

  test('a lease taken by another is lost at once, not after the deadline', async () => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const a = replica('a', server, clock);
    a.lease.start();
    await pass(clock, 3_000);
    const stolen = { metadata: { ...metaOf(server.answer({ method: 'GET', target: {} } as ApiRequest)) } };
    server.answer({ method: 'PUT', body: { ...stolen, spec: { holderIdentity: 'thief' } } } as ApiRequest);
    await pass(clock, 3_000);
    expect(a.lease.isLeader()).toBe(false);
  });

  test.each([1, 1.4])('a clock that runs %s times as fast: their writes never overlap', async (rate) => {
    const [server, clock] = [leaseServer(), fakeClock()];
    const fast: Clock = {
      nowMs: () => clock.nowMs() + 3_600_000,
      monotonicMs: () => clock.monotonicMs() * rate,
      after: (ms, run) => clock.after(ms / rate, run),
    };
    const a = replica('a', server, clock);
    const b = replica('b', server, fast);
    a.lease.start();
    await pass(clock, 1_000);
    b.lease.start();
    for (let round = 0; round < 4; round += 1) {
      const [one, other] = round % 2 === 0 ? [a, b] : [b, a];
      one.network.cut = true;
      await pass(clock, 30_000, () => expect(a.lease.mayWrite() && b.lease.mayWrite()).toBe(false));
      expect(other.lease.isLeader()).toBe(true);
      one.network.cut = false;
    }
  });
});
