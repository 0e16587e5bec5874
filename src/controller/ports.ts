/**
 * What the controller needs of the world. Each port is implemented by one adapter and by one fake; adapters import
 * this file (`store-ports.ts` for what is remembered, `evidence-ports.ts` for what a workload stands on) and never one another.
 */
import type { MetricReading } from '../detection/sample.ts';
import type { LogLine } from '../diagnosis/diagnosis.ts';
import type { ActionStatus, LimitStanding, Outcome, Settlement } from '../healing/decision.ts';
import type { GuardrailStatus } from '../healing/guardrail-status.ts';
import type { PolicyStatus } from '../healing/policy-status.ts';
import type { StoredAction } from '../healing/stored-action.ts';
import type { Parsed } from '../lib/parsed.ts';
import type { Result } from '../lib/result.ts';
import type { NamedWorkload } from '../lib/workload-labels.ts';
import type { ClusterEvent, NodeSnapshot, WorkloadRef, WorkloadSnapshot } from '../lib/workload.ts';
import type { EffectName, Intent } from '../policy/action.ts';
import type { EngineAnswer } from '../policy/guard.ts';
import type { Guardrail, HealingPolicy, TrafficSource, WatchedMetric } from '../policy/healing-policy.ts';
import type { ThrottlePath } from '../policy/throttle-path.ts';

// ---------------------------------------------------------------- metrics

/** What one policy wants polled; the source merges the wishes of all policies into few queries. */
export interface MetricWish {
  readonly policyUid: string;
  readonly namespace: string;
  /** Empty: every preset for which series exist. */
  readonly metrics: readonly WatchedMetric[];
  readonly trafficSource: TrafficSource;
  /** Name of the workload, where the policy names one: finds its ingress service and its volume claims. */
  readonly targetName?: string;
}

/** A reading of one pod (`pod` given) or of a workload; whose it is where it names none, `attribution.ts` says. */
export interface PolledReading extends MetricReading {
  readonly pod?: string;
  /** The workload that the series names, of any kind where it leaves that open. */
  readonly workload?: NamedWorkload;
  readonly unit: string;
}

export interface PolledPolicy {
  readonly policyUid: string;
  readonly readings: readonly PolledReading[];
  /** Per metric: why nothing was returned or why it cannot be trusted. */
  readonly problems: readonly { readonly metric: string; readonly error: SourceError }[];
}

export interface SourceError {
  readonly kind: 'Unreachable' | 'Timeout' | 'QueryInvalid' | 'QueryTooLarge' | 'Partial' | 'BadReply' | 'Unauthorized';
  readonly message: string;
}

export interface PollReply {
  /** When it was answered, by the clock that stamps the samples: not by ours, which may be wrong or be set meanwhile. */
  readonly atMs: number;
  readonly policies: readonly PolledPolicy[];
  readonly queries: number;
}

/** A past series of one pod and metric, oldest first. */
export interface RangeSeries {
  readonly metric: string;
  readonly pod?: string;
  /** The workload that a series without a pod names. */
  readonly workload?: NamedWorkload;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export interface MetricSource {
  poll(wishes: readonly MetricWish[], nowMs: number): Promise<PollReply>;
  /** Past readings for the cold start, at `stepMs`, bounded. Asked by our clock; answered by the one that stamps the samples. */
  backfill(
    wish: MetricWish,
    fromMs: number,
    toMs: number,
    stepMs: number,
  ): Promise<Result<readonly RangeSeries[], SourceError>>;
  firingAlerts(): Promise<Result<readonly string[], SourceError>>;
  /** Longest look-back (range selector) among the queries of this wish. */
  lookBackMs(wish: MetricWish): number;
  /** Problems of author-written queries, found without asking Prometheus. */
  checkQueries(wish: MetricWish): readonly { readonly metric: string; readonly message: string }[];
  close(): Promise<void>;
}

export interface LogSource {
  /** Oldest first. `from`: what the policy asks for; absent, or not configured: whatever there is. */
  read(
    namespace: string,
    pods: readonly string[],
    sinceMs: number,
    maxLinesPerPod: number,
    from?: 'Kubernetes' | 'Loki',
  ): Promise<Result<readonly LogLine[], SourceError>>;
}

export interface PodLogRequest {
  readonly sinceSeconds: number;
  readonly tailLines: number;
  readonly limitBytes: number;
}

/** Text of a pod's log, each line begun by its RFC 3339 time (`timestamps=true`); the default container's of several. */
export type ReadPodLog = (namespace: string, pod: string, request: PodLogRequest) => Promise<Result<string, ApiFault>>;

/** A client bound to one server for reading: deadline, size limit, credentials and retries are its own. Never rejects. */
export interface QueryClient {
  send(call: {
    readonly method: 'GET' | 'POST';
    /** After the base address, e.g. `/loki/api/v1/query_range`. */
    readonly path: string;
    /** URL-encoded. */
    readonly parameters: string;
  }): Promise<Result<{ readonly status: number; readonly text: string }, SourceError>>;
}

// ---------------------------------------------------------------- cluster

/** Why an API call did not succeed, normalised. */
export interface ApiFault {
  readonly kind:
    | 'NotFound'
    | 'Conflict'
    | 'Forbidden'
    | 'Rejected'
    | 'TooManyRequests'
    | 'Unavailable'
    | 'Timeout'
    | 'Unauthorized'
    | 'Gone'
    | 'Unknown';
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** The watched caches. Lists are immutable snapshots; `age` says how long they are unconfirmed. */
export interface ClusterReader {
  policies(): readonly Parsed<HealingPolicy>[];
  /** `undefined` when guardrails cannot be read. */
  guardrails(): readonly Parsed<Guardrail>[] | undefined;
  /** The status as the API server last showed it; `has none`: a guardrail that is no object of its own. */
  guardrailStatus(name: string): GuardrailStatus | 'has none' | undefined;
  actions(): readonly StoredAction[];
  /** The status as the API server last showed it; `undefined` before the first one was written. */
  policyStatus(namespace: string, name: string): PolicyStatus | undefined;
  /** Workloads in the namespace that the target selects; fully assembled with pods, autoscalers and budgets. */
  workloads(namespace: string, target: HealingPolicy['target']): readonly WorkloadSnapshot[];
  nodes(): readonly NodeSnapshot[];
  events(namespace: string, sinceMs: number): readonly ClusterEvent[];
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
  synced(): boolean;
  /** Milliseconds since the least recently confirmed cache was confirmed by event, bookmark, list or clean close. */
  ageMs(): number;
  /** The same for each resource that is watched, by its plural name. */
  ages(): readonly { readonly kind: string; readonly ageMs: number }[];
  /** Called with a key when something of that kind changed. */
  onChange(listener: (change: ClusterChange) => void): void;
}

export interface ClusterChange {
  readonly kind: 'policy' | 'guardrail' | 'action' | 'workload' | 'pod' | 'node' | 'event';
  readonly namespace: string;
  readonly name: string;
}

/** Live reads and the writes on Aegis's own kinds. */
export interface ClusterWriter {
  readWorkload(ref: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>): Promise<Result<WorkloadSnapshot, ApiFault>>;
  readAction(namespace: string, name: string): Promise<Result<StoredAction, ApiFault>>;
  /** A second creator gets `Conflict`: the action exists already. */
  createAction(intent: Intent): Promise<Result<StoredAction, ApiFault>>;
  writeActionStatus(action: StoredAction, status: ActionStatus): Promise<Result<StoredAction, ApiFault>>;
  /** Once: an approval is never changed. `Conflict`: the action is not as it was read. */
  answerApproval(
    action: StoredAction,
    approval: NonNullable<StoredAction['approval']>,
  ): Promise<Result<StoredAction, ApiFault>>;
  setActionFinalizer(action: StoredAction, present: boolean): Promise<Result<StoredAction, ApiFault>>;
  deleteAction(action: StoredAction): Promise<Result<void, ApiFault>>;
  writePolicyStatus(
    ref: { readonly namespace: string; readonly name: string },
    status: PolicyStatus,
  ): Promise<Result<void, ApiFault>>;
  writeGuardrailStatus(name: string, status: GuardrailStatus): Promise<Result<void, ApiFault>>;
}

/** Finds what could limit a workload's traffic, and what already does. Reads only. */
export interface ThrottleSurvey {
  /** Ways through which the traffic comes; empty: this cluster has none that may be used. */
  look(workload: WorkloadSnapshot): Promise<Result<readonly ThrottlePath[], ApiFault>>;
}

/** Calls the administrator's own throttle hook: signed, to its one address, twice the same is one effect. */
export interface ThrottleHook {
  send(call: {
    readonly action: 'apply' | 'remove';
    /** The action's name: the hook knows the limit by it. */
    readonly id: string;
    /** Equal for a repetition of the same call, and for nothing else. */
    readonly key: string;
    readonly target: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>;
    readonly limitPerSecond: number;
    readonly ttlSeconds: number;
  }): Promise<Result<OutboundReply, OutboundFault>>;
}

/** One POST without a body to a pod's own address: no redirect, no credential, bounded in time and size. */
export type PostToPod = (request: {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
}) => Promise<Result<{ readonly status: number }, OutboundFault>>;

/** Performs one kind of effect. Every write carries a precondition and a deadline. */
export interface Executor {
  readonly action: EffectName;
  /** The very request with the server's dry run, where the API has one. */
  dryRun(intent: Intent, live: WorkloadSnapshot): Promise<Outcome>;
  perform(intent: Intent, live: WorkloadSnapshot): Promise<Outcome>;
  /** What an interrupted effect left behind. */
  settle(intent: Intent, live: WorkloadSnapshot): Settlement | Promise<Settlement>;
  /** True once the effect can be seen in the cluster. */
  isVisible(intent: Intent, live: WorkloadSnapshot): boolean | Promise<boolean>;
  /** False: nothing in the cluster shows the effect, so its answer is all that will ever be known. Absent: true. */
  leavesTrace?(intent: Intent): boolean;
  /** Whether what was written stands and is in force; absent: the workload itself shows it. */
  standing?(intent: Intent): Promise<LimitStanding>;
  /**
   * Takes the effect back, only where the field still holds what Aegis wrote; absent: there is no inverse. `live` is
   * `undefined` where the target is gone: what was written elsewhere for its sake goes all the same.
   */
  undo?(intent: Intent, live: WorkloadSnapshot | undefined): Promise<Outcome>;
  /** Tells whoever keeps the time of the effect that it goes on; absent: nobody but Aegis does. */
  renew?(intent: Intent, renewal: number): Promise<Outcome>;
}

export interface Leadership {
  isLeader(): boolean;
  /** The lease was renewed recently enough (under 4 s) that an effect's deadline ends inside it. */
  mayBeginEffect(): boolean;
  /** The lease was renewed under 10 s ago. */
  mayWrite(): boolean;
  onChange(listener: (leader: boolean) => void): void;
  start(): void;
  stop(): Promise<void>;
}

/** A Kubernetes Event to show people. */
export interface EventNote {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface EventSink {
  emit(event: EventNote): void;
}

// ---------------------------------------------------------------- people and engines

/** One POST to a host outside of the cluster's API, e.g. an alert sink, a hook, a policy engine. */
export interface OutboundRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Deadline for the whole exchange; default and ceiling are the client's. */
  readonly timeoutMs?: number;
}

export interface OutboundReply {
  readonly status: number;
  readonly body: string;
  /** From `Retry-After`, at most 5 min; absent: not given or not understood. */
  readonly retryAfterMs?: number;
}

/**
 * Why there is no reply. `Forbidden`: the address may not be called, so trying again is pointless. `Unsent`: nobody
 * took the connection. `Timeout` and `Broken`: the receiver may have acted all the same.
 */
export interface OutboundFault {
  readonly kind: 'Forbidden' | 'Unsent' | 'Timeout' | 'Broken';
  readonly message: string;
}

/** Guarded: only hosts on the administrator's list, no redirects, bounded in time and size. Never rejects. */
export type OutboundPost = (request: OutboundRequest) => Promise<Result<OutboundReply, OutboundFault>>;

export interface AlertMessage {
  /** Same for the whole incident: receivers deduplicate by it. */
  readonly key: string;
  readonly group: string;
  readonly status: 'firing' | 'resolved';
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly title: string;
  readonly namespace: string;
  readonly workload: string;
  readonly policy: string;
  readonly failureType: string;
  readonly summary: string;
  readonly evidence: readonly string[];
  readonly advice: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** Of an end: no other alert of the group is open any more, as far as people know. */
  readonly endsGroup?: true;
}

export interface Notifier {
  /** Names of the sinks that the administrator configured. */
  sinks(): readonly string[];
  /**
   * Delivers to the named sinks; an empty list means every sink. Retries inside; resolves with what was reached. A
   * repetition goes only where an alert lapses without it, or did not arrive before; other sinks are in neither list.
   */
  send(
    sinks: readonly string[],
    message: AlertMessage,
    how?: { readonly isRepeat: boolean },
  ): Promise<{
    readonly delivered: readonly string[];
    readonly failed: readonly { readonly sink: string; readonly message: string }[];
  }>;
}

export interface PolicyEngineQuestion {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface PolicyEngine {
  ask(engine: NonNullable<Guardrail['policyEngine']>, question: PolicyEngineQuestion): Promise<EngineAnswer>;
}

/** A request that is being traced. */
export interface RequestSpan {
  end(status: number): void;
}

/** Makes spans of requests; there is one only where an endpoint for traces is configured. */
export interface RequestTracer {
  /** Goes on with the caller's trace where its header `traceparent` is one. */
  begin(request: {
    readonly method: string;
    readonly route: string;
    readonly requestId: string;
    readonly traceparent?: string;
  }): RequestSpan;
}

/** The numbers that the controller reports; declared in `metrics.ts`, made real by telemetry. */
export interface MetricsSink {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

export type { LimitStanding, Parsed, StoredAction };
