import { modelsInWords } from '../detection/model-agreement.ts';
import type { MetricVerdict } from '../detection/verdict.ts';
import type { Diagnosis, Evidence } from '../diagnosis/diagnosis.ts';
import { DAY, MINUTE } from '../lib/duration.ts';
import type { PodRef } from '../lib/workload.ts';
import type { ActionParameters, Baseline, Intent } from '../policy/action.ts';
import { isEffect } from '../policy/action.ts';
import type { Proposal } from '../policy/guard.ts';
import { intentName } from '../policy/intent-name.ts';
import { counted } from '../policy/hold.ts';
import type { DecisionInput } from './decision-input.ts';
import { meanValues } from './measured.ts';

/** An effect that is not sent within this time rests on facts that are no more. */
const INTENT_TTL_MS = 5 * MINUTE;
/** An alert stays true while the incident is open; sinks may be down for long. */
const ALERT_TTL_MS = DAY;

/** The effect as the middle of a sentence. */
function described(parameters: ActionParameters, pods: readonly PodRef[]): string {
  switch (parameters.kind) {
    case 'restart':
      return parameters.how === 'rollout'
        ? 'restart all pods as a rollout'
        : `restart ${pods.length === 1 ? `pod ${pods[0]?.name}` : counted(pods.length, 'pod')}`;
    case 'scale':
      return parameters.autoscaler === undefined
        ? `scale from ${parameters.from} to ${parameters.to} replicas`
        : `raise the minimum of ${parameters.autoscaler} from ${parameters.from} to ${parameters.to}`;
    case 'throttle':
      return `limit requests to ${parameters.limitPerSecond.toFixed(1)}/s (${parameters.throttle.provider})`;
    case 'cache':
      return `clear the cache of pod ${pods[0]?.name ?? '?'}`;
    case 'alert':
      return 'tell people';
  }
}

/** Metrics that carry the anomaly: of the whole workload, or of pods; what is not measured is left out. */
function triggeringMetrics({ incident }: DecisionInput): readonly string[] {
  return incident.metrics;
}

/** What is written over where an Ingress is limited by its annotations. */
function annotationsBefore({ throttlePaths = [] }: DecisionInput, { parameters }: Proposal): Baseline['annotations'] {
  if (parameters.kind !== 'throttle') return undefined;
  return throttlePaths.find(({ provider }) => provider === parameters.throttle.provider)?.annotations;
}

/** What else an effect is judged by, beside what triggered it: requests that pass a limit, what a cache takes up and saves. */
const COMPANIONS: Partial<Record<ActionParameters['kind'], readonly string[]>> = {
  throttle: ['request_rate'],
  cache: ['memory_usage', 'volume_usage', 'cache_hit_ratio', 'response_time'],
};

function baselineOf(input: DecisionInput, proposal: Proposal): Baseline {
  const { workload, verdict } = input;
  const names = [...triggeringMetrics(input), ...(COMPANIONS[proposal.parameters.kind] ?? [])];
  const all = verdict.pods.map(({ pod }) => pod);
  const isLimit = proposal.parameters.kind === 'throttle';
  const carriers = proposal.pods.length > 0 ? proposal.pods : isLimit ? all : input.incident.pods;
  const isTreated = (uid: string): boolean =>
    proposal.pods.length === 0 || proposal.pods.some((pod) => pod.uid === uid);
  const wanted = ({ metric }: MetricVerdict): boolean => names.includes(metric);
  const carrying = verdict.pods.filter(({ pod }) => carriers.some(({ uid }) => uid === pod.uid));
  const peers = verdict.pods.filter(({ pod }) => !isTreated(pod.uid));
  const [first] = workload.pods.filter(({ uid }) => isTreated(uid));
  const annotations = annotationsBefore(input, proposal);
  return {
    podUids: workload.pods.map(({ uid }) => uid),
    desiredReplicas: workload.replicas.desired,
    readyReplicas: workload.replicas.ready,
    ...(first?.templateHash === undefined ? {} : { templateHash: first.templateHash }),
    metrics: meanValues([
      ...carrying.flatMap(({ metrics }) => metrics).filter(wanted),
      ...verdict.workloadMetrics.filter(wanted),
    ]),
    peerMetrics: meanValues(peers.flatMap(({ metrics }) => metrics).filter(wanted)),
    unhealthyPeerUids: peers.filter(({ state }) => state === 'unhealthy').map(({ pod }) => pod.uid),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** What speaks for the named type; where none is named, what speaks for each that was thought of, with its name. */
function evidenceOf({ failureType, candidates }: Diagnosis): readonly Evidence[] {
  const named = candidates.find((candidate) => candidate.failureType === failureType);
  if (named !== undefined || failureType !== 'unknown') return named?.evidence ?? [];
  return candidates
    .flatMap((each) => each.evidence.map((one) => ({ ...one, what: `${each.failureType}: ${one.what}` })))
    .toSorted((a, b) => b.weight - a.weight);
}

/**
 * What the models of several ages say of each metric that triggered, on the pod where it is worst: an approver, or who
 * reads the object later, sees what the anomaly rests on. It adds nothing to the type.
 */
function modelEvidence(input: DecisionInput): readonly Evidence[] {
  const { verdict } = input;
  const all = [
    ...verdict.pods.flatMap(({ pod, metrics }) => metrics.map((metric) => ({ where: `pod ${pod.name}`, metric }))),
    ...verdict.workloadMetrics.map((metric) => ({ where: 'the workload', metric })),
  ];
  return triggeringMetrics(input).flatMap((name) => {
    const spoken = all.filter(({ metric }) => metric.metric === name && modelsInWords(metric) !== undefined);
    const [worst] = spoken.toSorted((a, b) => scoreOf(b.metric) - scoreOf(a.metric));
    if (worst === undefined) return [];
    return [{ source: 'metric', what: `${worst.where}: ${name}: ${modelsInWords(worst.metric)}`, weight: 0 }];
  });
}

const scoreOf = ({ verdict }: MetricVerdict): number => (verdict.kind === 'score' ? verdict.score : 0);

/** People are told what nobody could look at: it may be what they look at first. */
function adviceOf({ advice, missing = [] }: Diagnosis): string {
  return missing.length === 0 ? advice : `${advice}\nNot looked at: ${missing.join('; ')}.`;
}

/** How an intent is meant to be carried out. */
export interface Execution {
  readonly execution: Intent['execution'];
  readonly approvalRequired: boolean;
  /** Why it comes before its turn (an alert after a wait, an alternative that helped more); absent: the ladder led here. */
  readonly because?: string;
}

/** Fixes a proposal as an intent: what is written into the AegisHealingAction before anything happens. */
export function intentFor(input: DecisionInput, proposal: Proposal, how: Execution): Intent {
  const { policy, incident, workload, diagnosis, nowMs } = input;
  const { failureType, confidence, cause, summary, severityScore } = diagnosis;
  const identity = {
    policyUid: policy.uid,
    targetUid: workload.ref.uid,
    incidentId: incident.id,
    step: proposal.stepIndex,
    attempt: proposal.attempt,
  };
  const ttlMs = isEffect(proposal.action) ? INTENT_TTL_MS : ALERT_TTL_MS;
  const approvalMs = how.approvalRequired ? policy.approval.timeoutSeconds * 1000 : 0;
  return {
    name: intentName(identity, workload.ref.name),
    namespace: policy.namespace,
    policy: { name: policy.name, uid: policy.uid, generation: policy.generation },
    incidentId: incident.id,
    step: proposal.stepIndex,
    attempt: proposal.attempt,
    action: proposal.action,
    target: workload.ref,
    pods: proposal.pods,
    parameters: proposal.parameters,
    baseline: baselineOf(input, proposal),
    diagnosis: {
      ...{ failureType, confidence, cause, advice: adviceOf(diagnosis) },
      evidence: [...evidenceOf(diagnosis), ...modelEvidence(input)],
    },
    severityScore,
    metrics: triggeringMetrics(input),
    reason: `${summary}: ${described(proposal.parameters, proposal.pods)}${how.because === undefined ? '' : `, ${how.because}`}`,
    decidedAtMs: nowMs,
    expiresAtMs: nowMs + ttlMs + approvalMs,
    execution: how.execution,
    policyHash: policy.hash,
    approvalRequired: how.approvalRequired,
  };
}
