import { hashParts } from '../lib/hash.ts';
import type { PodRef } from '../lib/workload.ts';
import { STATUS_BREACH } from './detectors/status.ts';
import { mayReturnUntilMs, SAME_INCIDENT_MS, swinging, type Incident, type TriggerSettings } from './incident.ts';
import { countedScore } from './metric-judgement.ts';
import type { PodVerdict, WorkloadVerdict } from './verdict.ts';

/**
 *            N of M polls breach, or a status that has lasted as long
 *    calm ------------------------------------------------------------> open
 *     ^                                                                  |
 *     +------------------ closeAfter good polls in a row ----------------+
 *
 * One that comes back within a quarter of an hour, on a metric it was about, with nothing having healed it, is the same incident: a
 * load that swings about its line is one trouble and not one a swing. From then on it closes only after a quarter of an
 * hour of good polls.
 *
 * An unknown poll moves neither: it is no breach, no recovery, and takes no place among the M. A poll that is nearly
 * well (under the threshold, but not clear of it) takes a place among the M, but does not count towards closing.
 */
export interface PollMark {
  readonly atMs: number;
  readonly breach: boolean;
}

/** What must be remembered between polls of one policy and workload: JSON-serialisable. */
export interface IncidentHistory {
  /** The last judged polls, oldest first, at most `trigger.polls`. */
  readonly polls: readonly PollMark[];
  readonly incident?: Incident;
  /** The last one, while it may come back. */
  readonly ended?: Incident;
}

export interface IncidentContext {
  readonly policyUid: string;
  readonly intervalMs: number;
  readonly anomalyThreshold: number;
  /** Whether an effect has healed this incident: what comes back then is another, and starts further up the ladder. Default: none has. */
  readonly isHealed?: (incidentId: string) => boolean;
}

/** `returned`: an incident that was over goes on. */
export type IncidentTransition = 'opened' | 'returned' | 'updated' | 'resolved' | 'none';

export interface IncidentStep {
  readonly history: IncidentHistory;
  /** The open incident, or the one that this poll resolved. */
  readonly incident?: Incident;
  readonly transition: IncidentTransition;
}

export const CALM: IncidentHistory = { polls: [] };

/** Below this share of the threshold a poll is good; between is nearly well. */
const CLEAR = 0.95;
/** Marks older than so many windows are no evidence for the present. */
const STALE_WINDOWS = 2;

/** One poll's verdict moves the incident of a policy and a workload. Pure: the same arguments give the same step. */
export function stepIncident(
  previous: IncidentHistory | undefined,
  verdict: WorkloadVerdict,
  trigger: TriggerSettings,
  context: IncidentContext,
): IncidentStep {
  const { incident, ended } = previous ?? CALM;
  if (verdict.state === 'unknown') return standStill(previous);
  const polls = markPoll(previous ?? CALM, verdict, trigger, context);
  if (incident !== undefined) return stepOpen(polls, incident, verdict, trigger, context);
  const breaches = polls.filter((poll) => poll.breach);
  const lasting = lastingStatusSince(verdict, trigger, context);
  if (breaches.length < trigger.breaches && lasting === undefined) {
    return { history: { polls, ...stillEnded(ended, verdict.atMs) }, transition: 'none' };
  }
  const onsetAtMs = Math.min(breaches[0]?.atMs ?? verdict.atMs, lasting ?? verdict.atMs);
  const opened = open(verdict, context, onsetAtMs);
  if (ended === undefined || !isSame(ended, opened, verdict, context)) {
    return { history: { polls, incident: opened }, incident: opened, transition: 'opened' };
  }
  const { id, openedAtMs, usualRequestRate } = ended;
  const returned: Incident = {
    ...{ ...opened, id, openedAtMs, returns: (ended.returns ?? 0) + 1 },
    peakScore: Math.max(ended.peakScore, opened.peakScore),
    ...(usualRequestRate !== undefined && { usualRequestRate }),
  };
  return { history: { polls, incident: returned }, incident: returned, transition: 'returned' };
}

function stillEnded(ended: Incident | undefined, nowMs: number): Pick<IncidentHistory, 'ended'> {
  const untilMs = ended === undefined ? undefined : mayReturnUntilMs(ended);
  return ended === undefined || untilMs === undefined || nowMs >= untilMs ? {} : { ended };
}

/** Grave status is news whatever came before it; so is a metric that the earlier incident was not about. */
function isSame(ended: Incident, opened: Incident, verdict: WorkloadVerdict, context: IncidentContext): boolean {
  if (stillEnded(ended, verdict.atMs).ended === undefined) return false;
  if (graveStatus(verdict).length > 0 || context.isHealed?.(ended.id) === true) return false;
  const before = new Set(swinging(ended));
  return swinging(opened).some((metric) => before.has(metric));
}

function standStill(previous: IncidentHistory | undefined): IncidentStep {
  const history = previous ?? CALM;
  const { incident } = history;
  return incident === undefined ? { history, transition: 'none' } : { history, incident, transition: 'none' };
}

function markPoll(
  previous: IncidentHistory,
  verdict: WorkloadVerdict,
  trigger: TriggerSettings,
  context: IncidentContext,
): readonly PollMark[] {
  const oldestMs = verdict.atMs - STALE_WINDOWS * trigger.polls * context.intervalMs;
  const kept = previous.polls.filter((poll) => poll.atMs >= oldestMs && poll.atMs < verdict.atMs);
  return [...kept, { atMs: verdict.atMs, breach: verdict.state === 'unhealthy' }].slice(-trigger.polls);
}

function open(verdict: WorkloadVerdict, context: IncidentContext, onsetAtMs: number): Incident {
  return {
    id: hashParts(context.policyUid, verdict.workload.uid, verdict.atMs),
    policyUid: context.policyUid,
    workload: verdict.workload,
    openedAtMs: verdict.atMs,
    onsetAtMs,
    updatedAtMs: verdict.atMs,
    peakScore: verdict.score,
    score: verdict.score,
    pods: unhealthyPods(verdict),
    metrics: anomalousMetrics(verdict, context.anomalyThreshold),
    goodPolls: 0,
  };
}

function stepOpen(
  polls: readonly PollMark[],
  incident: Incident,
  verdict: WorkloadVerdict,
  trigger: TriggerSettings,
  context: IncidentContext,
): IncidentStep {
  const next =
    verdict.state === 'unhealthy' ? worsened(incident, verdict, trigger, context) : calmed(incident, verdict, context);
  if (next.goodPolls < pollsToClose(incident, trigger, context)) {
    return { history: { polls, incident: next }, incident: next, transition: 'updated' };
  }
  const resolved = { ...next, resolvedAtMs: verdict.atMs };
  // The next incident needs fresh breaches of its own.
  return {
    history: { ...CALM, ...stillEnded(resolved, verdict.atMs) },
    incident: resolved,
    transition: 'resolved',
  };
}

function pollsToClose(
  { returns = 0 }: Incident,
  { closeAfter }: TriggerSettings,
  { intervalMs }: IncidentContext,
): number {
  return returns === 0 ? closeAfter : Math.max(closeAfter, Math.ceil(SAME_INCIDENT_MS / intervalMs));
}

function worsened(
  incident: Incident,
  verdict: WorkloadVerdict,
  trigger: TriggerSettings,
  context: IncidentContext,
): Incident {
  const { returns = 0, goodPolls } = incident;
  const isBack = returns > 0 && goodPolls >= trigger.closeAfter;
  return {
    ...incident,
    updatedAtMs: verdict.atMs,
    score: verdict.score,
    peakScore: Math.max(incident.peakScore, verdict.score),
    pods: unhealthyPods(verdict),
    metrics: anomalousMetrics(verdict, context.anomalyThreshold),
    goodPolls: 0,
    ...(isBack && { returns: returns + 1 }),
  };
}

function calmed(incident: Incident, verdict: WorkloadVerdict, context: IncidentContext): Incident {
  const seen = { ...incident, updatedAtMs: verdict.atMs, score: verdict.score };
  if (anyPatientUnknown(incident, verdict)) return incident;
  const isGood = verdict.score < CLEAR * context.anomalyThreshold;
  return isGood ? { ...seen, goodPolls: incident.goodPolls + 1 } : seen;
}

/** A pod of the incident that still exists but cannot be seen has not recovered. */
function anyPatientUnknown(incident: Incident, verdict: WorkloadVerdict): boolean {
  return verdict.pods.some(
    ({ pod, state }) => state === 'unknown' && incident.pods.some((patient) => patient.uid === pod.uid),
  );
}

/**
 * Since when a grave status has stood, if it has stood for as long as the breaching polls would take; the cluster's own
 * times prove it, so a restarted operator need not count again. Metric evidence has no such short cut.
 */
function lastingStatusSince(
  verdict: WorkloadVerdict,
  trigger: TriggerSettings,
  context: IncidentContext,
): number | undefined {
  const since = graveStatus(verdict).flatMap(({ sinceMs }) => (sinceMs === undefined ? [] : [sinceMs]));
  const earliest = Math.min(...since);
  return earliest <= verdict.atMs - trigger.breaches * context.intervalMs ? earliest : undefined;
}

const graveStatus = (verdict: WorkloadVerdict) =>
  [...verdict.pods.flatMap(({ status }) => status), ...(verdict.status ?? [])].filter(
    ({ severity }) => severity >= STATUS_BREACH,
  );

function unhealthyPods(verdict: WorkloadVerdict): readonly PodRef[] {
  return verdict.pods
    .filter(({ state }) => state === 'unhealthy')
    .toSorted((a, b) => b.score - a.score)
    .map(({ pod }) => pod);
}

/** Metrics that carry the anomaly, most anomalous first. */
function anomalousMetrics(verdict: WorkloadVerdict, threshold: number): readonly string[] {
  const worst = new Map<string, number>();
  const ofPods = verdict.pods.flatMap((pod: PodVerdict) => pod.metrics);
  for (const metric of [...ofPods, ...verdict.workloadMetrics]) {
    const score = countedScore(metric);
    if (score >= threshold) worst.set(metric.metric, Math.max(score, worst.get(metric.metric) ?? 0));
  }
  return [...worst].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
}
