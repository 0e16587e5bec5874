/** From here on a bare number is milliseconds: as seconds it would be the year 33658. */
const MILLISECONDS_FROM = 1e12;

/** Epoch milliseconds of an RFC 3339 text, or of epoch seconds (with decimals) or milliseconds; `undefined`: it is no time. */
export function parseTime(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return number >= MILLISECONDS_FROM ? number : Math.round(number * 1000);
  }
  // A date alone, or a time without a zone, would be read in the zone of whoever runs this.
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$/i.test(text)) return undefined;
  const ms = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms;
}

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

/** Milliseconds of `90s`, `15m`, `12h`, `7d`, `2w`; `undefined`: it is no duration. */
export function parseSpan(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** A moment as people give it on the command line: a time, `now`, or a span back from now (`7d`). */
export function parseMoment(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs;
  const backMs = parseSpan(text.replace(/^-/, ''));
  return backMs === undefined ? parseTime(text) : nowMs - backMs;
}
