/** A property of the case, found by the diagnosis, on which a rung of a ladder or a refusal hangs. */
export const TRAITS = [
  'memory-follows-requests',
  'throttling-alone',
  'mid-rollout',
  'renewal-proven',
  'cache-volume',
  'one-node',
  'own-scale-up',
] as const;
export type Trait = (typeof TRAITS)[number];
