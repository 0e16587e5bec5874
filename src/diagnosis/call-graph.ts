/** Who calls whom, from traffic metrics or a declared `dependsOn`. Cycles are allowed. */
export interface CallGraph {
  readonly edges: readonly { readonly caller: string; readonly callee: string }[];
}

/** Direct callees of each caller; a service that calls itself is left out. */
export function calleesOf(graph: CallGraph): ReadonlyMap<string, ReadonlySet<string>> {
  const callees = new Map<string, Set<string>>();
  for (const { caller, callee } of graph.edges) {
    if (caller === callee) continue;
    const known = callees.get(caller) ?? new Set<string>();
    callees.set(caller, known.add(callee));
  }
  return callees;
}

/**
 * Callees reached through services about which nothing is known: an unmeasured proxy hides nothing, a service that is
 * known to be well ends the chain.
 */
export function visibleCallees(
  callees: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  isMeasured: (service: string) => boolean,
): ReadonlySet<string> {
  const seen = new Set<string>([from]);
  const visible = new Set<string>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const callee of callees.get(at) ?? []) {
      if (seen.has(callee)) continue;
      seen.add(callee);
      if (isMeasured(callee)) visible.add(callee);
      else open.push(callee);
    }
  }
  return visible;
}

/**
 * The anomalous services without an anomalous callee: the deepest, in the order given. In a ring of anomalous services
 * none is deepest; then all of them are answered, and the caller has to say that it cannot tell.
 */
export function deepestAnomalous(
  graph: CallGraph,
  anomalous: readonly string[],
  isMeasured: (service: string) => boolean = () => true,
): readonly string[] {
  const callees = calleesOf(graph);
  const bad = new Set(anomalous);
  const deepest = anomalous.filter((service) => {
    for (const callee of visibleCallees(callees, service, isMeasured)) if (bad.has(callee)) return false;
    return true;
  });
  return deepest.length > 0 ? deepest : anomalous;
}
