import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { refusalReply, type Reply } from '../reply.ts';
import { mayUse, type ApiKey, type KeyRing, type Scope } from './api-key.ts';
import { isForeignHost } from './foreign-host.ts';
import type { Lockout } from './lockout.ts';

export interface GateSetting {
  readonly ring: KeyRing;
  readonly lockout: Lockout;
  readonly clock: Clock;
  /** The key is the published one: it opens nothing to requests that name another host. */
  readonly isDevelopment: boolean;
}

/** Who may pass, or what the others are answered. */
export type Admission = { readonly key: ApiKey } | { readonly refusal: Reply };

/**
 * Lets in who presents a key with the scope. Missing, wrong, expired and revoked keys get the same answer after the
 * same work; only a key that was presented counts towards the lock-out.
 */
export function createGate({ ring, lockout, clock, isDevelopment }: GateSetting) {
  const unauthorized = { refusal: refusalReply('unauthorized') };
  const forbidden = { refusal: refusalReply('forbidden') };
  const elsewhere = { refusal: refusalReply('foreignHost') };
  return function admit(request: IncomingMessage, address: string, scope: Scope): Admission {
    if (isDevelopment && isForeignHost(request.headers.host)) return elsewhere;
    const header = request.headers['x-api-key'];
    const presented = typeof header === 'string' ? header : '';
    const key = ring.find(presented, clock.nowMs());
    const nowMs = clock.monotonicMs();
    const lockedMs = lockout.lockedForMs(address, nowMs);
    if (lockedMs > 0 && !(key !== undefined && lockout.isTrusted(address, key.name, nowMs))) {
      return { refusal: refusalReply('lockedOut', { 'retry-after': String(Math.ceil(lockedMs / 1000)) }) };
    }
    if (key === undefined) {
      if (presented !== '') lockout.recordBad(address, nowMs);
      return unauthorized;
    }
    lockout.recordGood(address, key.name, nowMs);
    return mayUse(key, scope) ? { key } : forbidden;
  };
}
