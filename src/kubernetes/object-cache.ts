import { type Meta, metaOf } from './json.ts';

/** What changed in a cache. `value` is the new state, or the last known one of an object that is gone. */
export interface CacheChange<T> {
  readonly kind: 'set' | 'gone';
  readonly key: string;
  readonly value: T;
  readonly previous: T | undefined;
}

interface Entry<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

/** UIDs never come back, so an event about one of these is an old one. */
const REMEMBERED_GRAVES = 1_000;

/**
 * The objects of one resource in their slim form. Events may come twice, late or out of order across objects: a
 * repeated version is no change, the end of an earlier object of the same name does not remove the present one, and an
 * object that ended stays gone until a list shows it.
 */
export class ObjectCache<T> {
  readonly #transform: (object: unknown) => T | undefined;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #graves = new Set<string>();

  /** `transform` answers `undefined` for what need not be kept. */
  constructor(transform: (object: unknown) => T | undefined) {
    this.#transform = transform;
  }

  /** Takes an ADDED or MODIFIED object. */
  set(object: unknown): CacheChange<T> | undefined {
    const meta = metaOf(object);
    if (meta.name === '' || this.#graves.has(meta.uid)) return undefined;
    return this.#put(meta, object);
  }

  /** Takes a DELETED object. */
  remove(object: unknown): CacheChange<T> | undefined {
    const meta = metaOf(object);
    this.#bury(meta.uid);
    const known = this.#entries.get(keyOf(meta));
    return known === undefined || known.uid !== meta.uid ? undefined : this.#drop(keyOf(meta), known);
  }

  /** Takes one page of a list; `seen` collects what the whole list held. */
  page(objects: readonly unknown[], seen: Set<string>): CacheChange<T>[] {
    const changes: CacheChange<T>[] = [];
    for (const object of objects) {
      const meta = metaOf(object);
      if (meta.name === '') continue;
      seen.add(keyOf(meta));
      this.#graves.delete(meta.uid);
      const change = this.#put(meta, object);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  /** After a whole list: what it did not hold is gone. */
  sweep(seen: ReadonlySet<string>): CacheChange<T>[] {
    const changes: CacheChange<T>[] = [];
    for (const [key, entry] of this.#entries) {
      if (seen.has(key)) continue;
      this.#bury(entry.uid);
      changes.push(this.#drop(key, entry));
    }
    return changes;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  *values(): Iterable<T> {
    for (const entry of this.#entries.values()) yield entry.value;
  }

  get size(): number {
    return this.#entries.size;
  }

  #put(meta: Meta, object: unknown): CacheChange<T> | undefined {
    const key = keyOf(meta);
    const known = this.#entries.get(key);
    const same = known?.uid === meta.uid && known.resourceVersion === meta.resourceVersion;
    if (same && meta.resourceVersion !== '') return undefined;
    const value = this.#transform(object);
    if (value === undefined) return known === undefined ? undefined : this.#drop(key, known);
    this.#entries.set(key, { uid: meta.uid, resourceVersion: meta.resourceVersion, value });
    return { kind: 'set', key, value, previous: known?.value };
  }

  #drop(key: string, entry: Entry<T>): CacheChange<T> {
    this.#entries.delete(key);
    return { kind: 'gone', key, value: entry.value, previous: entry.value };
  }

  #bury(uid: string): void {
    if (uid === '') return;
    this.#graves.add(uid);
    if (this.#graves.size <= REMEMBERED_GRAVES) return;
    for (const oldest of this.#graves) {
      this.#graves.delete(oldest);
      return;
    }
  }
}

/** `namespace/name`, or the name alone for cluster-wide objects. */
export const keyOf = (meta: Pick<Meta, 'namespace' | 'name'>): string =>
  meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`;
