import { calleesOf, deepestAnomalous, visibleCallees } from './call-graph.ts';
import type { CallGraph } from './call-graph.ts';
import type { DependencyState } from './evidence.ts';

/** What is known of one service that the graph names. */
export interface Neighbour {
  readonly name: string;
  readonly kind: DependencyState['kind'];
  readonly state: DependencyState['state'];
  readonly onsetAtMs?: number;
}

/** Everything that `self` calls, directly or through others, in the order in which it is reached. */
export function reachableFrom(graph: CallGraph, self: string): readonly string[] {
  const callees = calleesOf(graph);
  const seen = new Set([self]);
  for (const at of seen) for (const callee of callees.get(at) ?? []) seen.add(callee);
  seen.delete(self);
  return [...seen];
}

/**
 * What a workload depends on, with the state of each and the ill ones among what that calls itself: whoever has none is
 * the deepest. Of a service about which nothing is known the state is unknown, and it hides nothing behind it. In a ring
 * of ill callees all are deepest, and whoever reads it cannot tell; one that calls this workload back is not deeper.
 */
export function dependencyStates(
  graph: CallGraph,
  self: string,
  neighbours: readonly Neighbour[],
): readonly DependencyState[] {
  const known = new Map(neighbours.map((each) => [each.name, each]));
  const isMeasured = (name: string): boolean => name === self || (known.get(name)?.state ?? 'unknown') !== 'unknown';
  const callees = calleesOf(graph);
  const reached = reachableFrom(graph, self);
  const ill = reached.filter((name) => known.get(name)?.state === 'unhealthy');
  const deepest = deepestAnomalous(graph, ill, isMeasured);
  return reached.map((name): DependencyState => {
    const { kind, state, onsetAtMs } = known.get(name) ?? { kind: 'workload', state: 'unknown' };
    const visible = [...visibleCallees(callees, name, isMeasured)];
    const isTied = deepest.includes(name) && !visible.includes(self);
    const anomalousCallees = isTied ? [] : visible.filter((each) => each === self || ill.includes(each)).sort();
    return { name, kind, state, anomalousCallees, ...(onsetAtMs !== undefined && { onsetAtMs }) };
  });
}
