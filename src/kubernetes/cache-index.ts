import type { CacheChange } from './object-cache.ts';

/** Finds the values of a cache by something else than their key, without ever scanning all of them. */
export class CacheIndex<T> {
  readonly #by: (value: T) => string;
  readonly #groups = new Map<string, Map<string, T>>();

  constructor(by: (value: T) => string) {
    this.#by = by;
  }

  apply(change: CacheChange<T>): void {
    const { key, value, previous } = change;
    const group = this.#by(value);
    if (previous !== undefined && (change.kind === 'gone' || this.#by(previous) !== group)) {
      this.#remove(this.#by(previous), key);
    }
    if (change.kind === 'gone') return;
    const members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, new Map([[key, value]]));
    else members.set(key, value);
  }

  of(group: string): readonly T[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  #remove(group: string, key: string): void {
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
  }
}
