import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Pause requests of the policy: while one stands, nothing new begins. */
export const paused: Guard = {
  name: 'paused',
  check: ({ policy }) => {
    const [first, ...rest] = policy.pauseRequests;
    if (first === undefined) return undefined;
    const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
    return hold('Paused', `paused by ${first.name}: ${first.reason}${more}`);
  },
};
