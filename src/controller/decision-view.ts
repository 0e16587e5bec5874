import type { Evidence } from '../diagnosis/diagnosis.ts';
import { courseOf } from '../healing/course.ts';
import type { Decision, SkippedRung } from '../healing/decision.ts';
import { stateOf } from '../healing/lifecycle.ts';
import { toRecord } from '../healing/record.ts';
import { workloadKey } from '../lib/workload.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { DecisionView } from './operator-view.ts';
import type { ClusterReader, StoredAction } from './ports.ts';
import type { HistoryRow, Store } from './store-ports.ts';
import type { Surroundings } from './surroundings.ts';

interface Sources {
  readonly reader: ClusterReader;
  readonly book: IncidentBook;
  readonly surroundings: Surroundings;
  readonly store: Pick<Store, 'history'>;
}

/**
 * Looks a decision up where it is known best: the action that it made, the present state of its incident, the history.
 * The rungs passed over by a decision to act stand in the history alone, once the next poll has decided anew.
 */
export async function findDecision(id: string, sources: Sources): Promise<DecisionView | undefined> {
  const { reader, book, surroundings, store } = sources;
  const action = reader.actions().find(({ intent }) => intent.name === id);
  const track = book.tracks().find(({ decision }) => decision?.id === id);
  const rows = store.history({ id, limit: 1 });
  if (action !== undefined) {
    const [row] = await rows.catch((): readonly HistoryRow[] => []);
    return ofAction(action, skippedOf(track) ?? skippedIn(row));
  }
  if (track !== undefined) {
    rows.catch(() => undefined);
    const policy = surroundings.policies().find(({ uid }) => uid === track.policyUid)?.name;
    return ofTrack(track, policy ?? track.policyUid);
  }
  const [row] = await rows;
  return row === undefined ? undefined : ofRow(row);
}

function ofAction(action: StoredAction, whyNot: readonly SkippedRung[]): DecisionView {
  const { intent, status } = action;
  const { reason } = toRecord(action);
  return {
    ...{ id: intent.name, kind: 'act', decidedAtMs: intent.decidedAtMs, incidentId: intent.incidentId },
    ...{ namespace: intent.namespace, workload: workloadKey(intent.target), policy: intent.policy.name },
    ...{ action: intent.action, step: intent.step, attempt: intent.attempt },
    ...{ failureType: intent.diagnosis.failureType, confidence: intent.diagnosis.confidence },
    ...(reason !== undefined && { reason }),
    ...{ message: intent.reason, evidence: shown(intent.diagnosis.evidence), whyNot },
    outcome: courseOf(action),
    state: stateOf(intent, status),
  };
}

/** An action that is not in the cache yet is shown like a decision without one. */
function ofTrack({ decision, diagnosis, history, workload, hold }: Track, policy: string): DecisionView | undefined {
  const { incident } = history;
  if (decision === undefined || incident === undefined) return undefined;
  return {
    ...{ id: decision.id, incidentId: incident.id, policy, decidedAtMs: hold?.sinceMs ?? incident.updatedAtMs },
    ...{ namespace: workload.namespace, workload: workloadKey(workload) },
    ...(diagnosis !== undefined && { failureType: diagnosis.failureType, confidence: diagnosis.confidence }),
    evidence: shown(diagnosis?.candidates[0]?.evidence ?? []),
    outcome: [],
    ...decided(decision),
  };
}

function decided(decision: Decision): Pick<DecisionView, 'kind' | 'action' | 'message' | 'whyNot'> {
  const { kind } = decision;
  switch (kind) {
    case 'act': {
      const { action, step, attempt, reason: message, decidedAtMs } = decision.intent;
      return { kind, action, message, whyNot: decision.skipped, ...{ step, attempt, decidedAtMs } };
    }
    case 'hold': {
      const { action, step, reason, message } = decision;
      return { kind, action, message, whyNot: decision.skipped, ...{ step, reason } };
    }
    case 'ignore':
      return { kind, action: 'no_action', message: decision.message, whyNot: [] };
  }
}

interface DecisionFacts {
  readonly policy?: string;
  readonly step?: number;
  readonly attempt?: number;
  readonly skipped?: readonly SkippedRung[];
  readonly diagnosis?: {
    readonly failureType: string;
    readonly confidence: number;
    readonly evidence: readonly Evidence[];
  };
}

/** A row that `DecisionRecorder` wrote; rows of other kinds are no decisions. */
function ofRow(row: HistoryRow): DecisionView | undefined {
  if (row.kind !== 'hold' && row.kind !== 'decision') return undefined;
  const { policy = '', step, attempt, diagnosis } = row.facts as DecisionFacts;
  return {
    ...{ id: row.id, kind: row.kind === 'hold' ? 'hold' : 'act', decidedAtMs: row.atMs, policy },
    ...(row.incidentId !== undefined && { incidentId: row.incidentId }),
    ...{ namespace: row.namespace, workload: row.workload, action: row.action ?? 'no_action' },
    ...(step !== undefined && { step }),
    ...(attempt !== undefined && { attempt }),
    ...(diagnosis !== undefined && { failureType: diagnosis.failureType, confidence: diagnosis.confidence }),
    ...(row.reason !== undefined && { reason: row.reason }),
    ...{ message: row.message, evidence: shown(diagnosis?.evidence ?? []), whyNot: skippedIn(row), outcome: [] },
  };
}

const shown = (evidence: readonly Evidence[]): DecisionView['evidence'] =>
  evidence.map(({ source, what, weight }) => ({ source, what, weight }));

const skippedOf = (track: Track | undefined): readonly SkippedRung[] | undefined =>
  track?.decision === undefined || track.decision.kind === 'ignore' ? undefined : track.decision.skipped;

const skippedIn = (row: HistoryRow | undefined): readonly SkippedRung[] =>
  (row?.facts as DecisionFacts | undefined)?.skipped ?? [];
