import type { Clock } from '../../lib/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until the replay moves it; both of its readings move together. */
export class ReplayClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #startMs: number;
  #atMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#atMs = startMs;
  }

  nowMs(): number {
    return this.#atMs;
  }

  monotonicMs(): number {
    return this.#atMs - this.#startMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#atMs + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** When the next timer is due; Infinity: none waits. */
  nextDueMs(): number {
    let next = Infinity;
    for (const { dueMs } of this.#timers) next = Math.min(next, dueMs);
    return next;
  }

  /** Moves on and runs all that is due by then, once and in order, each with the new time: late, but never out of turn. */
  moveTo(atMs: number): void {
    this.#atMs = Math.max(this.#atMs, atMs);
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#atMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.run();
  }
}
