import type { Clock } from '../../src/lib/clock.ts';

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves both clocks and runs what falls due, in order. */
  advance(byMs: number): void;
  /** Moves in small steps and lets promises settle between them, until `done` holds; fails after `limitMs`. */
  until(done: () => boolean, limitMs?: number): Promise<void>;
  /** Moves the wall clock alone, as an administrator or a bad time server does. */
  jump(byMs: number): void;
  /** Timers that wait. */
  pending(): number;
  /** Milliseconds until the next timer is due; `undefined`: none waits. */
  nextInMs(): number | undefined;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export function fakeClock(startMs = Date.UTC(2026, 0, 5, 12)): FakeClock {
  let wallMs = startMs;
  let passedMs = 0;
  const timers = new Set<Timer>();

  const advance = (byMs: number): void => {
    const targetMs = passedMs + byMs;
    for (;;) {
      const due = [...timers].filter((timer) => timer.dueMs <= targetMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      timers.delete(due);
      wallMs += Math.max(0, due.dueMs - passedMs);
      passedMs = Math.max(passedMs, due.dueMs);
      due.run();
    }
    wallMs += targetMs - passedMs;
    passedMs = targetMs;
  };

  return {
    nowMs: () => wallMs,
    monotonicMs: () => passedMs,
    after: (delayMs, run) => {
      const timer = { dueMs: passedMs + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance,
    until: async (done, limitMs = 60_000) => {
      const endMs = passedMs + limitMs;
      while (!done()) {
        if (passedMs >= endMs) throw new Error(`did not happen within ${limitMs} ms of the fake clock`);
        await new Promise((resolve) => setImmediate(resolve));
        if (!done()) advance(5);
      }
    },
    jump: (byMs) => {
      wallMs += byMs;
    },
    pending: () => timers.size,
    nextInMs: () => (timers.size === 0 ? undefined : Math.min(...[...timers].map(({ dueMs }) => dueMs)) - passedMs),
  };
}
