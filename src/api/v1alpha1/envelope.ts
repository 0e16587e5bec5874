import type { z } from 'zod';
import type { Problem } from '../../lib/parsed.ts';

/** What every object carries; absent fields are empty, because objects come from files as well as from a server. */
export interface Envelope {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly createdAtMs: number;
  readonly deletedAtMs?: number;
  readonly finalizers: readonly string[];
  readonly spec: unknown;
  readonly status: unknown;
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A client may have made the time a Date already. */
function timeOf(value: unknown): number | undefined {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** Reads the metadata of any object, whatever it is: a broken one must still be told by name. */
export function envelope(object: unknown): Envelope {
  const { metadata, spec, status } = record(object);
  const meta = record(metadata);
  const deletedAtMs = timeOf(meta['deletionTimestamp']);
  const finalizers = Array.isArray(meta['finalizers']) ? meta['finalizers'] : [];
  return {
    name: textOf(meta['name']),
    namespace: textOf(meta['namespace']),
    uid: textOf(meta['uid']),
    generation: typeof meta['generation'] === 'number' ? meta['generation'] : 0,
    resourceVersion: textOf(meta['resourceVersion']),
    createdAtMs: timeOf(meta['creationTimestamp']) ?? 0,
    ...(deletedAtMs !== undefined && { deletedAtMs }),
    finalizers: finalizers.filter((one) => typeof one === 'string'),
    spec,
    status,
  };
}

/** Every issue that zod found, with paths as people write them: `spec.remedies[0].steps[1].action`. */
export function problemsOf(error: z.ZodError, root: string): readonly Problem[] {
  return error.issues.map(({ path, message }) => ({ path: dotted(root, path), reason: 'SpecInvalid', message }));
}

function dotted(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : `${so}.${String(part)}`),
    root,
  );
}
