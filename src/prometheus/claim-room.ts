import type { ClaimRoom } from '../controller/evidence-ports.ts';
import { oneOf } from '../lib/label-matcher.ts';
import { labelOf, type Row } from './instant-vector.ts';

const AVAILABLE = 'kubelet_volume_stats_available_bytes';
const CAPACITY = 'kubelet_volume_stats_capacity_bytes';
const CLAIM = 'persistentvolumeclaim';
/** Says which of the three values a row is. */
const PART = 'aegis_part';

/** The kubelet measures volumes once a minute, whatever the scrape interval. */
const LEAST_FRESH_MS = 180_000;
/** The slope is taken over this, and only of a claim that was seen an hour ago: minutes say nothing about days. */
const SLOPE_WINDOW = '6h';
const LEAST_HISTORY = '1h';

/** Free bytes, free share and slope of these claims, in one query. */
export function claimQuery(namespace: string, claims: readonly string[], maxAgeMs: number): string {
  const matchers = `${oneOf('namespace', [namespace])},${oneOf(CLAIM, claims)}`;
  const fresh = `${Math.ceil(Math.max(maxAgeMs, LEAST_FRESH_MS) / 1000)}s`;
  const last = (metric: string): string => `max by (${CLAIM}) (last_over_time(${metric}{${matchers}}[${fresh}]))`;
  const available = `${AVAILABLE}{${matchers}}`;
  const slope = `min by (${CLAIM}) (deriv(${available}[${SLOPE_WINDOW}]) and ${available} offset ${LEAST_HISTORY})`;
  return [
    marked(last(AVAILABLE), 'bytes'),
    marked(`${last(AVAILABLE)} / ${last(CAPACITY)}`, 'ratio'),
    marked(slope, 'slope'),
  ].join(' or ');
}

const marked = (expression: string, part: string): string =>
  `label_replace(${expression}, "${PART}", "${part}", "", "")`;

/** A claim without both free bytes and a share in 0-1 is left out: half a measurement is none. */
export function claimRooms(rows: readonly Row[]): readonly ClaimRoom[] {
  const byClaim = Map.groupBy(rows, (row) => labelOf(row, CLAIM) ?? '');
  return [...byClaim].flatMap(([claim, parts]): readonly ClaimRoom[] => {
    const valueOf = (part: string): number => parts.find((row) => labelOf(row, PART) === part)?.value ?? Number.NaN;
    const [freeBytes, freeRatio, slope] = ['bytes', 'ratio', 'slope'].map(valueOf);
    const isMeasured = freeBytes !== undefined && freeBytes >= 0 && freeRatio !== undefined && freeRatio >= 0;
    if (claim === '' || !isMeasured || freeRatio > 1) return [];
    const isKnown = slope !== undefined && Number.isFinite(slope);
    return [{ claim, freeRatio, freeBytes, ...(isKnown && { slopeBytesPerSecond: slope }) }];
  });
}
