/** Something in a file that cannot be used: where, what, and how to mend it. */
export interface FileProblem {
  /** `samples.csv:17` or `policy.yaml: spec.mode`. */
  readonly where: string;
  readonly message: string;
}

/** Shown at most; the rest is counted. A file of the wrong kind has a problem on each of its lines. */
const SHOWN = 20;

/** All problems of a file, gathered until its end. */
export class Problems {
  readonly #file: string;
  readonly #found: FileProblem[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(line: number | undefined, message: string): void {
    this.#count += 1;
    if (this.#found.length >= SHOWN) return;
    this.#found.push({ where: line === undefined ? this.#file : `${this.#file}:${line}`, message });
  }

  get count(): number {
    return this.#count;
  }

  list(): readonly FileProblem[] {
    const more = this.#count - this.#found.length;
    return more === 0 ? this.#found : [...this.#found, { where: this.#file, message: `and ${more} more like these` }];
  }
}

export const inLines = (problems: readonly FileProblem[]): string =>
  problems.map(({ where, message }) => `${where}: ${message}\n`).join('');
