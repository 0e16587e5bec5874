import { sha256Hex } from '../../lib/hash.ts';

/** API group and version of every Aegis kind. */
export const GROUP = 'healing.aegis.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Plural resource names, as in API paths and RBAC rules. */
export const PLURALS = {
  AegisHealingPolicy: 'aegishealingpolicies',
  AegisHealingAction: 'aegishealingactions',
  AegisGuardrail: 'aegisguardrails',
} as const;
export type AegisKind = keyof typeof PLURALS;

/** Keys that Aegis writes or reads; part of the public contract. */
export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by',
  policy: `${GROUP}/policy`,
  policyUid: `${GROUP}/policy-uid`,
  incident: `${GROUP}/incident`,
  workloadKind: `${GROUP}/workload-kind`,
  workload: `${GROUP}/workload`,
  workloadUid: `${GROUP}/workload-uid`,
  action: `${GROUP}/action`,
} as const;

/** Keeps an action object until its timed return was done. */
export const REVERSAL_FINALIZER = `${GROUP}/reversal`;

const LONGEST_LABEL = 63;

/**
 * A text as a label value. Names may have 253 characters, label values 63: a longer one keeps its first 54 and gets
 * eight hexadecimal digits of its hash, so that two long names stay two values. Characters that a value may not hold
 * become `-`.
 */
export function labelValue(text: string): string {
  const legal = text.replace(/[^A-Za-z0-9._-]/g, '-');
  if (legal === text && text.length <= LONGEST_LABEL) return trimmed(text);
  const digest = sha256Hex(text).slice(0, 8);
  return trimmed(`${legal.slice(0, LONGEST_LABEL - 9)}-${digest}`);
}

const trimmed = (text: string): string => text.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
