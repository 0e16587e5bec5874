/** A limit as gateways take it: a whole number of requests in a unit of time. */
export interface WholeLimit {
  readonly requests: number;
  readonly unit: 'Second' | 'Minute';
}

/** A whole number of requests a second may miss the limit by so much; else it is counted by the minute. */
const ROUNDING = 0.05;

/**
 * The share of one counter, where `counters` count apart from each other: 100/s over 3 proxies are 33 a second each. A
 * bucket of a second bursts least; what whole seconds would round by more than 5 % is counted by the minute. At least 1.
 */
export function shareOf(limitPerSecond: number, counters: number): WholeLimit {
  const perSecond = limitPerSecond / Math.max(1, counters);
  const rounded = Math.round(perSecond);
  if (rounded >= 1 && Math.abs(rounded - perSecond) <= ROUNDING * perSecond)
    return { requests: rounded, unit: 'Second' };
  return { requests: Math.max(1, Math.round(60 * perSecond)), unit: 'Minute' };
}
