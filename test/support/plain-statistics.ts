/** Statistics by plain arithmetic over lists: what running sums and sketches in fixed memory are held against. */
import {
  HISTOGRAM_BINS,
  histogramAdd,
  histogramBin,
  histogramTailShare,
  histogramUpperQuantile,
} from '../../src/detection/statistics/log-histogram.ts';

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Population variance; of nothing: 0. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.length === 0 ? 0 : meanOf(values.map((value) => (value - mean) ** 2));
}

/** The past of a positive quantity, in a sketch that is read by the library's own functions. */
export class Past {
  readonly #counts = new Uint16Array(HISTOGRAM_BINS);
  #unit = 0;
  count = 0;

  /** `inUnits`: the first value that is not zero is the unit in which all are kept. */
  constructor(inUnits = false) {
    if (!inUnits) this.#unit = 1;
  }

  add(value: number): void {
    if (this.#unit === 0) this.#unit = value;
    this.count = histogramAdd(this.#counts, 0, histogramBin(this.#unit > 0 ? value / this.#unit : 0), this.count);
  }

  /** What all but a share `tail` of the past does not exceed. */
  upper(tail: number): number {
    return histogramUpperQuantile(this.#counts, 0, this.count, tail) * this.#unit;
  }

  /** Share of the past that is as extreme. */
  tail(value: number): number {
    return histogramTailShare(this.#counts, 0, this.count, histogramBin(value / this.#unit));
  }
}
