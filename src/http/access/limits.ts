import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit, type Store } from 'express-rate-limit';
import { refusalReply } from '../reply.ts';
import { refuse } from '../refuse.ts';
import { callerOf } from './gate.ts';

export interface RateSetting {
  /** Requests a second of one key. */
  readonly perKey: number;
  /** Requests a second of one address, whatever keys it has. */
  readonly perAddress: number;
}

const WINDOW_MS = 1_000;
const SEPARATOR = '\u0000';

/**
 * Limits by key and by address in one go, before any body is read; shown in `RateLimit` headers (draft 8). A route
 * without a key is limited by the address alone.
 */
export function createLimiter(rate: RateSetting, addressOf: (request: IncomingMessage) => string): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: (request) => (callerOf(request) === undefined ? rate.perAddress : rate.perKey),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => {
      const key = callerOf(request)?.name ?? '';
      return `${key}${SEPARATOR}${networkOf(addressOf(request))}`;
    },
    store: countBoth(rate),
    // Its checks look at headers that only matter to its own way of finding the address.
    validate: false,
    handler: (request, response) => refuse(request, response, refusalReply('tooManyRequests', { 'retry-after': '1' })),
  });
}

/** A whole IPv6 network counts as one address: its owner has as many as there are grains of sand. */
const networkOf = (address: string): string => (address.includes(':') ? ipKeyGenerator(address) : address);

/** Counts of the present window, by key and by address; forgotten with the window, so they cannot pile up. */
function countBoth(rate: RateSetting): Store {
  let endMs = 0;
  const hits = new Map<string, number>();
  const hit = (name: string): number => {
    const count = (hits.get(name) ?? 0) + 1;
    hits.set(name, count);
    return count;
  };
  return {
    increment: (compound) => {
      const nowMs = performance.now();
      if (nowMs >= endMs) {
        hits.clear();
        endMs = nowMs + WINDOW_MS;
      }
      const at = compound.indexOf(SEPARATOR);
      const ofAddress = hit(compound.slice(at));
      // The address's share of its own limit, in units of the key's: whichever is spent first refuses.
      const totalHits =
        at === 0
          ? ofAddress
          : Math.max(hit(compound.slice(0, at)), Math.ceil((ofAddress * rate.perKey) / rate.perAddress));
      return { totalHits, resetTime: new Date(Date.now() + endMs - nowMs) };
    },
    decrement: () => undefined,
    resetKey: (compound) => void hits.delete(compound),
  };
}
