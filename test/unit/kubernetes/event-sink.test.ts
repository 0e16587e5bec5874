import { describe, expect, test } from '@jest/globals';
import type { EventNote } from '../../../src/controller/ports.ts';
import { KubernetesEventSink } from '../../../src/kubernetes/event-sink.ts';
import { record } from '../../../src/kubernetes/json.ts';
import { aFault, fakeClient } from '../../support/builders/kubernetes.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';

const aNote = (change: Partial<EventNote> = {}): EventNote => ({
  regarding: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'u' },
  type: 'Normal',
  reason: 'Healed',
  action: 'Verify',
  note: 'well again',
  ...change,
});

function aSink(works: () => boolean = () => true) {
  const clock = fakeClock();
  let ids = 0;
  const client = fakeClient(() => (works() ? {} : aFault({ kind: 'Forbidden' })));
  const sink = new KubernetesEventSink({
    client,
    clock,
    log: recordedLog(),
    instance: 'aegis-0',
    newId: () => `id${(ids += 1)}`,
  });
  return { sink, clock, requests: client.requests };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
};

describe('an event', () => {
  test('is an events.k8s.io/v1 object beside what it is about', async () => {
    const { sink, requests } = aSink();
    sink.emit(aNote());
    await settled();
    expect(requests[0]).toMatchObject({
      method: 'POST',
      target: { resource: { group: 'events.k8s.io', plural: 'events' }, namespace: 'shop' },
      body: {
        apiVersion: 'events.k8s.io/v1',
        metadata: { name: 'web.id1', namespace: 'shop' },
        eventTime: '2026-01-05T12:00:00.000000Z',
        reportingController: 'healing.aegis.dev/aegis',
        reportingInstance: 'aegis-0',
        type: 'Normal',
        reason: 'Healed',
        action: 'Verify',
        note: 'well again',
      },
    });
    expect(record(requests[0]?.body).series).toBeUndefined();
  });

  test('about a cluster-wide object stands in the default namespace', async () => {
    const { sink, requests } = aSink();
    sink.emit(aNote({ regarding: { ...aNote().regarding, namespace: '' } }));
    await settled();
    expect(requests[0]?.target.namespace).toBe('default');
  });

  test('is cut to what the API takes, between characters', async () => {
    const { sink, requests } = aSink();
    sink.emit(aNote({ note: 'ü'.repeat(2_000), reason: 'R'.repeat(300) }));
    await settled();
    const body = record(requests[0]?.body) as { note: string; reason: string };
    expect(Buffer.byteLength(body.note)).toBeLessThanOrEqual(1_024);
    expect(body.note).toMatch(/^ü+\.\.\.$/);
    expect(body.reason).toHaveLength(128);
  });
});

describe('repetitions', () => {
  test('become one series that counts them', async () => {
    const { sink, clock, requests } = aSink();
    sink.emit(aNote());
    await settled();
    clock.advance(1_000);
    sink.emit(aNote());
    sink.emit(aNote());
    await settled();
    clock.advance(1_000);
    await settled();
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH']);
    expect(requests.map(({ body }) => record(record(body).series).count)).toEqual([undefined, 2, 3]);
    expect(requests[1]).toMatchObject({ patch: 'merge', target: { name: 'web.id1' } });
    expect(record(requests[1]?.body).note).toBeUndefined();
  });

  test('after six minutes are a new event; another text is another event', async () => {
    const { sink, clock, requests } = aSink();
    sink.emit(aNote());
    await settled();
    clock.advance(360_000);
    sink.emit(aNote());
    sink.emit(aNote({ note: 'other' }));
    await settled();
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  });

  test('of one that could not be written are written as new', async () => {
    let works = false;
    const { sink, requests } = aSink(() => works);
    sink.emit(aNote());
    await settled();
    works = true;
    sink.emit(aNote());
    await settled();
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST']);
    expect(sink.dropped()).toBe(1);
  });
});

describe('a flood', () => {
  test('is slowed to one a second after a burst, and what finds no room is dropped and counted', async () => {
    const { sink, clock, requests } = aSink();
    for (let i = 0; i < 500; i += 1) sink.emit(aNote({ note: `event ${i}` }));
    await settled();
    expect(requests).toHaveLength(10);
    expect(sink.dropped()).toBeGreaterThanOrEqual(290);
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1_000);
      await settled();
    }
    expect(requests.length).toBeLessThanOrEqual(31);
    expect(requests.length).toBeGreaterThanOrEqual(29);
  });

  test('ends when the sink stops', async () => {
    const { sink, clock, requests } = aSink();
    for (let i = 0; i < 50; i += 1) sink.emit(aNote({ note: `event ${i}` }));
    await settled();
    sink.stop();
    sink.emit(aNote({ note: 'late' }));
    clock.advance(60_000);
    await settled();
    expect(requests).toHaveLength(10);
  });
});
