/**
 * Takes the usual body without asking the schema, which needs ten times as long for it. What is accepted here is less
 * than what the schema accepts, and is read the same: `undefined` says nothing about a value, only that the schema
 * must look at it. A property test holds the two together; the limits are the schema's own.
 */
import type { MetricSample } from '../../controller/detection-api.ts';
import type { LogLine } from '../../diagnosis/diagnosis.ts';
import { LEVELS, LIMITS, METRIC_NAME, toLogLine, toSample } from './elements.ts';
import { parseTimestamp } from './timestamp.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Every element taken, or `undefined`. */
export function quickList<T>(list: unknown, take: (element: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(list) || list.length > LIMITS.samples) return undefined;
  const taken: T[] = [];
  for (const element of list) {
    const value = take(element);
    if (value === undefined) return undefined;
    taken.push(value);
  }
  return taken;
}

export function quickMetric(element: unknown, nowMs: number): MetricSample | undefined {
  if (!isFields(element)) return undefined;
  const { metric_type, value, labels, metadata } = element;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (typeof metric_type !== 'string' || metric_type.length > LIMITS.metricType || !METRIC_NAME.test(metric_type)) {
    return undefined;
  }
  const timestamp = quickTime(element['timestamp'], nowMs);
  if (timestamp === undefined || !arePlainLabels(labels) || !isPlainMetadata(metadata)) return undefined;
  return toSample({ metric_type, value, timestamp, labels });
}

export function quickLine(element: unknown, nowMs: number): LogLine | undefined {
  if (!isFields(element)) return undefined;
  const { level, message, service, metadata } = element;
  if (typeof message !== 'string' || typeof service !== 'string' || !isPlainMetadata(metadata)) return undefined;
  const known = typeof level === 'string' && Object.hasOwn(LEVELS, level) ? LEVELS[level] : undefined;
  const timestamp = quickTime(element['timestamp'], nowMs);
  return known === undefined || timestamp === undefined
    ? undefined
    : toLogLine({ timestamp, level: known, message, service });
}

function quickTime(text: unknown, nowMs: number): number | undefined {
  const atMs = typeof text === 'string' ? parseTimestamp(text) : undefined;
  return atMs !== undefined && atMs <= nowMs + LIMITS.aheadMs ? atMs : undefined;
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPlainMetadata = (value: unknown): boolean => value === undefined || isFields(value);

function arePlainLabels(labels: unknown): labels is Readonly<Record<string, string>> {
  if (!isFields(labels)) return false;
  let count = 0;
  for (const name in labels) {
    const text = labels[name];
    count += 1;
    if (typeof text !== 'string' || text.length > LIMITS.labelText || name.length > LIMITS.labelText) return false;
  }
  return count <= LIMITS.labels;
}
