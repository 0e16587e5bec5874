import { createHash } from 'node:crypto';
import type { HistoryTable } from './tables.ts';

/** Hash before the first row that ever was. */
export const GENESIS = '0'.repeat(64);

/** A history entry before it is given its place in the chain. */
export type Unchained = Omit<HistoryTable, 'previous_hash' | 'hash'>;

/**
 * Gives an entry its place: sha256 over the hash before it and all of its fields in this order. Changing, removing or
 * reordering any entry breaks every hash from there on.
 */
export function chain(entry: Unchained, previousHash: string): HistoryTable {
  return { ...entry, previous_hash: previousHash, hash: hashOf(entry, previousHash) };
}

export function hashOf(entry: Unchained, previousHash: string): string {
  const fields = [
    previousHash,
    entry.seq,
    entry.entry,
    entry.row_id,
    entry.at_ms,
    entry.kind,
    entry.incident_id,
    entry.decision_id,
    entry.action_name,
    entry.namespace,
    entry.workload,
    entry.action,
    entry.reason,
    entry.message,
    entry.facts,
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** What verification found. `head` can be kept elsewhere: a chain that was rewritten whole has another. */
export type ChainCheck =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly seq: number; readonly problem: string };

/** Checks one entry against its predecessor; `undefined` when it holds. */
export function brokenLink(entry: HistoryTable, expectedSeq: number, expectedHash: string): string | undefined {
  if (entry.seq !== expectedSeq) return `entry ${expectedSeq} is missing`;
  if (entry.previous_hash !== expectedHash) return 'the entry does not follow the one before it';
  if (hashOf(entry, expectedHash) !== entry.hash) return 'the entry was changed';
  return undefined;
}
