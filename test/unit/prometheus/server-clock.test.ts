import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createServerClock } from '../../../src/prometheus/server-clock.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';

/** A server whose clock may be off, may be set, and may answer from a cache; and ours, whose wall clock may be set as well. */
function aServer(aheadMs: number) {
  const clock = createServerClock();
  let [monotonicMs, wallMs, serverMs] = [0, NOW, NOW + aheadMs];
  let cachedMs: number | undefined;
  return {
    pass: (ms: number) => {
      monotonicMs += ms;
      wallMs += ms;
      serverMs += ms;
    },
    jump: (ms: number) => void (wallMs += ms),
    serverJumps: (ms: number) => void (serverMs += ms),
    freeze: () => void (cachedMs = serverMs),
    /** Asks, and has the answer after so long; undefined: it is believed. */
    ask(takesMs = 20) {
      const sentMs = monotonicMs;
      const answeredMs = cachedMs ?? serverMs + takesMs / 2;
      this.pass(takesMs);
      return clock.hear(answeredMs, { sentMs, receivedMs: monotonicMs, wallMs })?.kind;
    },
    /** How wrong our idea of its time is. */
    wrongByMs: () => (clock.nowMs(monotonicMs) ?? NaN) - serverMs,
    aheadMs: () => clock.aheadMs(),
  };
}

describe('the time of a server', () => {
  test('that agrees with our wall clock is believed at once', () => {
    const server = aServer(2 * SECOND);
    expect(server.ask()).toBeUndefined();
    expect(server.aheadMs()).toBe(0);
  });

  test.each([
    ['three minutes ahead', 3 * MINUTE, 'ahead'],
    ['three minutes behind', -3 * MINUTE, 'behind'],
    ['a day ahead', 24 * HOUR, 'ahead'],
  ])('that is %s is believed once it has moved on for some seconds', (_what, aheadMs, kind) => {
    const server = aServer(aheadMs);
    expect(server.ask()).toBe(kind);
    server.pass(SECOND);
    expect(server.ask()).toBe(kind);
    server.pass(10 * SECOND);
    expect(server.ask()).toBeUndefined();
    expect(Math.abs(server.aheadMs() - aheadMs)).toBeLessThan(SECOND);
    expect(Math.abs(server.wrongByMs())).toBeLessThan(SECOND);
  });

  test('a first one that stands still is never believed where our wall clock contradicts it', () => {
    const server = aServer(-3 * MINUTE);
    server.freeze();
    for (let i = 0; i < 50; i++) {
      expect(server.ask()).toBe('behind');
      server.pass(10 * SECOND);
    }
  });

  test.each([1, 2, 5, 9, 10, 11, 60])(
    'one that stands still, asked each %i s: believed for seconds, and then never',
    (every) => {
      const server = aServer(0);
      expect(server.ask()).toBeUndefined();
      server.freeze();
      for (let passed = 0; passed < 10 * MINUTE; passed += every * SECOND) {
        server.pass(every * SECOND);
        const kind = server.ask();
        if (passed > 6 * SECOND) expect(kind).toBe('behind');
      }
    },
  );

  test.each([
    ['by an hour', HOUR],
    ['by ten seconds', 10 * SECOND],
  ])(
    'that is set back %s is not believed until it has caught up, also where our wall clock goes with it',
    (_w, byMs) => {
      const server = aServer(0);
      server.ask();
      server.serverJumps(-byMs);
      server.jump(-byMs);
      for (let passed = 0; passed < byMs - 6 * SECOND; passed += 5 * SECOND) {
        expect(server.ask()).toBe('behind');
        server.pass(5 * SECOND - 20);
      }
      server.jump(-byMs); // nor does it help that they do not agree
      server.pass(10 * SECOND);
      server.ask();
      server.pass(10 * SECOND);
      expect(server.ask()).toBeUndefined();
      expect(Math.abs(server.wrongByMs())).toBeLessThan(SECOND);
    },
  );

  test('that leaps ahead is believed once it has moved on, or at once where our wall clock agrees', () => {
    const server = aServer(0);
    server.ask();
    server.serverJumps(HOUR);
    expect(server.ask()).toBe('ahead');
    server.pass(10 * SECOND);
    expect(server.ask()).toBeUndefined();
    server.serverJumps(HOUR);
    server.jump(2 * HOUR);
    expect(server.ask()).toBeUndefined();
  });

  test('one wild time ahead spoils nothing', () => {
    const server = aServer(0);
    server.ask();
    server.serverJumps(HOUR);
    expect(server.ask()).toBe('ahead');
    server.serverJumps(-HOUR);
    expect(server.ask()).toBeUndefined();
  });

  test('law: whatever our wall clock does and however long replies take, it is believed, and known within their time', () => {
    const step = fc.record({
      jump: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }),
      pass: fc.integer({ min: 0, max: 2 * MINUTE }),
      takes: fc.integer({ min: 1, max: 10 * SECOND }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const server = aServer(0);
        server.ask();
        for (const { jump, pass, takes } of steps) {
          server.jump(jump);
          server.pass(pass);
          expect(server.ask(takes)).toBeUndefined();
          expect(Math.abs(server.wrongByMs())).toBeLessThanOrEqual(5 * SECOND);
        }
      }),
    );
  });
});
