/** What callers saw of one workload in one second. */
export interface Second {
  readonly workload: string;
  /** Start of the second, epoch milliseconds. Requests count in the second in which they were sent. */
  readonly atMs: number;
  readonly sent: number;
  /** Connections refused, reset or timed out, and answers from 500 on. */
  readonly failed: number;
  /** Durations of what was answered, milliseconds, rounded. */
  readonly latenciesMs: readonly number[];
  /** How often each cause of failure came: `503`, `ECONNREFUSED`, `timeout`. */
  readonly causes: Readonly<Record<string, number>>;
}

export interface Summary {
  readonly sent: number;
  readonly failed: number;
  /** Share of failed requests, 0 to 1; NaN without requests. */
  readonly failedShare: number;
  /** 95th percentile, milliseconds; NaN without answers. */
  readonly p95Ms: number;
  readonly causes: Readonly<Record<string, number>>;
}

/** All seconds of a workload from `fromMs` up to, not including, `toMs`. */
export function summarise(seconds: readonly Second[], workload: string, fromMs: number, toMs: number): Summary {
  const those = seconds.filter((each) => each.workload === workload && each.atMs >= fromMs && each.atMs < toMs);
  const sent = those.reduce((sum, each) => sum + each.sent, 0);
  const failed = those.reduce((sum, each) => sum + each.failed, 0);
  const latencies = those.flatMap((each) => each.latenciesMs).toSorted((a, b) => a - b);
  const causes: Record<string, number> = {};
  for (const each of those) {
    for (const [cause, count] of Object.entries(each.causes)) causes[cause] = (causes[cause] ?? 0) + count;
  }
  return {
    ...{ sent, failed, causes },
    failedShare: failed / sent,
    p95Ms: latencies[Math.ceil(latencies.length * 0.95) - 1] ?? NaN,
  };
}
