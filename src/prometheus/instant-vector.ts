import type { SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { ReplyLimits } from './options.ts';
import { isRecord } from './reply.ts';
import { sourceError } from './source-error.ts';

/** One element of an instant vector. NaN stands for any time or value that is not a finite number. */
export interface Row {
  readonly labels: Readonly<Record<string, unknown>>;
  /** The server's time of evaluation, which is not the time of the sample. */
  readonly atMs: number;
  readonly value: number;
}

/** Takes the `data` of an instant query. */
export function parseVector(data: unknown, limits: ReplyLimits): Result<readonly Row[], SourceError> {
  if (!isRecord(data)) return err(sourceError('BadReply', 'the reply holds no data'));
  const { resultType, result } = data;
  if (resultType === 'matrix' || resultType === 'scalar' || resultType === 'string') {
    return err(sourceError('QueryInvalid', `the query gives a ${resultType}, not an instant vector`));
  }
  if (resultType !== 'vector' || !Array.isArray(result)) return err(sourceError('BadReply', 'the reply is no vector'));
  if (result.length > limits.maxSeries) {
    return err(sourceError('QueryTooLarge', `more than ${limits.maxSeries} series`));
  }
  return ok(result.map(toRow));
}

const NO_LABELS: Row['labels'] = Object.freeze({});

function toRow(element: unknown): Row {
  if (!isRecord(element)) return { labels: NO_LABELS, atMs: Number.NaN, value: Number.NaN };
  const pair: readonly unknown[] = Array.isArray(element['value']) ? element['value'] : [];
  const labels = isRecord(element['metric']) ? element['metric'] : NO_LABELS;
  const time = pair[0];
  return { labels, atMs: typeof time === 'number' ? Math.round(time * 1000) : Number.NaN, value: sampleValue(pair[1]) };
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * A sample's value: the API sends decimal text. "NaN", "+Inf", "1e999", "", null and numbers that are not text all
 * give NaN: they are unknown, and `Number('')` would be 0.
 */
export function sampleValue(raw: unknown): number {
  if (typeof raw !== 'string' || !DECIMAL.test(raw)) return Number.NaN;
  const value = Number(raw);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** A label's value; `undefined` if the row does not carry it (an empty label is an absent one). */
export function labelOf(row: Pick<Row, 'labels'>, name: string): string | undefined {
  const value = Object.hasOwn(row.labels, name) ? row.labels[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
