import { hashParts } from '../lib/hash.ts';

/** What makes an action the same action: a second creator, after a crash or as a second leader, must find it. */
export interface IntentIdentity {
  readonly policyUid: string;
  readonly targetUid: string;
  readonly incidentId: string;
  readonly step: number;
  readonly attempt: number;
}

/** The identity's hash in 80 bits, behind a prefix that people can read. */
const HASH_DIGITS = 20;
/** With `-`, the hash and an `aegis-` that objects of throttle_api put before it: a DNS-1123 label, at most 63. */
const PREFIX_LENGTH = 36;

/**
 * The name of the AegisHealingAction: deterministic, a DNS-1123 label, equal only for an equal identity. The
 * workload's name serves the reader; it is fixed with the target's UID.
 */
export function intentName(identity: IntentIdentity, workloadName: string): string {
  const { policyUid, targetUid, incidentId, step, attempt } = identity;
  const hash = hashParts(policyUid, targetUid, incidentId, step, attempt).slice(0, HASH_DIGITS);
  const prefix = workloadName
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, PREFIX_LENGTH)
    .replace(/^-+|-+$/g, '');
  return `${prefix === '' ? 'action' : prefix}-${hash}`;
}
