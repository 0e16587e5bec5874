/**
 * Piecewise linear curve through points of rising x; before the first point it falls linearly to 0 at x = 0, after the
 * last it stays. Negative x and NaN: 0. No points: 0.
 */
export function interpolate(points: readonly (readonly [x: number, y: number])[], x: number): number {
  let [fromX, fromY] = [0, 0];
  if (!(x > 0)) return 0;
  for (const [toX, toY] of points) {
    if (x <= toX) return toX === fromX ? toY : fromY + ((toY - fromY) * (x - fromX)) / (toX - fromX);
    [fromX, fromY] = [toX, toY];
  }
  return fromY;
}
