import { z } from 'zod';
import { FAILURE_TYPES } from '../../diagnosis/failure-type.ts';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import { ACTIONS } from '../../policy/action.ts';
import { ACTION_STATES } from '../../policy/ledger.ts';
import { MAX_ROUTES } from '../../policy/throttle-path.ts';
import {
  condition,
  dnsLabel,
  generation,
  integer,
  list,
  measured,
  metricName,
  namedList,
  note,
  objectName,
  oneOf,
  text,
  time,
  uid,
} from './fields.ts';
import { cache, throttleShape } from './remedies.ts';
import { describe, type TransitionRule } from './rules.ts';

/** Sizes that the writer clips to, so that a long text never makes the API server refuse an action. */
export const ACTION_BOUNDS = {
  reason: 1024,
  advice: 4096,
  evidence: 32,
  evidenceText: 1024,
  message: 2048,
  answer: 256,
  attempts: 64,
  metrics: 64,
  pods: 5000,
  routes: MAX_ROUTES,
} as const;

const immutable = (field: string): readonly TransitionRule[] => [
  { cel: 'self == oldSelf', message: `spec.${field} is immutable` },
];

const metricValues = (description: string) =>
  namedList(
    describe(z.object({ metric: metricName('The metric.'), value: measured('Its value.') }), 'A metric and its value.'),
    'metric',
    { max: ACTION_BOUNDS.metrics },
    description,
  );

const parametersShape = z.object({
  restart: describe(
    z.object({ method: oneOf(['evict', 'rollout'], 'Evict the pods, or restart the rollout.') }),
    'For restart_pod.',
  ).optional(),
  scale: describe(
    z.object({
      from: integer(0, 100_000, 'Replicas before.'),
      to: integer(0, 100_000, 'Replicas after.'),
      returnAfterSeconds: integer(0, 604_800, 'Seconds of health after which it is taken back.'),
      autoscaler: objectName('HorizontalPodAutoscaler whose minimum is written instead of the replicas.').optional(),
    }),
    'For scale_up and scale_down.',
  ).optional(),
  throttle: describe(
    z.object({
      ...throttleShape,
      limitPerSecond: measured('The limit, requests per second over the whole workload.'),
      routes: list(
        objectName('HTTPRoute or Ingress.'),
        { max: ACTION_BOUNDS.routes },
        'HTTPRoutes or the Ingress that carry the traffic; empty: the workload’s own pods, or the hook.',
      ).optional(),
    }),
    'For throttle_api.',
  ).optional(),
  cache: cache.optional(),
  alert: describe(
    z.object({ sinks: list(dnsLabel('Name of a sink.'), { max: 16 }, 'Sinks to tell; empty: all.') }),
    'For alert_admin.',
  ).optional(),
});
type Parameters = z.output<typeof parametersShape>;

/** Parameter block -> the actions that take it. */
const TAKES = {
  restart: ['restart_pod'],
  scale: ['scale_up', 'scale_down'],
  throttle: ['throttle_api'],
  cache: ['clear_cache'],
  alert: ['alert_admin'],
} as const;
const blocks = Object.keys(TAKES) as (keyof typeof TAKES)[];
const given = (parameters: Parameters) => blocks.filter((block) => parameters[block] !== undefined);

const parameters = describe(
  parametersShape,
  'What the effect needs, fixed when it was decided.',
  [
    {
      cel: `[${blocks.map((block) => `has(self.${block})`).join(', ')}].filter(it, it).size() == 1`,
      message: `parameters must hold exactly one of ${blocks.join(', ')}`,
      holds: (it) => given(it).length === 1,
    },
  ],
  immutable('parameters'),
);

const policyRef = describe(
  z.object({
    name: objectName('Name of the policy.'),
    uid: uid('UID of the policy.'),
    generation: generation('Generation of the policy’s spec when it was decided.'),
  }),
  'The policy that decided it.',
  [],
  immutable('policyRef'),
);

const target = describe(
  z.object({
    apiVersion: describe(
      z
        .string()
        .min(1)
        .max(128)
        .regex(/^[a-z0-9./-]+$/),
      'API version of the workload.',
    ),
    kind: oneOf(WORKLOAD_KINDS, 'Kind of the workload.'),
    namespace: dnsLabel('Namespace: always the object’s own.'),
    name: objectName('Name of the workload.'),
    uid: uid('UID of the workload: a workload of the same name made later is another one.'),
  }),
  'The workload.',
  [],
  immutable('target'),
);

const podRef = describe(z.object({ name: objectName('Name of the pod.'), uid: uid('UID of the pod.') }), 'A pod.');

const baseline = describe(
  z.object({
    podUids: list(uid('UID of a pod.'), { max: ACTION_BOUNDS.pods }, 'All pods before.'),
    desiredReplicas: integer(0, 100_000, 'Desired replicas before.'),
    readyReplicas: integer(0, 100_000, 'Ready replicas before.'),
    templateHash: describe(
      z
        .string()
        .min(1)
        .max(128)
        .regex(/^[A-Za-z0-9._-]+$/),
      'Pod template before.',
    ).optional(),
    metrics: metricValues('Triggering metrics before, over the treated pods.'),
    peerMetrics: metricValues('The same over the pods that are not treated.').optional(),
    unhealthyPeerUids: list(
      uid('UID of a pod.'),
      { max: ACTION_BOUNDS.pods },
      'Pods that are not treated and were unhealthy as well.',
    ).optional(),
    annotations: namedList(
      describe(
        z.object({
          name: text(253, 'The annotation.'),
          value: note(1024, 'Its value; left out: it was absent.').optional(),
        }),
        'An annotation as it was.',
      ),
      'name',
      { max: 8 },
      'Annotations of the Ingress before it was limited.',
    ).optional(),
  }),
  'What is needed to undo it, and to tell whether it helped.',
  [],
  immutable('baseline'),
);

const evidence = describe(
  z.object({
    source: oneOf(['kubernetes', 'change', 'log', 'metric'], 'Where it comes from, in falling weight.'),
    what: note(ACTION_BOUNDS.evidenceText, 'A sentence with the numbers.'),
    weight: measured('Log-odds that it adds; negative speaks against.'),
    time: time('When it was seen.').optional(),
  }),
  'A piece of evidence.',
);

const diagnosis = describe(
  z.object({
    failureType: oneOf(FAILURE_TYPES, 'The failure.'),
    confidence: measured('0 to 1.'),
    evidence: list(evidence, { max: ACTION_BOUNDS.evidence }, 'What speaks for it, heaviest first.'),
    cause: describe(
      z.object({
        kind: oneOf(['self', 'node', 'dependency', 'dns', 'rollout', 'aegis'], 'Whose fault it is.'),
        name: text(600, 'Name of the cause, where it is not the workload itself.').optional(),
      }),
      'The cause.',
    ),
    advice: note(ACTION_BOUNDS.advice, 'What people can do that Aegis may not.'),
  }),
  'What is wrong, and how that is known.',
  [],
  immutable('diagnosis'),
);

const approval = describe(
  z.object({
    decision: oneOf(['Approved', 'Denied'], 'The answer.'),
    by: text(256, 'Who answered: the authenticated user, or key:NAME for an API key.'),
    reason: note(1024, 'Why.').default(''),
    time: time('When.'),
  }),
  'The answer of a person. It can be given once.',
  [],
  immutable('approval'),
);

const fixed = <S extends z.ZodType>(schema: S, description: string, field: string): S =>
  describe(schema, description, [], immutable(field));

const specShape = z.object({
  policyRef,
  incidentId: fixed(text(64, ''), 'Identity of the incident.', 'incidentId'),
  step: fixed(integer(0, 100, ''), 'Rung of the ladder, from 0.', 'step'),
  attempt: fixed(integer(0, 1000, ''), 'Number of the attempt on this rung.', 'attempt'),
  action: fixed(oneOf(ACTIONS, ''), 'What is done.', 'action'),
  target,
  pods: list(podRef, { max: ACTION_BOUNDS.pods }, 'Pods to treat.', [], immutable('pods')),
  parameters,
  baseline,
  diagnosis,
  severityScore: fixed(measured(''), 'Score of the worst metric in the evidence, 0 to 1.', 'severityScore'),
  triggerMetrics: list(
    metricName('A metric.'),
    { max: ACTION_BOUNDS.metrics },
    'Metrics that must return to their band.',
    [],
    immutable('triggerMetrics'),
  ),
  reason: fixed(note(ACTION_BOUNDS.reason, ''), 'One sentence: why this, why now.', 'reason'),
  decidedTime: fixed(time(''), 'When it was decided.', 'decidedTime'),
  expiresTime: fixed(time(''), 'Unsent by then, it is not done.', 'expiresTime'),
  execution: fixed(oneOf(['Enforce', 'DryRun'], ''), '`DryRun` goes as far as the server’s dry run.', 'execution'),
  policyHash: fixed(text(64, ''), 'Hash of the policy’s spec: an approval is pinned to it.', 'policyHash'),
  approvalRequired: fixed(z.boolean(), 'Whether a person must approve it first.', 'approvalRequired'),
  approval: approval.optional(),
});

/** `spec` of an AegisHealingAction. */
export const HealingActionSpec = describe(
  specShape,
  'The decision. Immutable, but for approval, which can be set once.',
  [
    {
      cel: blocks
        .map((block) => `(!has(self.parameters.${block}) || self.action in ${celList(TAKES[block])})`)
        .join(' && '),
      message: 'parameters must be those of action',
      holds: (it) => given(it.parameters).every((block) => (TAKES[block] as readonly string[]).includes(it.action)),
    },
  ],
  [{ cel: '!has(oldSelf.approval) || has(self.approval)', message: 'spec.approval cannot be taken back' }],
);
export type HealingActionSpec = z.output<typeof HealingActionSpec>;

function celList(words: readonly string[]): string {
  return `[${words.map((word) => `'${word}'`).join(', ')}]`;
}

export const ACTION_CONDITIONS = ['Approved', 'Blocked', 'Executed', 'Verified', 'RolledBack'] as const;

const word = (description: string) =>
  describe(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Z][A-Za-z]*$/),
    description,
  );

const verification = describe(
  z.object({
    verdict: oneOf(['Effective', 'Ineffective', 'Inconclusive', 'Waiting'], 'Whether it helped.'),
    reason: word('Why, one word.').optional(),
    message: note(ACTION_BOUNDS.message, 'A sentence with the numbers.'),
    before: metricValues('Before, over the treated pods.'),
    after: metricValues('After, over the workload’s pods.'),
    peers: metricValues('After, over the peers that were not treated.'),
    goodPolls: integer(0, 1_000_000, 'Polls in band so far, one after the other.').optional(),
    lastPollTime: time('The last poll that was counted.').optional(),
    time: time('When it was judged.'),
  }),
  'Whether the effect helped.',
);

const rollback = describe(
  z.object({
    dueTime: time('When the timed return is due.').optional(),
    done: describe(z.boolean(), 'Whether the inverse was done.'),
    readBack: note(ACTION_BOUNDS.message, 'What was read back afterwards.').optional(),
    time: time('When it was done or given up.').optional(),
    abandoned: note(ACTION_BOUNDS.message, 'Why it was left alone: somebody else changed the field since.').optional(),
    renewals: integer(0, 3, 'How often the time of a limit was prolonged.').optional(),
  }),
  'The inverse of the effect.',
);

/** `status` of an AegisHealingAction. Only Aegis writes it. */
export const HealingActionStatus = describe(
  z.object({
    state: oneOf(ACTION_STATES, 'Computed from what follows; never read to decide.').optional(),
    conditions: namedList(
      condition(ACTION_CONDITIONS, 'A condition of the action.'),
      'type',
      { max: 8 },
      'Approved, Blocked, Executed, Verified, RolledBack.',
    ).optional(),
    approval: describe(
      z.object({
        decision: oneOf(['Approved', 'Denied'], 'The answer that Aegis took over.'),
        by: text(256, 'Who gave it.'),
        reason: note(1024, 'Why.'),
        time: time('When it was given.'),
      }),
      'The approval as judged by Aegis.',
    ).optional(),
    blockedReason: word('Why it waits; absent when nothing blocks it.').optional(),
    blocked: describe(
      z.object({
        reason: word('Why it waited last.'),
        message: note(ACTION_BOUNDS.message, 'A sentence with the numbers.'),
        time: time('Since when.'),
        nextLookTime: time('When it is looked at again.'),
      }),
      'The last blocker, also after it went.',
    ).optional(),
    executingTime: time('When the write was about to be sent; stored before it.').optional(),
    executed: describe(
      z.object({
        outcome: oneOf(['applied', 'already', 'blocked', 'refused', 'failed', 'ambiguous'], 'The answer.'),
        message: note(ACTION_BOUNDS.message, 'The answer in words.'),
        time: time('When it came.'),
      }),
      'What the write came to.',
    ).optional(),
    verification: verification.optional(),
    goodPolls: integer(0, 1_000_000, 'Polls in band since the effect, one after the other.').optional(),
    lastPollTime: time('The last poll that was counted, so that none counts twice.').optional(),
    rollback: rollback.optional(),
    delivered: describe(
      z.object({
        sinks: list(text(63, 'Name of a sink.'), { max: 64 }, 'Sinks that took the alert.'),
        time: time('When.'),
      }),
      'Who was told, for alert_admin.',
    ).optional(),
    closed: describe(
      z.object({
        state: oneOf(['Denied', 'Expired', 'Superseded', 'Failed'], 'How it ended without an effect that counts.'),
        reason: word('Why, one word.'),
        message: note(ACTION_BOUNDS.message, 'Why, in a sentence.'),
        time: time('When.'),
      }),
      'How it was closed.',
    ).optional(),
    attempts: list(
      describe(
        z.object({
          time: time('When the write was sent.'),
          answer: note(ACTION_BOUNDS.answer, 'What the API server answered.'),
          pod: objectName('Pod that it was about.').optional(),
        }),
        'One write and its answer.',
      ),
      { max: ACTION_BOUNDS.attempts },
      'Writes that were sent, oldest first; the latest are kept.',
    ).optional(),
  }),
  'What came of it.',
);
export type HealingActionStatus = z.output<typeof HealingActionStatus>;
