/**
 * Tolerant reading of objects that came over the wire: whatever shape somebody stored, a reader gets a value of the
 * asked type or the fallback, and nothing throws. Times become epoch milliseconds at once.
 */
export type Json = Readonly<Record<string, unknown>>;

const NOTHING: Json = Object.freeze({});

export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : NOTHING;

/** The record found by following `keys`; empty where the way ends. */
export const at = (value: unknown, ...keys: readonly string[]): Json =>
  keys.reduce<Json>((here, key) => record(here[key]), record(value));

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A non-empty string, or `undefined`. */
export const optionalText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export const count = (value: unknown, fallback = 0): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

export const optionalCount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** Epoch milliseconds of an RFC 3339 text (a MicroTime's extra digits are cut), or `undefined`. */
export function optionalTime(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The string entries of a map; others are left out. */
export function stringMap(value: unknown): Readonly<Record<string, string>> {
  const source = record(value);
  const map: Record<string, string> = {};
  for (const key of Object.keys(source)) {
    const entry = source[key];
    if (typeof entry === 'string' && key !== '__proto__') map[key] = entry;
  }
  return map;
}

/** An object without the keys whose value is `undefined`: what `exactOptionalPropertyTypes` wants. */
export function present<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) if (fields[key] !== undefined) kept[key] = fields[key];
  return kept as ReturnType<typeof present<T>>;
}

/** What every object's metadata says, in the form that caches need. */
export interface Meta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

export function metaOf(object: unknown): Meta {
  const meta = at(object, 'metadata');
  return {
    namespace: text(meta.namespace),
    name: text(meta.name),
    uid: text(meta.uid),
    resourceVersion: text(meta.resourceVersion),
  };
}

/** The owner that manages the object, if one does. */
export function controllerOf(object: unknown): { readonly kind: string; readonly uid: string } | undefined {
  for (const entry of list(at(object, 'metadata').ownerReferences)) {
    const owner = record(entry);
    if (owner.controller === true) return { kind: text(owner.kind), uid: text(owner.uid) };
  }
  return undefined;
}
