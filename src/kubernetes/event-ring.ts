import type { ClusterEvent } from '../lib/workload.ts';
import { metaOf } from './json.ts';
import { readEvent } from './read-surroundings.ts';

/** Warnings of a busy hour; older ones are of no use to a diagnosis that looks back minutes. */
const LARGEST = 4_000;

/** The last warnings, bounded: a crash loop writes events without end. */
export class EventRing {
  readonly #byUid = new Map<string, ClusterEvent>();

  /** Takes an Event object; answers what is new, `undefined` for a repetition or a normal event. */
  take(object: unknown): ClusterEvent | undefined {
    const event = readEvent(object);
    if (event.type !== 'Warning') return undefined;
    const { uid } = metaOf(object);
    const known = this.#byUid.get(uid);
    if (known !== undefined && known.lastAtMs === event.lastAtMs && known.count === event.count) return undefined;
    this.#byUid.delete(uid);
    this.#byUid.set(uid, event);
    if (this.#byUid.size > LARGEST) this.#forgetOldest();
    return event;
  }

  /** Of one namespace, last seen at or after `sinceMs`, oldest first. */
  of(namespace: string, sinceMs: number): readonly ClusterEvent[] {
    const found: ClusterEvent[] = [];
    for (const event of this.#byUid.values()) {
      if (event.namespace === namespace && event.lastAtMs >= sinceMs) found.push(event);
    }
    return found.sort((a, b) => a.lastAtMs - b.lastAtMs);
  }

  #forgetOldest(): void {
    for (const uid of this.#byUid.keys()) {
      this.#byUid.delete(uid);
      return;
    }
  }
}
