import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type HandlerResult, WorkQueue } from '../../../src/controller/workqueue.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

/** Handlers that end when the test says so. */
function aQueue(concurrency = 2, start = true, minIntervalMs = 0) {
  const clock = fakeClock();
  const log = recordedLog();
  const metrics = recordedMetrics();
  const handled: string[] = [];
  const running = new Map<string, { resolve: (result?: HandlerResult) => void; reject: (fault: Error) => void }>();
  const queue = new WorkQueue({
    name: 'test',
    clock,
    log,
    metrics,
    random: () => 1,
    concurrency,
    minIntervalMs,
    handle: (key) =>
      new Promise<HandlerResult | void>((resolve, reject) => {
        if (running.has(key)) throw new Error(`${key} is handled twice at once`);
        handled.push(key);
        running.set(key, { resolve, reject });
      }),
  });
  const end = async (key: string, result?: HandlerResult | Error): Promise<void> => {
    const handle = running.get(key);
    if (handle === undefined) throw new Error(`${key} is not being handled`);
    running.delete(key);
    if (result instanceof Error) handle.reject(result);
    else handle.resolve(result);
    await settled();
  };
  if (start) queue.start();
  return { queue, clock, log, metrics, handled, end };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

describe('one key', () => {
  test('added often before it is handled, it is handled once', () => {
    const { queue, handled } = aQueue(1, false);
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(handled).toEqual([]);
    queue.start();
    expect(handled).toEqual(['a']);
    expect(queue.depth).toBe(0);
  });

  test('added while it is handled, it runs once more afterwards', async () => {
    const { queue, handled, end } = aQueue();
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(handled).toEqual(['a']);
    await end('a');
    expect(handled).toEqual(['a', 'a']);
    await end('a');
    expect(handled).toEqual(['a', 'a']);
  });

  test('asks to be seen again, and is, after that time and not before', async () => {
    const { queue, clock, handled, end } = aQueue();
    queue.add('a');
    await end('a', { requeueAfterMs: 5_000 });
    clock.advance(4_999);
    expect(handled).toEqual(['a']);
    clock.advance(1);
    expect(handled).toEqual(['a', 'a']);
  });

  test('added at once, the time set for later is forgotten', async () => {
    const { queue, clock, handled, end } = aQueue();
    queue.add('a');
    await end('a', { requeueAfterMs: 5_000 });
    queue.add('a');
    await end('a');
    clock.advance(60_000);
    expect(handled).toEqual(['a', 'a']);
  });

  test('of two times the sooner one counts', () => {
    const { queue, clock, handled } = aQueue();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);
    clock.advance(1_000);
    expect(handled).toEqual(['a']);
    expect(clock.pending()).toBe(0);
  });

  test.each([0, -1, Number.NaN])('a delay of %s is none', (delay) => {
    const { queue, handled } = aQueue();
    queue.addAfter('a', delay);
    expect(handled).toEqual(['a']);
  });

  test('forgotten, it does not come back', async () => {
    const { queue, clock, handled, end } = aQueue();
    queue.addAfter('a', 1_000);
    queue.forget('a');
    clock.advance(2_000);
    expect(handled).toEqual([]);
    queue.add('b');
    queue.add('b');
    queue.forget('b');
    await end('b');
    expect(handled).toEqual(['b']);
  });
});

describe('a least interval between two handlings of a key', () => {
  test('a key added a hundred times a second is handled once a second, the last time after the last add', async () => {
    const { queue, clock, handled, end } = aQueue(2, true, 1_000);
    let ended = 0;
    for (let added = 0; added < 300; added += 1) {
      queue.add('a');
      if (handled.length > ended) {
        await end('a');
        ended += 1;
      }
      clock.advance(10);
    }
    expect(handled).toHaveLength(4);
    await end('a');
    clock.advance(10_000);
    expect(handled).toHaveLength(4);
  });

  test('a key that was quiet is handled at once, and other keys do not wait for it', async () => {
    const { queue, clock, handled, end } = aQueue(2, true, 1_000);
    queue.add('a');
    await end('a');
    queue.add('a');
    queue.add('b');
    expect(handled).toEqual(['a', 'b']);
    clock.advance(999);
    expect(handled).toEqual(['a', 'b']);
    clock.advance(1);
    expect(handled).toEqual(['a', 'b', 'a']);
    await end('a');
    clock.advance(1_000);
    queue.add('a');
    expect(handled).toEqual(['a', 'b', 'a', 'a']);
  });

  test('handling that takes longer than the interval is not held up by it', async () => {
    const { queue, clock, handled, end } = aQueue(2, true, 1_000);
    queue.add('a');
    clock.advance(1_500);
    queue.add('a');
    await end('a');
    expect(handled).toEqual(['a', 'a']);
  });

  test('forgotten or stopped while it rests, it does not come back', async () => {
    const { queue, clock, handled, end } = aQueue(2, true, 1_000);
    for (const key of ['a', 'b']) {
      queue.add(key);
      await end(key);
      queue.add(key);
    }
    queue.forget('a');
    await queue.stop();
    clock.advance(5_000);
    expect(handled).toEqual(['a', 'b']);
  });
});

describe('many keys', () => {
  test('no more than the limit at once, in the order in which they came', async () => {
    const { queue, handled, end } = aQueue(2);
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    expect(handled).toEqual(['a', 'b']);
    expect(queue.active).toBe(2);
    await end('b');
    expect(handled).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(handled).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a key that is always added again does not starve the others', async () => {
    const { queue, handled, end } = aQueue(1);
    queue.add('noisy');
    queue.add('quiet');
    queue.add('noisy');
    await end('noisy');
    expect(handled).toEqual(['noisy', 'quiet']);
  });

  test('whatever is added when, every key is handled after its last add, and never twice at once', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('later' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('tick' as const), key: fc.constant('') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = fakeClock();
        const active = new Set<string>();
        const dirty = new Set<string>();
        const queue = new WorkQueue({
          ...{ name: 'law', clock, log: recordedLog(), metrics: recordedMetrics(), random: () => 0, concurrency: 2 },
          handle: async (key) => {
            expect(active.has(key)).toBe(false);
            active.add(key);
            dirty.delete(key);
            await Promise.resolve();
            await Promise.resolve();
            active.delete(key);
          },
        });
        queue.start();
        for (const { kind, key } of steps) {
          if (kind === 'tick') await settled();
          else {
            dirty.add(key);
            if (kind === 'add') queue.add(key);
            else queue.addAfter(key, 100);
          }
        }
        clock.advance(1_000);
        for (let turn = 0; turn < 20; turn += 1) await settled();
        expect([...dirty]).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a handler that throws', () => {
  test('is reported, its key waits ever longer up to 30 s, and others go on', async () => {
    const { queue, clock, log, handled, end } = aQueue(1);
    queue.add('bad');
    const waits: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      await end('bad', new Error('boom'));
      queue.add(`good-${turn}`);
      await end(`good-${turn}`);
      const before = clock.monotonicMs();
      const times = handled.length;
      while (handled.length === times) clock.advance(100);
      waits.push(clock.monotonicMs() - before);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(log.lines.filter(({ level, facts }) => level === 'error' && facts['key'] === 'bad')).toHaveLength(8);
    expect(queue.quarantined).toEqual(['bad']);
  });

  test('events do not shorten its quarantine', async () => {
    const { queue, clock, handled, end } = aQueue();
    queue.add('bad');
    queue.add('bad');
    await end('bad', new Error('boom'));
    queue.add('bad');
    expect(handled).toEqual(['bad']);
    clock.advance(1_000);
    expect(handled).toEqual(['bad', 'bad']);
  });

  test('after a success it starts anew', async () => {
    const { queue, clock, handled, end } = aQueue();
    queue.add('bad');
    await end('bad', new Error('boom'));
    clock.advance(1_000);
    await end('bad');
    expect(queue.quarantined).toEqual([]);
    queue.add('bad');
    await end('bad', new Error('boom'));
    clock.advance(1_000);
    expect(handled).toHaveLength(4);
  });
});

describe('a handler that returns a failure', () => {
  test('is tried again after a doubling wait, and an outage does not fill the log', async () => {
    const { queue, clock, log, handled, end } = aQueue();
    queue.add('a');
    const waits: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      await end('a', { failure: 'connection refused' });
      queue.add('a');
      const before = clock.monotonicMs();
      const times = handled.length;
      while (handled.length === times) clock.advance(100);
      waits.push(clock.monotonicMs() - before);
    }
    expect(waits.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(log.lines.map(({ level, facts }) => [level, facts['failures']])).toEqual([1, 2, 4, 8, 16].map((n) => ['warn', n])); // prettier-ignore
    await end('a');
    expect(queue.quarantined).toEqual([]);
  });
});

describe('stop', () => {
  test('waits for what is being handled, drops the rest and takes no more', async () => {
    const { queue, clock, handled, end } = aQueue(1);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1_000);
    let stopped = false;
    const stopping = queue.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).toBe(false);
    queue.add('d');
    await end('a', { requeueAfterMs: 10 });
    await stopping;
    clock.advance(10_000);
    expect(handled).toEqual(['a']);
    expect(clock.pending()).toBe(0);
  });

  test('of an idle queue is immediate', async () => {
    await aQueue().queue.stop();
  });
});
