const DAY_MS = 86_400_000;
/** 0000-01-01 and 10000-01-01: between them a year has four digits. */
const [FIRST_MS, END_MS] = [-62_167_219_200_000, 253_402_300_800_000];
const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const THREE = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, '0'));

let lastDay = NaN;
let lastDayText = '';

/**
 * What `Date.toISOString` writes of an instant, epoch milliseconds; throws RangeError where that does. A quarter of its
 * cost: the text of a day is kept until another one is asked for, since nearly all instants of a process are of one day.
 */
export function isoTime(atMs: number): string {
  if (!(atMs >= FIRST_MS && atMs < END_MS)) return new Date(atMs).toISOString();
  const whole = Math.trunc(atMs);
  const day = Math.floor(whole / DAY_MS);
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = new Date(day * DAY_MS).toISOString().slice(0, 11);
  }
  const ofDay = whole - day * DAY_MS;
  const seconds = Math.floor(ofDay / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hour = TWO[Math.floor(minutes / 60)] ?? '';
  return `${lastDayText}${hour}:${TWO[minutes % 60] ?? ''}:${TWO[seconds % 60] ?? ''}.${THREE[ofDay % 1_000] ?? ''}Z`;
}
