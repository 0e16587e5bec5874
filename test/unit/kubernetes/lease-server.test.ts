import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { createClient, type KubeClient } from '../../../src/kubernetes/client.ts';
import { at, metaOf, record, text, type Json } from '../../../src/kubernetes/json.ts';
import { LeaseLeadership } from '../../../src/kubernetes/lease.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { answer, eventually, scriptedApi, type ScriptedApi } from '../../support/scripted-api.ts';

const ROUND_MS = 2_000;
/** How the server takes the next renewal. `unanswered`: it is written, and nobody says so. `lost`: neither. */
type Manner = 'well' | 'unanswered' | 'lost' | 'slow' | 'unavailable';

let api: ScriptedApi;
let clock: FakeClock;
let client: KubeClient;
let lease: LeaseLeadership;
let stored: Json | undefined;
let version: number;
let manners: Manner[];
let held: (() => void)[];
let rounds: number;
let changes: boolean[];

function store(body: Json): Json {
  version += 1;
  stored = { ...body, metadata: { ...at(body, 'metadata'), resourceVersion: String(version) } };
  return stored;
}

/** One Lease on real sockets, with versions and conflicts. */
function serve(method: string, body: Json, response: ServerResponse): void {
  const gone = { message: 'leases "aegis" not found' };
  if (method === 'GET') return stored === undefined ? answer(response, 404, gone) : answer(response, 200, stored);
  if (method === 'POST') {
    return stored === undefined ? answer(response, 201, store(body)) : answer(response, 409, { message: 'exists' });
  }
  const manner = manners.shift() ?? 'well';
  const write = (): void => {
    if (stored === undefined) return answer(response, 404, gone);
    if (metaOf(body).resourceVersion !== metaOf(stored).resourceVersion)
      return answer(response, 409, { message: 'old' });
    answer(response, 200, store(body));
  };
  if (manner === 'well') write();
  if (manner === 'slow') held.push(write);
  if (manner === 'unanswered') store(body);
  if (manner === 'unavailable') answer(response, 503, { message: 'etcd has no leader' });
}

/** Somebody else writes the lease, under whatever name. */
const foreign = (holderIdentity: string): void =>
  void store({ ...record(stored), spec: { ...at(stored, 'spec'), holderIdentity, leaseDurationSeconds: 15 } });

const holder = (): string => text(at(stored, 'spec')['holderIdentity']);
const may = () => ({ lead: lease.isLeader(), write: lease.mayWrite(), begin: lease.mayBeginEffect() });
const ALL = { lead: true, write: true, begin: true };
const NONE = { lead: false, write: false, begin: false };
const verbs = (): string[] => api.seen.filter(({ path }) => path.includes('leases')).map(({ method }) => method);

/** Lets one round begin and end. `lastsMs`: it waits so long for an answer. */
async function round(lastsMs = 0): Promise<void> {
  const before = rounds;
  const asked = api.seen.length;
  clock.advance(ROUND_MS);
  await eventually(() => api.seen.length > asked, 'a request');
  if (lastsMs > 0) clock.advance(lastsMs);
  await eventually(() => rounds > before, 'the end of the round');
}

beforeEach(async () => {
  [clock, stored, version, manners, held, rounds, changes] = [fakeClock(), undefined, 0, [], [], 0, []];
  api = await scriptedApi(({ method, body }, response) => serve(method, record(body), response));
  const log = recordedLog();
  const made = await createClient({ access: { kind: 'kubeconfig', path: await aKubeconfig(api.url) }, clock, log });
  if (!made.ok) throw new Error(made.error);
  client = made.value;
  // What an earlier test left behind must not stir this one.
  const [own, served] = [clock, api];
  const counting: Clock = {
    nowMs: () => own.nowMs(),
    monotonicMs: () => own.monotonicMs(),
    after: (ms, run) => {
      if (ms === ROUND_MS && served === api) rounds += 1;
      return own.after(ms, run);
    },
  };
  lease = new LeaseLeadership({
    ...{ client, clock: counting, random: () => 0, log, namespace: 'aegis', name: 'aegis', identity: 'a' },
  });
  lease.onChange((leads) => changes.push(leads));
  client.fenceWrites(() => lease.mayWrite());
  lease.start();
  await eventually(() => rounds === 1, 'the first round');
});

afterEach(async () => {
  client.close();
  await api.stop();
});

describe('a renewal', () => {
  test('is one PUT a round, with the version of the last answer', async () => {
    for (let n = 0; n < 5; n++) await round();
    expect(verbs()).toEqual(['GET', 'POST', 'PUT', 'PUT', 'PUT', 'PUT', 'PUT']);
    expect(may()).toEqual(ALL);
    expect(at(stored, 'spec')).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  test('that conflicts with a harmless write is read and done in the same round', async () => {
    await round();
    foreign('a'); // a label, a person's annotation
    await round();
    expect(verbs().slice(-3)).toEqual(['PUT', 'GET', 'PUT']);
    expect([may(), changes]).toEqual([ALL, [true]]);
  });

  test('that was written and not answered keeps the lease, but counts only once it is known', async () => {
    await round();
    manners.push('unanswered');
    await round(5_000);
    // 7 s since the last renewal that was answered: enough to lead, too long for an effect.
    expect(may()).toEqual({ lead: true, write: true, begin: false });
    await round();
    expect(verbs().slice(-2)).toEqual(['GET', 'PUT']);
    expect([may(), changes, holder()]).toEqual([ALL, [true], 'a']);
    expect(at(stored, 'spec')['leaseTransitions']).toBe(0);
  });

  test('that never arrives ends leadership at 10 s of its own clock, although nothing is answered at all', async () => {
    await round();
    const renewedMs = clock.monotonicMs();
    manners.push('lost', 'lost', 'lost');
    await round(5_000);
    expect(may()).toEqual({ lead: true, write: true, begin: false });
    clock.advance(renewedMs + 9_999 - clock.monotonicMs());
    expect(lease.mayWrite()).toBe(true);
    clock.advance(1);
    expect([may(), changes]).toEqual([NONE, [true, false]]);
  });

  test('that is answered late counts from its sending', async () => {
    await round();
    manners.push('slow');
    const asked = api.seen.length;
    clock.advance(ROUND_MS);
    const sentMs = clock.monotonicMs();
    await eventually(() => held.length === 1 && api.seen.length > asked, 'the request');
    clock.advance(4_500);
    const before = rounds;
    held.pop()?.();
    await eventually(() => rounds > before, 'the end of the round');
    expect(may()).toEqual({ lead: true, write: true, begin: false });
    manners.push('lost', 'lost', 'lost');
    clock.advance(sentMs + 9_999 - clock.monotonicMs());
    expect(lease.mayWrite()).toBe(true);
    clock.advance(1);
    expect(may()).toEqual(NONE);
  });

  test.each([-86_400_000, 86_400_000, 3_600_000_000])(
    'does not care for a wall clock that jumps by %d ms',
    async (by) => {
      await round();
      clock.jump(by);
      expect(may()).toEqual(ALL);
      await round();
      await round();
      expect([may(), changes]).toEqual([ALL, [true]]);
    },
  );

  test('of a process that slept for 20 s: nothing is allowed on waking until it is renewed, and only if nobody took it', async () => {
    await round();
    // Timers do not run in a stopped process: the first that runs is the one that was due first.
    const slept = clock.monotonicMs.bind(clock);
    clock.monotonicMs = () => slept() + 20_000;
    expect(may()).toEqual(NONE);
    foreign('b');
    await round();
    expect([may(), holder()]).toEqual([NONE, 'b']);
  });
});

describe('a lease', () => {
  test('that another took is lost in the round that finds it, and is not fought over', async () => {
    await round();
    foreign('b');
    await round();
    expect([may(), changes]).toEqual([NONE, [true, false]]);
    const before = verbs().length;
    for (let n = 0; n < 12; n++) {
      foreign('b');
      await round();
    }
    expect(new Set(verbs().slice(before))).toEqual(new Set(['GET']));
    expect(holder()).toBe('b');
  });

  test('that its holder no longer renews is taken after its duration, not before', async () => {
    await round();
    foreign('b');
    await round(); // seen
    for (let n = 0; n < 7; n++) {
      await round();
      expect(lease.isLeader()).toBe(false);
    }
    await round();
    expect([may(), holder(), at(stored, 'spec')['leaseTransitions']]).toEqual([ALL, 'a', 1]);
  });

  test('that was deleted is made anew in the same round', async () => {
    await round();
    stored = undefined;
    await round();
    expect(verbs().slice(-3)).toEqual(['PUT', 'GET', 'POST']);
    expect([may(), changes, holder()]).toEqual([ALL, [true], 'a']);
  });

  test('that was deleted, and made anew by another at the last moment, is lost at once', async () => {
    await round();
    stored = undefined;
    api.script(({ method, body }, response) => {
      // Between our look and our creation.
      if (method === 'POST' && stored === undefined) {
        store({
          metadata: { name: 'aegis', namespace: 'aegis' },
          spec: { holderIdentity: 'b', leaseDurationSeconds: 15 },
        });
      }
      serve(method, record(body), response);
    });
    await round();
    expect([may(), holder(), changes]).toEqual([NONE, 'b', [true, false]]);
  });

  test('of an API server that is away for 8 s stays its holder’s', async () => {
    await round();
    manners.push('unavailable', 'unavailable', 'unavailable');
    for (let n = 0; n < 3; n++) await round();
    expect(may()).toEqual({ lead: true, write: true, begin: false });
    await round();
    expect([may(), changes]).toEqual([ALL, [true]]);
  });
});

test('a write is asked for the lease in the moment of sending: what waited too long is not sent', async () => {
  await round();
  manners.push('lost', 'lost', 'lost', 'lost');
  await round(5_000);
  clock.advance(4_000);
  expect(lease.mayWrite()).toBe(false);
  const target = { resource: RESOURCES.pods, namespace: 'shop', name: 'web-1', subresource: 'eviction' } as const;
  const reply = await client.call({ method: 'POST', target, body: {} });
  expect(reply).toMatchObject({ ok: false, error: { sent: false, causes: ['NotLeader'] } });
  expect(api.seen.some(({ path }) => path.includes('eviction'))).toBe(false);
});
