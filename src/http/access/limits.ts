import type { HeaderList } from '../reply.ts';
import { networkOf } from '../address-class.ts';

export interface RateSetting {
  /** Requests a second of one key. */
  readonly perKey: number;
  /** Requests a second of one address, whatever keys it has. */
  readonly perAddress: number;
}

/** What is left of a caller's second, and the headers that say so. */
interface Allowance {
  readonly isSpent: boolean;
  readonly headers: HeaderList;
}

/** Counts requests by key and by address, before any body is read. */
export interface Limiter {
  /** One more request; `key`: name of the key, absent on open routes, which are limited by the address alone. */
  spend(address: string, key?: string): Allowance;
}

const WINDOW_MS = 1_000;

/**
 * Counts in windows of a second that are forgotten whole, so that nothing can pile up. Whichever limit is nearer is
 * shown in the `RateLimit` headers (IETF draft 8).
 */
export function createLimiter(rate: RateSetting, monotonicMs: () => number): Limiter {
  let endMs = 0;
  const byKey = new Map<string, number>();
  const byAddress = new Map<string, number>();
  let lastAddress = '';
  let lastNetwork = '';
  const policies = {
    key: `"key";q=${rate.perKey};w=1`,
    address: `"address";q=${rate.perAddress};w=1`,
  };
  return {
    spend: (address, key) => {
      const nowMs = monotonicMs();
      if (nowMs >= endMs) {
        byKey.clear();
        byAddress.clear();
        endMs = nowMs + WINDOW_MS;
      }
      if (address !== lastAddress) [lastAddress, lastNetwork] = [address, networkOf(address)];
      const ofAddress = rate.perAddress - countUp(byAddress, lastNetwork);
      const ofKey = key === undefined ? Infinity : rate.perKey - countUp(byKey, key);
      const nearer = ofKey <= ofAddress ? 'key' : 'address';
      const left = Math.min(ofKey, ofAddress);
      return {
        isSpent: left < 0,
        headers: [
          'ratelimit-policy',
          policies[nearer],
          'ratelimit',
          `"${nearer}";r=${Math.max(0, left)};t=${Math.ceil((endMs - nowMs) / 1000)}`,
        ],
      };
    },
  };
}

function countUp(counts: Map<string, number>, name: string): number {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count;
}
