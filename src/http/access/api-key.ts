import { hash, timingSafeEqual } from 'node:crypto';

/** What a key may be used for. `admin` includes the others. */
export type Scope = 'detect' | 'evaluate' | 'read' | 'approve' | 'admin';

/** A key as it is kept: the key itself is nowhere. */
export interface ApiKey {
  /** For logs and limits, no secret. */
  readonly name: string;
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  /** Absent: it does not expire. */
  readonly expiresAtMs?: number;
}

/** The key of the guide, for trying out: accepted only where nobody else can connect. */
export const DEVELOPMENT_KEY = 'dev_api_key';

/** Makes the kept form of a key. */
export function apiKey(name: string, secret: string, scopes: readonly Scope[] = ['admin']): ApiKey {
  return { name, sha256: hash('sha256', secret, 'hex'), scopes };
}

export function mayUse(key: ApiKey, scope: Scope): boolean {
  return key.scopes.includes(scope) || key.scopes.includes('admin');
}

/** The keys that are valid now; several at once, so that they can be rotated. */
export interface KeyRing {
  /** The key that was presented, `undefined` for any other text. Takes as long either way. */
  find(presented: string, nowMs: number): ApiKey | undefined;
  /** Whether a key that was let in before still would be. */
  holds(key: ApiKey, scope: Scope, nowMs: number): boolean;
  replace(keys: readonly ApiKey[]): void;
  size(): number;
}

export function createKeyRing(keys: readonly ApiKey[]): KeyRing {
  let ring = keys.map(withDigest);
  // One for all calls: a buffer for each request's digest would be freed by the collector alone, three times as dear.
  const digest = Buffer.alloc(HEX_DIGITS);
  return {
    find: (presented, nowMs) => {
      digest.write(hash('sha256', presented, 'hex'), 'latin1');
      let found: ApiKey | undefined;
      // Every key is compared, and only digests: neither the place of the match nor its length shows in the time.
      for (const entry of ring) {
        if (timingSafeEqual(entry.digest, digest)) found = entry.key;
      }
      return found?.expiresAtMs !== undefined && found.expiresAtMs <= nowMs ? undefined : found;
    },
    holds: ({ sha256 }, scope, nowMs) => {
      const known = ring.find(({ key }) => key.sha256 === sha256)?.key;
      return known !== undefined && mayUse(known, scope) && (known.expiresAtMs ?? Infinity) > nowMs;
    },
    replace: (next) => {
      ring = next.map(withDigest);
    },
    size: () => ring.length,
  };
}

const HEX_DIGITS = 64;

/** The digest as hexadecimal text, in whatever case it was configured. */
function withDigest(key: ApiKey): { readonly key: ApiKey; readonly digest: Buffer } {
  const digest = Buffer.from(key.sha256, 'hex');
  if (digest.length !== 32) throw new Error(`key ${key.name} has no SHA-256 of 64 hexadecimal digits`);
  return { key, digest: Buffer.from(digest.toString('hex'), 'latin1') };
}
