import type { AnomalyAnswer, FailureAnswer } from '../controller/detection-api.ts';

/** Longest answer that is stored whole. Usual ones are a tenth of it. */
const MAX_STORED = 32 * 1024;
const MAX_TEXT = 1_024;
const MAX_LIST = 20;

/**
 * What is stored of an answer: its JSON, or, where callers sent labels or services by the megabyte, its head, marked
 * with `details.shortened`. Thousands of answers wait in memory while the store is away, and a page has a thousand.
 */
export function storedAnswer(answer: AnomalyAnswer | FailureAnswer, json: string): string {
  if (json.length <= MAX_STORED) return json;
  return JSON.stringify({ ...headOf(answer), details: { ...headOf(answer.details), shortened: true } });
}

/** Texts, numbers, truth values and lists of them, each bounded. */
const headOf = (members: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => (Array.isArray(value) ? value.every(isFlat) : isFlat(value)))
      .map(([name, value]) => [name, Array.isArray(value) ? value.slice(0, MAX_LIST).map(cut) : cut(value)]),
  );

const isFlat = (value: unknown): boolean => typeof value !== 'object' || value === null;
const cut = (value: unknown): unknown => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : value);
