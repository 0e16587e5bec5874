import { HOUR } from '../lib/duration.ts';
import { labelOf, type Row } from './instant-vector.ts';
import type { PlannedQuery } from './plan.ts';
import type { InstantReply } from './query-api.ts';

/** Tells the rows of one query from those of the others that were asked for together. */
export const QUERY_LABEL = 'aegis_query';

/** Servers cut queries off by their length, the strictest at some 16 kB. */
const MAX_CHARS = 12_000;
/** Above so many rows an exchange costs little beside its rows, and what a query of its own isolates is worth more. */
const MAX_ROWS = 4_000;
const APART_MS = HOUR;

/**
 * Which preset queries go to the server as one. A poll of a small cluster costs mostly its exchanges: one instead of
 * six. Where that went wrong, they are asked one by one for an hour, so that one that fails takes no other with it.
 */
export interface Merging {
  /** The queries in groups, each one exchange; what authors wrote stays by itself. */
  groups(queries: readonly PlannedQuery[], nowMs: number): readonly (readonly PlannedQuery[])[];
  /** Seen: so many rows came in one reply. */
  seen(rows: number, nowMs: number): void;
  /** Seen: together they failed. */
  failed(nowMs: number): void;
}

/** Nothing is kept apart at first. */
export function createMerging(): Merging {
  let apartUntilMs = Number.NEGATIVE_INFINITY;
  const failed = (nowMs: number): void => {
    apartUntilMs = nowMs + APART_MS;
  };
  return {
    groups: (queries, nowMs) =>
      nowMs < apartUntilMs && nowMs >= apartUntilMs - APART_MS ? queries.map((query) => [query]) : grouped(queries),
    seen(rows, nowMs) {
      if (rows > MAX_ROWS) failed(nowMs);
    },
    failed,
  };
}

function grouped(queries: readonly PlannedQuery[]): readonly (readonly PlannedQuery[])[] {
  const groups: PlannedQuery[][] = [];
  let open: PlannedQuery[] = [];
  let chars = 0;
  const chunks = new Map<string, number>();
  for (const { subject } of queries) {
    if (subject.kind === 'preset') chunks.set(subject.sourceKey, (chunks.get(subject.sourceKey) ?? 0) + 1);
  }
  for (const query of queries) {
    // What comes in chunks was too large together once already.
    if (query.subject.kind === 'author' || chunks.get(query.subject.sourceKey) !== 1) {
      groups.push([query]);
      continue;
    }
    if (open.length > 0 && chars + query.promql.length > MAX_CHARS) {
      groups.push(open);
      open = [];
      chars = 0;
    }
    open.push(query);
    chars += query.promql.length;
  }
  return open.length > 0 ? [open, ...groups] : groups;
}

/** One expression for all of them. */
export const mergedQuery = (group: readonly PlannedQuery[]): string =>
  group.map(({ promql }, index) => `label_replace(${promql}, "${QUERY_LABEL}", "${index}", "", "")`).join(' or ');

/** The reply's rows by query; `undefined` if some rows do not say whose they are. */
export function splitReply({ rows }: InstantReply, queries: number): readonly InstantReply[] | undefined {
  const parts: Row[][] = Array.from({ length: queries }, () => []);
  for (const row of rows) {
    const part = parts[Number(labelOf(row, QUERY_LABEL) ?? Number.NaN)];
    if (part === undefined) return undefined;
    part.push(row);
  }
  return parts.map((part) => ({ rows: part }));
}
