import { networkOf } from '../address-class.ts';

/** How many bad keys an address may present in a minute before it is locked out. */
const MAX_BAD_KEYS = 10;
const WINDOW_MS = 60_000;
/** A key that an address used lately goes on working there while the address is locked out. */
const TRUSTED_FOR_MS = 3_600_000;
/** Addresses remembered of either sort; the oldest goes first. */
const MAX_REMEMBERED = 10_000;

/**
 * Stops guessing without stopping those who need no guess. An address that presented ten bad keys within a minute is
 * refused until the minute is over, whatever key it presents, except a key that was in use from there before: many
 * callers share an address, and one with a wrong key must not lock out the others. Of IPv6 a whole network is locked
 * out: whoever guesses there has as many addresses as guesses.
 */
export interface Lockout {
  /** Milliseconds until the address may try again; 0: it is not locked out. */
  lockedForMs(address: string, nowMs: number): number;
  recordBad(address: string, nowMs: number): void;
  recordGood(address: string, keyId: string, nowMs: number): void;
  isTrusted(address: string, keyId: string, nowMs: number): boolean;
}

/** Times are monotonic: a clock that jumps neither frees nor keeps anybody. */
export function createLockout(): Lockout {
  const bad = new Map<string, { sinceMs: number; count: number }>();
  const good = new Map<string, number>();

  return {
    lockedForMs: (address, nowMs) => {
      // The common case must cost nothing.
      if (bad.size === 0) return 0;
      const entry = bad.get(networkOf(address));
      if (entry === undefined || entry.count < MAX_BAD_KEYS) return 0;
      return Math.max(0, entry.sinceMs + WINDOW_MS - nowMs);
    },
    recordBad: (address, nowMs) => {
      const network = networkOf(address);
      const entry = bad.get(network);
      if (entry !== undefined && nowMs - entry.sinceMs < WINDOW_MS) {
        entry.count += 1;
        return;
      }
      remember(bad, network, { sinceMs: nowMs, count: 1 });
    },
    recordGood: (address, keyId, nowMs) => {
      const pair = `${keyId} ${address}`;
      const known = good.get(pair);
      if (known === undefined || nowMs - known > WINDOW_MS) remember(good, pair, nowMs);
    },
    isTrusted: (address, keyId, nowMs) => {
      const lastMs = good.get(`${keyId} ${address}`);
      return lastMs !== undefined && nowMs - lastMs < TRUSTED_FOR_MS;
    },
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  if (map.size >= MAX_REMEMBERED) {
    const oldest = map.keys().next().value;
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}
