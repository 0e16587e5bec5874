import { MINUTE, SECOND } from '../lib/duration.ts';
import type { Guardrail } from './healing-policy.ts';
import type { StormState } from './guard.ts';

/** A watched workload; one whose state is not known is left out, since it counts neither as well nor as ill. */
export interface WatchedWorkload {
  readonly workload: string;
  readonly namespace: string;
  /** Last poll in which it was anomalous; absent: not within memory. */
  readonly lastAnomalousMs?: number;
}

export interface StormInput {
  readonly nowMs: number;
  readonly watched: readonly WatchedWorkload[];
  readonly settings: Guardrail['storm'];
  /** States of the previous look, by scope: the brake stays on for the cooldown after them, across restarts. */
  readonly previous: readonly StormState[];
}

/** Workloads that turned anomalous within this time of one another count as one event. */
const STORM_WINDOW_MS = 5 * MINUTE;
export const CLUSTER_SCOPE = 'cluster';
/** A state names so many of its workloads: it stands in logs, statuses and the store. */
const MOST_NAMED = 10;

/** `a, b and 3 more`: the first of the names, and how many there are besides, of so many in all; empty without a name. */
export function namesOf(
  names: readonly string[],
  { most, of }: { readonly most: number; readonly of: number },
): string {
  const shown = names.slice(0, most);
  const more = of - shown.length;
  return shown.length === 0 || more <= 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}

/** More than the given share, in whole numbers: 2 of 5 at 40 % is not more. */
function isStorm(anomalous: number, watched: number, settings: Guardrail['storm']): boolean {
  return anomalous >= settings.minTargets && anomalous * 100 > watched * settings.unhealthyPercent;
}

function stateOfScope(scope: string, members: readonly WatchedWorkload[], input: StormInput): StormState {
  const { nowMs, settings } = input;
  const ill = members.filter(
    // A stored time in the future counts as now.
    ({ lastAnomalousMs }) => lastAnomalousMs !== undefined && lastAnomalousMs >= nowMs - STORM_WINDOW_MS,
  );
  const anomalous = ill.length;
  const workloads = ill
    .map(({ workload }) => workload)
    .sort()
    .slice(0, MOST_NAMED);
  const counts = { scope, anomalous, watched: members.length, ...(workloads.length > 0 && { workloads }) };
  const cooldownMs = settings.cooldownSeconds * SECOND;
  if (isStorm(anomalous, members.length, settings)) return { ...counts, active: true, endsAtMs: nowMs + cooldownMs };
  const before = input.previous.find((state) => state.scope === scope)?.endsAtMs;
  const endsAtMs = before === undefined ? undefined : Math.min(before, nowMs + cooldownMs);
  return endsAtMs === undefined || endsAtMs <= nowMs
    ? { ...counts, active: false }
    : { ...counts, active: true, endsAtMs };
}

/**
 * One state for the cluster and one for each namespace, the cluster first. While the share is over the limit the end
 * moves on with every look, so a new storm inside the cooldown restarts it.
 */
export function stormStates(input: StormInput): StormState[] {
  const names = new Set([
    ...input.watched.map(({ namespace }) => namespace),
    ...input.previous.map(({ scope }) => scope).filter((scope) => scope !== CLUSTER_SCOPE),
  ]);
  return [
    stateOfScope(CLUSTER_SCOPE, input.watched, input),
    ...[...names].sort().map((namespace) =>
      stateOfScope(
        namespace,
        input.watched.filter((workload) => workload.namespace === namespace),
        input,
      ),
    ),
  ];
}

/** The state that binds a namespace: the active one that lasts longest, else the namespace's own. */
export function stormFor(states: readonly StormState[], namespace: string): StormState {
  const own = states.filter(({ scope }) => scope === namespace || scope === CLUSTER_SCOPE);
  const [longest] = own.filter(({ active }) => active).sort((a, b) => (b.endsAtMs ?? 0) - (a.endsAtMs ?? 0));
  return (
    longest ??
    own.find(({ scope }) => scope === namespace) ?? { active: false, scope: namespace, anomalous: 0, watched: 0 }
  );
}
