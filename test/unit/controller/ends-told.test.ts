import { describe, expect, jest, test } from '@jest/globals';
import { AlertDesk } from '../../../src/controller/alert-desk.ts';
import type { AlertMessage, Notifier } from '../../../src/controller/ports.ts';
import type { Incident } from '../../../src/detection/incident.ts';
import { decide } from '../../../src/healing/decide.ts';
import { aStatus } from '../../support/builders/action.ts';
import { aDecisionInput, intentOf } from '../../support/builders/decision.ts';
import { anIncident } from '../../support/builders/incident.ts';
import { NOW } from '../../support/builders/workload.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { asReady } from '../../support/fakes/pod-states.ts';
import { releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

test('a process that is killed once it has noted the end of an incident: its successor tells people that it is over', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  releaseBadImage(world);
  await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
  const id = world.cluster.actions()[0]?.intent.incidentId;
  world.afterMutation = (_, process) => {
    if (world.mutations.at(-1) === `store incident ${id}`) process.kill();
  };
  const nowMs = world.clock.nowMs();
  world.cluster.editWorkload('checkout', (each) => ({ ...each, pods: each.pods.map((pod) => asReady(pod, nowMs)) }));
  await world.run(2 * MINUTE);
  expect((await world.incidents())[0]?.resolvedAtMs).toBeDefined();
  expect(world.sent.map(({ status }) => status)).not.toContain('resolved');
  world.afterMutation = undefined;
  await anOperator(world);
  await world.run(MINUTE);
  expect(world.sent.filter(({ status }) => status === 'resolved').map(({ key }) => key)).toEqual([id]);
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const restart = intentOf(decide(aDecisionInput()));
const alertTo = (...sinks: readonly string[]) => ({
  ...{ ...restart, action: 'alert_admin' as const },
  parameters: { kind: 'alert' as const, sinks },
});
const ended = anIncident({ metrics: [], resolvedAtMs: NOW });

/** What outlives a process: the store, and what each sink was told. */
function aTown() {
  const blobs = new Map<string, Uint8Array>();
  const told: string[] = [];
  const messages: AlertMessage[] = [];
  const town = { down: new Set<string>(), isStoreDown: false, isSlow: false };
  const waiting: (() => void)[] = [];
  const send = async (named: readonly string[], message: AlertMessage) => {
    const { status, key } = message;
    messages.push(message);
    const sinks = named.length === 0 ? ['chat', 'pager'] : named;
    if (town.isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
    const delivered = sinks.filter((sink) => !town.down.has(sink));
    told.push(...delivered.map((sink) => `${sink}: ${status} ${key}`));
    const failed = sinks.filter((sink) => town.down.has(sink)).map((sink) => ({ sink, message: 'HTTP 500' }));
    return { delivered, failed };
  };
  const notifier: Notifier = { sinks: () => ['chat', 'pager'], send };
  const store = {
    saveBlob: (key: string, bytes: Uint8Array) =>
      town.isStoreDown ? Promise.reject(new Error('disk full')) : Promise.resolve(void blobs.set(key, bytes)),
    loadBlob: (key: string) => Promise.resolve(blobs.get(key)),
  };
  const desk = () => new AlertDesk({ notifier, store, metrics: recordedMetrics(), log: recordedLog() });
  /** Another process takes up what its predecessor left. */
  const succeed = async (atMs: number, incident: Incident = ended, sinks: readonly string[] = ['chat', 'pager']) => {
    const next = desk();
    expect(await next.load()).toBe(true);
    const told = { intent: alertTo(...sinks), status: aStatus({ delivered: { atMs: NOW, sinks } }) };
    next.takeUp([told], { isOpen: () => false, resolved: [incident] }, atMs);
    await settled();
    return next;
  };
  return { blobs, desk, succeed, told, messages, town, waiting };
}

const ENDS = ['chat: resolved incident-1', 'pager: resolved incident-1'];
const endsOf = (told: readonly string[]): readonly string[] => told.filter((each) => each.includes('resolved')).sort();

describe('the end of an alert across a change of leadership', () => {
  test.each<[string, readonly string[]]>([
    ['to sinks that it names', ['chat', 'pager']],
    ['to every sink', []],
  ])('told %s and noted: the next leader tells it to nobody', async (_, sinks) => {
    const { desk, succeed, told } = aTown();
    const first = desk();
    await first.deliver(alertTo(...sinks), NOW);
    first.resolve(ended, NOW);
    await settled();
    expect(endsOf(told)).toEqual(ENDS);
    await succeed(NOW + MINUTE, ended, sinks);
    await succeed(NOW + 2 * MINUTE, ended, sinks);
    expect(endsOf(told)).toEqual(ENDS);
  });

  test('one sink took it, the other was down: the next leader tells the other, and who follows nobody', async () => {
    const { desk, succeed, told, town } = aTown();
    const first = desk();
    await first.deliver(alertTo('chat', 'pager'), NOW);
    town.down.add('pager');
    first.resolve(ended, NOW);
    await settled();
    town.down.clear();
    await succeed(NOW + MINUTE);
    expect(endsOf(told)).toEqual(ENDS);
    await succeed(NOW + 2 * MINUTE);
    expect(endsOf(told)).toEqual(ENDS);
  });

  test('who did not take it is told again each minute by the same leader, once', async () => {
    const { desk, told, town } = aTown();
    const only = desk();
    await only.deliver(alertTo('chat', 'pager'), NOW);
    town.down.add('pager');
    only.resolve(ended, NOW);
    await settled();
    for (let minute = 1; minute <= 5; minute++) {
      if (minute === 3) town.down.clear();
      only.repeat(NOW + minute * MINUTE);
      await settled();
      expect(endsOf(told)).toEqual(minute < 3 ? ENDS.slice(0, 1) : ENDS);
    }
  });

  test('the last end of a group says so', async () => {
    const { desk, messages } = aTown();
    const only = desk();
    const both = ['i-1', 'i-2'].map((id) => anIncident({ ...ended, id }));
    for (const { id } of both) await only.deliver({ ...alertTo('chat'), incidentId: id }, NOW);
    for (const incident of both) only.resolve(incident, NOW);
    await settled();
    expect(messages.flatMap(({ status, endsGroup }) => (status === 'resolved' ? [endsGroup] : []))).toEqual([
      undefined,
      true,
    ]);
  });

  test('what no sink takes for an hour is given up', async () => {
    const { desk, told, town } = aTown();
    const only = desk();
    await only.deliver(alertTo('chat'), NOW);
    town.down.add('chat');
    only.resolve(ended, NOW);
    await settled();
    only.repeat(NOW + 61 * MINUTE);
    town.down.clear();
    only.repeat(NOW + 62 * MINUTE);
    await settled();
    expect(endsOf(told)).toEqual([]);
  });

  test('taken by the sinks, and the store down: it cannot be known, so it is told again', async () => {
    const { desk, succeed, told, town } = aTown();
    const first = desk();
    await first.deliver(alertTo('chat'), NOW);
    town.isStoreDown = true;
    first.resolve(ended, NOW);
    await settled();
    town.isStoreDown = false;
    await succeed(NOW + MINUTE, ended, ['chat']);
    expect(endsOf(told)).toEqual([ENDS[0], ENDS[0]]);
  });

  test('an answer that comes when another leads already is not noted over what that one has noted', async () => {
    const { blobs, desk, told, town, waiting } = aTown();
    const first = desk();
    await first.deliver(alertTo('chat'), NOW);
    town.isSlow = true;
    first.resolve(ended, NOW);
    await settled();
    first.forget();
    for (const go of waiting) go();
    await settled();
    expect([endsOf(told).length, blobs.has('alerts')]).toEqual([1, false]);
  });

  test('a damaged record: it may be told again', async () => {
    const { blobs, succeed, told } = aTown();
    blobs.set('alerts', new TextEncoder().encode('[{'));
    await succeed(NOW + MINUTE);
    expect(endsOf(told)).toEqual(ENDS);
  });

  test('many ends at once are all known to the next leader', async () => {
    const { desk, succeed, told } = aTown();
    const first = desk();
    const incidents = Array.from({ length: 500 }, (_, i) => anIncident({ ...ended, id: `i-${i}` }));
    for (const { id } of incidents) await first.deliver({ ...alertTo('chat'), incidentId: id }, NOW);
    for (const incident of incidents) first.resolve(incident, NOW);
    await settled();
    const next = await succeed(NOW + MINUTE, ended, ['pager']);
    const actions = incidents.map(({ id }) => ({
      intent: { ...alertTo('chat'), incidentId: id },
      status: aStatus({ delivered: { atMs: NOW, sinks: ['chat'] } }),
    }));
    next.takeUp(actions, { isOpen: () => false, resolved: incidents }, NOW + MINUTE);
    await settled();
    expect(told.filter((each) => each.startsWith('chat: resolved'))).toHaveLength(500);
  });
});

describe('an incident that follows a healed one within a quarter of an hour', () => {
  const first = anIncident({ metrics: ['memory_usage'], resolvedAtMs: NOW });
  const next = anIncident({ id: 'incident-2', openedAtMs: NOW + MINUTE });

  test.each<[string, Parameters<AlertDesk['join']>, boolean]>([
    ['the same failure of the same workload: the alert goes on for it', [next, 'memory_leak'], true],
    ['another failure: that is news', [next, 'crash_loop'], false],
    ['another workload', [{ ...next, workload: { ...next.workload, uid: 'other' } }, 'memory_leak'], false],
    ['under another policy', [{ ...next, policyUid: 'other' }, 'memory_leak'], false],
  ])('%s', async (_, asked, isKnown) => {
    const { desk } = aTown();
    const alerts = desk();
    await alerts.deliver(alertTo('chat'), NOW - MINUTE);
    alerts.resolve(first, NOW);
    expect(alerts.join(...asked)).toBe(isKnown);
  });

  test('while the first is open nothing else joins its alert', async () => {
    const { desk } = aTown();
    const alerts = desk();
    await alerts.deliver(alertTo('chat'), NOW);
    expect([alerts.join(next, 'memory_leak'), alerts.join(first, 'memory_leak')]).toEqual([false, true]);
  });

  test('its end is that of the alert, under the key that people know, also by the next leader', async () => {
    const { desk, told } = aTown();
    const alerts = desk();
    await alerts.deliver(alertTo('chat'), NOW - MINUTE);
    alerts.resolve(first, NOW);
    alerts.join(next, 'memory_leak');
    alerts.repeat(NOW + 20 * MINUTE);
    await settled();
    expect(endsOf(told)).toEqual([]);
    const successor = desk();
    await successor.load();
    const action = { intent: alertTo('chat'), status: aStatus({ delivered: { atMs: NOW, sinks: ['chat'] } }) };
    successor.takeUp([action], { isOpen: (id) => id === next.id, resolved: [first] }, NOW + 20 * MINUTE);
    successor.resolve(first, NOW + 20 * MINUTE);
    await settled();
    expect(endsOf(told)).toEqual([]);
    successor.resolve({ ...next, metrics: [], resolvedAtMs: NOW + 21 * MINUTE }, NOW + 21 * MINUTE);
    await settled();
    expect(endsOf(told)).toEqual(['chat: resolved incident-1']);
  });
});
