import { CATEGORIES, FAILURE_TYPES } from '../../diagnosis/failure-type.ts';
import { isPreset, PRESETS } from '../../detection/presets.ts';
import type { MetricSpec } from '../../detection/sample.ts';
import type { Parsed, Problem } from '../../lib/parsed.ts';
import type { DisruptionLimit, HealingPolicy, TargetSelection, WatchedMetric } from '../../policy/healing-policy.ts';
import { domainRules, ruleFaults, windowProblems } from './convert-brakes.ts';
import { labelSelector } from './convert-selector.ts';
import { domainStep } from './convert-step.ts';
import { envelope, problemsOf, type Envelope } from './envelope.ts';
import { HealingPolicySpec } from './healing-policy.ts';
import { specHash } from './spec-hash.ts';

type Wire = HealingPolicySpec;
type WireMetric = NonNullable<Wire['detection']['metrics']>[number];

/**
 * An AegisHealingPolicy as the domain sees it, defaults filled, or everything that is wrong with it at once. Not
 * judged here, because it takes more than the object: queries (`QueryInvalid`), sinks (`SinkUnknown`), and whether a target is Aegis itself.
 */
export function parsePolicy(object: unknown): Parsed<HealingPolicy> {
  const meta = envelope(object);
  const { name, namespace, uid, generation } = meta;
  const parsed = HealingPolicySpec.safeParse(meta.spec);
  const problems = [
    ...protectedProblems(meta),
    ...(parsed.success ? meaningProblems(parsed.data) : problemsOf(parsed.error, 'spec')),
  ];
  if (!parsed.success || problems.length > 0) return { kind: 'invalid', name, namespace, uid, generation, problems };
  return { kind: 'valid', value: domainPolicy(meta, parsed.data) };
}

/** The system's namespaces are never touched, so a policy there is refused rather than silently without effect. */
function protectedProblems({ namespace }: Envelope): readonly Problem[] {
  if (!namespace.startsWith('kube-')) return [];
  const message = `policies in ${namespace} are refused: kube-* namespaces are never touched`;
  return [{ path: 'metadata.namespace', reason: 'Protected', message }];
}

const KNOWN_TRIGGERS: ReadonlySet<string> = new Set([...FAILURE_TYPES, ...CATEGORIES, 'any']);

function meaningProblems(spec: Wire): readonly Problem[] {
  const triggers = (spec.remedies ?? []).flatMap(({ on }, remedy) =>
    on.flatMap((name, index) => {
      if (KNOWN_TRIGGERS.has(name) || name.startsWith('anomaly:')) return [];
      const message = `${name} is no failure type, no category, no anomaly:METRIC and not any`;
      return [{ path: `spec.remedies[${remedy}].on[${index}]`, reason: 'UnknownFailureType', message }];
    }),
  );
  return [...triggers, ...windowProblems(spec.windows), ...ruleFaults(spec.rules)];
}

function domainPolicy(meta: Envelope, spec: Wire): HealingPolicy {
  const { name, namespace, uid, generation, createdAtMs } = meta;
  return {
    name,
    namespace,
    uid,
    generation,
    createdAtMs,
    hash: specHash(spec),
    mode: spec.mode,
    priority: spec.priority,
    pauseRequests: spec.pauseRequests,
    target: domainTarget(spec.target),
    detection: {
      ...spec.detection,
      metrics: (spec.detection.metrics ?? []).map(watchedMetric),
      anomalyThreshold: Number(spec.detection.anomalyThreshold),
    },
    diagnosis: spec.diagnosis,
    remedies: (spec.remedies ?? []).map(({ on, minSeverity, steps }) => ({
      on,
      minSeverity,
      steps: steps.map(domainStep),
    })),
    limits: domainLimits(spec.limits),
    windows: spec.windows,
    holdWhileAlertsFiring: spec.holdWhileAlertsFiring,
    rules: domainRules(spec.rules),
    verification: spec.verification,
    approval: spec.approval,
    notifications: spec.notifications,
  };
}

function domainTarget({ kind, name, selector }: Wire['target']): TargetSelection {
  return {
    kind,
    ...(name !== undefined && { name }),
    ...(selector !== undefined && { selector: labelSelector(selector) }),
  };
}

function domainLimits({ maxDisrupted, minReplicas, maxReplicas, ...rest }: Wire['limits']): HealingPolicy['limits'] {
  return {
    ...rest,
    maxDisrupted: disruptionLimit(maxDisrupted),
    ...(minReplicas !== undefined && { minReplicas }),
    ...(maxReplicas !== undefined && { maxReplicas }),
  };
}

const disruptionLimit = (value: number | string): DisruptionLimit =>
  typeof value === 'number' ? { count: value } : { percent: Number(value.slice(0, -1)) };

/** A preset has its own unit and direction; a query of the author's brings them along. */
function watchedMetric({ name, query, unit = '', direction = 'Both', limit }: WireMetric): WatchedMetric {
  const meaning: MetricSpec = query === undefined && isPreset(name) ? PRESETS[name] : { name, unit, direction };
  return {
    ...meaning,
    ...(query !== undefined && { query }),
    ...(limit !== undefined && {
      limit: { enter: Number(limit.enter), leave: Number(limit.leave), forSeconds: limit.forSeconds },
    }),
  };
}
