/** The only sample of a series so far, and the time at which it was judged. */
export interface FirstSample {
  readonly value: number;
  readonly atMs: number;
  readonly judgedAtMs: number;
}

/**
 * Series that were seen once. A series gets its three kilobytes of an engine with its second sample: callers that send a
 * new label set with each request (an id in a label) must not push out what others have taught.
 */
export interface FirstSamples {
  /** Hands out the first sample and forgets it. */
  take(seriesKey: string): FirstSample | undefined;
  /** The longest waiting one makes room for it. */
  keep(seriesKey: string, sample: FirstSample): void;
  /** Keeps what is older than everything here, unless the series was seen meanwhile or there is no room. */
  keepOlder(seriesKey: string, sample: FirstSample): void;
  entries(): IterableIterator<readonly [string, FirstSample]>;
  count(): number;
}

export function createFirstSamples(capacity: number): FirstSamples {
  const waiting = new Map<string, FirstSample>();
  return {
    take: (seriesKey) => {
      const first = waiting.get(seriesKey);
      if (first !== undefined) waiting.delete(seriesKey);
      return first;
    },
    keep: (seriesKey, sample) => {
      waiting.set(seriesKey, sample);
      if (waiting.size <= capacity) return;
      const [oldest] = waiting.keys();
      if (oldest !== undefined) waiting.delete(oldest);
    },
    keepOlder: (seriesKey, sample) => {
      if (!waiting.has(seriesKey) && waiting.size < capacity) waiting.set(seriesKey, sample);
    },
    entries: () => waiting.entries(),
    count: () => waiting.size,
  };
}
