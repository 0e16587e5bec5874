import { stateOf } from '../healing/lifecycle.ts';
import { toRecord } from '../healing/record.ts';
import { isResting, type Incident } from '../detection/incident.ts';
import type { Clock } from '../lib/clock.ts';
import { workloadKey } from '../lib/workload.ts';
import { findDecision } from './decision-view.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { ActionView, IncidentList, IncidentView, OperatorView, PolicyView } from './operator-view.ts';
import { severityOf } from '../policy/severity.ts';
import { answerPolicyQuestion } from './policy-question.ts';
import type { ClusterReader, StoredAction } from './ports.ts';
import type { Store } from './store-ports.ts';
import type { Surroundings } from './surroundings.ts';

export interface LiveViewDeps {
  readonly reader: ClusterReader;
  readonly book: IncidentBook;
  readonly surroundings: Surroundings;
  readonly store: Pick<Store, 'history' | 'incidents'>;
  readonly clock: Clock;
}

/** What the operator knows at this moment, for readers outside of the cluster. Nothing here has an effect. */
export function createOperatorView(deps: LiveViewDeps): OperatorView {
  const { reader, surroundings, clock } = deps;
  return {
    incidents: (limit) => incidentsOf(deps, limit),
    actions: (limit) =>
      Promise.resolve(
        reader
          .actions()
          .toSorted((a, b) => b.intent.decidedAtMs - a.intent.decidedAtMs)
          .slice(0, limit)
          .map(actionView),
      ),
    policies: (limit) => Promise.resolve(policiesOf(reader).slice(0, limit)),
    decision: (id) => findDecision(id, deps),
    evaluate: (question) =>
      Promise.resolve(answerPolicyQuestion(question, { reader, surroundings, nowMs: clock.nowMs() })),
  };
}

/** Open ones from memory, as they are at this moment; resolved ones as they were stored. Newest first. */
async function incidentsOf({ book, surroundings, reader, store }: LiveViewDeps, limit: number): Promise<IncidentList> {
  const names = new Map(surroundings.policies().map(({ uid, name }) => [uid, name]));
  const policyOf = (uid: string): string => names.get(uid) ?? uid;
  const open = book.tracks().flatMap((track) => incidentView(track, policyOf(track.policyUid)) ?? []);
  const stored = await store.incidents(limit).catch(() => undefined);
  const resolved = (stored ?? [])
    .filter((incident) => incident.resolvedAtMs !== undefined && !open.some(({ id }) => id === incident.id))
    .map((incident) => resolvedView(incident, policyOf(incident.policyUid), reader.actions()));
  return {
    incidents: [...open, ...resolved].toSorted((a, b) => b.openedAtMs - a.openedAtMs).slice(0, limit),
    isComplete: stored !== undefined,
  };
}

const factsOf = (incident: Incident) => ({
  ...{ id: incident.id, namespace: incident.workload.namespace, workload: workloadKey(incident.workload) },
  ...{ score: incident.score, metrics: incident.metrics, pods: incident.pods.map(({ name }) => name) },
  ...{ openedAtMs: incident.openedAtMs, updatedAtMs: incident.updatedAtMs },
});

/** The diagnosis is with the actions: what nothing was done about has none any more. */
function resolvedView(incident: Incident, policy: string, actions: readonly StoredAction[]): IncidentView {
  const last = actions
    .filter(({ intent }) => intent.incidentId === incident.id)
    .reduce<StoredAction | undefined>((a, b) => (a && a.intent.decidedAtMs > b.intent.decidedAtMs ? a : b), undefined);
  return {
    ...factsOf(incident),
    ...{ policy, failureType: last?.intent.diagnosis.failureType ?? 'unknown' },
    severity: severityOf(incident.peakScore),
    ...(incident.resolvedAtMs !== undefined && { resolvedAtMs: incident.resolvedAtMs }),
    ...{ decision: 'none', reason: 'resolved' },
    ...(last !== undefined && { decisionId: last.intent.name }),
  };
}

/** What an incident that flaps does at present. */
function courseOf(incident: Incident): string {
  const { returns = 0, goodPolls } = incident;
  if (returns === 0) return '';
  return `; it flaps: it came back ${returns} times${isResting(incident) ? `, and is in band for ${goodPolls} polls` : ''}`;
}

function incidentView({ history, diagnosis, decision }: Track, policy: string): IncidentView | undefined {
  const { incident } = history;
  if (incident === undefined) return undefined;
  const reason =
    decision === undefined ? 'not judged yet' : decision.kind === 'act' ? decision.intent.reason : decision.message;
  return {
    ...factsOf(incident),
    ...{ policy, failureType: diagnosis?.failureType ?? 'unknown' },
    severity: severityOf(diagnosis?.severityScore ?? incident.peakScore),
    decision: decision?.kind ?? 'none',
    reason: `${decision?.kind === 'hold' ? `${decision.reason}: ` : ''}${reason}${courseOf(incident)}`,
    ...(decision !== undefined && { decisionId: decision.id }),
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
    ...{ expiresAtMs: intent.expiresAtMs, policyHash: intent.policyHash },
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
