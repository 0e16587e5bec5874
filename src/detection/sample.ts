/**
 * One measured value, or why there is none. Missing is never zero: whoever cannot produce a finite, fresh number
 * says `unknown` with the reason, and nothing downstream may act on it.
 */
export const UNKNOWN_REASONS = [
  'Absent',
  'NotFinite',
  'Stale',
  'InFuture',
  'Partial',
  'SourceError',
  'WarmingUp',
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

export type Reading =
  | { readonly kind: 'value'; readonly value: number; readonly atMs: number }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** Which side of the normal band is harmful. */
export type Direction = 'Above' | 'Below' | 'Both';

/** A limit that people set: breached from `enter` for `forSeconds`, over again at `leave`. */
export interface MetricLimit {
  readonly enter: number;
  readonly leave: number;
  readonly forSeconds: number;
}

/** What a metric means: its unit, its harmful direction and its limits. */
export interface MetricSpec {
  readonly name: string;
  readonly unit: string;
  readonly direction: Direction;
  readonly limit?: MetricLimit;
}

export interface MetricReading {
  readonly metric: string;
  readonly reading: Reading;
}
