const DAY_MS = 86_400_000;
/** Weight of a new residual in the usual one. */
const SLOW = 1 / 500;

/**
 * A baseline that knows one thing: how far a value is from that of the same time yesterday, in usual such distances. 0
 * where yesterday is not known or the value is none.
 */
export function sameTimeYesterday(timesMs: Float64Array, values: Float64Array): Float64Array {
  const known = new Map<number, number>();
  let usual = 0;
  return values.map((value, i) => {
    const atMs = timesMs[i] ?? NaN;
    if (!Number.isFinite(value)) return 0;
    known.set(atMs, value);
    const before = known.get(atMs - DAY_MS);
    if (before === undefined) return 0;
    const residual = Math.abs(value - before);
    const ratio = usual > 0 ? residual / usual : 0;
    usual = usual === 0 ? residual : usual + SLOW * (residual - usual);
    return 1 - Math.exp(-ratio / 5);
  });
}
