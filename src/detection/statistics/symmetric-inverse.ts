/**
 * Inverse of a symmetric positive definite matrix (row-major, n x n) by Gauss-Jordan without pivoting, O(n^3). A pivot
 * that is not positive (a matrix that is not definite) is taken as the smallest positive number: the caller adds a ridge.
 */
export function symmetricInverse(matrix: Float64Array, n: number): Float64Array {
  const work = matrix.slice();
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  for (let pivot = 0; pivot < n; pivot++) {
    const diagonal = Math.max(work[pivot * n + pivot] ?? 0, 1e-300);
    for (let j = 0; j < n; j++) {
      work[pivot * n + j] = (work[pivot * n + j] ?? 0) / diagonal;
      inverse[pivot * n + j] = (inverse[pivot * n + j] ?? 0) / diagonal;
    }
    for (let row = 0; row < n; row++) {
      const factor = row === pivot ? 0 : (work[row * n + pivot] ?? 0);
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) {
        work[row * n + j] = (work[row * n + j] ?? 0) - factor * (work[pivot * n + j] ?? 0);
        inverse[row * n + j] = (inverse[row * n + j] ?? 0) - factor * (inverse[pivot * n + j] ?? 0);
      }
    }
  }
  return inverse;
}
