import type { MetricVerdict, PodVerdict } from '../detection/verdict.ts';

/** Metric -> mean of its last values; what has no finite value is left out, never counted as 0. */
export function meanValues(metrics: readonly MetricVerdict[]): Record<string, number> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { metric, value } of metrics) {
    if (value === undefined || !Number.isFinite(value)) continue;
    const { sum, count } = sums.get(metric) ?? { sum: 0, count: 0 };
    sums.set(metric, { sum: sum + value, count: count + 1 });
  }
  return Object.fromEntries([...sums].map(([metric, { sum, count }]) => [metric, sum / count]));
}

/** Mean of the pods' metrics of these names. */
export function meanOver(pods: readonly PodVerdict[], names: readonly string[]): Record<string, number> {
  return meanValues(pods.flatMap(({ metrics }) => metrics).filter(({ metric }) => names.includes(metric)));
}
