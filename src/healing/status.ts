import type { Incident } from '../detection/incident.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import { workloadKey } from '../lib/workload.ts';
import type { Guardrail, HealingPolicy } from '../policy/healing-policy.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import { severityOf } from '../policy/severity.ts';
import { endAtMs } from '../policy/track-record.ts';
import { withTransitions } from './conditions.ts';
import type { Decision } from './decision.ts';
import type { IncidentSummary, PolicyCondition, PolicyStatus } from './policy-status.ts';

/** Incidents shown; the rest are in the store. */
const MAX_INCIDENTS = 10;

type Problem = { readonly path: string; readonly reason: string; readonly message: string };

/** Everything that a policy's status says, gathered by the shell. Optional parts are not known yet. */
export interface StatusInput {
  readonly nowMs: number;
  readonly generation: number;
  /** The domain form; `undefined` where the resource is invalid. */
  readonly policy: HealingPolicy | undefined;
  /** Everything that is wrong with the resource or its queries and rules. */
  readonly problems: readonly Problem[];
  readonly previous?: PolicyStatus;
  /** Guardrails of the namespace; `undefined`: unreadable. */
  readonly guardrails: readonly Guardrail[] | undefined;
  /** Absent before the first look at the cluster. */
  readonly targets?: PolicyStatus['targets'];
  /** Metrics without trustworthy values, with the reason; absent: nothing was polled yet. */
  readonly metrics?: {
    readonly available: readonly string[];
    readonly problems: readonly { readonly metric: string; readonly reason: string; readonly message: string }[];
  };
  /** Fewest samples learnt over the series, and how many are wanted; absent: not known. */
  readonly learned?: { readonly samples: number; readonly wanted: number };
  readonly incidents: readonly {
    readonly incident: Incident;
    readonly diagnosis?: Diagnosis;
    readonly decision?: Decision;
  }[];
  /** Workloads on which another policy acts; absent: not known. */
  readonly conflicts?: readonly { readonly workload: string; readonly policy: string }[];
  /** Sentences on what a guardrail, the cluster or Aegis's rights keep a rung from; absent: not known. */
  readonly limits?: readonly string[];
  /** Sentences on actions that no rung can use here, because the cluster or this installation has nothing to do them with. */
  readonly unsupported?: readonly string[];
  /** The policy's actions. */
  readonly actions: readonly ActionRecord[];
}

type Finding = Pick<PolicyCondition, 'status' | 'reason' | 'message'>;

const yes = (reason: string, message: string): Finding => ({ status: 'True', reason, message });
const no = (reason: string, message: string): Finding => ({ status: 'False', reason, message });
const unknown = (message: string): Finding => ({ status: 'Unknown', reason: 'NotKnownYet', message });

function accepted({ problems, policy }: StatusInput): Finding {
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
    return no(first.reason, `${first.path}: ${first.message}${more}`);
  }
  return policy === undefined ? no('Invalid', 'the policy cannot be read') : yes('Valid', 'the policy makes sense');
}

function metricsAvailable({ metrics }: StatusInput): Finding {
  if (metrics === undefined) return unknown('nothing was polled yet');
  const [first] = metrics.problems;
  if (first !== undefined) {
    const more = metrics.problems.length === 1 ? '' : ` (and ${metrics.problems.length - 1} more)`;
    return no(first.reason, `${first.metric}: ${first.message}${more}`);
  }
  return metrics.available.length === 0
    ? no('NoSeries', 'no series exists for any of the metrics')
    : yes('Available', metrics.available.join(', '));
}

function learned({ learned: model }: StatusInput): Finding {
  if (model === undefined) return unknown('no series is known yet');
  const { samples, wanted } = model;
  // No count: it would move with every poll, and with it the status.
  return samples >= wanted
    ? yes('Learned', `at least ${wanted} samples are learnt`)
    : no('Learning', `fewer than ${wanted} samples are learnt; until then limits, status and peers judge`);
}

function healthy({ targets, incidents }: StatusInput): Finding {
  if (incidents.length > 0) return no('IncidentOpen', `${incidents.length} incidents are open`);
  if (targets === undefined) return unknown('the targets were not judged yet');
  const { matched, anomalous, unknown: unjudged } = targets;
  if (anomalous > 0) return no('Anomalous', `${anomalous} of ${matched} workloads are anomalous`);
  if (matched === 0) return { status: 'Unknown', reason: 'TargetNotFound', message: 'no workload is selected' };
  return unjudged > 0
    ? { status: 'Unknown', reason: 'InsufficientData', message: `${unjudged} of ${matched} workloads cannot be judged` }
    : yes('Healthy', `${matched} of ${matched} workloads are healthy`);
}

function paused({ policy, guardrails }: StatusInput): Finding {
  if (policy === undefined) return unknown('the policy cannot be read');
  const [request] = policy.pauseRequests;
  if (request !== undefined) return yes('Paused', `paused by ${request.name}: ${request.reason}`);
  if (guardrails === undefined) {
    return { status: 'Unknown', reason: 'GuardrailUnknown', message: 'the guardrails cannot be read' };
  }
  const { suspendedBy } = effectiveGuardrail(guardrails);
  return suspendedBy.length > 0
    ? yes('Suspended', `suspended by guardrail ${suspendedBy.join(', ')}`)
    : no('Running', 'nothing pauses it');
}

function conflict({ conflicts }: StatusInput): Finding {
  if (conflicts === undefined) return unknown('other policies were not compared yet');
  const [first] = conflicts;
  return first === undefined
    ? no('Alone', 'no other policy acts on its workloads')
    : yes(
        'Conflict',
        `${first.policy} acts on ${first.workload}${conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : ''}`,
      );
}

function limited({ limits, unsupported = [] }: StatusInput): Finding {
  if (limits === undefined) return unknown('guardrails and rights were not compared yet');
  const all = [...unsupported, ...limits];
  if (all.length === 0) return no('Unlimited', 'every rung can be used');
  return yes(unsupported.length > 0 ? 'UnsupportedByCluster' : 'Limited', all.join('; '));
}

/** The target is found, metrics are there, and it is free to act. */
function ready(
  input: StatusInput,
  others: Readonly<Record<'Accepted' | 'MetricsAvailable' | 'Paused', Finding>>,
): Finding {
  if (others.Accepted.status !== 'True') return no('NotAccepted', 'the policy was not accepted');
  if (input.targets === undefined) return unknown('the targets were not looked for yet');
  if (input.targets.matched === 0) return no('TargetNotFound', 'no workload is selected');
  if (others.Paused.status !== 'False') {
    return { ...others.Paused, status: others.Paused.status === 'True' ? 'False' : 'Unknown' };
  }
  if (others.MetricsAvailable.status !== 'True') return others.MetricsAvailable;
  return yes('Ready', `${input.targets.matched} workloads are watched`);
}

/** Why it acts, or why not, as a code and a sentence. */
function explained(decision: Decision | undefined): { readonly code: string; readonly text: string } {
  if (decision === undefined) return { code: 'NotJudged', text: 'NotJudged' };
  switch (decision.kind) {
    case 'act':
      return { code: decision.intent.name, text: decision.intent.reason };
    case 'hold':
      return { code: decision.reason, text: `${decision.reason}: ${decision.message}` };
    case 'ignore':
      return { code: decision.message, text: decision.message };
  }
}

function summary(
  { incident, diagnosis, decision }: StatusInput['incidents'][number],
  previous: PolicyStatus | undefined,
): IncidentSummary {
  const { code, text } = explained(decision);
  const step = decision === undefined || decision.kind === 'ignore' ? 0 : stepOf(decision);
  const kind = decision?.kind ?? 'ignore';
  const before = previous?.incidents.find(({ id }) => id === incident.id);
  // "45 s ago" grows with every poll: the sentence stays as first written until the reason itself is another.
  const stays = before?.decision === kind && before.step === step && before.reason.startsWith(`${code}: `);
  return {
    id: incident.id,
    workload: workloadKey(incident.workload),
    failureType: diagnosis?.failureType ?? 'unknown',
    severity: severityOf(diagnosis?.severityScore ?? incident.peakScore),
    sinceMs: incident.openedAtMs,
    step,
    decision: kind,
    reason: stays ? before.reason : text,
  };
}

const stepOf = (decision: Exclude<Decision, { kind: 'ignore' }>): number =>
  decision.kind === 'act' ? decision.intent.step : decision.step;

function lastAction({ actions, nowMs }: StatusInput): PolicyStatus['lastAction'] {
  const latest = actions.reduce<ActionRecord | undefined>(
    (last, record) => (last === undefined || record.decidedAtMs > last.decidedAtMs ? record : last),
    undefined,
  );
  if (latest === undefined) return undefined;
  const { name, action, workload, state, reason } = latest;
  const outcome = reason === undefined ? state : `${state} (${reason})`;
  return { name, action, target: workload, outcome, atMs: endAtMs(latest, nowMs) };
}

/** All eight conditions, in a documented order, `Unknown` included on the first visit. */
function conditionsOf(input: StatusInput): PolicyCondition[] {
  const findings = { Accepted: accepted(input), MetricsAvailable: metricsAvailable(input), Paused: paused(input) };
  const all: Readonly<Record<PolicyCondition['type'], Finding>> = {
    Accepted: findings.Accepted,
    Ready: ready(input, findings),
    MetricsAvailable: findings.MetricsAvailable,
    Learned: learned(input),
    Healthy: healthy(input),
    Paused: findings.Paused,
    Conflict: conflict(input),
    Limited: limited(input),
  };
  const types = Object.keys(all) as PolicyCondition['type'][];
  return withTransitions(
    types.map((type) => ({ type, ...all[type], observedGeneration: input.generation })),
    input.previous?.conditions ?? [],
    input.nowMs,
  );
}

/**
 * The policy's status, computed whole. Nothing in it moves with time alone, so that it is written only when something
 * happened. The worst and then the oldest incidents come first.
 */
export function policyStatus(input: StatusInput): PolicyStatus {
  const last = lastAction(input);
  const incidents = [...input.incidents]
    .sort((a, b) => b.incident.peakScore - a.incident.peakScore || a.incident.openedAtMs - b.incident.openedAtMs)
    .slice(0, MAX_INCIDENTS)
    .map((each) => summary(each, input.previous));
  return {
    observedGeneration: input.generation,
    conditions: conditionsOf(input),
    targets: input.targets ?? { matched: 0, anomalous: 0, unknown: 0 },
    incidents,
    ...(last === undefined ? {} : { lastAction: last }),
  };
}
