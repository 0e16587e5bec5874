/** Statistics by plain arithmetic over lists: what running sums and sketches in fixed memory are held against. */

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Population variance; of nothing: 0. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.length === 0 ? 0 : meanOf(values.map((value) => (value - mean) ** 2));
}

/** Four bins an octave, of which 64 lie below 1 and 63 above; zero is in the first. */
const binOf = (value: number): number =>
  value > 0 ? Math.min(Math.max(64 + Math.floor(4 * Math.log2(value)), 0), 127) : 0;

/** The past of a positive quantity, known to a quarter of an octave: the list that a sketch stands for. */
export class Past {
  readonly #bins: number[] = [];
  #unit = 0;

  /** `inUnits`: the first value that is not zero is the unit in which all are kept. */
  constructor(inUnits = false) {
    if (!inUnits) this.#unit = 1;
  }

  get count(): number {
    return this.#bins.length;
  }

  add(value: number): void {
    if (this.#unit === 0) this.#unit = value;
    this.#bins.push(this.#unit > 0 ? binOf(value / this.#unit) : 0);
  }

  /** What all but a share `tail` of the past does not exceed; geometric within a bin. */
  upper(tail: number): number {
    const wanted = tail * this.count;
    const descending = this.#bins.toSorted((a, b) => b - a);
    const bin = descending[Math.floor(wanted)] ?? 0;
    if (bin === 0) return 0;
    const above = descending.indexOf(bin);
    const within = descending.lastIndexOf(bin) + 1 - above;
    return this.#unit * 2 ** ((bin + 1 - 64 - (wanted - above) / within) / 4);
  }

  /** Share of the past that is as extreme, itself counted. */
  tail(value: number): number {
    const bin = binOf(value / this.#unit);
    return (this.#bins.filter((each) => each >= bin).length + 1) / (this.count + 1);
  }
}
