import type { Assessment } from './assessment.ts';
import type { VectorRow } from './state/vector-models.ts';

/** More columns than this dilute each other. */
const MOST_COLUMNS = 12;
/** Singles end at 3.4e38; squares of rows must stay finite. */
const CAP = 1e30;

/**
 * A pod's metrics as one row, load beside it. `undefined` unless every metric that the pod has was seen (a hole is not a value) and at
 * least two columns remain.
 */
export function vectorRow(assessments: readonly Assessment[]): VectorRow | undefined {
  const known = assessments.filter(({ slot }) => slot >= 0);
  if (known.some(({ refused }) => refused !== undefined)) return undefined;
  const driver = known.find(({ watched }) => watched.profile.load === 'driver');
  const judged = known.filter((a) => a !== driver).slice(0, MOST_COLUMNS);
  if (judged.length < 2) return undefined;
  return {
    columns: judged.map(({ watched }) => watched.spec.name),
    values: Float32Array.from(judged, ({ value }) => Math.min(Math.max(value, -CAP), CAP)),
    load: driver === undefined ? 0 : Math.min(Math.max(driver.value, -CAP), CAP),
  };
}
