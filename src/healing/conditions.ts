/** The part of a condition by which its changes are told. */
interface Keyed {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
}

/**
 * Conditions keyed by type. `lastTransitionMs` moves only where the status did: a new reason or message alone is no
 * transition.
 */
export function withTransitions<C extends Keyed>(
  next: readonly C[],
  previous: readonly (C & { readonly lastTransitionMs: number })[],
  nowMs: number,
): (C & { readonly lastTransitionMs: number })[] {
  return next.map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const lastTransitionMs = before?.status === condition.status ? before.lastTransitionMs : nowMs;
    return { ...condition, lastTransitionMs };
  });
}
