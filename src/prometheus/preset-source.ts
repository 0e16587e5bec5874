import { oneOf } from '../lib/label-matcher.ts';
import { TIME_LABEL } from './promql/scope-query.ts';

/** What a series of a preset is about; a service or a claim is matched to the workload by name. */
export type EntityKind = 'pod' | 'service' | 'claim';

/** Names of the labels that say whose series it is. */
export interface IdentityLabels {
  readonly namespace: string;
  readonly kind: EntityKind;
  readonly entity: string;
}

/** Windows of a query, derived from the scrape interval. */
export interface QueryWindows {
  readonly rateMs: number;
  /** For series that are younger than `rateMs`. */
  readonly youngMs: number;
  /** A gauge without a sample in it vanishes from the reply. */
  readonly freshMs: number;
}

/** What an expression is rendered with. */
export interface Scope {
  /** Label names for `by (...)`. */
  readonly by: string;
  /** The namespace matcher, ready to stand in braces. */
  readonly matcher: string;
  readonly rate: string;
  readonly young: string;
  readonly fresh: string;
}

/**
 * Rate of a counter, also of a young one. `rate` over a window that a series does not fill yet is too low by the missing
 * part: a pod that burns a core would show half of it after a minute, and a verification would call it healed. So what
 * did not exist a window ago is measured over the shortest window that holds two samples.
 */
export const steadyRate = (selector: string, { rate, young }: Scope): string =>
  `(rate(${selector}[${rate}]) and ${selector} offset ${rate} or rate(${selector}[${young}]))`;

/** One family of series from which a preset can be computed. */
export interface PresetSource {
  /** Unique among the sources of its preset. */
  readonly id: string;
  readonly labels: IdentityLabels;
  /** Metric whose series say that this source exists, and whose samples' times are the readings' times. */
  readonly probe: string;
  /** Further matchers of the probe, each with a trailing comma. */
  readonly probeMatchers: string;
  /** PromQL for one value per namespace and entity. */
  readonly expression: (scope: Scope) => string;
}

/** The scope of a query over exactly these namespaces. */
export function scopeOf(labels: IdentityLabels, namespaces: readonly string[], windows: QueryWindows): Scope {
  return {
    by: `${labels.namespace}, ${labels.entity}`,
    matcher: oneOf(labels.namespace, namespaces),
    rate: seconds(windows.rateMs),
    young: seconds(windows.youngMs),
    fresh: seconds(windows.freshMs),
  };
}

/**
 * The query that is sent: the values, and beside them the time of each entity's newest sample, marked by a label of
 * its own. An instant vector is stamped with the time of evaluation, so without the second part a value whose target
 * died four minutes ago would look fresh.
 */
export function presetQuery(source: PresetSource, namespaces: readonly string[], windows: QueryWindows): string {
  const scope = scopeOf(source.labels, namespaces, windows);
  const probe = `${source.probe}{${source.probeMatchers}${scope.matcher}}`;
  return `(${source.expression(scope)}) or ${timeRows(`max by (${scope.by}) (timestamp(${probe}))`, 0)}`;
}

/** Marks the rows of an expression as times of the selector with this index. */
export function timeRows(expression: string, index: number): string {
  return `label_replace(${expression}, "${TIME_LABEL}", "${index}", "", "")`;
}

/** A duration in whole seconds, at least one. */
function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}
