import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of `--out` for a set of cases. */
export interface CaseRow {
  /** Path of the case inside the set's folder, or what else names it there. */
  readonly case: string;
  /** Suspects, the likeliest first. */
  readonly ranking: readonly string[];
  /** What kind of failure it is taken for; null: the set asks only where it is. */
  readonly topType: string | null;
  /** 0 to 1. */
  readonly confidence: number;
}

/** Writes one JSON line per case to `<out>/<set>.jsonl`; nothing without a folder. */
export function writeCases(out: string | undefined, set: string, rows: readonly CaseRow[]): void {
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  const lines = rows.map(({ case: name, ranking, topType, confidence }) =>
    JSON.stringify({ case: name, ranking, top: ranking[0] ?? null, topType, confidence }),
  );
  writeFileSync(join(out, `${set}.jsonl`), lines.map((line) => `${line}\n`).join(''));
}

/** How sure a ranking is of its first entry, from the distance to the second: 0.5 if they are equal, 1 if it is alone. */
export function confidenceOf(scores: readonly number[]): number {
  const [first = 0, second = 0] = scores;
  return first <= 0 ? 0 : first / (first + Math.max(0, second));
}

/** NaN of nothing: no case is not a case that was missed. */
export const share = (part: number, whole: number): number => (whole === 0 ? NaN : part / whole);

/** An empty cell is no value, not zero. */
export const numberIn = (cell: string | undefined): number => (cell === undefined || cell === '' ? NaN : Number(cell));
