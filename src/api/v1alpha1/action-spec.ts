import type { Evidence } from '../../diagnosis/diagnosis.ts';
import type { ActionParameters, Baseline, Intent } from '../../policy/action.ts';
import { cacheParameters, throttleParameters } from './convert-step.ts';
import { fitText } from './fit-text.ts';
import { ACTION_BOUNDS, type HealingActionSpec } from './healing-action.ts';
import { rfc3339 } from './wire-time.ts';

type Wire = HealingActionSpec;

/**
 * Both directions of an action's spec, side by side: what one writes the other reads back exactly. Two things are
 * not kept: what of a text is beyond its bound, and fractions of a millisecond.
 */
export function wireSpec(intent: Intent): Wire {
  const { policy, diagnosis, baseline } = intent;
  return {
    policyRef: { name: policy.name, uid: policy.uid, generation: policy.generation },
    incidentId: intent.incidentId,
    step: intent.step,
    attempt: intent.attempt,
    action: intent.action,
    target: { ...intent.target },
    pods: intent.pods.map(({ name, uid }) => ({ name, uid })),
    parameters: wireParameters(intent.parameters),
    baseline: wireBaseline(baseline),
    diagnosis: {
      failureType: diagnosis.failureType,
      confidence: measuredText(diagnosis.confidence),
      evidence: diagnosis.evidence.slice(0, ACTION_BOUNDS.evidence).map(wireEvidence),
      cause: { ...diagnosis.cause },
      advice: fitText(diagnosis.advice, ACTION_BOUNDS.advice),
    },
    severityScore: measuredText(intent.severityScore),
    triggerMetrics: intent.metrics.slice(0, ACTION_BOUNDS.metrics),
    reason: fitText(intent.reason, ACTION_BOUNDS.reason),
    decidedTime: rfc3339(intent.decidedAtMs),
    expiresTime: rfc3339(intent.expiresAtMs),
    execution: intent.execution,
    policyHash: intent.policyHash,
    approvalRequired: intent.approvalRequired,
  };
}

/** The intent of a stored spec; `undefined` where the parameters are none that Aegis writes. */
export function domainIntent(name: string, namespace: string, spec: Wire): Intent | undefined {
  const parameters = domainParameters(spec.parameters);
  if (parameters === undefined) return undefined;
  const { baseline, diagnosis } = spec;
  return {
    name,
    namespace,
    policy: spec.policyRef,
    incidentId: spec.incidentId,
    step: spec.step,
    attempt: spec.attempt,
    action: spec.action,
    target: spec.target,
    pods: spec.pods,
    parameters,
    baseline: domainBaseline(baseline),
    diagnosis: {
      failureType: diagnosis.failureType,
      confidence: Number(diagnosis.confidence),
      evidence: diagnosis.evidence.map(domainEvidence),
      cause: domainCause(diagnosis.cause),
      advice: diagnosis.advice,
    },
    severityScore: Number(spec.severityScore),
    metrics: spec.triggerMetrics,
    reason: spec.reason,
    decidedAtMs: Date.parse(spec.decidedTime),
    expiresAtMs: Date.parse(spec.expiresTime),
    execution: spec.execution,
    policyHash: spec.policyHash,
    approvalRequired: spec.approvalRequired,
  };
}

function wireBaseline(baseline: Baseline): Wire['baseline'] {
  const { metrics, peerMetrics, podUids, unhealthyPeerUids, annotations, ...rest } = baseline;
  return {
    ...rest,
    podUids: [...podUids],
    metrics: wireMetrics(metrics),
    ...(peerMetrics !== undefined && { peerMetrics: wireMetrics(peerMetrics) }),
    ...(unhealthyPeerUids !== undefined && { unhealthyPeerUids: [...unhealthyPeerUids] }),
    ...(annotations !== undefined && { annotations: wireAnnotations(annotations) }),
  };
}

const wireAnnotations = (annotations: NonNullable<Baseline['annotations']>): { name: string; value?: string }[] =>
  Object.entries(annotations).map(([name, value]) => (value === null ? { name } : { name, value }));

function domainBaseline(wire: Wire['baseline']): Baseline {
  const { templateHash, metrics, peerMetrics, unhealthyPeerUids, annotations, ...rest } = wire;
  return {
    ...rest,
    metrics: domainMetrics(metrics),
    ...(templateHash !== undefined && { templateHash }),
    ...(peerMetrics !== undefined && { peerMetrics: domainMetrics(peerMetrics) }),
    ...(unhealthyPeerUids !== undefined && { unhealthyPeerUids }),
    ...(annotations !== undefined && {
      annotations: Object.fromEntries(annotations.map(({ name, value }) => [name, value ?? null])),
    }),
  };
}

function wireParameters(parameters: ActionParameters): Wire['parameters'] {
  switch (parameters.kind) {
    case 'restart':
      return { restart: { method: parameters.how } };
    case 'scale': {
      const { kind: _, ...scale } = parameters;
      return { scale };
    }
    case 'throttle': {
      const { throttle, limitPerSecond, routes } = parameters;
      return { throttle: { ...throttle, limitPerSecond: measuredText(limitPerSecond), routes: [...routes] } };
    }
    case 'cache':
      return { cache: wireCache(parameters.cache) };
    case 'alert':
      return { alert: { sinks: [...parameters.sinks] } };
  }
}

function wireCache(cache: Extract<ActionParameters, { kind: 'cache' }>['cache']): Wire['parameters']['cache'] {
  if ('http' in cache) return { http: { ...cache.http } };
  return { exec: { container: cache.exec.container, command: [...cache.exec.command] } };
}

function domainParameters({
  restart,
  scale,
  throttle,
  cache,
  alert,
}: Wire['parameters']): ActionParameters | undefined {
  if (restart !== undefined) return { kind: 'restart', how: restart.method };
  if (scale !== undefined) {
    const { autoscaler, ...rest } = scale;
    return { kind: 'scale', ...rest, ...(autoscaler !== undefined && { autoscaler }) };
  }
  if (throttle !== undefined) {
    const { limitPerSecond, routes = [], ...rest } = throttle;
    return { kind: 'throttle', throttle: throttleParameters(rest), limitPerSecond: Number(limitPerSecond), routes };
  }
  const emptied = cache === undefined ? undefined : cacheParameters(cache);
  if (emptied !== undefined) return { kind: 'cache', cache: emptied };
  return alert === undefined ? undefined : { kind: 'alert', sinks: alert.sinks };
}

/** The shortest text that reads back as exactly this number; `String` alone would lose the sign of -0. */
const measuredText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** A map of metrics as a list that Kubernetes can merge. Only finite numbers are written: missing is never zero. */
export function wireMetrics(values: Readonly<Record<string, number>>): { metric: string; value: string }[] {
  return Object.entries(values)
    .filter(([, value]) => Number.isFinite(value))
    .slice(0, ACTION_BOUNDS.metrics)
    .map(([metric, value]) => ({ metric, value: measuredText(value) }));
}

/** The other direction of `wireMetrics`. */
export function domainMetrics(
  list: readonly { readonly metric: string; readonly value: string }[],
): Record<string, number> {
  return Object.fromEntries(list.map(({ metric, value }) => [metric, Number(value)]));
}

function wireEvidence({ source, what, weight, atMs }: Evidence): Wire['diagnosis']['evidence'][number] {
  return {
    source,
    what: fitText(what, ACTION_BOUNDS.evidenceText),
    weight: measuredText(weight),
    ...(atMs !== undefined && { time: rfc3339(atMs) }),
  };
}

function domainEvidence({ source, what, weight, time }: Wire['diagnosis']['evidence'][number]): Evidence {
  return { source, what, weight: Number(weight), ...(time !== undefined && { atMs: Date.parse(time) }) };
}

function domainCause({ kind, name }: Wire['diagnosis']['cause']): Intent['diagnosis']['cause'] {
  return kind === 'self' ? { kind } : { kind, name: name ?? '' };
}
