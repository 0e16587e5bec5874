import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutboundFault, OutboundPost, OutboundReply, OutboundRequest } from '../../../src/controller/ports.ts';
import type { Result } from '../../../src/lib/result.ts';
import { createNotifier } from '../../../src/notify/notifier.ts';
import type { SinkConfig } from '../../../src/notify/sink-config.ts';
import { anAlert } from '../../support/builders/notify.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';

type Answer = Result<OutboundReply, OutboundFault>;
const taken: Answer = { ok: true, value: { status: 200, body: '' } };
const status = (code: number, retryAfterMs?: number): Answer => ({
  ok: true,
  value: { status: code, body: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
});
const fault = (kind: OutboundFault['kind']): Answer => ({ ok: false, error: { kind, message: 'x' } });

let dir: string;

const webhook = (name: string): SinkConfig => ({
  type: 'Webhook',
  name,
  url: `https://${name}.example`,
  secretFile: '/secrets/key',
});

let clock: FakeClock;
let log: ReturnType<typeof recordedLog>;
let sent: { readonly atMs: number; readonly request: OutboundRequest }[];
let answers: (request: OutboundRequest) => Answer | Promise<Answer>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sink-'));
  clock = fakeClock();
  log = recordedLog();
  sent = [];
  answers = () => taken;
});

afterEach(() => rmSync(dir, { recursive: true }));

const post: OutboundPost = (request) => {
  sent.push({ atMs: clock.monotonicMs(), request });
  return Promise.resolve(answers(request));
};
const readSecret = (): Promise<string> => Promise.resolve('k');
const notifier = (...sinks: SinkConfig[]) => createNotifier(sinks, { post, clock, log, readSecret, random: () => 1 });
const onDisk = (...sinks: SinkConfig[]) => createNotifier(sinks, { post, clock, log, random: () => 1 });
const finished = async <T>(promise: Promise<T>, limitMs = 600_000): Promise<T> => {
  let done = false;
  void promise.then(() => (done = true));
  await clock.until(() => done, limitMs);
  return promise;
};
const keysOf = (request: OutboundRequest): string[] =>
  (JSON.parse(request.body) as { messages: { key: string }[] }).messages.map(({ key }) => key);

describe('a repetition', () => {
  const again = { isRepeat: true };
  const alertmanager: SinkConfig = { type: 'Alertmanager', name: 'am', url: 'https://am.example' };

  test('goes only where an alert lapses without it', async () => {
    const all = notifier(webhook('hook'), alertmanager);
    await finished(all.send([], anAlert()));
    sent = [];
    expect(await finished(all.send([], anAlert(), again))).toEqual({ delivered: ['am'], failed: [] });
    expect(sent.map(({ request }) => new URL(request.url).host)).toEqual(['am.example']);
  });

  test('brings what did not arrive, once', async () => {
    const one = notifier(webhook('hook'));
    answers = () => status(400);
    expect((await finished(one.send([], anAlert()))).failed).toHaveLength(1);
    answers = () => taken;
    expect((await finished(one.send([], anAlert(), again))).delivered).toEqual(['hook']);
    expect((await finished(one.send([], anAlert(), again))).delivered).toEqual([]);
  });

  test('of nothing is owed once the end was told, whether it arrived or not', async () => {
    const one = notifier(webhook('hook'));
    answers = () => status(400);
    await finished(one.send([], anAlert()));
    await finished(one.send([], anAlert({ status: 'resolved' })));
    sent = [];
    await finished(one.send([], anAlert(), again));
    expect(sent).toEqual([]);
  });
});

describe('to whom', () => {
  test('an empty list means every sink, and each is named in the result', async () => {
    const result = await finished(notifier(webhook('a'), webhook('b')).send([], anAlert()));
    expect(result).toEqual({ delivered: ['a', 'b'], failed: [] });
  });

  test('a sink that is not configured is a failure of its own', async () => {
    const result = await finished(notifier(webhook('a')).send(['a', 'ghost'], anAlert()));
    expect(result).toEqual({ delivered: ['a'], failed: [{ sink: 'ghost', message: 'not configured' }] });
  });

  test('no sink at all delivers nothing', async () => {
    expect(await finished(notifier().send([], anAlert()))).toEqual({ delivered: [], failed: [] });
  });

  test('two sinks of one name stop the start', () => {
    expect(() => notifier(webhook('a'), webhook('a'))).toThrow('named a');
  });
});

describe('a sink that misbehaves (N1)', () => {
  test.each<[string, Answer]>([
    ['500', status(500)],
    ['503', status(503)],
    ['429', status(429)],
    ['a drop of the reply', fault('Broken')],
    ['a time-out', fault('Timeout')],
    ['a refused connection', fault('Unsent')],
  ])('%s is tried again with the same key', async (_, answer) => {
    let tries = 0;
    answers = () => (++tries < 3 ? answer : taken);
    const result = await finished(notifier(webhook('a')).send([], anAlert()));
    expect(result.delivered).toEqual(['a']);
    expect(sent.map(({ request }) => request.headers['idempotency-key'])).toEqual(Array(3).fill('incident-1/firing'));
    expect(new Set(sent.map(({ request }) => request.body)).size).toBe(1);
  });

  test('five tries, 1, 2, 4 and 8 s apart, then it is reported', async () => {
    answers = () => status(500);
    const result = await finished(notifier(webhook('a')).send([], anAlert()));
    expect(result.failed).toEqual([{ sink: 'a', message: 'status 500 (5 of 5 tries)' }]);
    const waits = sent.slice(1).map(({ atMs }, i) => Math.round((atMs - (sent[i]?.atMs ?? 0)) / 100) / 10);
    expect(waits).toEqual([1, 2, 4, 8]);
    expect(log.lines.map(({ level }) => level)).toContain('error');
  });

  test('Retry-After is obeyed', async () => {
    let tries = 0;
    answers = () => (++tries === 1 ? status(429, 30_000) : taken);
    await finished(notifier(webhook('a')).send([], anAlert()));
    expect((sent[1]?.atMs ?? 0) - (sent[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  test.each<[string, Answer]>([
    ['a forbidden address', fault('Forbidden')],
    ['400', status(400)],
    ['404', status(404)],
    ['a redirect', status(302)],
  ])('%s is not tried again', async (_, answer) => {
    answers = () => answer;
    const result = await finished(notifier(webhook('a')).send([], anAlert()));
    expect(result.delivered).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  test('a slow one does not hold up another', async () => {
    answers = ({ url }) => (url.includes('slow') ? new Promise(() => undefined) : taken);
    const both = notifier(webhook('slow'), webhook('quick'));
    void both.send([], anAlert());
    const result = await finished(both.send(['quick'], anAlert({ group: 'other' })));
    expect(result.delivered).toEqual(['quick']);
    await clock.until(() => sent.length === 3);
  });
});

describe('grouping (N2)', () => {
  test('the first alert of a group leaves at once, the rest together a minute later', async () => {
    const one = notifier(webhook('a'));
    const all = Promise.all(Array.from({ length: 50 }, (_, i) => one.send([], anAlert({ key: `k${i}` }))));
    const results = await finished(all);
    expect(results.every(({ delivered }) => delivered.length === 1)).toBe(true);
    expect(sent.map(({ request }) => keysOf(request).length)).toEqual([1, 49]);
    expect((sent[1]?.atMs ?? 0) - (sent[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  test('10,000 alerts at once: at most one message a minute a group, and none is lost', async () => {
    const one = notifier(webhook('a'));
    const groups = 10;
    const alerts = Array.from({ length: 10_000 }, (_, i) => anAlert({ key: `k${i}`, group: `g${i % groups}` }));
    const results = await finished(Promise.all(alerts.map((alert) => one.send([], alert))));
    expect(results.filter(({ delivered }) => delivered.length === 1)).toHaveLength(10_000);
    const told = new Set(sent.flatMap(({ request }) => keysOf(request)));
    expect(told.size).toBe(10_000);
    const groupOf = ({ request }: (typeof sent)[number]) => (JSON.parse(request.body) as { group: string }).group;
    for (const times of Map.groupBy(sent, groupOf).values()) {
      expect(times.slice(1).every(({ atMs }, i) => atMs - (times[i]?.atMs ?? 0) >= 60_000)).toBe(true);
    }
    expect(sent.length).toBeLessThanOrEqual(2 * groups);
  });

  test('beyond 10,000 waiting alerts the caller is told that his is not delivered', async () => {
    answers = () => new Promise(() => undefined);
    const one = notifier(webhook('a'));
    for (let i = 0; i < 10_001; i++) void one.send([], anAlert({ key: `k${i}` }));
    await clock.until(() => sent.length === 1);
    const result = await finished(one.send([], anAlert({ key: 'one too many' })));
    expect(result.failed).toEqual([{ sink: 'a', message: '10000 alerts are waiting already' }]);
  });

  test('what waits is replaced by what is newer, and both callers learn of the delivery', async () => {
    const one = notifier(webhook('a'));
    await finished(one.send([], anAlert({ key: 'first' })));
    const firing = one.send([], anAlert({ key: 'k' }));
    const resolved = one.send([], anAlert({ key: 'k', status: 'resolved' }));
    expect(await finished(Promise.all([firing, resolved]))).toEqual(Array(2).fill({ delivered: ['a'], failed: [] }));
    expect(sent).toHaveLength(2);
    expect(sent[1]?.request.body).toContain('"status":"resolved"');
  });

  test('a group rests for a minute after each message, also after a failed one', async () => {
    const one = notifier(webhook('a'));
    answers = () => status(400);
    await finished(one.send([], anAlert({ key: 'a' })));
    answers = () => taken;
    await finished(one.send([], anAlert({ key: 'b' })));
    expect((sent[1]?.atMs ?? 0) - (sent[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  test('nothing is left running once all is quiet', async () => {
    const one = notifier(webhook('a'));
    await finished(one.send([], anAlert()));
    clock.advance(120_000);
    expect(clock.pending()).toBe(0);
  });
});

describe('secrets in files', () => {
  test('are read again for each message', async () => {
    const file = join(dir, 'url');
    writeFileSync(file, 'https://one.example/x\n');
    const slack = onDisk({ type: 'Slack', name: 's', urlFile: file });
    await finished(slack.send([], anAlert({ group: 'g1' })));
    writeFileSync(file, 'https://two.example/x\n');
    await finished(slack.send([], anAlert({ group: 'g2' })));
    expect(sent.map(({ request }) => request.url)).toEqual(['https://one.example/x', 'https://two.example/x']);
  });

  test('that cannot be read fail the delivery, and nothing is sent', async () => {
    const slack = onDisk({ type: 'Slack', name: 's', urlFile: join(dir, 'missing') });
    const result = await finished(slack.send([], anAlert()));
    expect(result.failed[0]?.message).toContain('ENOENT');
    expect(sent).toEqual([]);
  });

  test('appear in no log line', async () => {
    writeFileSync(join(dir, 'url'), 'https://hooks.example/CANARY');
    const slack = onDisk({ type: 'Slack', name: 's', urlFile: join(dir, 'url') });
    answers = () => status(500);
    await finished(slack.send([], anAlert()));
    expect(JSON.stringify(log.lines)).not.toContain('CANARY');
  });
});
