import type { MetricWish, SourceError } from '../controller/ports.ts';
import type { WatchedMetric } from '../policy/healing-policy.ts';
import type { ChunkSizes } from './chunks.ts';
import { ENTITY_LABELS } from './entity.ts';
import { presetQuery, timeRows, type PresetSource, type QueryWindows } from './preset-source.ts';
import { isPreset, PRESET_NAMES, PRESETS, type Preset } from './presets.ts';
import type { ScopedQuery } from './promql/scope-query.ts';
import type { Result } from '../lib/result.ts';
import { sourceError } from './source-error.ts';

/** What a query of the plan answers. */
export type Subject =
  | {
      readonly kind: 'preset';
      /** Preset and source, e.g. `error_rate/istio`. */
      readonly sourceKey: string;
      readonly source: PresetSource;
      readonly namespaces: readonly string[];
    }
  | { readonly kind: 'author'; readonly namespace: string; readonly scoped: ScopedQuery; readonly cell: string };

export interface PlannedQuery {
  readonly promql: string;
  readonly subject: Subject;
}

/** One metric of one policy, and where its readings will be found. */
export interface Want {
  readonly metric: string;
  readonly unit: string;
  /**
   * Key of the cell (source and namespace, or author's query and namespace); absent: nothing is asked, because of
   * `problem` or because no series exists.
   */
  readonly cell?: string;
  readonly problem?: SourceError;
}

export interface Plan {
  readonly queries: readonly PlannedQuery[];
  /** In the order of the wishes. */
  readonly wants: readonly (readonly Want[])[];
}

/** What the planner has to know besides the wishes. */
export interface PlanContext {
  readonly windows: QueryWindows;
  readonly chunkSizes: Pick<ChunkSizes, 'plan'>;
  readonly exists: (namespace: string, source: PresetSource) => boolean;
  /** Has discovery ever answered for the namespace? If not, `discoveryError` says why. */
  readonly isKnown: (namespace: string) => boolean;
  readonly discoveryError?: SourceError;
  readonly scope: (query: string, namespace: string) => Result<ScopedQuery, string>;
}

export const presetCell = (sourceKey: string, namespace: string): string => `${sourceKey} ${namespace}`;
const authorCell = (namespace: string, query: string): string => `author ${namespace} ${query}`;

/**
 * Merges all wishes: one query for each source of a preset and chunk of namespaces, and one for each distinct query
 * that authors of one namespace wrote. How many policies ask makes no difference.
 */
export function planPoll(wishes: readonly MetricWish[], context: PlanContext): Plan {
  const merged = new Map<string, { readonly source: PresetSource; readonly namespaces: Set<string> }>();
  const authored = new Map<string, PlannedQuery>();
  const wants = wishes.map((wish) =>
    wantedMetrics(wish, context).map((metric): Want => {
      if (metric.query !== undefined) return planAuthor(metric, metric.query, wish.namespace, context, authored);
      return planPreset(metric.name, wish, context, merged);
    }),
  );
  const queries: PlannedQuery[] = [];
  for (const [sourceKey, { source, namespaces }] of merged) {
    for (const part of context.chunkSizes.plan(sourceKey, namespaces)) {
      queries.push(planPart(sourceKey, source, part, context.windows));
    }
  }
  return { queries: [...queries, ...authored.values()], wants };
}

/** The query of one source over these namespaces; also for the halves of one that was too large. */
export function planPart(
  sourceKey: string,
  source: PresetSource,
  namespaces: readonly string[],
  windows: QueryWindows,
): PlannedQuery {
  return {
    promql: presetQuery(source, namespaces, windows),
    subject: { kind: 'preset', sourceKey, source, namespaces },
  };
}

/** Readings of pod objects need no query; of the presets not named, those whose series exist. */
function wantedMetrics(
  wish: MetricWish,
  context: PlanContext,
): readonly Pick<WatchedMetric, 'name' | 'unit' | 'query'>[] {
  if (wish.metrics.length > 0)
    return wish.metrics.filter((metric) => !(metric.query === undefined && isPodObject(metric.name)));
  return PRESET_NAMES.filter((name) => {
    const preset = PRESETS[name];
    if (preset.kind === 'pod-object') return false;
    if (!context.isKnown(wish.namespace)) return true;
    return candidates(preset, wish).some((source) => context.exists(wish.namespace, source));
  }).map((name) => ({ name, unit: PRESETS[name].unit }));
}

const isPodObject = (name: string): boolean => isPreset(name) && PRESETS[name].kind === 'pod-object';

function candidates(preset: Preset, wish: MetricWish): readonly PresetSource[] {
  if (preset.kind !== 'traffic' || wish.trafficSource === 'Auto') return preset.sources;
  return preset.sources.filter((source) => 'traffic' in source && source.traffic === wish.trafficSource);
}

function planPreset(
  name: string,
  wish: MetricWish,
  context: PlanContext,
  merged: Map<string, { readonly source: PresetSource; readonly namespaces: Set<string> }>,
): Want {
  if (!isPreset(name)) return { metric: name, unit: '', problem: sourceError('QueryInvalid', `no preset ${name}`) };
  const preset = PRESETS[name];
  const { namespace } = wish;
  const sources = candidates(preset, wish);
  const source =
    sources.find((each) => context.exists(namespace, each)) ?? (sources.length === 1 ? sources[0] : undefined);
  if (source === undefined) {
    const isUnanswered = !context.isKnown(namespace) && context.discoveryError !== undefined;
    return { metric: name, unit: preset.unit, ...(isUnanswered ? { problem: context.discoveryError } : {}) };
  }
  const sourceKey = `${name}/${source.id}`;
  const entry = merged.get(sourceKey) ?? { source, namespaces: new Set<string>() };
  entry.namespaces.add(namespace);
  merged.set(sourceKey, entry);
  return { metric: name, unit: preset.unit, cell: presetCell(sourceKey, namespace) };
}

function planAuthor(
  metric: Pick<WatchedMetric, 'name' | 'unit'>,
  query: string,
  namespace: string,
  context: PlanContext,
  authored: Map<string, PlannedQuery>,
): Want {
  const want = { metric: metric.name, unit: metric.unit };
  const scoped = context.scope(query, namespace);
  if (!scoped.ok) return { ...want, problem: sourceError('QueryInvalid', scoped.error) };
  const cell = authorCell(namespace, query);
  if (!authored.has(cell)) {
    const promql = authorQuery(scoped.value);
    authored.set(cell, { promql, subject: { kind: 'author', namespace, scoped: scoped.value, cell } });
  }
  return { ...want, cell };
}

/** The author's expression, and beside it the newest sample of each of its selectors. */
function authorQuery({ promql, selectors }: ScopedQuery): string {
  const newest = `max by (${ENTITY_LABELS.join(', ')})`;
  const times = selectors.map((selector, index) => timeRows(`${newest} (timestamp(${selector}))`, index));
  return [`(${promql})`, ...times].join(' or ');
}
