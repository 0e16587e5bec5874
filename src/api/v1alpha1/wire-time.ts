/** Epoch milliseconds as RFC 3339 with milliseconds. Fractions of a millisecond are dropped. */
export const rfc3339 = (ms: number): string => new Date(Math.trunc(ms)).toISOString();
