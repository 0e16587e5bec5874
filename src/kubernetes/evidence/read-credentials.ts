import type { CredentialState } from '../../diagnosis/evidence.ts';
import { at, metaOf, optionalText, optionalTime, present } from '../json.ts';
import { readConditions } from '../read-pod.ts';

/** A credential with the Secret that holds it. */
export interface HeldCredential {
  readonly secret: string;
  /** Absent: its controller has not judged it yet. */
  readonly state?: CredentialState;
}

/**
 * Reasons of cert-manager for which what the Secret holds cannot be used. With any other (a changed request, another
 * issuer) the certificate in the Secret is good until its end.
 */
const BROKEN: readonly string[] = ['DoesNotExist', 'MissingData', 'InvalidKeyPair', 'InvalidCertificate', 'Expired'];

/**
 * A cert-manager Certificate. Renewed is what its status proves: the certificate begins to be valid, or it became ready
 * again, at that moment. Issuers may date the beginning back, never forward: then too little is proven and not too much.
 */
export function readCertificate(object: unknown, nowMs: number): HeldCredential {
  const secret = optionalText(at(object, 'spec').secretName) ?? '';
  const status = at(object, 'status');
  const ready = readyOf(status.conditions);
  if (ready === undefined) return { secret };
  const notAfterMs = optionalTime(status.notAfter);
  const isUsable = notAfterMs !== undefined && notAfterMs > nowMs && !BROKEN.includes(ready.reason);
  const isReady = ready.isTrue || isUsable;
  const since = ready.isTrue ? ready.changedAtMs : undefined;
  const state: CredentialState = {
    ...{ kind: 'certificate', name: metaOf(object).name, ready: isReady },
    ...present({ notAfterMs, renewedAtMs: isReady ? latest(optionalTime(status.notBefore), since) : undefined }),
  };
  return { secret, state };
}

/** Refreshes that only happen for a cause; the periodic one moves `refreshTime` although nothing changed. */
const CAUSED: readonly string[] = ['OnChange', 'CreatedOnce'];
const NEVER: readonly string[] = ['0', '0s', '0m', '0h', '0h0m0s', '0m0s'];

/**
 * An external-secrets ExternalSecret. Its refresh time moves with every interval, changed or not, so it proves a newer
 * credential only where refreshes are not periodic; else only becoming ready again does.
 */
export function readExternalSecret(object: unknown): HeldCredential {
  const spec = at(object, 'spec');
  const { name } = metaOf(object);
  const secret = optionalText(at(spec, 'target').name) ?? name;
  const status = at(object, 'status');
  const ready = readyOf(status.conditions);
  if (ready === undefined) return { secret };
  const isCaused =
    CAUSED.includes(optionalText(spec.refreshPolicy) ?? '') || NEVER.includes(optionalText(spec.refreshInterval) ?? '');
  const refreshed = isCaused ? optionalTime(status.refreshTime) : undefined;
  const state: CredentialState = {
    ...{ kind: 'secret', name, ready: ready.isTrue },
    ...present({ renewedAtMs: ready.isTrue ? latest(refreshed, ready.changedAtMs) : undefined }),
  };
  return { secret, state };
}

function readyOf(conditions: unknown) {
  const ready = readConditions(conditions).find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'Unknown') return undefined;
  return { isTrue: ready.status === 'True', reason: ready.reason ?? '', changedAtMs: ready.changedAtMs };
}

function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
