import { describe, expect, test } from '@jest/globals';
import { EventFeed } from '../../../src/controller/event-feed.ts';
import { apiKey, createKeyRing } from '../../../src/http/access/api-key.ts';
import { createEventStreams } from '../../../src/http/routes/events.ts';
import { anApi, aMetric, KEY, type Api } from '../../support/builders/http.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { deafClient } from '../../support/raw-http.ts';
import { recordedMetrics, type RecordedMetrics } from '../../support/recorders.ts';
import { eventually } from '../../support/scripted-api.ts';

interface Follower {
  readonly status: number;
  readonly headers: Headers;
  text(): string;
  readonly ended: Promise<void>;
  leave(): void;
}

async function follow(api: Api, headers: Record<string, string> = {}): Promise<Follower> {
  const aborter = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { 'x-api-key': KEY, ...headers },
    signal: aborter.signal,
  });
  let text = '';
  const decoder = new TextDecoder();
  const ended = (async () => {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  })().catch(() => undefined);
  return { status: response.status, headers: response.headers, text: () => text, ended, leave: () => aborter.abort() };
}

const eventsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^event: (.*)$/gm)].map(([, name = '']) => name);
const idsIn = (text: string): readonly string[] => [...text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);

async function counted(): Promise<{ readonly api: Api; readonly metrics: RecordedMetrics }> {
  const metrics = recordedMetrics();
  return { api: await anApi({ deps: { metrics } }), metrics };
}

describe('the stream of events', () => {
  test('tells what happens: anomalies that are found, and what the operator does', async () => {
    const api = await anApi();
    const follower = await follow(api);
    expect(follower.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await api.post('/api/v1/detect-anomaly', { metrics: [aMetric({ value: 35, labels: { pod: 'well' } })] });
    const ill = await api.post('/api/v1/detect-anomaly', { metrics: [aMetric({ value: 95 })] });
    api.deps.feed.publish('Healed', { note: 'two\nlines' });
    await eventually(() => eventsIn(follower.text()).includes('Healed'));
    expect(eventsIn(follower.text())).toEqual(['Prediction', 'Healed']);
    expect(follower.text()).toContain(`"id":"${ill.headers.get('x-request-id')}"`);
    expect(follower.text()).toContain('"note":"two\\nlines"}\n\n');
    follower.leave();
    await api.stop();
  });

  test('goes on behind Last-Event-ID; what is forgotten is told as a reset', async () => {
    const api = await anApi();
    api.deps.feed.publish('A', {});
    const first = await follow(api);
    await eventually(() => idsIn(first.text()).length > 0);
    const [position = ''] = idsIn(first.text());
    first.leave();
    for (const type of ['B', 'C']) api.deps.feed.publish(type, {});
    const second = await follow(api, { 'last-event-id': position });
    await eventually(() => eventsIn(second.text()).length === 2);
    expect(eventsIn(second.text())).toEqual(['B', 'C']);
    const stranger = await follow(api, { 'last-event-id': 'of-another-process-7' });
    await eventually(() => eventsIn(stranger.text()).length === 1);
    expect(eventsIn(stranger.text())).toEqual(['Reset']);
    await api.stop();
  });

  test('needs the scope read', async () => {
    const keys = [apiKey('detector', KEY, ['detect'])];
    const api = await anApi({ options: { keys: { kind: 'configured', keys } } });
    expect((await follow(api)).status).toBe(403);
    await api.stop();
  });

  test('has no head to ask for', async () => {
    const api = await anApi();
    const answer = await api.call('/api/v1/events', { method: 'HEAD' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    await api.stop();
  });

  test('ends when the server stops', async () => {
    const api = await anApi();
    const follower = await follow(api);
    await api.stop();
    await follower.ended;
    expect(follower.status).toBe(200);
  });

  test('a reader that does not read is cut off, and others hear on', async () => {
    const { api, metrics } = await counted();
    const head = `GET /api/v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEY}\r\n\r\n`;
    const deaf = deafClient(api.port, head);
    const follower = await follow(api);
    await eventually(() => metrics.value('aegis_event_streams') === 2);
    for (let i = 0; i < 200; i += 1) {
      api.deps.feed.publish('Healed', { note: 'x'.repeat(64 * 1024) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => metrics.value('aegis_event_streams_dropped_total') === 1);
    api.deps.feed.publish('Last', {});
    await eventually(() => eventsIn(follower.text()).includes('Last'));
    deaf.close();
    await api.stop();
  });

  test('more streams than there is room for are refused', async () => {
    const { api, metrics } = await counted();
    const followers = await Promise.all(Array.from({ length: 100 }, () => follow(api)));
    const refused = await follow(api);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
    followers[0]?.leave();
    await eventually(() => metrics.value('aegis_event_streams') === 99);
    expect((await follow(api)).status).toBe(200);
    await api.stop();
  });
});

describe('the heartbeat', () => {
  test('comes every 15 s, and ends the streams of a key that was taken away', () => {
    const clock = fakeClock();
    const key = apiKey('console', 'a-key', ['read']);
    const ring = createKeyRing([key]);
    const written: string[] = [];
    let isEnded = false;
    const deps = { feed: new EventFeed({ clock, process: 'p' }), clock, metrics: recordedMetrics() };
    const { route } = createEventStreams(deps, ring);
    const response = {
      writeHead: () => undefined,
      write: (text: string) => written.push(text),
      end: () => (isEnded = true),
      once: () => undefined,
      writableLength: 0,
    };
    const call = { request: { headers: {} }, response, requestId: 'r', caller: key, head: [] };
    void route.stream(call as never);
    clock.advance(30_000);
    expect(written.filter((text) => text === ': heartbeat\n\n')).toHaveLength(2);
    ring.replace([apiKey('console', 'a-key', ['detect'])]);
    clock.advance(15_000);
    expect(isEnded).toBe(true);
    expect(clock.pending()).toBe(0);
  });
});
