/** Time is an argument: only shells hold a clock, pure rooms get `nowMs`. */
export interface Clock {
  /** Wall clock, epoch milliseconds. For stamps that people and other processes read. */
  nowMs(): number;
  /** Milliseconds that never jump. For durations: cooldowns, leases, deadlines. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}
