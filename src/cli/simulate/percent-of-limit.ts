import { FACTS, type RecordedSeries } from './recorded-series.ts';

/**
 * Files give cpu and memory as per cent of the pod's limit, unless they hold the limit itself: then in cores and bytes. The replay
 * works as the live loop does, on cores and bytes of pods that have a limit; here a whole limit is 1.
 */
export function withLimits(series: readonly RecordedSeries[]): readonly RecordedSeries[] {
  const keyOf = ({ namespace, pod }: RecordedSeries, fact: string): string => `${namespace}/${pod}/${fact}`;
  const told = new Set(series.filter(({ metric }) => metric.endsWith('_limit')).map((s) => keyOf(s, s.metric)));
  return series.flatMap((each) => {
    const fact =
      each.metric === 'cpu_usage' ? FACTS.cpuLimit : each.metric === 'memory_usage' ? FACTS.memoryLimit : undefined;
    if (fact === undefined || each.pod === undefined || told.has(keyOf(each, fact))) return [each];
    const limit = { ...each, metric: fact, timesMs: each.timesMs.slice(0, 1), values: Float64Array.of(1) };
    return [{ ...each, values: each.values.map((value) => value / 100) }, limit];
  });
}
