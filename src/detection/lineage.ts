import type { ByteReader, ByteWriter } from './state/bytes.ts';

/** Pods of a template remembered beside those that exist: the predecessors of a pod that is yet to come. */
const DEPARTED = 8;
/** Pods that a newcomer learns from at most. */
const DONORS = 16;

interface Line {
  /** Pod uids in the order in which they were first seen. */
  readonly uids: Set<string>;
  seenAtMs: number;
}

/**
 * Which pods ran which template of which workload, so that a replaced pod finds its predecessors. A pod of another
 * template has none: a new release may need another amount of everything, and is judged by limits, peers and its own
 * past alone (docs/adr: a replaced pod starts from its predecessors).
 */
export class Lineages {
  private readonly known = new Map<string, Line>();

  /** Remembers the pods that exist now. */
  note(workloadUid: string, templateHash: string, podUids: readonly string[], nowMs: number): void {
    const key = keyOf(workloadUid, templateHash);
    const line = this.known.get(key) ?? { uids: new Set<string>(), seenAtMs: nowMs };
    line.seenAtMs = nowMs;
    for (const uid of podUids) line.uids.add(uid);
    this.known.set(key, line);
    const tooMany = line.uids.size - podUids.length - DEPARTED;
    if (tooMany > 0) forgetOldest(line.uids, new Set(podUids), tooMany);
  }

  /** Pods of the same workload and template, the newest first; the pod itself is not among them. */
  donors(workloadUid: string, templateHash: string, podUid: string): readonly string[] {
    const uids = this.known.get(keyOf(workloadUid, templateHash))?.uids ?? [];
    return [...uids]
      .filter((uid) => uid !== podUid)
      .slice(-DONORS)
      .toReversed();
  }

  evict(notSeenSinceMs: number): void {
    for (const [key, { seenAtMs }] of this.known) if (seenAtMs < notSeenSinceMs) this.known.delete(key);
  }

  clear(): void {
    this.known.clear();
  }

  /** What the other one knows came before: its pods are the older ones. */
  takeOlder(other: Lineages): void {
    for (const [key, older] of other.known) {
      const own = this.known.get(key);
      const uids = new Set([...older.uids].filter((uid) => own?.uids.has(uid) !== true));
      for (const uid of own?.uids ?? []) uids.add(uid);
      this.known.set(key, { uids, seenAtMs: Math.max(older.seenAtMs, own?.seenAtMs ?? 0) });
    }
  }

  write(to: ByteWriter): void {
    to.u32(this.known.size);
    for (const [key, { uids, seenAtMs }] of this.known) {
      to.text(key);
      to.f64(seenAtMs);
      to.u32(uids.size);
      for (const uid of uids) to.text(uid);
    }
  }

  read(from: ByteReader): void {
    this.known.clear();
    for (let left = from.u32(); left > 0; left--) {
      const key = from.text();
      const seenAtMs = from.f64();
      const uids = new Set(Array.from({ length: from.u32() }, () => from.text()));
      this.known.set(key, { uids, seenAtMs });
    }
  }
}

const keyOf = (workloadUid: string, templateHash: string): string => `${workloadUid}/${templateHash}`;

function forgetOldest(uids: Set<string>, present: ReadonlySet<string>, count: number): void {
  let left = count;
  for (const uid of uids) {
    if (left === 0) return;
    if (present.has(uid)) continue;
    uids.delete(uid);
    left--;
  }
}
