import { stateOf } from '../healing/lifecycle.ts';
import { toRecord } from '../healing/record.ts';
import type { Clock } from '../lib/clock.ts';
import { workloadKey } from '../lib/workload.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { ActionView, IncidentView, OperatorView, PolicyView } from './operator-view.ts';
import { severityOf } from '../policy/severity.ts';
import { answerPolicyQuestion } from './policy-question.ts';
import type { ClusterReader, StoredAction } from './ports.ts';
import type { Surroundings } from './surroundings.ts';

export interface LiveViewDeps {
  readonly reader: ClusterReader;
  readonly book: IncidentBook;
  readonly surroundings: Surroundings;
  readonly clock: Clock;
}

/** What the operator knows at this moment, for readers outside of the cluster. Nothing here has an effect. */
export function createOperatorView(deps: LiveViewDeps): OperatorView {
  const { reader, book, surroundings, clock } = deps;
  return {
    incidents: (limit) => Promise.resolve(incidentsOf(book, surroundings).slice(0, limit)),
    actions: (limit) =>
      Promise.resolve(
        reader
          .actions()
          .toSorted((a, b) => b.intent.decidedAtMs - a.intent.decidedAtMs)
          .slice(0, limit)
          .map(actionView),
      ),
    policies: (limit) => Promise.resolve(policiesOf(reader).slice(0, limit)),
    evaluate: (question) =>
      Promise.resolve(answerPolicyQuestion(question, { reader, surroundings, nowMs: clock.nowMs() })),
  };
}

function incidentsOf(book: IncidentBook, surroundings: Surroundings): readonly IncidentView[] {
  const names = new Map(surroundings.policies().map(({ uid, name }) => [uid, name]));
  return book
    .tracks()
    .flatMap((track) => incidentView(track, names.get(track.policyUid) ?? track.policyUid) ?? [])
    .toSorted((a, b) => b.openedAtMs - a.openedAtMs);
}

function incidentView({ history, diagnosis, decision }: Track, policy: string): IncidentView | undefined {
  const { incident } = history;
  if (incident === undefined) return undefined;
  const reason =
    decision === undefined ? 'not judged yet' : decision.kind === 'act' ? decision.intent.reason : decision.message;
  return {
    ...{ id: incident.id, namespace: incident.workload.namespace, workload: workloadKey(incident.workload), policy },
    failureType: diagnosis?.failureType ?? 'unknown',
    severity: severityOf(diagnosis?.severityScore ?? incident.peakScore),
    ...{ score: incident.score, metrics: incident.metrics, pods: incident.pods.map(({ name }) => name) },
    ...{ openedAtMs: incident.openedAtMs, updatedAtMs: incident.updatedAtMs },
    decision: decision?.kind ?? 'none',
    reason: decision?.kind === 'hold' ? `${decision.reason}: ${reason}` : reason,
  };
}

function actionView(action: StoredAction): ActionView {
  const { intent, status } = action;
  const { executedAtMs, endedAtMs, reason } = toRecord(action);
  return {
    ...{ name: intent.name, namespace: intent.namespace, workload: workloadKey(intent.target) },
    ...{ policy: intent.policy.name, action: intent.action, failureType: intent.diagnosis.failureType },
    ...{ state: stateOf(intent, status), reason: reason ?? '', message: intent.reason },
    ...{ decidedAtMs: intent.decidedAtMs, dryRun: intent.execution === 'DryRun' },
    ...(executedAtMs !== undefined && { executedAtMs }),
    ...(endedAtMs !== undefined && { endedAtMs }),
  };
}

function policiesOf(reader: ClusterReader): readonly PolicyView[] {
  return reader.policies().map((parsed): PolicyView => {
    const { namespace, name } = parsed.kind === 'valid' ? parsed.value : parsed;
    const status = reader.policyStatus(namespace, name);
    return {
      ...{ name, namespace, mode: parsed.kind === 'valid' ? parsed.value.mode : 'invalid' },
      conditions: status?.conditions ?? [],
      targets: status?.targets ?? { matched: 0, anomalous: 0, unknown: 0 },
    };
  });
}
