import type { Clock } from '../lib/clock.ts';

/** Requests a second while the server is well, and for half a minute after it failed (I32 allows 20). */
const WELL_PER_SECOND = 50;
const FAILING_PER_SECOND = 18;
const FAILING_FOR_MS = 30_000;

/**
 * Spreads requests so that no second sees more than the limit. Urgent ones (the lease, effects) go before all others,
 * yet count: they are few. A sliding window, not a bucket: a bucket would allow twice the limit within one second.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #starts: number[] = [];
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the request may be sent. */
  turn(urgent = false): Promise<void> {
    return new Promise((resolve) => {
      (urgent ? this.#urgent : this.#others).push(resolve);
      if (this.#wake === undefined) this.#serve();
    });
  }

  /** A 429, a 5xx or a network fault was seen. */
  failed(): void {
    this.#failedAtMs = this.#clock.monotonicMs();
  }

  #serve(): void {
    this.#wake = undefined;
    while (this.#urgent.length > 0 || this.#others.length > 0) {
      const now = this.#clock.monotonicMs();
      const limit = now - this.#failedAtMs < FAILING_FOR_MS ? FAILING_PER_SECOND : WELL_PER_SECOND;
      while ((this.#starts[0] ?? Number.POSITIVE_INFINITY) <= now - 1000) this.#starts.shift();
      const blocking = this.#starts.at(-limit);
      if (blocking !== undefined) {
        this.#wake = this.#clock.after(blocking + 1001 - now, () => this.#serve());
        return;
      }
      this.#starts.push(now);
      (this.#urgent.shift() ?? this.#others.shift())?.();
    }
  }
}
