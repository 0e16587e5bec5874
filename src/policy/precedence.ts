import type { HealingPolicy } from './healing-policy.ts';

type Ranked = Pick<HealingPolicy, 'priority' | 'createdAtMs' | 'uid'>;

/** Negative if `a` acts before `b`: higher priority, then older, then the smaller UID. A total order. */
export function byPrecedence(a: Ranked, b: Ranked): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs - b.createdAtMs;
  return a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0;
}

/** The policy that acts on a workload which all of these select; `undefined` for none. */
export function actingPolicy<P extends Ranked>(policies: readonly P[]): P | undefined {
  return policies.reduce<P | undefined>(
    (best, policy) => (best === undefined || byPrecedence(policy, best) < 0 ? policy : best),
    undefined,
  );
}
