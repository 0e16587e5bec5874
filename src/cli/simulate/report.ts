import type { Incident } from '../../detection/incident.ts';
import { toRecord } from '../../healing/record.ts';
import type { StoredAction } from '../../healing/stored-action.ts';
import { workloadKey } from '../../lib/workload.ts';
import { isEffect, type ActionName } from '../../policy/action.ts';
import { severityOf } from '../../policy/severity.ts';
import type { HealingPolicy } from '../../policy/healing-policy.ts';
import type { ReplayedEvent, ReplayOutcome } from './replay.ts';

/** Something that would have been done, or told. */
export interface ReportedAction {
  readonly atMs: number;
  readonly name: string;
  readonly action: ActionName;
  /** Step of the ladder, from 0. */
  readonly rung: number;
  readonly pods: readonly string[];
  readonly failureType: string;
  readonly confidence: number;
  /** The decision in one sentence, with its evidence. */
  readonly reason: string;
  /** What became of it in the replay, e.g. `Healed`, `Blocked: BudgetSpent`. */
  readonly state: string;
  /**
   * An effect of the same incident came before it. The record shows what happened without that effect, so this one would have come
   * only if it had not helped.
   */
  readonly isAfterAnEffect: boolean;
}

/** Something that a brake would have held back. */
export interface ReportedHold {
  readonly atMs: number;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
}

export interface ReportedIncident {
  readonly id: string;
  readonly policy: string;
  readonly workload: string;
  readonly onsetMs: number;
  readonly openedAtMs: number;
  /** Absent: it was open when the record ended. */
  readonly resolvedAtMs?: number;
  readonly severity: string;
  readonly score: number;
  readonly metrics: readonly string[];
  readonly pods: readonly string[];
  /** The last diagnosis in one sentence; absent: none was made. */
  readonly diagnosis?: string;
  readonly actions: readonly ReportedAction[];
  readonly held: readonly ReportedHold[];
}

/** What a policy would have done: the answer of `aegis simulate`. */
export interface SimulationReport {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepSeconds: number;
  readonly polls: number;
  readonly series: number;
  readonly pods: number;
  readonly workloads: readonly string[];
  /** Oldest first. */
  readonly incidents: readonly ReportedIncident[];
  readonly alerts: number;
  readonly totals: {
    readonly incidents: number;
    readonly actions: Readonly<Record<string, number>>;
    readonly held: Readonly<Record<string, number>>;
  };
  /** What the record does not tell, and what was taken for granted instead. */
  readonly notes: readonly string[];
}

export interface ReportFacts {
  readonly policies: readonly HealingPolicy[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly series: number;
  readonly notes: readonly string[];
}

/** Puts what the replay gave in order: by incident, each with what would have been done and what held it back. */
export function reportOf(outcome: ReplayOutcome, facts: ReportFacts): SimulationReport {
  const names = new Map(facts.policies.map(({ uid, name, namespace }) => [uid, `${namespace}/${name}`]));
  const incidents = [...outcome.incidents]
    .sort((a, b) => a.openedAtMs - b.openedAtMs)
    .map((incident) => reported(incident, outcome, names.get(incident.policyUid) ?? incident.policyUid));
  const { stepMs, policies: _, ...rest } = facts;
  return {
    ...{ ...rest, stepSeconds: stepMs / 1000, polls: outcome.polls, pods: outcome.pods, workloads: outcome.workloads },
    ...{ incidents, alerts: outcome.alerts.length },
    totals: {
      incidents: incidents.length,
      actions: countBy(incidents.flatMap(({ actions }) => actions.map(({ action }) => action))),
      held: countBy(incidents.flatMap(({ held }) => held.map(({ reason }) => reason))),
    },
  };
}

function reported(incident: Incident, outcome: ReplayOutcome, policy: string): ReportedIncident {
  const { id, onsetAtMs, openedAtMs, resolvedAtMs, peakScore } = incident;
  const own = outcome.actions
    .filter(({ intent }) => intent.incidentId === id)
    .sort((a, b) => a.intent.decidedAtMs - b.intent.decidedAtMs);
  const firstEffect = own.find(({ intent, status }) => isEffect(intent.action) && status.executed !== undefined);
  const held = outcome.rows.filter((row) => row.kind === 'hold' && row.incidentId === id);
  const diagnosis = lastDiagnosis(incident, outcome.events);
  return {
    ...{ id, policy, workload: workloadKey(incident.workload), onsetMs: onsetAtMs, openedAtMs },
    ...(resolvedAtMs !== undefined && { resolvedAtMs }),
    ...{ severity: severityOf(peakScore), score: peakScore, metrics: incident.metrics },
    pods: incident.pods.map(({ name }) => name),
    ...(diagnosis !== undefined && { diagnosis }),
    actions: own.map((action) => reportedAction(action, firstEffect)),
    held: held.map(({ atMs, action = 'none', reason = 'none', message }) => ({ atMs, action, reason, message })),
  };
}

function reportedAction(action: StoredAction, firstEffect: StoredAction | undefined): ReportedAction {
  const { intent } = action;
  const { state, reason } = toRecord(action);
  const isBefore = firstEffect === undefined || intent.decidedAtMs <= firstEffect.intent.decidedAtMs;
  return {
    ...{ atMs: intent.decidedAtMs, name: intent.name, action: intent.action, rung: intent.step },
    pods: intent.pods.map((pod) => pod.name),
    ...{ failureType: intent.diagnosis.failureType, confidence: intent.diagnosis.confidence, reason: intent.reason },
    state: reason === undefined ? state : `${state}: ${reason}`,
    isAfterAnEffect: isEffect(intent.action) && !isBefore,
  };
}

function lastDiagnosis(incident: Incident, events: readonly ReplayedEvent[]): string | undefined {
  const until = incident.resolvedAtMs ?? Infinity;
  return events.findLast(
    ({ atMs, note }) =>
      note.reason === 'Diagnosed' &&
      note.regarding.uid === incident.workload.uid &&
      atMs >= incident.openedAtMs &&
      atMs <= until,
  )?.note.note;
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}
