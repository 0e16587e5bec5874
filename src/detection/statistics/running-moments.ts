/**
 * Mean and variance that forget: the n-th value has weight 1 / min(n, memory), so it is the plain mean at first and
 * exponential later. `moments[at]` is the mean, `moments[at + 1]` the population variance. One value: variance 0.
 * Not finite values must not reach it; huge ones (beyond 1e150) overflow the variance to Infinity, never to NaN.
 */
export function teachMoments(moments: Float64Array, at: number, value: number, n: number, memory: number): void {
  const weight = 1 / Math.min(n, memory);
  const mean = moments[at] ?? 0;
  const delta = value - mean;
  moments[at] = mean + weight * delta;
  moments[at + 1] = weight === 1 ? 0 : (1 - weight) * ((moments[at + 1] ?? 0) + weight * delta * delta);
}
