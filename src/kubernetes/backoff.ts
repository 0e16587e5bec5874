/** Shortest and longest wait between tries (I32). */
const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Doubling waits, each drawn from its upper half, so that many clients do not come back together. */
export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next wait in milliseconds, between 0.5 s and 30 s. */
  next(): number {
    const whole = Math.min(FIRST_MS * 2 * 2 ** this.#tries, LONGEST_MS);
    if (whole < LONGEST_MS) this.#tries += 1;
    return whole / 2 + (whole / 2) * this.#random();
  }

  reset(): void {
    this.#tries = 0;
  }
}
