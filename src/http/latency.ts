/** Calls that are remembered for the quantiles. */
const REMEMBERED = 1_024;

interface LatencyFacts {
  readonly calls: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
}

/** How long the last thousand calls took; the quantiles are computed when they are asked for. */
export interface LatencyWindow {
  record(durationMs: number): void;
  facts(): LatencyFacts;
}

export function createLatencyWindow(): LatencyWindow {
  const durations = new Float64Array(REMEMBERED);
  let calls = 0;
  return {
    record: (durationMs) => {
      durations[calls % REMEMBERED] = durationMs;
      calls += 1;
    },
    facts: () => {
      const sorted = durations.slice(0, Math.min(calls, REMEMBERED)).sort();
      const at = (share: number): number | null => {
        const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
        return value === undefined ? null : Math.round(value * 1e3) / 1e3;
      };
      return { calls, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
    },
  };
}
