import { MAD_TO_SIGMA, medianAbsoluteDeviation } from '../statistics/median-absolute-deviation.ts';
import { median } from '../statistics/median.ts';

/** Robust standard deviations among the others that a deviation must exceed. */
const SIGMAS = 5;
/** Two others differ by chance by 1.1 sigma: half that difference times this is about five of them. */
const HALF_RANGES = 8;
/** Against a single other nobody knows which of the two is odd: it takes twice as much. */
const ALONE = 2;
/** Deviation that was always there (a leader, a shard) is learnt, and only what goes beyond it counts. */
const SIGMAS_OF_OWN = 5;

export interface PeerInput {
  /** The pod's value, smoothed over its last three samples. */
  readonly value: number;
  /** The other replicas' values of the same metric and template, smoothed alike. */
  readonly others: readonly number[];
  readonly absoluteFloor: number;
  readonly relativeFloor: number;
  /** Mean and variance of this pod's past deviation from its peers, where enough is known. */
  readonly usual?: { readonly mean: number; readonly variance: number };
}

export interface PeerDeviation {
  /** Median of the others, moved by this pod's usual deviation: what it should show. */
  readonly expected: number;
  /** Signed distance from the median of the others, in the metric's unit. */
  readonly deviation: number;
  /** Smallest distance from `expected` that is no noise. */
  readonly needed: number;
}

/**
 * A replica against the others of its template: no history needed. The pod itself is left out of the comparison, so in
 * a group of three a deviating pod faces two equal ones, while each of those faces two different ones and sees that
 * the others disagree. Floors keep the noise of healthy replicas from ever counting. No others: `undefined`.
 */
export function peerDeviation(input: PeerInput): PeerDeviation | undefined {
  const { value, others, usual } = input;
  if (others.length === 0) return undefined;
  const center = median(others);
  const deviation = value - center;
  const floor = Math.max(input.absoluteFloor, input.relativeFloor * Math.abs(center));
  const needed = Math.max(
    others.length === 1 ? ALONE * floor : floor,
    spreadOf(others, center),
    usual === undefined ? 0 : SIGMAS_OF_OWN * Math.sqrt(usual.variance),
    Number.MIN_VALUE,
  );
  return { expected: center + (usual?.mean ?? 0), deviation, needed };
}

function spreadOf(others: readonly number[], center: number): number {
  const mad = medianAbsoluteDeviation(others, center);
  return others.length === 2 ? HALF_RANGES * mad : SIGMAS * MAD_TO_SIGMA * mad;
}
