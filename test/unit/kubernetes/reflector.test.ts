import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KubeClient, createClient } from '../../../src/kubernetes/client.ts';
import type { CacheChange } from '../../../src/kubernetes/object-cache.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kubernetes/reflector.ts';
import { metaOf } from '../../../src/kubernetes/json.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import { aKubeconfig, aPod } from '../../support/builders/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { type RecordedLog, recordedLog, recordedMetrics } from '../../support/recorders.ts';
import {
  type ScriptedApi,
  type SeenRequest,
  answer,
  beginStream,
  eventually,
  line,
  scriptedApi,
} from '../../support/scripted-api.ts';

let api: ScriptedApi;
let clock: FakeClock;
let log: RecordedLog;
let client: KubeClient;
let reflector: Reflector<string>;
let changes: string[];
let watches: ServerResponse[];

const isWatch = (request: SeenRequest): boolean => request.query.get('watch') === 'true';
const lists = (): SeenRequest[] => api.seen.filter((request) => !isWatch(request));
const watchRequests = (): SeenRequest[] => api.seen.filter(isWatch);
const podList = (names: readonly string[], version = '10', next = '') => ({
  metadata: { resourceVersion: version, ...(next === '' ? {} : { continue: next }) },
  items: names.map((name) => aPod({ name })),
});
const bookmark = (version: string) => line('BOOKMARK', { metadata: { resourceVersion: version } });
const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

/** Lists answer with `names`; watches are begun and kept in `watches`. */
function wellBehaved(names: readonly string[]): void {
  api.script((request, response) => {
    if (!isWatch(request)) return answer(response, 200, podList(names));
    beginStream(response);
    watches.push(response);
  });
}

function make(change: Partial<ReflectorOptions<string>> = {}): Reflector<string> {
  reflector = new Reflector<string>({
    client,
    clock,
    random: () => 0,
    log,
    metrics: recordedMetrics(),
    resource: RESOURCES.pods,
    transform: (object) => metaOf(object).name,
    onChange: (each: CacheChange<string>) => void changes.push(`${each.kind === 'set' ? '+' : '-'}${each.value}`),
    resyncMs: 300_000,
    ...change,
  });
  reflector.start();
  return reflector;
}

/** The first watch is open on both ends: only the watchdog and the resync wait, no deadline any more. */
const watching = (): Promise<void> => eventually(() => watches.length === 1 && clock.pending() === 2, 'the watch');

/** Moves the clock in seconds, letting sockets settle in between, until it holds. */
async function inTime(holds: () => boolean, limitSeconds: number, what: string): Promise<void> {
  for (let second = 0; second < limitSeconds * 4; second += 1) {
    for (let turn = 0; turn < 40 && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (holds()) return;
    clock.advance(250);
  }
  throw new Error(`${what} did not happen within ${limitSeconds} s of the fake clock`);
}

beforeEach(async () => {
  api = await scriptedApi();
  clock = fakeClock();
  log = recordedLog();
  changes = [];
  watches = [];
  const made = await createClient({ access: { kind: 'kubeconfig', path: await aKubeconfig(api.url) }, clock, log });
  if (!made.ok) throw new Error(made.error);
  client = made.value;
});

afterEach(async () => {
  await reflector.stop();
  client.close();
  await api.stop();
});

describe('while all is well', () => {
  test('lists, watches from that version, follows events, and asks for bookmarks and 40-50 s', async () => {
    wellBehaved(['a', 'b']);
    make({ random: () => 0.999 });
    await watching();
    watches[0]?.write(line('ADDED', aPod({ name: 'c', version: '11' })));
    watches[0]?.write(line('DELETED', aPod({ name: 'a', version: '12' })));
    watches[0]?.write(line('MODIFIED', aPod({ name: 'b', version: '13' })));
    await eventually(() => changes.length === 5);
    expect(changes).toEqual(['+a', '+b', '+c', '-a', '+b']);
    expect([...reflector.cache.values()]).toEqual(['b', 'c']);
    expect(reflector.state).toBe('synced');
    const query = Object.fromEntries(watchRequests()[0]?.query ?? []);
    expect(query).toEqual({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '10', timeoutSeconds: '50' });
    expect(lists()[0]?.query.get('resourceVersion')).toBeNull();
  });

  test('resumes from the version of the last event, bookmarks included', async () => {
    wellBehaved(['a']);
    make();
    await watching();
    watches[0]?.write(line('MODIFIED', aPod({ name: 'a', version: 'opaque-11' })));
    watches[0]?.write(bookmark('opaque-99'));
    watches[0]?.end();
    await inTime(() => watches.length === 2, 5, 'a second watch');
    expect(watchRequests()[1]?.query.get('resourceVersion')).toBe('opaque-99');
    expect(lists()).toHaveLength(1);
  });

  test('10,000 objects come in pages of 500', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `pod-${i}`);
    api.script((request, response) => {
      if (isWatch(request)) return beginStream(response);
      const from = Number(request.query.get('continue') ?? 0);
      const next = from + 500 < names.length ? String(from + 500) : '';
      answer(response, 200, podList(names.slice(from, from + 500), '10', next));
    });
    make();
    await inTime(() => reflector.state === 'synced', 30, 'the list');
    expect(reflector.cache.size).toBe(10_000);
    expect(lists()).toHaveLength(20);
    expect(lists().every((request) => request.query.get('limit') === '500')).toBe(true);
  });

  test('is confirmed by list, event, bookmark and clean close, and by nothing else', async () => {
    wellBehaved(['a']);
    make();
    await watching();
    const confirmations: number[] = [reflector.confirmedAtMs];
    clock.advance(5_000);
    watches[0]?.write(bookmark('11'));
    await eventually(() => reflector.confirmedAtMs === 5_000, 'the bookmark');
    clock.advance(5_000);
    watches[0]?.write(line('MODIFIED', aPod({ name: 'a', version: '12' })));
    await eventually(() => reflector.confirmedAtMs === 10_000, 'the event');
    clock.advance(5_000);
    watches[0]?.write(line('NOVELTY', {}));
    watches[0]?.end();
    await eventually(() => reflector.confirmedAtMs === 15_000, 'the close');
    expect(confirmations).toEqual([0]);
  });

  test('a list is repeated even where the watch is well, so a lost event is found', async () => {
    wellBehaved(['a']);
    make({ resyncMs: 60_000, random: () => 0.5 });
    await watching();
    wellBehaved(['b']);
    await inTime(() => lists().length === 2, 70, 'the second list');
    await inTime(() => watches.length === 2, 5, 'the second watch');
    expect(changes).toEqual(['+a', '+b', '-a']);
    await eventually(() => api.openStreams() === 1, 'the first watch to be closed');
  });

  test('started twice it runs once, and after stop nothing is open', async () => {
    wellBehaved(['a']);
    make().start();
    await watching();
    expect(api.openStreams()).toBe(1);
    await reflector.stop();
    await eventually(() => api.openStreams() === 0, 'the watch to be closed');
    clock.advance(600_000);
    expect(api.seen).toHaveLength(2);
    expect(clock.pending()).toBe(0);
  });
});

describe('events that are not as they should be', () => {
  beforeEach(async () => {
    wellBehaved(['a']);
    make();
    await watching();
    changes.length = 0;
  });
  const send = (...lines: string[]): void => void watches[0]?.write(lines.join(''));

  test('a repeated event is one change', async () => {
    const event = line('MODIFIED', aPod({ name: 'a', version: '11' }));
    send(event, event, event, line('ADDED', aPod({ name: 'z', version: '12' })));
    await eventually(() => changes.includes('+z'));
    expect(changes).toEqual(['+a', '+z']);
  });

  test('the end of an earlier pod does not remove its namesake', async () => {
    send(line('ADDED', aPod({ name: 'a', uid: 'second', version: '12' })));
    send(line('DELETED', aPod({ name: 'a', uid: 'uid-a', version: '11' })), line('ADDED', aPod({ name: 'z' })));
    await eventually(() => changes.includes('+z'));
    expect([...reflector.cache.values()]).toEqual(['a', 'z']);
  });

  test('an object that ended does not come back by an old event', async () => {
    send(line('DELETED', aPod({ name: 'a', version: '12' })), line('MODIFIED', aPod({ name: 'a', version: '11' })));
    send(line('ADDED', aPod({ name: 'z' })));
    await eventually(() => changes.includes('+z'));
    expect(changes).toEqual(['-a', '+z']);
  });

  test('an unknown type and an event without a version change nothing', async () => {
    send(line('NOVELTY', aPod({ name: 'q' })), line('BOOKMARK', { metadata: {} }), bookmark('77'), bookmark(''));
    send(line('ADDED', aPod({ name: 'z', version: '' })));
    await eventually(() => changes.includes('+z'));
    expect(changes).toEqual(['+z']);
    watches[0]?.end();
    await inTime(() => watches.length === 2, 5, 'a second watch');
    expect(watchRequests()[1]?.query.get('resourceVersion')).toBe('77');
  });

  test.each([
    ['half a JSON line in the middle', '{"type":"ADDED","obj\n', false],
    ['half a JSON line at the end', '{"type":"ADDED","obj', true],
    ['a line that is no event', '[1,2]\n', false],
  ])('%s is a reset: the watch resumes from the last version', async (_row, text, ends) => {
    send(line('MODIFIED', aPod({ name: 'a', version: '21' })), text);
    if (ends) watches[0]?.end();
    await inTime(() => watches.length === 2, 5, 'a second watch');
    expect(watchRequests()[1]?.query.get('resourceVersion')).toBe('21');
    expect(lists()).toHaveLength(1);
    await eventually(() => api.openStreams() === 1, 'the first watch to be closed');
  });

  test('a character cut in two by the network arrives whole', async () => {
    const bytes = Buffer.from(line('ADDED', { ...aPod({ name: 'z' }), note: 'größe' }));
    const cut = bytes.indexOf('ö') + 1;
    watches[0]?.write(bytes.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    watches[0]?.write(bytes.subarray(cut));
    await eventually(() => changes.includes('+z'));
  });
});

describe('handlers and objects that throw', () => {
  test('a throwing listener is reported and the others go on', async () => {
    wellBehaved(['a', 'b']);
    make({
      onChange: ({ value }) => {
        if (value === 'a') throw new Error('boom');
        changes.push(value);
      },
    });
    await eventually(() => changes.includes('b'));
    expect(log.lines.filter((each) => each.level === 'error')).toHaveLength(1);
    expect(reflector.state).toBe('synced');
  });

  test('an object that cannot be read is left out and reported', async () => {
    wellBehaved(['a', 'b']);
    make({
      transform: (object) => {
        if (metaOf(object).name === 'a') throw new Error('hostile');
        return metaOf(object).name;
      },
    });
    await watching();
    expect(changes).toEqual(['+b']);
    expect(log.lines.some((each) => each.message === 'an object could not be read')).toBe(true);
  });
});

describe('a server that fails', () => {
  const failThenServe = (failures: number, fail: (response: ServerResponse) => void, on: 'list' | 'watch'): void => {
    let left = failures;
    api.script((request, response) => {
      const hit = isWatch(request) === (on === 'watch');
      if (hit && left > 0) {
        left -= 1;
        return fail(response);
      }
      if (!isWatch(request)) return answer(response, 200, podList(['a']));
      beginStream(response);
      watches.push(response);
    });
  };
  const reset = (response: ServerResponse): void => void response.destroy();
  const incomplete = (response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"items":[');
    setImmediate(() => response.destroy());
  };
  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (response: ServerResponse): void =>
      answer(response, code, { message: 'no' }, headers);

  test.each([
    ['500 on list', status(500), 'list'],
    ['429 on list', status(429), 'list'],
    ['a reset on list', reset, 'list'],
    ['half a list', incomplete, 'list'],
    ['500 on watch', status(500), 'watch'],
    ['429 on watch', status(429), 'watch'],
    ['a reset on watch', reset, 'watch'],
    ['half a watch', incomplete, 'watch'],
  ] as const)('%s: three times, then the event arrives within 60 s', async (_row, fail, on) => {
    failThenServe(3, fail, on);
    make();
    await inTime(() => watches.length === 1, 60, 'the watch');
    watches[0]?.write(line('ADDED', aPod({ name: 'z', version: '11' })));
    await eventually(() => changes.includes('+z'));
    expect(reflector.state).toBe('synced');
  });

  test.each([
    ['1 s', '1', 1_000],
    ['an hour, capped at 5 min', '3600', 300_000],
  ])('Retry-After of %s on a watch is obeyed', async (_row, header, waitMs) => {
    failThenServe(1, status(429, { 'Retry-After': header }), 'watch');
    make({ resyncMs: 10_000_000 });
    await eventually(() => watchRequests().length === 1);
    await eventually(() => clock.pending() > 0);
    clock.advance(waitMs - 250);
    expect(watchRequests()).toHaveLength(1);
    await inTime(() => watches.length === 1, 2, 'the watch after the wait');
  });

  test('a list without a version is not a list', async () => {
    api.script((request, response) => answer(response, 200, isWatch(request) ? '' : { metadata: {}, items: [] }));
    make();
    await inTime(() => reflector.state === 'failing', 5, 'the refusal');
    expect(watchRequests()).toHaveLength(0);
  });

  test('an expired continue starts the paging anew and loses nothing', async () => {
    let expired = false;
    api.script((request, response) => {
      if (isWatch(request)) return beginStream(response);
      if (request.query.get('continue') === null) return answer(response, 200, podList(['a'], '10', 'more'));
      if (expired) return answer(response, 200, podList(['b'], '11'));
      expired = true;
      answer(response, 410, gone);
    });
    make();
    await inTime(() => reflector.state === 'synced', 30, 'the list');
    expect([...reflector.cache.values()]).toEqual(['a', 'b']);
  });

  test('silence with the socket open: after 60 s a new list, and the cache is confirmed again within 90 s', async () => {
    wellBehaved(['a']);
    make();
    await watching();
    wellBehaved(['a', 'missed']);
    clock.advance(59_000);
    expect(lists()).toHaveLength(1);
    expect(reflector.confirmedAtMs).toBe(0);
    await inTime(() => changes.includes('+missed'), 31, 'the missed object');
    await eventually(() => api.openStreams() === 1, 'the silent watch to be closed');
  });

  test('a server that takes the connection and never answers is given up after 10 s', async () => {
    api.script(() => undefined);
    make();
    await eventually(() => api.seen.length === 1);
    await inTime(() => reflector.state === 'failing', 11, 'the deadline');
    expect(reflector.fault?.kind).toBe('Timeout');
  });

  test('a single 404 is not believed: what was there is still there', async () => {
    wellBehaved(['a']);
    make({ resyncMs: 20_000 });
    await watching();
    api.script((_request, response) => answer(response, 404, '404 page not found'));
    await inTime(() => reflector.state === 'missing', 40, 'missing');
    expect([...reflector.cache.values()]).toEqual(['a']);
    wellBehaved(['a']);
    await inTime(() => reflector.state === 'synced', 45, 'the recovery');
    expect(changes).toEqual(['+a']);
  });

  test('403 says denied, 404 says missing and empties the cache, and both recover', async () => {
    wellBehaved(['a']);
    make({ resyncMs: 20_000 });
    await watching();
    api.script((_request, response) => answer(response, 404, '404 page not found'));
    await inTime(() => reflector.state === 'missing', 40, 'missing');
    await inTime(() => changes.length === 2, 40, 'it is said a second time');
    expect(changes).toEqual(['+a', '-a']);
    api.script((_request, response) => answer(response, 403, { message: 'User "x" cannot list' }));
    await inTime(() => reflector.state === 'denied', 40, 'denied');
    wellBehaved(['b']);
    await inTime(() => reflector.state === 'synced', 45, 'the recovery');
    expect([...reflector.cache.values()]).toEqual(['b']);
  });
});

test('a kind that the cluster need not have is looked for every few minutes', async () => {
  api.script((_request, response) => answer(response, 404, '404 page not found'));
  make({ optional: true });
  await inTime(() => reflector.state === 'missing', 5, 'missing');
  const before = lists().length;
  await inTime(() => lists().length > before, 181, 'another look');
  expect(lists()).toHaveLength(before + 1);
  wellBehaved(['a']);
  await inTime(() => reflector.state === 'synced', 181, 'it is there');
  expect(changes).toEqual(['+a']);
});

describe('an expired version', () => {
  test.each([
    ['as a status', (response: ServerResponse) => answer(response, 410, gone)],
    [
      'as an ERROR event',
      (response: ServerResponse) => {
        beginStream(response);
        response.end(line('ERROR', gone));
      },
    ],
  ])('%s: one new list soon, with the difference', async (_row, expire) => {
    wellBehaved(['a']);
    make();
    await watching();
    let expired = false;
    api.script((request, response) => {
      if (!isWatch(request)) return answer(response, 200, podList(['b'], '50'));
      if (!expired) {
        expired = true;
        return expire(response);
      }
      beginStream(response);
      watches.push(response);
    });
    clock.advance(45_000);
    watches[0]?.end();
    const from = clock.monotonicMs();
    await inTime(() => watches.length === 2, 5, 'the new watch');
    expect(clock.monotonicMs() - from).toBeLessThanOrEqual(3_000);
    expect(changes).toEqual(['+a', '+b', '-a']);
    expect(watchRequests().at(-1)?.query.get('resourceVersion')).toBe('50');
  });

  test('without end: at most 12 lists in two minutes, no two within 10 s, and it recovers', async () => {
    const listedAt: number[] = [];
    api.script((request, response) => {
      if (isWatch(request)) return answer(response, 410, gone);
      listedAt.push(clock.monotonicMs());
      answer(response, 200, podList(['a']));
    });
    make();
    await inTime(() => clock.monotonicMs() >= 120_000, 121, 'two minutes');
    expect(listedAt.length).toBeGreaterThan(2);
    expect(listedAt.length).toBeLessThanOrEqual(12);
    expect(listedAt.slice(1).every((ms, i) => ms - (listedAt[i] ?? 0) >= 10_000)).toBe(true);
    wellBehaved(['a']);
    await inTime(() => watches.length === 1, 45, 'the recovery');
  });

  test('a watch closed every 100 ms is opened ever more slowly and never lists again', async () => {
    api.script((request, response) => {
      if (!isWatch(request)) return answer(response, 200, podList(['a']));
      beginStream(response);
      response.end();
    });
    make();
    await inTime(() => clock.monotonicMs() >= 120_000, 121, 'two minutes');
    expect(lists()).toHaveLength(1);
    expect(watchRequests().length).toBeLessThan(15);
  });
});
