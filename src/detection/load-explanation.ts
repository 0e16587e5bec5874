import type { Assessment } from './assessment.ts';

/**
 * Conditional thinking: more load is not a fault, and cpu, memory, disk or throttling that rise no more than the load
 * do are its consequence. The rule is proportional on purpose: a regression learnt from quiet traffic knows nothing
 * about a surge three times beyond it, a proportion does.
 *
 *   explained = load rose by >= 20 %  and  follower / expected <= (load / expected load) * 1.3
 *
 * Both are read against the same reference: each its own past, or each its peers (one pod gets more traffic than the
 * others). What latency, errors, a limit or the container's end of scale say is never explained away: an overload is
 * still one.
 */
const LOAD_ROSE = 1.2;
const PROPORTION = 1.3;

/** True if the follower's rise over its own past is no greater than that of the load. */
export function explainedByLoad(follower: Assessment, driver: Assessment | undefined): boolean {
  if (driver === undefined || driver.refused !== undefined || driver.learnt === 0) return false;
  return follows(follower.smooth, follower.expected, driver.smooth, driver.expected);
}

/** The same against the peers: this pod has more to do than they. */
export function explainedByPeersLoad(follower: Assessment, driver: Assessment | undefined): boolean {
  if (driver === undefined || driver.refused !== undefined || Number.isNaN(driver.peerRatio)) return false;
  return follows(follower.smooth, follower.peerExpected, driver.smooth, driver.peerExpected);
}

function follows(value: number, expected: number, load: number, expectedLoad: number): boolean {
  if (!(expected > 0) || !(expectedLoad > 0)) return false;
  const loadRatio = load / expectedLoad;
  return loadRatio >= LOAD_ROSE && value / expected <= loadRatio * PROPORTION;
}
