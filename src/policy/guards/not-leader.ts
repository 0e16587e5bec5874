import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Only the holder of the lease acts. */
export const notLeader: Guard = {
  name: 'notLeader',
  check: ({ leader }) =>
    leader
      ? undefined
      : hold('NotLeader', 'another replica of the operator holds the lease, or the lease is not fresh'),
};
