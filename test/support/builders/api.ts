import fc from 'fast-check';
import { FAILURE_TYPES } from '../../../src/diagnosis/failure-type.ts';
import type { ActionStatus } from '../../../src/healing/decision.ts';
import { WORKLOAD_KINDS } from '../../../src/lib/workload.ts';
import { REASONS } from '../../../src/lib/reasons.ts';
import type { ActionName, ActionParameters, Intent } from '../../../src/policy/action.ts';

type Json = Record<string, unknown>;

export const SHORTEST_SPEC = { mode: 'Auto', target: { kind: 'Deployment', name: 'checkout' } };

/** The shortest useful policy, with some fields of its spec replaced. */
export function aPolicyObject(spec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'healing.aegis.dev/v1alpha1',
    kind: 'AegisHealingPolicy',
    metadata: { name: 'checkout', namespace: 'shop', ...metadata },
    spec: { ...SHORTEST_SPEC, ...spec },
  };
}

/** A guardrail with some fields. */
export function aGuardrailObject(spec: Json = {}): Json {
  return { apiVersion: 'healing.aegis.dev/v1alpha1', kind: 'AegisGuardrail', metadata: { name: 'all' }, spec };
}

/** A decided restart of one pod of three. */
export function anApiIntent(changes: Partial<Intent> = {}): Intent {
  return {
    name: 'checkout-0123456789abcdef0123',
    namespace: 'shop',
    policy: { name: 'checkout', uid: 'policy-uid', generation: 3 },
    incidentId: 'incident-1',
    step: 0,
    attempt: 1,
    action: 'restart_pod',
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: 'workload-uid' },
    pods: [{ name: 'checkout-a', uid: 'pod-a' }],
    parameters: { kind: 'restart', how: 'evict' },
    baseline: {
      podUids: ['pod-a', 'pod-b', 'pod-c'],
      desiredReplicas: 3,
      readyReplicas: 3,
      templateHash: '6d4cf56db6',
      metrics: { memory_usage: 91.25 },
    },
    diagnosis: {
      failureType: 'memory_leak',
      confidence: 0.83,
      evidence: [
        { source: 'metric', what: 'memory 93 % of its limit, 4.1 MiB/min', weight: 2.2, atMs: 1_700_000_000_000 },
      ],
      cause: { kind: 'self' },
      advice: 'Raise the limit.',
    },
    severityScore: 0.93,
    metrics: ['memory_usage'],
    reason: 'memory of checkout-a climbs at flat traffic',
    decidedAtMs: 1_700_000_000_123,
    expiresAtMs: 1_700_000_300_123,
    execution: 'Enforce',
    policyHash: '00112233445566778899aabbccddeeff',
    approvalRequired: false,
    ...changes,
  };
}

const printable = (maxLength: number) =>
  fc.string({ unit: 'grapheme-ascii', maxLength }).filter((text) => !/[\x00-\x1f\x7f]/.test(text));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const atMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const metric = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
const metrics = fc.dictionary(metric, number, { maxKeys: 5, noNullPrototype: true });
const optional = <T>(arbitrary: fc.Arbitrary<T>, key: string): fc.Arbitrary<Json> =>
  fc.option(arbitrary, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value }));
const merged = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);

const throttle = merged(
  fc.record({
    provider: fc.constantFrom('Auto', 'EnvoyGateway', 'Istio', 'IngressNginx', 'Hook'),
    percentOfBaseline: fc.integer({ min: 1, max: 100 }),
    ttlSeconds: fc.integer({ min: 1, max: 86_400 }),
  }),
  optional(fc.integer({ min: 1, max: 1_000_000 }), 'minPerSecond'),
);
const cache = fc.oneof(
  fc.record({ http: fc.record({ port: fc.integer({ min: 1, max: 65_535 }), path: fc.constant('/flush') }) }),
  fc.record({
    exec: fc.record({
      container: name,
      command: fc.array(fc.constantFrom('flush', '--all'), { minLength: 1, maxLength: 4 }),
    }),
  }),
);

const effects: fc.Arbitrary<{ action: ActionName; parameters: ActionParameters }> = fc.oneof(
  fc.record({
    action: fc.constant('restart_pod'),
    parameters: fc.record({ kind: fc.constant('restart'), how: fc.constantFrom('evict', 'rollout') }),
  }),
  fc.record({
    action: fc.constantFrom('scale_up', 'scale_down'),
    parameters: fc.record({
      kind: fc.constant('scale'),
      from: fc.nat(1000),
      to: fc.nat(1000),
      returnAfterSeconds: fc.nat(604_800),
    }),
  }),
  fc.record({
    action: fc.constant('throttle_api'),
    parameters: fc.record({ kind: fc.constant('throttle'), throttle, limitPerSecond: number }),
  }),
  fc.record({ action: fc.constant('clear_cache'), parameters: fc.record({ kind: fc.constant('cache'), cache }) }),
  fc.record({
    action: fc.constant('alert_admin'),
    parameters: fc.record({ kind: fc.constant('alert'), sinks: fc.array(name, { maxLength: 3 }) }),
  }),
) as never;

const pod = fc.record({ name, uid: fc.uuid() });
const evidence = merged(
  fc.record({ source: fc.constantFrom('kubernetes', 'change', 'log', 'metric'), what: printable(60), weight: number }),
  optional(atMs, 'atMs'),
);
const cause = fc.oneof(
  fc.constant({ kind: 'self' }),
  fc.record({ kind: fc.constantFrom('node', 'dependency', 'dns', 'rollout', 'aegis'), name }),
);

/** Any intent that Aegis may write. */
export const anyIntent: fc.Arbitrary<Intent> = fc
  .record({
    effect: effects,
    pods: fc.array(pod, { maxLength: 4 }),
    kind: fc.constantFrom(...WORKLOAD_KINDS),
    baseline: merged(
      fc.record({
        podUids: fc.array(fc.uuid(), { maxLength: 4 }),
        desiredReplicas: fc.nat(999),
        readyReplicas: fc.nat(999),
        metrics,
      }),
      optional(name, 'templateHash'),
    ),
    diagnosis: fc.record({
      failureType: fc.constantFrom(...FAILURE_TYPES),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      evidence: fc.array(evidence, { maxLength: 4 }),
      cause,
      advice: printable(80),
    }),
    severityScore: fc.double({ min: 0, max: 1, noNaN: true }),
    metrics: fc.array(metric, { maxLength: 4 }),
    reason: printable(80),
    step: fc.nat(7),
    attempt: fc.nat(9),
    decidedAtMs: atMs,
    expiresAtMs: atMs,
    execution: fc.constantFrom('Enforce', 'DryRun'),
    approvalRequired: fc.boolean(),
  })
  .map(({ effect, kind, ...rest }) => {
    const base = anApiIntent();
    return { ...base, ...rest, ...effect, target: { ...base.target, kind } } as Intent;
  });

const anyRollback = merged(
  fc.record({ done: fc.boolean() }),
  optional(atMs, 'dueAtMs'),
  optional(printable(40), 'readBack'),
  optional(atMs, 'atMs'),
  optional(printable(40), 'abandoned'),
);
const anyVerification = merged(
  fc.record({
    verdict: fc.constantFrom('Effective', 'Ineffective', 'Inconclusive', 'Waiting'),
    message: printable(40),
    before: metrics,
    after: metrics,
    peers: metrics,
  }),
  optional(
    fc.constantFrom('RecoveredWithPeers', 'Recovered', 'StillAnomalous', 'NotReady', 'NoFreshData', 'Reverted'),
    'reason',
  ),
);

/** Any status that Aegis may write. */
export const anyActionStatus: fc.Arbitrary<ActionStatus> = merged(
  fc.record({
    attempts: fc.array(merged(fc.record({ atMs, answer: printable(40) }), optional(name, 'pod')), { maxLength: 3 }),
  }),
  optional(
    fc.record({ value: fc.boolean(), by: fc.constantFrom('ann', 'key:ops'), reason: printable(40), atMs }),
    'approved',
  ),
  optional(
    fc.record({ reason: fc.constantFrom(...REASONS), message: printable(40), atMs, nextLookMs: atMs }),
    'blocked',
  ),
  optional(atMs, 'executingAtMs'),
  optional(
    fc.record({
      outcome: fc.constantFrom('applied', 'already', 'blocked', 'refused', 'failed', 'ambiguous'),
      message: printable(40),
      atMs,
    }),
    'executed',
  ),
  optional(fc.record({ result: anyVerification, atMs }), 'verified'),
  optional(anyRollback, 'rollback'),
  optional(
    fc.record({
      state: fc.constantFrom('Denied', 'Expired', 'Superseded', 'Failed'),
      reason: fc.constantFrom(...REASONS, 'Expired', 'PolicyChanged', 'IncidentClosed', 'NotDelivered'),
      message: printable(40),
      atMs,
    }),
    'closed',
  ),
  optional(fc.record({ atMs, sinks: fc.array(name, { maxLength: 3 }) }), 'delivered'),
  optional(fc.nat(1000), 'effectiveGoodPolls'),
) as fc.Arbitrary<ActionStatus>;
