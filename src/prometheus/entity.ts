import type { PolledReading } from '../controller/ports.ts';
import { WORKLOAD_LABELS } from '../lib/workload-labels.ts';
import { labelOf, type Row } from './instant-vector.ts';

/** The entity of a series that names neither a pod nor a workload. */
export const WHOLE = '';

/** By what the newest sample of a selector is looked up. */
export const ENTITY_LABELS: readonly string[] = ['pod', ...WORKLOAD_LABELS.keys()];

/** The pod's name, else `label/workload`, which no pod is named like, else `WHOLE`. */
export const entityOf = (row: Pick<Row, 'labels'>): string => labelOf(row, 'pod') ?? workloadsOf(row)[0] ?? WHOLE;

/** Every entity that a row of sample times tells of. */
export const entitiesOf = (row: Pick<Row, 'labels'>): readonly string[] => [
  labelOf(row, 'pod') ?? WHOLE,
  ...workloadsOf(row),
];

function workloadsOf(row: Pick<Row, 'labels'>): readonly string[] {
  return [...WORKLOAD_LABELS.keys()].flatMap((label) => {
    const name = labelOf(row, label);
    return name === undefined ? [] : [`${label}/${name}`];
  });
}

/** Whose a reading is. */
export function ownerOf(entity: string): Pick<PolledReading, 'pod' | 'workload'> {
  const [label = '', name] = entity.split('/');
  if (name === undefined) return entity === WHOLE ? {} : { pod: entity };
  const kind = WORKLOAD_LABELS.get(label);
  return { workload: { name, ...(kind !== undefined && { kind }) } };
}

/** As a person would name it. */
export function nameOf(entity: string): string {
  if (entity === WHOLE) return 'the workload';
  return entity.includes('/') ? entity.replace('/', ' ') : `pod ${entity}`;
}
