const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))?$/;
/** 0000-01-01: an offset must not lead to a year that has no four digits. No future is accepted that far away. */
const FIRST_MS = -62_167_219_200_000;
/** What nearly every client sends: no offset, at most milliseconds. */
const COMMON = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z?$/;

/**
 * Epoch milliseconds of an RFC 3339 time; without a zone it is UTC. `undefined` for anything else, also for days that
 * do not exist: `Date.parse` would move the 30th of February into March. A leap second counts as the next second.
 */
export function parseTimestamp(text: string): number | undefined {
  if (COMMON.test(text)) return parseCommon(text);
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = match;
  const [zh, zm] = [Number(zoneHour ?? 0), Number(zoneMinute ?? 0)];
  if (zh > 23 || zm > 59) return undefined;
  const millis = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  const atMs = compose(date, { hour: Number(hour), minute: Number(minute), second: Number(second) }, millis);
  if (atMs === undefined) return undefined;
  const utcMs = atMs - (zh * 60 + zm) * 60_000 * (sign === '-' ? -1 : 1);
  return utcMs < FIRST_MS ? undefined : utcMs;
}

/** Reads the digits where they stand: this runs for every sample of every request. */
function parseCommon(text: string): number | undefined {
  const two = (at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
  const date = { year: two(0) * 100 + two(2), month: two(5), day: two(8) };
  const millis = text.charCodeAt(19) === 46 ? two(20) * 10 + text.charCodeAt(22) - 48 : 0;
  return compose(date, { hour: two(11), minute: two(14), second: two(17) }, millis);
}

interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function compose({ year, month, day }: CalendarDay, time: TimeOfDay, millis: number): number | undefined {
  const { hour, minute, second } = time;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  // `Date.UTC` takes years below 100 for those of the last century.
  const dayMs = year >= 100 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
  return dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + millis;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}
