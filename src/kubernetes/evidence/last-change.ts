import { at, list, optionalText, optionalTime, record } from '../json.ts';

/** What Aegis wrote is told apart elsewhere; here it is nobody's change. */
const OWN_MANAGER = 'aegis';

/**
 * When the object was last written by anybody, its status left out: the newest time in `managedFields`, which needs no
 * look at the contents. `undefined`: it says nothing of it.
 */
export function lastChangeMs(object: unknown): number | undefined {
  const meta = at(object, 'metadata');
  const times = list(meta.managedFields).flatMap((entry) => {
    const { manager, subresource, time } = record(entry);
    if (manager === OWN_MANAGER || optionalText(subresource) !== undefined) return [];
    return optionalTime(time) ?? [];
  });
  const created = optionalTime(meta.creationTimestamp);
  const all = created === undefined ? times : [...times, created];
  return all.length === 0 ? undefined : Math.max(...all);
}
