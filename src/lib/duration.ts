export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * Whether that was less than so long ago. What lies in the future was not: a wall clock that was set back must not hold up
 * what is repeated from time to time. For what must not come early, see `controller/steady-times.ts`.
 */
export const isLately = (atMs: number, withinMs: number, nowMs: number): boolean =>
  nowMs >= atMs && nowMs - atMs < withinMs;

/** A duration for sentences, at most two units: `45 s`, `4 min 20 s`, `2 h`, `1 d 3 h`. Negative counts as zero. */
export function inWords(ms: number): string {
  const total = Math.max(0, Math.round(ms / SECOND));
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3_600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ];
  const first = units.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}
