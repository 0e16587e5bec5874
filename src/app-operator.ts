import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ClusterConfig, Config } from './config/config.ts';
import { createApprovals, type Approvals } from './controller/approvals.ts';
import { composeOperator } from './controller/compose.ts';
import type { EffectivenessDesk } from './controller/effectiveness-desk.ts';
import type { OperatorView } from './controller/operator-view.ts';
import type { Poller } from './controller/poller.ts';
import type { EventSink, LogSource, MetricsSink } from './controller/ports.ts';
import type { Store } from './controller/store-ports.ts';
import type { Surroundings } from './controller/surroundings.ts';
import { toAllowedOrigin, type AllowedOrigin } from './http/allowed-origin.ts';
import { createOutbound, type Outbound } from './http/outbound.ts';
import { createPodPost } from './http/pod-post.ts';
import { createPolicyEngine } from './http/policy-engine.ts';
import { createThrottleHook } from './http/throttle-hook.ts';
import { createClient, type KubeClient } from './kubernetes/client.ts';
import { CachedClusterReader } from './kubernetes/cluster-reader.ts';
import { LiveClusterWriter } from './kubernetes/cluster-writer.ts';
import { KubernetesEventSink } from './kubernetes/event-sink.ts';
import { ClusterEvidenceReader } from './kubernetes/evidence/evidence-reader.ts';
import { executors } from './kubernetes/executors/registry.ts';
import { LeaseLeadership } from './kubernetes/lease.ts';
import { podLogReader } from './kubernetes/pod-log.ts';
import { missingRights } from './kubernetes/self-check.ts';
import { limitProviders } from './kubernetes/throttle/providers.ts';
import { ProviderSurvey } from './kubernetes/throttle/survey.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { err, ok, type Result } from './lib/result.ts';
import { createLogSource } from './logs/log-source.ts';
import { createLokiLogs } from './logs/loki.ts';
import { createPodLogs } from './logs/pod-logs.ts';
import { createNotifier } from './notify/notifier.ts';
import { sign } from './notify/webhook.ts';
import type { EffectName } from './policy/action.ts';
import type { ThrottleProvider } from './policy/throttle-path.ts';
import { createMetricEvidence } from './prometheus/evidence-source.ts';
import { createMetricSource } from './prometheus/metric-source.ts';
import { createTransport } from './prometheus/transport.ts';

/** A sample must be fresh, but a poll cannot be younger than the scrape before it took. */
const LEAST_STALENESS_MS = 10_000;
const ENGINE_TIMEOUT_SECONDS = 3;

export interface RunningOperator {
  readonly view: OperatorView;
  readonly approvals: Approvals;
  readonly effectiveness: EffectivenessDesk;
  /** Lines of the cluster's pods. */
  readonly logs: LogSource | undefined;
  /** Sentences on what does not work now; for `/health`. */
  problems(): readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Base {
  readonly store: Store;
  /** Hears of every Event that is written. */
  readonly feed: EventSink;
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly seed: number;
}

/** Everything that watches and heals a cluster. The error is a sentence for whoever started the program. */
export async function createOperator(
  config: Config,
  cluster: ClusterConfig,
  base: Base,
): Promise<Result<RunningOperator, string>> {
  const { clock, log } = base;
  const { watchNamespaces } = cluster;
  const namespaces = watchNamespaces.length > 0 ? watchNamespaces : undefined;
  const client = await createClient({
    access: cluster.access,
    clock,
    log,
    metrics: base.metrics,
    ...(namespaces && { scope: scopeOf(cluster) }),
  });
  if (!client.ok) return client;
  if (config.prometheus === undefined) return err('PROMETHEUS_URL is not set: without metrics nothing can be judged');
  return ok(assemble(config, config.prometheus, { ...base, client: client.value, cluster }));
}

/** The namespaces that may be written to or read from: those that are watched, and the lease's own. */
function scopeOf({ watchNamespaces, lease, pod }: ClusterConfig): readonly string[] {
  const own = lease.namespace ?? pod.namespace;
  return own === undefined ? watchNamespaces : [...new Set([...watchNamespaces, own])];
}

function assemble(
  config: Config,
  prometheus: NonNullable<Config['prometheus']>,
  base: Base & { readonly client: KubeClient; readonly cluster: ClusterConfig },
): RunningOperator {
  const { store, metrics, clock, log, client, cluster } = base;
  const random = Math.random;
  const identity = `${cluster.pod.name ?? hostname()}-${randomUUID().slice(0, 8)}`;
  const namespaces = cluster.watchNamespaces.length > 0 ? cluster.watchNamespaces : undefined;
  const stalenessMs = Math.max(2 * prometheus.scrapeIntervalMs, LEAST_STALENESS_MS);

  const outbound = createOutbound({ allowed: allowedOrigins(config, log), apiServer: apiServerNames(cluster) });
  const ownNamespace = cluster.lease.namespace ?? cluster.pod.namespace ?? client.namespace ?? 'default';
  const reader = new CachedClusterReader({
    ...{ client, clock, random, log, metrics },
    resync: cluster.relist,
    ...(namespaces !== undefined && {
      namespaces,
      guardrailConfigMap: { namespace: ownNamespace, name: cluster.guardrailConfigMap },
    }),
  });
  const leadership = new LeaseLeadership({
    ...{ client, clock, random, log, identity, name: cluster.lease.name },
    namespace: ownNamespace,
  });
  client.fenceWrites(() => leadership.mayWrite());
  const context = { client, clock, mayBeginEffect: () => leadership.mayBeginEffect() };
  const limits = limitProviders(context, {
    allowed: config.throttleProviders,
    ...throttleHook(config, outbound, clock),
  });
  const postToPod = createPodPost({ apiServer: apiServerNames(cluster) });
  const byEffect = executors(context, { limits, postToPod });
  // What nobody here can perform is not enabled, whatever the configuration lists: its rungs are skipped, with the reason.
  const enabledEffects = new Set<EffectName>(
    config.dryRun ? [] : config.enabledActions.filter((action) => byEffect.has(action)),
  );
  const writer = new LiveClusterWriter(client, { namespaced: namespaces !== undefined });
  const kubernetesEvents = new KubernetesEventSink({
    ...{ client, clock, log, instance: identity },
    newId: randomUUID,
  });
  const events: EventSink = {
    emit: (event) => [kubernetesEvents, base.feed].forEach((sink) => sink.emit(event)),
  };
  const transport = createTransport({ ...prometheus, log });
  const source = createMetricSource({ ...prometheus, log }, clock, transport);
  const metricEvidence = createMetricEvidence(transport, { ...prometheus, log });
  const notifier = createNotifier(config.sinks, { post: outbound.post, clock, log });
  const policyEngine = createPolicyEngine({ post: outbound.post, headers: (url) => engineHeaders(config, url) });
  const rights = new Map<EffectName, readonly string[]>();
  const logs = logSourceOf(config, client, clock, log);
  const { operator, view, effectiveness, poller, owed, surroundings, times } = composeOperator(
    {
      ...{ reader, writer, leadership, executors: byEffect, source, notifier, policyEngine, events },
      ...{ store, metrics, clock, random, log, ...(logs !== undefined && { logs }) },
      evidence: { cluster: new ClusterEvidenceReader({ client, clock }), metrics: metricEvidence, dns: reader },
      throttleSurvey: new ProviderSurvey(limits),
    },
    {
      ...{ identity, seed: base.seed, stalenessMs, enabledEffects, finishedTtlMs: cluster.actionTtlMs },
      missingRights: (effect) => rights.get(effect) ?? [],
      ...clusterWideEngine(config),
    },
  );
  return {
    ...{ view, logs, effectiveness, approvals: createApprovals({ writer, leadership, times, clock, log }) },
    problems: () => [...problemsOf(reader, poller, surroundings), ...owed.problems()],
    async start() {
      reader.start();
      await learnRights(client, [...enabledEffects], {
        ...{ rights, log, providers: config.throttleProviders },
        ...(namespaces && { namespace: namespaces[0] }),
      });
      await operator.start();
    },
    async stop() {
      await operator.stop();
      await reader.stop();
      await source.close();
      await closeAll(outbound, client);
    },
  };
}

function allowedOrigins({ outboundAllow }: Config, log: Log): readonly AllowedOrigin[] {
  return outboundAllow.flatMap((entry) => {
    const origin = toAllowedOrigin(entry);
    if (origin.ok) return [origin.value];
    log.warn('a host of the outgoing list cannot be used', { host: entry.host, why: origin.error });
    return [];
  });
}

function throttleHook({ throttleHook: configured }: Config, { post }: Outbound, clock: Clock) {
  if (configured === undefined) return {};
  const { url, secretFile } = configured;
  const secret = async (): Promise<string> => (await readFile(secretFile, 'utf8')).trim();
  return { hook: createThrottleHook({ url, post, secret, sign, nowMs: () => clock.nowMs() }) };
}

/** Where the API server answers: no alert and no question may go there unless the list names the very same. */
function apiServerNames({ access }: ClusterConfig): readonly string[] {
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  return access.kind === 'in-cluster' ? [access.host, ...names] : names;
}

function clusterWideEngine({ policyEngine }: Config) {
  if (policyEngine === undefined) return {};
  const { url } = policyEngine;
  return {
    clusterWideEngine: { url, type: 'Aegis', timeoutSeconds: ENGINE_TIMEOUT_SECONDS, failurePolicy: 'Deny' } as const,
  };
}

/** The token of `POLICY_ENGINE_URL`, for that address alone: guardrails name engines of other people. Read anew, it rotates. */
async function engineHeaders({ policyEngine }: Config, url: string): Promise<Readonly<Record<string, string>>> {
  if (policyEngine?.tokenFile === undefined || policyEngine.url !== url) return {};
  return { authorization: `Bearer ${(await readFile(policyEngine.tokenFile, 'utf8')).trim()}` };
}

function problemsOf(reader: CachedClusterReader, poller: Poller, surroundings: Surroundings): readonly string[] {
  const cluster: string[] = reader.problems().map(({ resource, message }) => `cluster: ${resource}: ${message}`);
  if (!reader.synced()) return ['cluster: the caches are not filled yet', ...cluster];
  const broken = (reader.guardrails() ?? []).flatMap((parsed) => (parsed.kind === 'invalid' ? [parsed.name] : []));
  if (broken.length > 0) cluster.push(`guardrail ${broken.join(', ')} is invalid: every effect is held`);
  const silent = surroundings.policies().filter(({ uid }) => poller.state(uid)?.isAvailable === false);
  return silent.length === 0 ? cluster : [...cluster, `metrics: no usable reading for ${silent.length} policies`];
}

/** Where log lines come from; each policy chooses among those that there are. */
function logSourceOf({ loki }: Config, client: KubeClient, clock: Clock, log: Log): LogSource | undefined {
  const nowMs = (): number => clock.nowMs();
  return createLogSource({
    Kubernetes: createPodLogs({ readPodLog: podLogReader(client), nowMs }),
    Loki: loki === undefined ? undefined : createLokiLogs({ client: createTransport({ ...loki, log }), nowMs }),
  });
}

/** Asks once what the installation may do. What it may not is told, in the log and in the policies that want it. */
async function learnRights(
  client: KubeClient,
  effects: readonly EffectName[],
  to: {
    readonly rights: Map<EffectName, readonly string[]>;
    readonly log: Log;
    readonly namespace?: string | undefined;
    readonly providers: readonly ThrottleProvider[];
  },
): Promise<void> {
  const { providers, namespace } = to;
  const answers = await missingRights(client, effects, { providers, ...(namespace !== undefined && { namespace }) });
  if (!answers.ok) {
    to.log.warn('the rights cannot be asked for; they will show when they are needed', { fault: answers.error });
    return;
  }
  for (const { effect, missing } of answers.value) {
    to.rights.set(effect, missing);
    if (missing.length > 0) to.log.warn('an enabled action lacks rights', { action: effect, missing });
  }
}

async function closeAll(outbound: Outbound, client: KubeClient): Promise<void> {
  await outbound.close();
  client.close();
}
