import type { Assessment } from './assessment.ts';
import { peerDeviation } from './detectors/peers.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';
import { teachMoments } from './statistics/running-moments.ts';

/** Deviations learnt before "it was always so" counts. */
const USUAL_FROM = 30;
const MEMORY = 5000;
/** Replicas that a pod is compared with at most (up to twice as many). */
const SAMPLE = 25;

/** One pod's series of one metric, and whether its pod may serve as a measure for others. */
export interface PeerEntry {
  readonly assessment: Assessment;
  readonly isMeasure: boolean;
}

/** Compares every series of one metric and one template with the others; writes the peer fields of each. */
export function comparePeers(table: SeriesTable, group: readonly PeerEntry[]): void {
  const measures = group.filter(({ isMeasure, assessment }) => isMeasure && assessment.refused === undefined);
  for (const entry of group) {
    const a = entry.assessment;
    if (a.refused !== undefined) continue;
    compareOne(table, a, othersOf(entry, measures));
  }
}

/**
 * The measures without the entry itself. In a large group leaving one out changes no median, and comparing n pods with
 * n others each would cost n^2 log n: there a fixed, evenly spread sample stands for all.
 */
function othersOf(entry: PeerEntry, measures: readonly PeerEntry[]): readonly number[] {
  const stride = Math.max(Math.floor(measures.length / SAMPLE), 1);
  const others: number[] = [];
  for (let i = 0; i < measures.length; i += stride) {
    const measure = measures[i];
    if (measure !== undefined && measure !== entry) others.push(measure.assessment.smooth);
  }
  return others;
}

function compareOne(table: SeriesTable, a: Assessment, others: readonly number[]): void {
  const c = table.record(a.slot);
  const knowsUsual = (c.u32[c.u + U.peersLearnt] ?? 0) >= USUAL_FROM;
  const { absoluteFloor, relativeFloor } = a.watched.profile;
  // Without a floor in the metric's unit only the pod's own past tells noise from news.
  if (absoluteFloor === 0 && !knowsUsual) return;
  const usual = { mean: c.f64[c.d + D.peer] ?? 0, variance: c.f64[c.d + D.peer + 1] ?? 0 };
  const found = peerDeviation({
    value: a.smooth,
    others,
    absoluteFloor,
    relativeFloor,
    ...(knowsUsual ? { usual } : {}),
  });
  if (found === undefined) return;
  a.peerDeviation = found.deviation;
  a.peerExpected = found.expected;
  a.peerNeeded = found.needed;
  a.peerRatio = (a.smooth - found.expected) / found.needed;
}

/** Lets the present deviation into what is usual for this pod; `anew`: it is the new normal from now on. */
export function teachPeers(table: SeriesTable, a: Assessment, anew: boolean): void {
  const c = table.record(a.slot);
  if (Number.isNaN(a.peerDeviation)) return;
  if (anew) c.u32[c.u + U.peersLearnt] = 0;
  const learnt = (c.u32[c.u + U.peersLearnt] ?? 0) + 1;
  c.u32[c.u + U.peersLearnt] = learnt;
  teachMoments(c.f64, c.d + D.peer, a.peerDeviation, learnt, MEMORY);
}
