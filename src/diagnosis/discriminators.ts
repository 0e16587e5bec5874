import type { DependencyState, Change } from './evidence.ts';
import type { Facts } from './facts.ts';
import { newestRevision } from './changes.ts';
import type { MetricShape } from './metric-shape.ts';
import { OWN_METRICS } from './suspects.ts';

/** Onsets closer than this cannot be ordered: polls are 5-60 s apart. */
const SAME_INSTANT_MS = 5_000;

/** 1. Did the request rate rise before cpu and latency, with them, after them, or not at all? */
export function requestsLead(facts: Facts): 'first' | 'together' | 'later' | 'alone' | 'flat' | 'fell' | 'unknown' {
  const requests = facts.metric('request_rate');
  if (requests.direction === 'unknown') return 'unknown';
  if (requests.direction === 'flat') return 'flat';
  if (requests.direction === 'down') return 'fell';
  const followers = [facts.metric('cpu_usage'), facts.metric('response_time')].filter(
    (shape) => shape.direction === 'up',
  );
  if (followers.length === 0) return 'alone';
  const onsets = followers.flatMap((shape) => (shape.onsetAtMs === undefined ? [] : [shape.onsetAtMs]));
  if (requests.onsetAtMs === undefined || onsets.length === 0) return 'together';
  const distance = Math.min(...onsets) - requests.onsetAtMs;
  if (Math.abs(distance) <= SAME_INSTANT_MS) return 'together';
  return distance > 0 ? 'first' : 'later';
}

/** A follower may rise a little more than the load that it follows. */
const PROPORTION = 1.3;

const riseOf = ({ worst }: MetricShape): number | undefined =>
  worst?.value === undefined || !worst.expected || worst.expected < 0 ? undefined : worst.value / worst.expected;

/**
 * 1b. Do the requests explain the rise of another metric? Yes if they rose in about the same proportion; a rise by half
 * at a tenth more requests has another cause. Where a proportion is not known, any rise of the requests explains it.
 */
export function requestsExplain(facts: Facts, follower: MetricShape): boolean {
  const requests = facts.metric('request_rate');
  if (requests.direction !== 'up' || follower.direction !== 'up') return false;
  const [load, rise] = [riseOf(requests), riseOf(follower)];
  return load === undefined || rise === undefined || rise <= PROPORTION * load;
}

/** 2. Are only pods of the newest template affected, while older ones are well? */
export function templateSplit(facts: Facts): 'new-only' | 'old-only' | 'both' | 'one-template' | 'unknown' {
  const newest = newestRevision(facts.input.workload)?.templateHash;
  const hashed = facts.pods.filter((pod) => pod.templateHash !== undefined);
  if (newest === undefined || hashed.length === 0) return 'unknown';
  const isBad = (pod: (typeof hashed)[number]): boolean => pod.unhealthy || (!pod.ready && pod.reasons.length > 0);
  const fresh = hashed.filter((pod) => pod.templateHash === newest);
  const old = hashed.filter((pod) => pod.templateHash !== newest);
  if (fresh.length === 0 || old.length === 0) return 'one-template';
  const freshBad = fresh.some(isBad);
  const oldBad = old.some(isBad);
  if (freshBad && oldBad) return 'both';
  return freshBad ? 'new-only' : oldBad ? 'old-only' : 'unknown';
}

/** 3. How far does it reach: one pod, the pods of one node, all replicas, or many workloads at one instant? */
export function reach(facts: Facts): 'one-pod' | 'one-node' | 'some-pods' | 'all-pods' | 'many-workloads' | 'none' {
  const others = (facts.input.otherAnomalous ?? []).filter(
    (other) => Math.abs(other.onsetAtMs - facts.input.onsetAtMs) <= 60_000,
  );
  if (others.length >= 3) return 'many-workloads';
  const bad = facts.unhealthy;
  if (bad.length === 0) return 'none';
  if (bad.length >= facts.total) return 'all-pods';
  const nodes = new Set(bad.map((pod) => pod.nodeName));
  const elsewhere = facts.pods.some((pod) => !pod.unhealthy && !nodes.has(pod.nodeName));
  const sparedThere = facts.pods.some((pod) => !pod.unhealthy && nodes.has(pod.nodeName));
  if (bad.length > 1 && nodes.size === 1 && !nodes.has(undefined) && elsewhere && !sparedThere) return 'one-node';
  return bad.length === 1 ? 'one-pod' : 'some-pods';
}

/** What this workload calls; undefined: no call graph is known. DNS, which everybody asks, is no part of it. */
export function knownCallees(facts: Facts): readonly DependencyState[] | undefined {
  const callees = (facts.input.dependencies ?? []).filter((each) => each.kind !== 'dns');
  return callees.length === 0 ? undefined : callees;
}

/** Queries look back so far, and polls are of different lengths: onsets closer than this tell no order of services. */
const LATER_MS = 300_000;

/**
 * 4. Callees that are anomalous and have no anomalous callee themselves; undefined: no call graph is known. One that fell
 * ill well after this workload is its victim and not its cause.
 */
export function deepestCallees(facts: Facts): readonly DependencyState[] | undefined {
  const latestMs = facts.input.onsetAtMs + LATER_MS;
  return knownCallees(facts)
    ?.filter((each) => each.state === 'unhealthy' && each.anomalousCallees.length === 0)
    .filter((each) => (each.onsetAtMs ?? -Infinity) <= latestMs)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Something that only this workload itself can move (its cpu, its memory) is anomalous, and far enough from what it was
 * that the search for the root cause blames it for that; where how far is not known any more, the anomaly is enough.
 * The course of its requests counts by itself.
 */
function blamesItself(facts: Facts): boolean {
  const { calls } = facts.input;
  if (calls === undefined) return false;
  const ranking = facts.rootCause()?.ranking ?? [];
  const isBlamed = ranking.some((each) => each.entity === calls.self && each.because === 'own');
  const isAnomalous = OWN_METRICS.some((metric) => facts.metric(metric).direction === 'up');
  return isAnomalous ? isBlamed || !calls.isOwnMeasured : isBlamed && facts.oddStep() !== undefined;
}

/** 4b. The callee that explains what this workload suffers: the deepest ill one; several that are equally deep are all named. */
export function explainingCallee(facts: Facts): string | undefined {
  const deepest = (deepestCallees(facts) ?? []).map((each) => each.name);
  return deepest.length === 0 || blamesItself(facts) ? undefined : deepest.join(' and ');
}

/** 5. The newest change of the kinds within 15 minutes before the onset, or since. */
export function changed(facts: Facts, ...kinds: readonly Change['kind'][]): Change | undefined {
  return facts.changes.find((change) => kinds.includes(change.kind));
}

/** 6. Latency up while cpu fell or stood still: it waits, it does not work. */
export function waitsNotWorks(facts: Facts): 'waits' | 'works' | 'unknown' {
  const latency = facts.metric('response_time');
  const cpu = facts.metric('cpu_usage');
  if (latency.direction !== 'up' || cpu.direction === 'unknown') return 'unknown';
  return cpu.direction === 'up' ? 'works' : 'waits';
}

/** Time-outs that people set, in milliseconds. */
const ROUND_TIMEOUTS_MS = [1000, 2000, 3000, 5000, 10_000, 15_000, 20_000, 30_000, 60_000];

const nearRoundTimeout = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ROUND_TIMEOUTS_MS.find((round) => Math.abs(ms - round) <= 0.05 * round);

/** 7. Do errors take long (latency at a round time-out) or come at once (latency falls)? */
export function errorSpeed(facts: Facts): 'time-out' | 'rejection' | 'slow' | 'unknown' {
  const latency: MetricShape = facts.metric('response_time');
  if (latency.direction === 'unknown') return 'unknown';
  if (latency.direction === 'down') return 'rejection';
  if (latency.direction === 'up') return nearRoundTimeout(latency.worst?.value) === undefined ? 'slow' : 'time-out';
  return facts.metric('error_rate').direction === 'up' ? 'rejection' : 'unknown';
}

/** 8. Are the ends at constant spacing (a probe or a timer) or irregular (crashes)? Times in ms, any order. */
export function restartSpacing(endsAtMs: readonly number[]): 'constant' | 'irregular' | 'unknown' {
  const times = [...new Set(endsAtMs.filter(Number.isFinite))].sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time));
  if (gaps.length < 2) return 'unknown';
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const worst = Math.max(...gaps.map((gap) => Math.abs(gap - mean)));
  return worst <= 0.1 * mean ? 'constant' : 'irregular';
}
