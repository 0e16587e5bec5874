import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { refusalReply } from '../reply.ts';
import { refuse } from '../refuse.ts';
import { callerOf } from './gate.ts';

export interface RateSetting {
  /** Requests a second of one key. */
  readonly perKey: number;
  /** Requests a second of one address, whatever keys it has. */
  readonly perAddress: number;
}

export interface Limiters {
  readonly byKey: RequestHandler;
  readonly byAddress: RequestHandler;
}

/** Limits by key and by address, both before any body is read. The key's is shown in `RateLimit` headers (draft 8). */
export function createLimiters(rate: RateSetting, addressOf: (request: IncomingMessage) => string): Limiters {
  return {
    byKey: limiter(rate.perKey, 'draft-8', (request) => callerOf(request)?.name ?? ''),
    byAddress: limiter(rate.perAddress, false, (request) => ipKeyGenerator(addressOf(request))),
  };
}

function limiter(
  limit: number,
  standardHeaders: 'draft-8' | false,
  keyGenerator: (request: IncomingMessage) => string,
): RequestHandler {
  return rateLimit({
    windowMs: 1_000,
    limit,
    standardHeaders,
    legacyHeaders: false,
    keyGenerator,
    // Its checks look at headers that only matter to its own way of finding the address.
    validate: false,
    handler: (request, response) => refuse(request, response, refusalReply('tooManyRequests', { 'retry-after': '1' })),
  });
}
