import { sha256Hex } from '../../lib/hash.ts';

/**
 * 128 bits over a spec whose defaults are filled. Keys are sorted, so that the same spec written by hand, by kubectl
 * and by a GitOps controller has one hash; the order of lists stays, because it means something.
 */
export function specHash(spec: unknown): string {
  return sha256Hex(canonical(spec)).slice(0, 32);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
}
