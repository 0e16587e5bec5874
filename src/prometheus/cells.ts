import type { SourceError } from '../controller/ports.ts';
import type { Reading, UnknownReason } from '../detection/sample.ts';
import { entitiesOf, entityOf, nameOf, WHOLE } from './entity.ts';
import { labelOf, type Row } from './instant-vector.ts';
import { presetCell, type Subject } from './plan.ts';
import { TIME_LABEL, type ScopedQuery } from './promql/scope-query.ts';
import type { InstantReply } from './query-api.ts';
import { judge } from './sample-time.ts';
import type { Disbelief } from './server-clock.ts';
import { sourceError } from './source-error.ts';
import type { EntityKind } from './preset-source.ts';

/** What a query found in one namespace, by entity (`entity.ts`). */
export interface Cell {
  readonly kind: EntityKind;
  readonly readings: ReadonlyMap<string, Reading>;
  readonly problem?: SourceError;
}

/** How readings are judged in this poll. */
export interface Judgement {
  /** The server's time when it answered. */
  readonly nowMs: number;
  /** Why its times are not believed; absent: they are. */
  readonly disbelief?: Disbelief;
  readonly maxAgeMs: number;
  /**
   * The server has shown sample times before. One that never did (a front end without `timestamp()`) is taken by the
   * times of its replies; one that did must show them for every value.
   */
  readonly givesTimes: boolean;
}

/** Does the reply hold sample times at all? */
export const hasTimes = (reply: InstantReply): boolean =>
  reply.rows.some((row) => labelOf(row, TIME_LABEL) !== undefined);

/** Splits a reply into its cells. Rows of namespaces that were not asked for are dropped. */
export function toCells(subject: Subject, reply: InstantReply, judgement: Judgement): ReadonlyMap<string, Cell> {
  const cells =
    subject.kind === 'preset' ? presetCells(subject, reply, judgement) : authorCells(subject, reply, judgement);
  if (reply.partial !== undefined) return distrusted(cells, 'Partial', sourceError('Partial', reply.partial));
  const { disbelief } = judgement;
  if (disbelief === undefined) return cells;
  const reason = disbelief.kind === 'ahead' ? 'InFuture' : 'Stale';
  return distrusted(cells, reason, sourceError('BadReply', disbelief.message));
}

/** Cells of a query that failed: nothing is known, for the same reason everywhere. */
export function failedCells(subject: Subject, problem: SourceError): ReadonlyMap<string, Cell> {
  const keys =
    subject.kind === 'author' ? [subject.cell] : subject.namespaces.map((n) => presetCell(subject.sourceKey, n));
  const kind = subject.kind === 'author' ? 'pod' : subject.source.labels.kind;
  return new Map(keys.map((key) => [key, { kind, readings: new Map(), problem }]));
}

/** The same cells, with none of their values. */
function distrusted(
  cells: ReadonlyMap<string, Cell>,
  reason: UnknownReason,
  problem: SourceError,
): ReadonlyMap<string, Cell> {
  const unknown: Reading = { kind: 'unknown', reason };
  return new Map(
    [...cells].map(([key, cell]) => {
      const readings = new Map([...cell.readings.keys()].map((entity) => [entity, unknown]));
      return [key, { ...cell, readings, problem: cell.problem ?? problem }];
    }),
  );
}

function presetCells(
  { sourceKey, source, namespaces }: Extract<Subject, { kind: 'preset' }>,
  reply: InstantReply,
  judgement: Judgement,
): Map<string, Cell> {
  const { labels } = source;
  const found = new Map(namespaces.map((namespace) => [namespace, new Map<string, Reading>()]));
  const times = new Map(namespaces.map((namespace) => [namespace, new Map<string, number>()]));
  let timesGiven = false;
  for (const row of reply.rows) {
    if (!isTime(row)) continue;
    timesGiven = true;
    times.get(labelOf(row, labels.namespace) ?? '')?.set(labelOf(row, labels.entity) ?? WHOLE, row.value * 1000);
  }
  for (const row of reply.rows) {
    const namespace = labelOf(row, labels.namespace) ?? '';
    const readings = found.get(namespace);
    const entity = labelOf(row, labels.entity);
    if (isTime(row) || readings === undefined || entity === undefined) continue;
    readings.set(entity, judgeRow(row, times.get(namespace)?.get(entity), timesGiven, judgement));
  }
  return new Map([...found].map(([n, readings]) => [presetCell(sourceKey, n), { kind: labels.kind, readings }]));
}

const isTime = (row: Row): boolean => labelOf(row, TIME_LABEL) !== undefined;

function judgeRow(row: Row, sampleMs: number | undefined, timesGiven: boolean, judgement: Judgement): Reading {
  if (sampleMs === undefined && (timesGiven || judgement.givesTimes)) return { kind: 'unknown', reason: 'Stale' };
  const times = { replyMs: row.atMs, ...(sampleMs === undefined ? {} : { sampleMs }) };
  return judge(row.value, times, judgement.nowMs, judgement.maxAgeMs);
}

function authorCells(
  { cell, namespace, scoped }: Extract<Subject, { kind: 'author' }>,
  reply: InstantReply,
  judgement: Judgement,
): Map<string, Cell> {
  const readings = new Map<string, Reading>();
  const times = selectorTimes(reply.rows);
  let doubled: string | undefined;
  for (const row of reply.rows) {
    if (isTime(row) || (labelOf(row, 'namespace') ?? namespace) !== namespace) continue;
    const entity = entityOf(row);
    if (readings.has(entity)) doubled ??= entity;
    readings.set(entity, judgeAuthored(row, scoped, times, judgement));
  }
  if (doubled === undefined) return new Map([[cell, { kind: 'pod', readings }]]);
  const problem = sourceError('QueryInvalid', `more than one series for ${nameOf(doubled)}: aggregate by (pod)`);
  return new Map([[cell, { kind: 'pod', readings: new Map(), problem }]]);
}

/** Selector index -> entity -> time of the newest sample. */
type SelectorTimes = ReadonlyMap<string, ReadonlyMap<string, number>>;

function selectorTimes(rows: readonly Row[]): SelectorTimes {
  const times = new Map<string, Map<string, number>>();
  for (const row of rows) {
    const index = labelOf(row, TIME_LABEL);
    if (index === undefined) continue;
    const byEntity = times.get(index) ?? new Map<string, number>();
    for (const entity of entitiesOf(row)) {
      byEntity.set(entity, Math.max(byEntity.get(entity) ?? Number.NEGATIVE_INFINITY, row.value * 1000));
    }
    times.set(index, byEntity);
  }
  return times;
}

/**
 * A value is as old as its stalest input: for each selector the newest sample of the pod, or of the workload that
 * it names, counts where there is one, else the newest of all. A value without a single sample behind it (`absent(x)`, `x or vector(0)`) is `Absent`.
 */
function judgeAuthored(row: Row, scoped: ScopedQuery, times: SelectorTimes, judgement: Judgement): Reading {
  const entity = entityOf(row);
  if (times.size === 0) {
    const isProven = !judgement.givesTimes && !scoped.conjures;
    return isProven ? judgeRow(row, undefined, false, judgement) : { kind: 'unknown', reason: 'Absent' };
  }
  let oldest = Number.POSITIVE_INFINITY;
  for (const each of times.values()) oldest = Math.min(oldest, each.get(entity) ?? Math.max(...each.values()));
  return judgeRow(row, oldest, true, judgement);
}
