import { inWords, MINUTE } from '../../lib/duration.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { hold } from '../hold.ts';

/** A watched cache that nothing confirmed for so long may show a cluster that is no more. */
const MAX_CACHE_AGE_MS = MINUTE;
/** A sample further ahead than this comes from a wrong clock. */
const MAX_FUTURE_MS = MINUTE;

/** Oldest allowed sample: two scrape intervals. */
const maxSampleAgeMs = ({ scrapeIntervalMs }: Pick<GuardInput, 'scrapeIntervalMs'>): number => 2 * scrapeIntervalMs;

/** Oldest allowed judgement: two polls of the policy, or two scrapes if those are rarer. */
const maxVerdictAgeMs = ({ scrapeIntervalMs, policy }: GuardInput): number =>
  2 * Math.max(scrapeIntervalMs, policy.detection.intervalSeconds * 1000);

function staleBecause(input: GuardInput): string | undefined {
  const { nowMs, cacheAgeMs, verdict } = input;
  // Written so that an age which is not a number counts as too old.
  if (!(cacheAgeMs <= MAX_CACHE_AGE_MS)) {
    return `the view of the cluster is unconfirmed for ${inWords(cacheAgeMs)}, at most ${inWords(MAX_CACHE_AGE_MS)} is allowed`;
  }
  const verdictAgeMs = nowMs - verdict.atMs;
  if (!(verdictAgeMs <= maxVerdictAgeMs(input))) return `the last judgement is ${inWords(verdictAgeMs)} old`;
  // Evidence from Kubernetes status alone has no samples; the cache above is what dates it.
  if (verdict.oldestSampleMs === undefined) return undefined;
  const ageMs = nowMs - verdict.oldestSampleMs;
  if (ageMs < -MAX_FUTURE_MS) return `a sample lies ${inWords(-ageMs)} in the future`;
  return ageMs <= maxSampleAgeMs(input)
    ? undefined
    : `the oldest sample is ${inWords(ageMs)} old, at most ${inWords(maxSampleAgeMs(input))} is allowed`;
}

/** Evidence older than two scrape intervals, or a cache that is unconfirmed for 60 s. */
export const staleEvidence: Guard = {
  name: 'staleEvidence',
  check: (input) => {
    const because = staleBecause(input);
    return because === undefined ? undefined : hold('StaleData', because);
  },
};
