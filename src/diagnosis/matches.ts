import { categoryOf } from './catalog.ts';
import type { Diagnosis } from './diagnosis.ts';
import { CATEGORIES, FAILURE_TYPES } from './failure-type.ts';
import type { Category, FailureType } from './failure-type.ts';

const ANOMALY = 'anomaly:';
const METRIC_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** Every plain name that `remedies[].on` may hold, besides `anomaly:<metric>`. */
export const ON_NAMES: readonly string[] = [...new Set<string>([...FAILURE_TYPES, ...CATEGORIES, 'any'])];

const isCategory = (name: string): name is Category => (CATEGORIES as readonly string[]).includes(name);

/** `on` is a failure type, a category, `any` or `anomaly:` with a lower_snake_case metric. */
export function isKnownOn(on: string): boolean {
  return on.startsWith(ANOMALY) ? METRIC_NAME.test(on.slice(ANOMALY.length)) : ON_NAMES.includes(on);
}

/**
 * Does this entry of `remedies[].on` speak of the diagnosis? `memory_leak` is a failure type and a category; here it
 * means the type only. `any` is every type but `unknown`. `anomaly:<metric>` matches whatever the diagnosis says.
 */
export function matchesOn(
  on: string,
  diagnosis: Pick<Diagnosis, 'failureType'>,
  incidentMetrics: readonly string[],
): boolean {
  if (on.startsWith(ANOMALY)) return incidentMetrics.includes(on.slice(ANOMALY.length));
  const type: FailureType = diagnosis.failureType;
  if (on === 'any') return type !== 'unknown';
  if (on === type) return true;
  return on !== 'memory_leak' && isCategory(on) && categoryOf(type) === on;
}
