import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Clock } from '../../lib/clock.ts';
import { refusalReply } from '../reply.ts';
import { refuse } from '../refuse.ts';
import { mayUse, type ApiKey, type KeyRing, type Scope } from './api-key.ts';
import type { Lockout } from './lockout.ts';

export interface GateSetting {
  readonly ring: KeyRing;
  readonly lockout: Lockout;
  readonly clock: Clock;
  readonly addressOf: (request: IncomingMessage) => string;
}

const callers = new WeakMap<IncomingMessage, ApiKey>();

/** The key that a request was let in with; `undefined` on open routes. */
export const callerOf = (request: IncomingMessage): ApiKey | undefined => callers.get(request);

/**
 * Lets in who presents a key with the scope. Missing, wrong, expired and revoked keys get the same answer after the
 * same work; only a key that was presented counts towards the lock-out.
 */
export function keyGate(scope: Scope, { ring, lockout, clock, addressOf }: GateSetting): RequestHandler {
  return function requireKey(request, response, next) {
    const header = request.headers['x-api-key'];
    const presented = typeof header === 'string' ? header : '';
    const key = ring.find(presented, clock.nowMs());
    const address = addressOf(request);
    const nowMs = clock.monotonicMs();
    const lockedMs = lockout.lockedForMs(address, nowMs);
    if (lockedMs > 0 && !(key !== undefined && lockout.isTrusted(address, key.name, nowMs))) {
      const headers = { 'retry-after': String(Math.ceil(lockedMs / 1000)) };
      refuse(request, response, refusalReply('lockedOut', headers));
      return;
    }
    if (key === undefined) {
      if (presented !== '') lockout.recordBad(address, nowMs);
      refuse(request, response, refusalReply('unauthorized'));
      return;
    }
    lockout.recordGood(address, key.name, nowMs);
    if (!mayUse(key, scope)) {
      refuse(request, response, refusalReply('forbidden'));
      return;
    }
    callers.set(request, key);
    next();
  };
}
