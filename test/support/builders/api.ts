import fc from 'fast-check';
import type { Cause, Evidence } from '../../../src/diagnosis/diagnosis.ts';
import { FAILURE_TYPES } from '../../../src/diagnosis/failure-type.ts';
import type { ActionStatus, Verification } from '../../../src/healing/decision.ts';
import { WORKLOAD_KINDS } from '../../../src/lib/workload.ts';
import { REASONS } from '../../../src/lib/reasons.ts';
import type {
  ActionParameters,
  Baseline,
  CacheParameters,
  Intent,
  ThrottleParameters,
} from '../../../src/policy/action.ts';

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
const share = fc.double({ min: 0, max: 1, noNaN: true });
const atMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const metric = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
const metrics = fc.dictionary(metric, number, { maxKeys: 5, noNullPrototype: true });
const uids = fc.array(fc.uuid(), { maxLength: 4 });

/** An arbitrary for every field, so that a field that the domain gains fails to compile here until it is converted. */
type Fields<T> = { readonly [K in keyof Required<T>]: fc.Arbitrary<NonNullable<T[K]>> };
const some = <T extends object>(fields: Fields<T>, requiredKeys: readonly (keyof T & string)[]): fc.Arbitrary<T> => {
  const byName: Record<string, fc.Arbitrary<unknown>> = fields;
  const record: fc.Arbitrary<unknown> = fc.record(byName, { requiredKeys: [...requiredKeys], noNullPrototype: true });
  return record as fc.Arbitrary<T>;
};

type Parameters<K extends ActionParameters['kind']> = Extract<ActionParameters, { kind: K }>;

const throttle = some<ThrottleParameters>(
  {
    provider: fc.constantFrom('Auto', 'EnvoyGateway', 'Istio', 'IngressNginx', 'Hook'),
    percentOfBaseline: fc.integer({ min: 1, max: 100 }),
    minPerSecond: fc.integer({ min: 1, max: 1_000_000 }),
    ttlSeconds: fc.integer({ min: 1, max: 86_400 }),
  },
  ['provider', 'percentOfBaseline', 'ttlSeconds'],
);
const command = fc.array(fc.constantFrom('flush', '--all'), { minLength: 1, maxLength: 4 });
const cache: fc.Arbitrary<CacheParameters> = fc.oneof(
  fc.record({ http: fc.record({ port: fc.integer({ min: 1, max: 65_535 }), path: fc.constant('/flush') }) }),
  fc.record({ exec: fc.record({ container: name, command }) }),
);

const effects: fc.Arbitrary<Pick<Intent, 'action' | 'parameters'>> = fc.oneof(
  fc.record({
    action: fc.constant('restart_pod' as const),
    parameters: some<Parameters<'restart'>>(
      { kind: fc.constant('restart'), how: fc.constantFrom('evict', 'rollout') },
      ['kind', 'how'],
    ),
  }),
  fc.record({
    action: fc.constantFrom('scale_up' as const, 'scale_down' as const),
    parameters: some<Parameters<'scale'>>(
      {
        kind: fc.constant('scale'),
        from: fc.nat(1000),
        to: fc.nat(1000),
        returnAfterSeconds: fc.nat(604_800),
        autoscaler: name,
      },
      ['kind', 'from', 'to', 'returnAfterSeconds'],
    ),
  }),
  fc.record({
    action: fc.constant('throttle_api' as const),
    parameters: some<Parameters<'throttle'>>(
      { kind: fc.constant('throttle'), throttle, limitPerSecond: number, routes: fc.array(name, { maxLength: 2 }) },
      ['kind', 'throttle', 'limitPerSecond', 'routes'],
    ),
  }),
  fc.record({
    action: fc.constant('clear_cache' as const),
    parameters: some<Parameters<'cache'>>({ kind: fc.constant('cache'), cache }, ['kind', 'cache']),
  }),
  fc.record({
    action: fc.constant('alert_admin' as const),
    parameters: some<Parameters<'alert'>>({ kind: fc.constant('alert'), sinks: fc.array(name, { maxLength: 3 }) }, [
      'kind',
      'sinks',
    ]),
  }),
);

const pods = fc.array(fc.record({ name, uid: fc.uuid() }), { maxLength: 4 });
const evidence = some<Evidence>(
  { source: fc.constantFrom('kubernetes', 'change', 'log', 'metric'), what: printable(60), weight: number, atMs },
  ['source', 'what', 'weight'],
);
const cause: fc.Arbitrary<Cause> = fc.oneof(
  fc.constant({ kind: 'self' as const }),
  fc.record({ kind: fc.constantFrom('node', 'dependency', 'dns', 'rollout', 'aegis'), name }),
);
const baseline = some<Baseline>(
  {
    podUids: uids,
    desiredReplicas: fc.nat(999),
    readyReplicas: fc.nat(999),
    templateHash: name,
    metrics,
    peerMetrics: metrics,
    unhealthyPeerUids: uids,
    annotations: fc.dictionary(name, fc.option(printable(20)), { maxKeys: 2 }),
  },
  ['podUids', 'desiredReplicas', 'readyReplicas', 'metrics'],
);
const diagnosis: fc.Arbitrary<Intent['diagnosis']> = fc.record({
  failureType: fc.constantFrom(...FAILURE_TYPES),
  confidence: share,
  evidence: fc.array(evidence, { maxLength: 4 }),
  cause,
  advice: printable(80),
} satisfies Fields<Intent['diagnosis']>);
const target: fc.Arbitrary<Intent['target']> = fc.record({
  apiVersion: fc.constantFrom('apps/v1', 'argoproj.io/v1alpha1'),
  kind: fc.constantFrom(...WORKLOAD_KINDS),
  namespace: fc.constant('shop'),
  name,
  uid: fc.uuid(),
} satisfies Fields<Intent['target']>);

/** Any intent that Aegis may write. */
export const anyIntent: fc.Arbitrary<Intent> = fc
  .record({
    effect: effects,
    rest: fc.record({
      name,
      namespace: fc.constant('shop'),
      policy: fc.record({ name, uid: fc.uuid(), generation: fc.nat() }),
      incidentId: fc.uuid(),
      step: fc.nat(7),
      attempt: fc.nat(9),
      target,
      pods,
      baseline,
      diagnosis,
      severityScore: share,
      metrics: fc.array(metric, { maxLength: 4 }),
      reason: printable(80),
      decidedAtMs: atMs,
      expiresAtMs: atMs,
      execution: fc.constantFrom('Enforce', 'DryRun'),
      policyHash: fc.stringMatching(/^[0-9a-f]{32}$/),
      approvalRequired: fc.boolean(),
    } satisfies Fields<Omit<Intent, 'action' | 'parameters'>>),
  })
  .map(({ effect, rest }) => ({ ...rest, ...effect }));

const verification = some<Verification>(
  {
    verdict: fc.constantFrom('Effective', 'Ineffective', 'Inconclusive', 'Waiting'),
    message: printable(40),
    reason: fc.constantFrom('RecoveredWithPeers', 'Recovered', 'StillAnomalous', 'NotReady', 'NoFreshData', 'Reverted'),
    before: metrics,
    after: metrics,
    peers: metrics,
    goodPolls: fc.nat(1000),
    pollAtMs: atMs,
  },
  ['verdict', 'message', 'before', 'after', 'peers'],
);
type Part<K extends keyof ActionStatus> = NonNullable<ActionStatus[K]>;

/** Any status that Aegis may write. */
export const anyActionStatus: fc.Arbitrary<ActionStatus> = some<ActionStatus>(
  {
    approved: some<Part<'approved'>>(
      { value: fc.boolean(), by: fc.constantFrom('ann', 'key:ops'), reason: printable(40), atMs },
      ['value', 'by', 'reason', 'atMs'],
    ),
    blocked: some<Part<'blocked'>>(
      { reason: fc.constantFrom(...REASONS), message: printable(40), atMs, nextLookMs: atMs },
      ['reason', 'message', 'atMs', 'nextLookMs'],
    ),
    executingAtMs: atMs,
    executed: some<Part<'executed'>>(
      {
        outcome: fc.constantFrom('applied', 'already', 'blocked', 'refused', 'failed', 'ambiguous'),
        message: printable(40),
        atMs,
      },
      ['outcome', 'message', 'atMs'],
    ),
    verified: some<Part<'verified'>>({ result: verification, atMs }, ['result', 'atMs']),
    rollback: some<Part<'rollback'>>(
      {
        ...{ dueAtMs: atMs, done: fc.boolean(), readBack: printable(40), atMs },
        ...{ abandoned: printable(40), renewals: fc.nat(3) },
      },
      ['done'],
    ),
    closed: some<Part<'closed'>>(
      {
        state: fc.constantFrom('Denied', 'Expired', 'Superseded', 'Failed'),
        reason: fc.constantFrom(...REASONS, 'Expired', 'PolicyChanged', 'NotDelivered'),
        message: printable(40),
        atMs,
      },
      ['state', 'reason', 'message', 'atMs'],
    ),
    delivered: some<Part<'delivered'>>({ atMs, sinks: fc.array(name, { maxLength: 3 }) }, ['atMs', 'sinks']),
    attempts: fc.array(
      some<ActionStatus['attempts'][number]>({ atMs, answer: printable(40), pod: name }, ['atMs', 'answer']),
      { maxLength: 3 },
    ),
    effectiveGoodPolls: fc.nat(1000),
    effectivePollAtMs: atMs,
  },
  ['attempts'],
);
