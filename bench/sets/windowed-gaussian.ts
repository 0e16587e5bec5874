/**
 * Numenta's baseline detector (NAB, `windowedGaussian`, MIT), written anew: one minus the tail probability of a value
 * under a normal distribution of the last 6,400 values, moved on by hundreds. Checked row by row against NAB's own
 * scores by the benchmark `nab`. A value that is not finite scores 0 and is not learnt.
 */
export function windowedGaussian(values: Float64Array): Float64Array {
  const window: number[] = [];
  const waiting: number[] = [];
  let [mean, sigma] = [0, 1];
  const settle = (): void => {
    mean = window.reduce((sum, value) => sum + value, 0) / window.length;
    sigma = Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window.length);
    if (sigma === 0) sigma = 1e-6;
  };
  const moments = new Moments();
  return values.map((value) => {
    if (!Number.isFinite(value)) return 0;
    const score = window.length === 0 ? 0 : 1 - upperTail(Math.abs(value - mean) / sigma);
    if (window.length < WINDOW) {
      window.push(value);
      moments.add(value);
      [mean, sigma] = [moments.mean, moments.sigma];
    } else {
      waiting.push(value);
      if (waiting.length === STEP) {
        window.splice(0, STEP);
        window.push(...waiting.splice(0));
        settle();
      }
    }
    return score;
  });
}

const WINDOW = 6400;
const STEP = 100;

/** Mean and deviation of a growing window (Welford 1962). */
class Moments {
  mean = 0;
  private count = 0;
  private squares = 0;

  add(value: number): void {
    this.count++;
    const away = value - this.mean;
    this.mean += away / this.count;
    this.squares += away * (value - this.mean);
  }

  get sigma(): number {
    return Math.sqrt(this.squares / this.count) || 1e-6;
  }
}

/** P(Z > z), z >= 0, by the complementary error function (Numerical Recipes' Chebyshev fit, relative error 1.2e-7). */
function upperTail(z: number): number {
  // NAB divides by 1.4142, not by the root of two.
  const x = z / 1.4142;
  const t = 1 / (1 + x / 2);
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ].reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return (t * Math.exp(-x * x + fit)) / 2;
}
