import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of `--out` for a set of cases. */
export interface CaseRow {
  readonly case: string;
  readonly ranking: readonly string[];
  readonly top: string | null;
  readonly confidence: number;
}

/** Writes one JSON line per case to `<out>/<set>.jsonl`. */
export function writeCases(out: string | undefined, set: string, rows: readonly CaseRow[]): void {
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${set}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** How sure a ranking is of its first entry, from the distance to the second: 0.5 if they are equal, 1 if it is alone. */
export function confidenceOf(scores: readonly number[]): number {
  const [first = 0, second = 0] = scores;
  return first <= 0 ? 0 : first / (first + Math.max(0, second));
}

/** Says where the data of a set comes from, if the folder was not given. */
export function missingData(set: string, repository: string): undefined {
  console.error(`${set}: give the unpacked folder with --data DIR; it comes from https://github.com/${repository}`);
  return undefined;
}

export const share = (part: number, whole: number): number => (whole === 0 ? NaN : part / whole);

/** An empty cell is no value, not zero. */
export const numberIn = (cell: string | undefined): number => (cell === undefined || cell === '' ? NaN : Number(cell));
