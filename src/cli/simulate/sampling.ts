import type { HealingPolicy } from '../../policy/healing-policy.ts';
import type { RecordedSeries } from './recorded-series.ts';

/** Distances of polls that people think in. */
const STEPS_S = [1, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600];

/**
 * Polls of one replay unless more are asked for. A day fits at 30 s, a week at 5 min: 50 pods with six metrics are then replayed in some ten
 * seconds of an idle core. The slow detectors look at five-minute means anyway, and one range query of Prometheus holds each series whole.
 */
const MOST_POLLS = 3_000;

/** The policies' own interval, or the next coarser step at which the range takes at most `MOST_POLLS` polls. */
export function stepFor(policies: readonly HealingPolicy[], spanMs: number): number {
  const own = Math.min(...policies.map(({ detection }) => detection.intervalSeconds));
  const needed = spanMs / 1000 / MOST_POLLS;
  if (own >= needed) return own * 1000;
  return (STEPS_S.find((step) => step >= needed && step >= own) ?? Math.ceil(needed / 3600) * 3600) * 1000;
}

/** The usual distance of a record's samples: the median of the first ones of its series. */
export function sampleInterval(series: readonly RecordedSeries[]): number | undefined {
  const gaps = series
    .slice(0, 50)
    .flatMap(({ timesMs }) => [...timesMs.slice(1, 50)].map((atMs, i) => atMs - (timesMs[i] ?? atMs)))
    .sort((a, b) => a - b);
  return gaps[gaps.length >> 1];
}
