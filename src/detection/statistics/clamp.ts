/** `value` held within [low, high]; NaN becomes `low`, so no NaN leaves a detector. */
export function clamp(value: number, low: number, high: number): number {
  return value >= low ? (value <= high ? value : high) : low;
}
