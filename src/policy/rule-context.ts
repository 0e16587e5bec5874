import { HOUR } from '../lib/duration.ts';
import type { GuardInput } from './guard.ts';
import { severityOf } from './severity.ts';
import { effectAtMs, sentEffects } from './track-record.ts';

/** The variables of a rule and their CEL types. A field that is not here is refused when the policy is admitted. */
export const RULE_VARIABLES = {
  action: {
    name: 'string',
    step: 'int',
    attempt: 'int',
    pods: 'int',
    /** Replicas before and after; 0 for other actions. */
    from: 'int',
    to: 'int',
    /** 0 for other actions. */
    limitPerSecond: 'double',
  },
  target: {
    kind: 'string',
    namespace: 'string',
    name: 'string',
    labels: 'map<string, string>',
    annotations: 'map<string, string>',
    replicas: 'int',
    ready: 'int',
  },
  incident: {
    id: 'string',
    severity: 'string',
    score: 'double',
    ageSeconds: 'int',
    metrics: 'list<string>',
  },
  diagnosis: {
    failureType: 'string',
    confidence: 'double',
    lead: 'double',
    /** `self`, `node`, `dependency`, `dns`, `rollout` or `aegis`. */
    cause: 'string',
  },
  /** Metric -> its worst last value over the pods; a metric without one is absent, not 0. */
  metrics: 'map<string, double>',
  policy: { name: 'string', namespace: 'string', mode: 'string', priority: 'int' },
  cluster: {
    storm: 'bool',
    anomalous: 'int',
    watched: 'int',
    nodes: 'int',
    nodesReady: 'int',
    effectsLastHour: 'int',
  },
  now: 'google.protobuf.Timestamp',
} as const satisfies Record<string, string | Record<string, string>>;

/** Values of the variables; whole numbers are BigInt in CEL. */
export type RuleContext = Readonly<Record<keyof typeof RULE_VARIABLES, unknown>>;

const int = (value: number): bigint => BigInt(Math.trunc(Number.isFinite(value) ? value : 0));

/** The highest last value of each metric, over pods and workload. */
function worstValues({ verdict }: GuardInput): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { metric, value } of [...verdict.pods.flatMap((pod) => pod.metrics), ...verdict.workloadMetrics]) {
    if (value !== undefined) values[metric] = Math.max(values[metric] ?? value, value);
  }
  return values;
}

function actionOf({ proposal }: GuardInput): Record<string, unknown> {
  const { action, stepIndex, attempt, pods, parameters } = proposal;
  const scale = parameters.kind === 'scale' ? parameters : { from: 0, to: 0 };
  return {
    name: action,
    step: int(stepIndex),
    attempt: int(attempt),
    pods: int(pods.length),
    from: int(scale.from),
    to: int(scale.to),
    limitPerSecond: parameters.kind === 'throttle' ? parameters.limitPerSecond : 0,
  };
}

/** What a rule may look at, from what the guards look at. */
export function ruleContext(input: GuardInput): RuleContext {
  const { workload, incident, diagnosis, policy, storm, nodes, nowMs, ledger = [] } = input;
  const { kind, namespace, name } = workload.ref;
  const { desired, ready } = workload.replicas;
  return {
    action: actionOf(input),
    target: {
      kind,
      namespace,
      name,
      labels: workload.labels,
      annotations: workload.annotations,
      replicas: int(desired),
      ready: int(ready),
    },
    incident: {
      id: incident.id,
      severity: severityOf(diagnosis.severityScore),
      score: incident.score,
      ageSeconds: int((nowMs - incident.openedAtMs) / 1000),
      metrics: incident.metrics,
    },
    diagnosis: {
      failureType: diagnosis.failureType,
      confidence: diagnosis.confidence,
      lead: diagnosis.lead,
      cause: diagnosis.cause.kind,
    },
    metrics: worstValues(input),
    policy: { name: policy.name, namespace: policy.namespace, mode: policy.mode, priority: int(policy.priority) },
    cluster: {
      storm: storm.active,
      anomalous: int(storm.anomalous),
      watched: int(storm.watched),
      nodes: int(nodes.length),
      nodesReady: int(nodes.filter((node) => node.ready === 'True').length),
      effectsLastHour: int(sentEffects(ledger).filter((r) => nowMs - effectAtMs(r, nowMs) < HOUR).length),
    },
    now: new Date(nowMs),
  };
}
