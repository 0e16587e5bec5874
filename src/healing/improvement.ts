import type { Direction } from '../detection/sample.ts';

/**
 * How much better a metric became, as a share of what it was: 0.3 is 30 % better, negative is worse. Where both sides
 * are harmful, less counts as better. From 0 nothing can be said but better, same or worse: 1, 0 or -1.
 */
export function improvement(before: number, after: number, direction: Direction = 'Above'): number {
  const gained = direction === 'Below' ? after - before : before - after;
  return before === 0 ? Math.sign(gained) : gained / Math.abs(before);
}

/** Mean improvement over the metrics that are known on both sides; `undefined` if none is. */
export function improvementOf(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  directions: Readonly<Record<string, Direction>> = {},
): number | undefined {
  const shares = Object.entries(before).flatMap(([metric, was]) => {
    const is = after[metric];
    return is === undefined ? [] : [improvement(was, is, directions[metric])];
  });
  return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
