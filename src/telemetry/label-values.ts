import type { LabelRule } from '../controller/metrics.ts';

/** The value of every label that is not known, or came when there were enough. */
const OTHER = 'other';

const MAX_TEXT = 128;

/** Decides which values a label may take; see `LabelRule`. Remembers the distinct ones it let in. */
export function labelValues(rule: LabelRule): (value: string) => string {
  if (typeof rule !== 'number') {
    const closed = new Set(rule);
    return (value) => (closed.has(value) ? value : OTHER);
  }
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= rule || value.length > MAX_TEXT) return OTHER;
    seen.add(value);
    return value;
  };
}
