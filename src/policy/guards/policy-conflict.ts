import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Two policies on one workload: only the one with precedence acts. */
export const policyConflict: Guard = {
  name: 'policyConflict',
  check: ({ policy, actingPolicyUid }) =>
    actingPolicyUid === policy.uid
      ? undefined
      : hold('Conflict', `another policy (uid ${actingPolicyUid}) has precedence on this workload`),
};
