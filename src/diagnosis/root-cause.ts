import { deepestAnomalous } from './call-graph.ts';
import type { CallGraph } from './call-graph.ts';

/** One service (or pod) with what moved. Scores as in `rank.ts`: log1p of a shift in spreads. */
export interface SuspectEvidence {
  readonly entity: string;
  /** What only this entity itself can move: its cpu, its memory, its new log lines. */
  readonly ownScore: number;
  /** What it shares with its callees: latency and errors. */
  readonly inheritedScore: number;
  /** Excess (after - before) of the inherited metric times calls: how much harm it hands to its callers. */
  readonly impact?: number;
  /** Calls per time unit. */
  readonly calls?: number;
  /** Known only from what its callers see (an address, a load balancer): never blamed, and not the end of a chain. */
  readonly isProxy?: boolean;
  readonly onsetAtMs?: number;
}

/** Added delay of one edge, measured at both of its ends, as a shift in spreads. */
export interface EdgeShift {
  readonly caller: string;
  readonly callee: string;
  readonly shift: number;
}

export interface RootCauseInput {
  readonly suspects: readonly SuspectEvidence[];
  /** Absent: only own evidence, edges and onset can tell. */
  readonly graph?: CallGraph;
  readonly edges?: readonly EdgeShift[];
  /** The service whose harm is to be explained; absent: any. */
  readonly target?: string;
  /** A score from here on is anomalous; default log1p(2). */
  readonly threshold?: number;
}

interface RankedCause {
  readonly entity: string;
  readonly score: number;
  readonly because: 'own' | 'edges' | 'deepest' | 'inherited';
}

export interface RootCause {
  /** Best explanation first; empty: nothing is anomalous. */
  readonly ranking: readonly RankedCause[];
  /** More than one entity explains it equally well. */
  readonly contradiction?: string;
  /** What would make the answer firmer. */
  readonly missing: readonly string[];
}

const THRESHOLD = Math.log1p(2);
/** Without a call graph, latency may come from anywhere below: it counts half. */
const INHERITED_WEIGHT = 0.5;
/** A service with fewer of the target's calls than this cannot have moved its typical request. */
const LEAST_SHARE_OF_CALLS = 0.05;
/** Two explanations this close are equally good. */
const EQUAL = 0.05;

/**
 * Blames the anomalous entity that nothing below it explains: own evidence (cpu, memory, log) speaks for itself; late
 * edges are blamed on the end that they have in common; latency and errors on the deepest anomalous node.
 */
export function findRootCause(input: RootCauseInput): RootCause {
  const threshold = input.threshold ?? THRESHOLD;
  const best = new Map<string, RankedCause>();
  const offer = (cause: RankedCause): void => {
    const known = best.get(cause.entity);
    if (cause.score >= threshold && (known === undefined || known.score < cause.score)) best.set(cause.entity, cause);
  };
  for (const { entity, ownScore, isProxy } of input.suspects) {
    if (isProxy !== true) offer({ entity, score: ownScore, because: 'own' });
  }
  for (const { entity, shift } of blameEdges(input.edges ?? [])) {
    offer({ entity, score: Math.log1p(Math.max(0, shift)), because: 'edges' });
  }
  for (const cause of inheritedCauses(input, threshold)) offer(cause);
  const onset = new Map(input.suspects.map((each) => [each.entity, each.onsetAtMs ?? Infinity]));
  const ranking = [...best.values()].toSorted(
    (a, b) =>
      b.score - a.score ||
      (onset.get(a.entity) ?? Infinity) - (onset.get(b.entity) ?? Infinity) ||
      (a.entity < b.entity ? -1 : 1),
  );
  const contradiction = equallyGood(ranking);
  return {
    ranking,
    ...(contradiction === undefined ? {} : { contradiction }),
    missing: input.graph === undefined && input.suspects.length > 1 ? ['call graph'] : [],
  };
}

function equallyGood(ranking: readonly RankedCause[]): string | undefined {
  const [first, second] = ranking;
  if (first === undefined || second === undefined || second.score < first.score * (1 - EQUAL)) return undefined;
  return first.because === second.because ? `${first.entity} and ${second.entity} explain it equally well` : undefined;
}

/**
 * The end that late edges have in common: a pod whose network is late is late for all its callers (or to all its
 * callees), so the lower median over its edges decides. One late edge of many says nothing of the busier end.
 */
export function blameEdges(
  edges: readonly EdgeShift[],
): readonly { readonly entity: string; readonly shift: number }[] {
  const entities = [...new Set(edges.flatMap((edge) => [edge.caller, edge.callee]))].sort();
  return entities
    .map((entity) => {
      const incoming = lowerMedian(edges.filter((edge) => edge.callee === entity).map((edge) => edge.shift));
      const out = edges.filter((edge) => edge.caller === entity).map((edge) => edge.shift);
      const outgoing = out.length > 1 ? lowerMedian(out) : 0;
      return { entity, shift: Math.max(incoming, outgoing) };
    })
    .toSorted((a, b) => b.shift - a.shift || (a.entity < b.entity ? -1 : 1));
}

function lowerMedian(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function inheritedCauses(input: RootCauseInput, threshold: number): readonly RankedCause[] {
  const { graph, suspects } = input;
  const anomalous = suspects.filter((each) => each.inheritedScore >= threshold && each.isProxy !== true);
  if (graph === undefined) {
    return anomalous.map((each) => ({
      entity: each.entity,
      score: each.inheritedScore * INHERITED_WEIGHT,
      because: 'inherited',
    }));
  }
  const measured = new Set(suspects.filter((each) => each.isProxy !== true).map((each) => each.entity));
  const relevant = anomalous.filter((each) => carriesCalls(each, input));
  const deepest = deepestAnomalous(
    graph,
    relevant.map((each) => each.entity),
    (entity) => measured.has(entity),
  );
  const culprits = relevant.filter((each) => deepest.includes(each.entity)).toSorted(byImpact);
  // The most harmful culprit keeps its own score, whatever the shift of the others: a rare call may shift far.
  const top = Math.max(0, ...culprits.map((each) => each.inheritedScore));
  const causes: RankedCause[] = culprits.map((each, i) => ({
    entity: each.entity,
    score: hasImpact(culprits) ? top * (1 - 0.1 * Math.min(i, 5)) : each.inheritedScore,
    because: 'deepest',
  }));
  const others = anomalous.filter((each) => !culprits.includes(each));
  return [
    ...causes,
    ...others.map((each) => ({
      entity: each.entity,
      score: Math.min(each.inheritedScore, top) * INHERITED_WEIGHT,
      because: 'inherited' as const,
    })),
  ];
}

const hasImpact = (suspects: readonly SuspectEvidence[]): boolean =>
  suspects.length > 0 && suspects.every((each) => each.impact !== undefined);

function byImpact(a: SuspectEvidence, b: SuspectEvidence): number {
  const impact = a.impact !== undefined && b.impact !== undefined ? b.impact - a.impact : 0;
  return impact || b.inheritedScore - a.inheritedScore || (a.entity < b.entity ? -1 : 1);
}

/** Where the calls are counted: it takes part in enough of the target's requests. */
function carriesCalls(suspect: SuspectEvidence, { suspects, target }: RootCauseInput): boolean {
  const asked = suspects.find((each) => each.entity === target)?.calls;
  if (asked === undefined || suspect.calls === undefined || suspect.entity === target) return true;
  return suspect.calls >= LEAST_SHARE_OF_CALLS * asked;
}
