/**
 * Every number that Aegis reports: name, help and labels as data. Telemetry makes them real; whoever counts names one
 * of these. A label is either a closed set of values or a cap on how many distinct ones are kept: the next becomes
 * `other`, so that no caller can make the page grow. Pod names, ids and user text are never labels.
 */
import { CATEGORIES, FAILURE_TYPES } from '../diagnosis/failure-type.ts';
import { REASONS } from '../lib/reasons.ts';
import { WORKLOAD_KINDS } from '../lib/workload.ts';
import { ACTIONS, EFFECTS } from '../policy/action.ts';
import { ACTION_STATES } from '../policy/ledger.ts';

/** The values that a label may take, or how many distinct ones are kept. */
export type LabelRule = readonly string[] | number;

export interface MetricDeclaration {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelRule>>;
  /** Upper bounds in the metric's own unit; histograms only. */
  readonly buckets?: readonly number[];
}

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
const WIRE_FAILURES = ['none', ...new Set<string>([...CATEGORIES, ...FAILURE_TYPES])];
const SOURCE_ERRORS = [
  'Unreachable',
  'Timeout',
  'QueryInvalid',
  'QueryTooLarge',
  'Partial',
  'BadReply',
  'Unauthorized',
] as const;
const SOURCES = ['metrics', 'logs'] as const;
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
const KINDS = ['policy', 'guardrail', 'action'] as const;
const NAMESPACES = 200;
const FAST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HEALING_SECONDS = [5, 10, 30, 60, 120, 300, 600, 1200, 3600];

const detection: readonly MetricDeclaration[] = [
  {
    name: 'ai_engine_anomaly_predictions_total',
    kind: 'counter',
    help: 'Answers of detect-anomaly, by severity.',
    labels: { severity: SEVERITIES },
  },
  {
    name: 'ai_engine_failure_predictions_total',
    kind: 'counter',
    help: 'Answers of detect-failure, by failure type; none where nothing failed.',
    labels: { failure_type: WIRE_FAILURES },
  },
  {
    name: 'ai_engine_inference_duration_seconds',
    kind: 'histogram',
    help: 'Time to judge one request, without reading and writing it.',
    labels: { model_type: ['anomaly', 'failure'] },
    buckets: FAST_SECONDS,
  },
  { name: 'aegis_engine_series', kind: 'gauge', help: 'Series that the engines remember.', labels: { owner: 5 } },
  {
    name: 'aegis_engine_evicted_series_total',
    kind: 'counter',
    help: 'Series forgotten because they were silent or too many.',
    labels: { owner: 5 },
  },
  {
    name: 'aegis_workloads',
    kind: 'gauge',
    help: 'Watched workloads by state.',
    labels: { state: ['healthy', 'unhealthy', 'unknown'] },
  },
];

const sources: readonly MetricDeclaration[] = [
  {
    name: 'aegis_polls_total',
    kind: 'counter',
    help: 'Polls by result.',
    labels: { result: ['ok', 'partial', 'error'] },
  },
  {
    name: 'aegis_poll_duration_seconds',
    kind: 'histogram',
    help: 'Time of a poll.',
    labels: {},
    buckets: CALL_SECONDS,
  },
  {
    name: 'aegis_queries_total',
    kind: 'counter',
    help: 'Questions to a source: queries of polls, back-fills, firing alerts, reads of logs.',
    labels: { source: SOURCES },
  },
  {
    name: 'aegis_source_errors_total',
    kind: 'counter',
    help: 'Answers of a source that could not be used; in a poll, each distinct trouble once.',
    labels: { source: SOURCES, kind: SOURCE_ERRORS },
  },
  {
    name: 'aegis_source_up',
    kind: 'gauge',
    help: '1 while the source answers, be it with a refusal of a query.',
    labels: { source: SOURCES },
  },
];

const healing: readonly MetricDeclaration[] = [
  {
    name: 'aegis_metrics_clock_ahead_seconds',
    kind: 'gauge',
    help: 'How far the clock of the metrics server is ahead of ours; negative: behind. Samples are judged by the former.',
    labels: {},
  },
  { name: 'aegis_leader', kind: 'gauge', help: '1 while this replica holds the lease.', labels: {} },
  {
    name: 'aegis_policies',
    kind: 'gauge',
    help: 'Policies by state, the first that applies: invalid, paused, conflict, accepted.',
    labels: { state: ['accepted', 'invalid', 'paused', 'conflict'] },
  },
  { name: 'aegis_incidents_open', kind: 'gauge', help: 'Open incidents.', labels: {} },
  {
    name: 'aegis_incidents_total',
    kind: 'counter',
    help: 'Incidents opened, by the failure type diagnosed.',
    labels: { failure_type: WIRE_FAILURES },
  },
  {
    name: 'aegis_decisions_total',
    kind: 'counter',
    help: 'Decisions, "nothing" included, by reason.',
    labels: { kind: ['act', 'hold', 'ignore'], reason: ['none', ...REASONS] },
  },
  {
    name: 'aegis_actions_total',
    kind: 'counter',
    help: 'Actions that entered a state.',
    labels: { action: ACTIONS, state: ACTION_STATES },
  },
  {
    name: 'aegis_effects_total',
    kind: 'counter',
    help: 'Answers of the executors.',
    labels: { action: ACTIONS, outcome: ['applied', 'already', 'blocked', 'refused', 'failed', 'ambiguous'] },
  },
  {
    name: 'aegis_verifications_total',
    kind: 'counter',
    help: 'Verified actions by verdict.',
    labels: { action: ACTIONS, verdict: ['Effective', 'Ineffective', 'Inconclusive'] },
  },
  {
    name: 'aegis_recovery_seconds',
    kind: 'histogram',
    help: 'Time from the onset of an incident to its end.',
    labels: { failure_type: WIRE_FAILURES },
    buckets: HEALING_SECONDS,
  },
  { name: 'aegis_storm_active', kind: 'gauge', help: '1 while the storm brake is on.', labels: { scope: NAMESPACES } },
  {
    name: 'aegis_storm_workloads',
    kind: 'gauge',
    help: 'Anomalous workloads while the storm brake is on; which they are is in the log, the Event and the alert.',
    labels: { scope: NAMESPACES },
  },
  {
    name: 'aegis_budget_spent',
    kind: 'gauge',
    help: 'Treatments of the last minute and hour, and those under way, in the whole cluster; each treated pod counts.',
    labels: { window: ['minute', 'hour', 'concurrent'] },
  },
  {
    name: 'aegis_effect_incidents',
    kind: 'gauge',
    help: 'Incidents of the last 90 days in which an effect was tried and judged, since it was reset.',
    labels: { failure_type: FAILURE_TYPES, action: EFFECTS, workload_kind: WORKLOAD_KINDS },
  },
  {
    name: 'aegis_effect_estimate',
    kind: 'gauge',
    help: 'Estimated share of such incidents in which the effect helps, shrunk towards one half.',
    labels: { failure_type: FAILURE_TYPES, action: EFFECTS, workload_kind: WORKLOAD_KINDS },
  },
];

const shell: readonly MetricDeclaration[] = [
  { name: 'aegis_build_info', kind: 'gauge', help: 'Always 1; the version is the label.', labels: { version: 3 } },
  {
    name: 'aegis_reconciles_total',
    kind: 'counter',
    help: 'Reconciliations by result.',
    labels: { kind: KINDS, result: ['ok', 'requeue', 'error'] },
  },
  {
    name: 'aegis_reconcile_duration_seconds',
    kind: 'histogram',
    help: 'Time of a reconciliation.',
    labels: { kind: KINDS },
    buckets: CALL_SECONDS,
  },
  { name: 'aegis_workqueue_depth', kind: 'gauge', help: 'Keys that wait.', labels: { queue: 10 } },
  {
    name: 'aegis_workqueue_retries_total',
    kind: 'counter',
    help: 'Keys put back after an error.',
    labels: { queue: 10 },
  },
  {
    name: 'aegis_kubernetes_requests_total',
    kind: 'counter',
    help: 'Requests to the API server, by status; without an answer, why there is none.',
    labels: { verb: VERBS, code: 40 },
  },
  {
    name: 'aegis_kubernetes_request_duration_seconds',
    kind: 'histogram',
    help: 'Time of a request to the API server; of a watch, until it is open.',
    labels: { verb: VERBS },
    buckets: CALL_SECONDS,
  },
  {
    name: 'aegis_watch_restarts_total',
    kind: 'counter',
    help: 'Watches that ended and were opened again, by how they ended.',
    labels: { kind: 30, reason: ['closed', 'resync', 'silent', 'failed', 'broken', 'refused'] },
  },
  { name: 'aegis_cache_age_seconds', kind: 'gauge', help: 'Time since a cache was confirmed.', labels: { kind: 30 } },
  {
    name: 'aegis_notifications_total',
    kind: 'counter',
    help: 'Messages to people.',
    labels: { sink: 20, result: ['delivered', 'failed', 'dropped'] },
  },
  {
    name: 'aegis_policy_engine_requests_total',
    kind: 'counter',
    help: 'Questions to the external policy engine.',
    labels: { result: ['allowed', 'denied', 'unavailable'] },
  },
  { name: 'aegis_faults_total', kind: 'counter', help: 'Exceptions that nobody expected.', labels: { where: 30 } },
];

const service: readonly MetricDeclaration[] = [
  {
    name: 'aegis_http_requests_total',
    kind: 'counter',
    help: 'Requests answered, by route and status.',
    labels: { route: 40, code: 40 },
  },
  {
    name: 'aegis_http_request_duration_seconds',
    kind: 'histogram',
    help: 'Time from the head of a request to the end of its answer.',
    labels: { route: 40 },
    buckets: FAST_SECONDS,
  },
  { name: 'aegis_http_connections', kind: 'gauge', help: 'Open connections.', labels: {} },
  { name: 'aegis_store_up', kind: 'gauge', help: '1 while the store can be written.', labels: {} },
  {
    name: 'aegis_store_failures_total',
    kind: 'counter',
    help: 'Writes that the store refused, by cause.',
    labels: { cause: ['locked', 'full', 'read-only', 'damaged', 'unreachable', 'constraint', 'other'] },
  },
  { name: 'aegis_store_queue_rows', kind: 'gauge', help: 'Predictions that wait to be written.', labels: {} },
  {
    name: 'aegis_store_predictions_dropped_total',
    kind: 'counter',
    help: 'Predictions that were not stored, by cause.',
    labels: { cause: ['queue-full', 'full', 'read-only', 'damaged', 'closed', 'other'] },
  },
  { name: 'aegis_event_streams', kind: 'gauge', help: 'Open streams of events.', labels: {} },
  {
    name: 'aegis_event_streams_dropped_total',
    kind: 'counter',
    help: 'Streams of events that were cut off: their readers were too slow.',
    labels: {},
  },
  {
    name: 'aegis_history_rows_total',
    kind: 'counter',
    help: 'Rows appended to the history.',
    labels: { kind: ['effect', 'alert', 'decision', 'hold', 'incident', 'undo', 'dry-run', 'outcome'] },
  },
];

export const METRICS: readonly MetricDeclaration[] = [...detection, ...sources, ...healing, ...shell, ...service];
