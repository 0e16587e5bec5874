import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { FAILURE_TYPES } from '../../diagnosis/failure-type.ts';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import { ACTIONS, EFFECTS } from '../../policy/action.ts';

extendZodWithOpenApi(z);

/** The answers, for the OpenAPI document; a test holds real answers against them. */
const ratio = z.number().min(0).max(1);
const time = z.iso.datetime();
const severity = z.enum(['low', 'medium', 'high', 'critical']);
const action = z.enum(ACTIONS);

const warning = z
  .object({ type: z.literal('out_of_range'), metric_type: z.string(), value: z.number(), message: z.string() })
  .openapi('Warning');

const feature = z
  .object({
    contribution: ratio,
    score: ratio,
    observed: z.number(),
    timestamp: time,
    labels: z.record(z.string(), z.string()),
    baseline: z.object({ expected: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() }),
    detectors: z.array(z.object({ detector: z.string(), feature: z.string(), score: ratio })),
    samples: z.int().min(0),
  })
  .openapi('FeatureExplanation');

export const anomalyAnswer = z
  .object({
    is_anomaly: z.boolean(),
    anomaly_score: ratio,
    severity,
    recommended_action: action,
    confidence: ratio,
    affected_metrics: z.array(z.string()),
    details: z.object({
      affected_features: z.array(z.string()),
      model_confidence: ratio,
      features: z.record(z.string(), feature),
      threshold: ratio,
      series: z.int().min(0),
      warnings: z.array(warning),
    }),
    timestamp: time,
  })
  .openapi('AnomalyDetectionResponse');

export const resetAnswer = z
  .object({
    at: time,
    by: z.string(),
    reason: z.string(),
    failure_type: z.string().nullable(),
    action: z.string().nullable(),
    workload_kind: z.string().nullable(),
  })
  .openapi('EffectivenessReset');

export const effectivenessAnswer = z
  .object({
    effectiveness: z.array(
      z.object({
        failure_type: z.enum(FAILURE_TYPES),
        action: z.enum(EFFECTS),
        workload_kind: z.enum(WORKLOAD_KINDS),
        incidents: z.int().min(0).openapi({ description: 'In which it was tried and judged.' }),
        helped: z
          .number()
          .min(0)
          .openapi({ description: 'How many of them it helped in; parts where some waves did.' }),
        estimate: ratio.openapi({ description: '(helped + 2) / (incidents + 4)' }),
        used: ratio.openapi({ description: 'What alternatives are ordered by: 0.5 with fewer than 5 incidents.' }),
      }),
    ),
    resets: z.array(resetAnswer),
  })
  .openapi('EffectivenessResponse');

export const approvalAnswer = z
  .object({
    namespace: z.string(),
    name: z.string(),
    decision: z.enum(['Approved', 'Denied']),
    by: z.string(),
    reason: z.string(),
  })
  .openapi('ApprovalResponse');

const candidate = z
  .object({
    failure_type: z.string(),
    confidence: ratio,
    evidence: z.array(z.object({ source: z.string(), what: z.string(), weight: z.number() })),
    contradictions: z.array(z.string()),
  })
  .openapi('FailureCandidate');

export const failureAnswer = z
  .object({
    failure_detected: z.boolean(),
    failure_type: z.string().nullable(),
    severity,
    recommended_actions: z.array(action).min(1),
    confidence: ratio,
    root_cause: z.string().nullable(),
    affected_services: z.array(z.string()),
    details: z.object({
      failure_subtype: z.string().nullable(),
      category: z.string().nullable(),
      severity_score: ratio,
      candidates: z.array(candidate),
      missing_evidence: z.array(z.string()),
      preconditions: z.array(z.string()),
      advice: z.string().optional(),
      abstained: z.string().optional(),
      warnings: z.array(warning),
    }),
    timestamp: time,
  })
  .openapi('FailureDetectionResponse');

export const healthAnswer = z
  .object({
    status: z.enum(['healthy', 'degraded']),
    timestamp: time,
    uptime: z.number().min(0),
    models_loaded: z.boolean(),
    database_connected: z.boolean(),
    problems: z.array(z.string()),
  })
  .openapi('HealthResponse');

export const pingAnswer = z.object({ ping: z.literal('pong') }).openapi('PingResponse');

const count = z.int().min(0);
export const statsAnswer = z
  .object({
    total_predictions: count,
    predictions_last_24h: count,
    total_anomalies_detected: count,
    total_failures_detected: count,
  })
  .openapi('StatsResponse');

export const predictionsAnswer = z
  .object({
    predictions: z.array(
      z.object({
        id: z.uuid(),
        timestamp: time,
        model_type: z.enum(['anomaly', 'failure']),
        severity_score: ratio,
        recommended_action: action,
        prediction: z.record(z.string(), z.unknown()),
      }),
    ),
    /** For the parameter `cursor`, to go on behind the last one; null: there are no more. */
    next_cursor: z.string().nullable(),
  })
  .openapi('PredictionsResponse');

const latency = z.object({
  calls: count,
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
});
export const performanceAnswer = z
  .object({
    models: z.object({
      series: count,
      samples: count,
      trained_at: time.nullable(),
      /** Share of verified incidents of the last 30 days in which the remedy helped; null while there is none. */
      precision_on_confirmed_incidents: ratio.nullable(),
      confirmed_incidents: count,
    }),
    latency: z.object({ anomaly: latency, failure: latency }),
  })
  .openapi('ModelPerformanceResponse');

export const policyAnswer = z
  .object({
    allowed: z.boolean(),
    reason: z.string(),
    appliedPolicies: z.array(z.string()),
    because: z.string().optional().openapi({ description: 'Of a denial by a policy: what stands in the way.' }),
  })
  .openapi('PolicyEvaluationResponse');

export const incidentsAnswer = z
  .object({
    incidents: z.array(
      z.object({
        id: z.string(),
        namespace: z.string(),
        workload: z.string(),
        policy: z.string(),
        failure_type: z.string(),
        severity,
        score: ratio,
        metrics: z.array(z.string()),
        pods: z.array(z.string()),
        opened_at: time,
        updated_at: time,
        resolved_at: time.nullable(),
        decision: z.string(),
        reason: z.string(),
        /** For `/api/v1/decisions/{id}`. */
        decision_id: z.string().nullable(),
      }),
    ),
    /** False: the store cannot be read, so the resolved ones are missing. */
    complete: z.boolean(),
  })
  .openapi('IncidentsResponse');

export const decisionAnswer = z
  .object({
    id: z.string(),
    kind: z.enum(['act', 'hold', 'ignore']),
    decided_at: time,
    incident_id: z.string().nullable(),
    namespace: z.string(),
    workload: z.string(),
    policy: z.string(),
    action: z.string(),
    step: z.int().min(0).nullable(),
    attempt: z.int().min(1).nullable(),
    failure_type: z.string().nullable(),
    confidence: ratio.nullable(),
    reason: z.string().nullable(),
    message: z.string(),
    why: z.array(z.object({ source: z.string(), what: z.string(), weight: z.number() })),
    why_not: z.array(z.object({ step: z.int().min(0), action: z.string(), reason: z.string(), message: z.string() })),
    outcome: z.array(z.object({ at: time, what: z.string(), message: z.string() })),
    state: z.string().nullable(),
  })
  .openapi('DecisionResponse');

export const actionsAnswer = z
  .object({
    actions: z.array(
      z.object({
        name: z.string(),
        namespace: z.string(),
        workload: z.string(),
        policy: z.string(),
        action: z.string(),
        failure_type: z.string(),
        state: z.string(),
        reason: z.string(),
        message: z.string(),
        decided_at: time,
        expires_at: time,
        policy_hash: z.string(),
        executed_at: time.nullable(),
        ended_at: time.nullable(),
        dry_run: z.boolean(),
      }),
    ),
  })
  .openapi('ActionsResponse');

export const policiesAnswer = z
  .object({
    policies: z.array(
      z.object({
        name: z.string(),
        namespace: z.string(),
        mode: z.string(),
        conditions: z.array(
          z.object({
            type: z.string(),
            status: z.enum(['True', 'False', 'Unknown']),
            reason: z.string(),
            message: z.string(),
          }),
        ),
        targets: z.object({ matched: count, anomalous: count, unknown: count }),
      }),
    ),
  })
  .openapi('PoliciesResponse');

const problemMembers = {
  /** RFC 9457: names the kind of problem. */
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
};

export const refusalAnswer = z.object({ detail: z.string(), ...problemMembers }).openapi('Refusal');
export const problemsAnswer = z
  .object({
    detail: z
      .array(z.object({ loc: z.array(z.union([z.string(), z.int()])), msg: z.string(), type: z.string() }))
      .min(1)
      .max(100),
    ...problemMembers,
    /** The same for readers of RFC 9457: where, as a JSON pointer or the name of a parameter. */
    errors: z
      .array(z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }))
      .min(1)
      .max(100),
  })
  .openapi('ValidationProblems');

/** A line of a batch's answer. `line` is the number of the line that it answers, counted from 1. */
export const batchLine = (answer: z.ZodType) =>
  z.union([
    z.object({ line: z.int().min(1), status: z.literal(200), id: z.uuid(), answer }),
    z.object({
      line: z.int().min(1),
      status: z.union([z.literal(408), z.literal(413), z.literal(422), z.literal(503)]),
      problem: z.union([refusalAnswer, problemsAnswer]),
    }),
  ]);

/** The data of an event; what else there is depends on its type. */
export const feedEvent = z.looseObject({ at: time }).openapi('EventData');
