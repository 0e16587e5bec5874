import type { RankSeries } from '../../src/diagnosis/rank.ts';

/** An entity with the metric that moved most and by how many standard deviations. */
export interface NSigmaEntity {
  readonly entity: string;
  readonly metric: string;
  readonly score: number;
}

/**
 * The usual baseline of root cause analysis (n-sigma; Circa, RCD and BARO are compared with it): how many standard
 * deviations of the time before the mean afterwards is away. No guard, no floors, no graph, no order of onset.
 */
export function nSigma(series: readonly RankSeries[], alarmAtMs: number): readonly NSigmaEntity[] {
  const best = new Map<string, NSigmaEntity>();
  for (const { entity, metric, timesMs, values } of series) {
    const side = (isAfter: boolean): number[] =>
      [...values].filter((value, i) => Number.isFinite(value) && (timesMs[i] ?? NaN) >= alarmAtMs === isAfter);
    const [before, after] = [side(false), side(true)];
    if (before.length < 2 || after.length < 1) continue;
    const mean = meanOf(before);
    const sigma = Math.sqrt(meanOf(before.map((value) => (value - mean) ** 2)));
    const score = Math.abs(meanOf(after) - mean) / Math.max(sigma, 1e-9 * Math.max(Math.abs(mean), 1));
    if (score > (best.get(entity)?.score ?? -1)) best.set(entity, { entity, metric, score });
  }
  return [...best.values()].toSorted((a, b) => b.score - a.score || (a.entity < b.entity ? -1 : 1));
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
