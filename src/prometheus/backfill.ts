import type { MetricWish, RangeSeries, SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { entityOf, ownerOf, WHOLE } from './entity.ts';
import type { Library, PastSeries } from './library.ts';
import { planPoll, type PlanContext, type PlannedQuery, type Want } from './plan.ts';
import { scopeOf } from './preset-source.ts';

/** Most points of one series; servers refuse more than 11,000. */
const MAX_POINTS = 10_000;

/** The period and the distance of past readings. */
export interface BackfillRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/**
 * Past readings of one policy's metrics, one range query each, one after the other so that memory holds one reply at
 * a time. Too long a period loses its oldest part. A failure of the server ends it; a query that it refuses is left out.
 */
export async function backfill(
  library: Pick<Library, 'range'>,
  wish: MetricWish,
  context: PlanContext,
  range: BackfillRange,
): Promise<Result<readonly RangeSeries[], SourceError>> {
  const stepMs = Math.max(1000, range.stepMs);
  const fromMs = Math.max(range.fromMs, range.toMs - (MAX_POINTS - 1) * stepMs);
  if (!(fromMs < range.toMs)) return ok([]);
  const plan = planPoll([wish], context);
  const found: RangeSeries[] = [];
  for (const planned of plan.queries) {
    const wants = wantsOf(plan.wants[0] ?? [], planned, wish);
    if (wants.length === 0) continue;
    const reply = await library.range(pastQuery(planned, context), fromMs, range.toMs, stepMs);
    if (!reply.ok) {
      if (planned.subject.kind === 'author' && reply.error.kind === 'QueryInvalid') continue;
      return err(reply.error);
    }
    for (const want of wants) found.push(...toRangeSeries(want.metric, planned, reply.value, wish));
  }
  return ok(found);
}

/** Not taught: claims and services, which are matched to the workload at poll time, and values made out of nothing. */
function wantsOf(wants: readonly Want[], { subject }: PlannedQuery, wish: MetricWish): readonly Want[] {
  if (subject.kind === 'author') return subject.scoped.conjures ? [] : wants.filter((w) => w.cell === subject.cell);
  if (subject.source.labels.kind !== 'pod') return [];
  return wants.filter((want) => want.cell === `${subject.sourceKey} ${wish.namespace}`);
}

/** Past samples carry their own times: the expression alone. */
function pastQuery({ subject }: PlannedQuery, context: PlanContext): string {
  if (subject.kind === 'author') return subject.scoped.promql;
  return subject.source.expression(scopeOf(subject.source.labels, subject.namespaces, context.windows));
}

function toRangeSeries(
  metric: string,
  { subject }: PlannedQuery,
  series: readonly PastSeries[],
  { namespace }: MetricWish,
): readonly RangeSeries[] {
  const isAuthors = subject.kind === 'author';
  const names = isAuthors ? { namespace: 'namespace', entity: 'pod' } : subject.source.labels;
  const found = new Map<string, RangeSeries>();
  const doubled = new Set<string>();
  for (const { labels, timesMs, values } of series) {
    if ((labels[names.namespace] ?? namespace) !== namespace || timesMs.length === 0) continue;
    const pod = labels[names.entity];
    const isPods = typeof pod === 'string' && pod !== '';
    // Series without a pod are an author's alone, and belong to the workload that they name.
    const entity = isPods ? pod : isAuthors ? entityOf({ labels }) : WHOLE;
    if (found.has(entity)) doubled.add(entity);
    found.set(entity, { metric, timesMs, values, ...(isPods ? { pod } : ownerOf(entity)) });
  }
  return [...found].filter(([entity]) => !doubled.has(entity)).map(([, past]) => past);
}
