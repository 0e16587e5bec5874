import type { Guard } from '../guard.ts';
import { refusal } from '../preconditions/refusal.ts';

/** What the action needs of the cluster: who owns the replicas, room in the quota, a declared cache, and so on. */
export const preconditionFails: Guard = { name: 'preconditionFails', check: refusal };
