/** A stream of random numbers that a seed fixes: pure rooms hold no other randomness. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next: () => number;
  /** Uniform integer in [0, bound); 0 for a bound below 1. */
  below: (bound: number) => number;
  /** Standard normal (Box-Muller). */
  normal: () => number;
}

/** Mulberry32: one word of state, period 2^32, equal on every machine. Enough for forests and simulations. */
export function seededRandom(seed: number): RandomStream {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
  return {
    next,
    below: (bound) => Math.floor(next() * Math.max(bound, 0)),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
