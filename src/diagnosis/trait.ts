/** A property of the case, found by the diagnosis, on which a rung of a ladder or a refusal hangs. */
export type Trait =
  | 'memory-follows-requests'
  | 'throttling-alone'
  | 'mid-rollout'
  | 'renewal-proven'
  | 'cache-volume'
  | 'one-node'
  | 'own-scale-up';
