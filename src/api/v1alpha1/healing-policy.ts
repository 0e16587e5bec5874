import { z } from 'zod';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import { PRESET_NAMES } from '../../detection/presets.ts';
import { holdWhileAlertsFiring, rules, windows } from './brakes.ts';
import {
  decimal,
  dnsLabel,
  generation,
  integer,
  list,
  metricName,
  namedList,
  note,
  objectName,
  oneOf,
  seconds,
  selector,
  text,
  time,
  condition,
} from './fields.ts';
import { remedy, SEVERITIES } from './remedies.ts';
import { describe } from './rules.ts';

export const MODES = ['Observe', 'Approve', 'Auto'] as const;

const target = describe(
  z.object({
    kind: oneOf(WORKLOAD_KINDS, 'Kind of the workload.'),
    name: objectName('Name of one workload in the policy’s own namespace.').optional(),
    selector: selector('Labels of the workloads in the policy’s own namespace; never empty.').optional(),
  }),
  'What the policy watches and heals: workloads of its own namespace.',
  [
    {
      cel: 'has(self.name) != has(self.selector)',
      message: 'target must hold exactly one of name and selector',
      holds: (it) => (it.name === undefined) !== (it.selector === undefined),
    },
  ],
);

const limitShape = z.object({
  enter: decimal('The limit is breached from this value on.'),
  leave: decimal('The breach is over from this value back.'),
  forSeconds: seconds(86_400, 'Seconds for which the value must stay beyond the limit.').default(60),
});

const metricShape = z.object({
  name: metricName('A preset, or a name of your own when a query is given.'),
  query: text(4096, 'PromQL. Every selector is confined to the policy’s own namespace.').optional(),
  unit: text(32, 'Unit of the value, for people.').optional(),
  direction: oneOf(['Above', 'Below', 'Both'], 'Which side of the normal band is harmful.').optional(),
  limit: describe(limitShape, 'A fixed limit, judged from the first sample on.').optional(),
});

type MetricShape = z.output<typeof metricShape>;

const isOrdered = ({ direction, limit }: MetricShape): boolean => {
  if (limit === undefined || direction === undefined || direction === 'Both') return true;
  return direction === 'Above'
    ? Number(limit.leave) <= Number(limit.enter)
    : Number(limit.leave) >= Number(limit.enter);
};

const metric = describe(metricShape, 'A metric to watch.', [
  {
    cel: `has(self.query) || self.name in [${PRESET_NAMES.map((name) => `'${name}'`).join(', ')}]`,
    message: `name must be a preset (${PRESET_NAMES.join(', ')}) where no query is given`,
    holds: (it) => it.query !== undefined || (PRESET_NAMES as readonly string[]).includes(it.name),
  },
  {
    cel: 'has(self.query) ? has(self.unit) && has(self.direction) : !has(self.unit) && !has(self.direction)',
    message: 'unit and direction must be given with a query, and only with a query: a preset has its own',
    holds: (it) =>
      (it.query === undefined) === (it.unit === undefined) && (it.query === undefined) === (it.direction === undefined),
  },
  {
    cel: "!has(self.limit) || !has(self.direction) || self.direction != 'Both'",
    message: 'limit needs direction Above or Below: it has one side',
    holds: (it) => it.limit === undefined || it.direction !== 'Both',
  },
  {
    cel: "!has(self.limit) || !has(self.direction) || self.direction == 'Both' || (self.direction == 'Above' ? double(self.limit.leave) <= double(self.limit.enter) : double(self.limit.leave) >= double(self.limit.enter))",
    message: 'limit.leave must lie on the healthy side of limit.enter',
    holds: isOrdered,
  },
]);

const trigger = describe(
  z.object({
    breaches: integer(1, 60, 'Anomalous polls that open an incident.').default(3),
    polls: integer(1, 60, 'Among so many last polls.').default(5),
  }),
  'When anomalous polls become an incident: N of the last M.',
  [
    {
      cel: 'self.breaches <= self.polls',
      message: 'trigger.breaches must be at most trigger.polls',
      holds: (it) => it.breaches <= it.polls,
    },
  ],
);

const detection = describe(
  z.object({
    intervalSeconds: seconds(3600, 'Seconds between two polls.', 5).default(15),
    metrics: namedList(
      metric,
      'name',
      { min: 1, max: 32 },
      'Metrics to watch. Left out: every preset for which series exist.',
    ).optional(),
    trafficSource: oneOf(
      ['Auto', 'OpenTelemetry', 'Istio', 'Envoy', 'IngressNginx', 'HttpRequestsTotal'],
      'Where request rate, errors and latency come from. `Auto` finds it by which series exist.',
    ).default('Auto'),
    anomalyThreshold: describe(
      z
        .string()
        .max(8)
        .regex(/^(0\.[0-9]*[1-9][0-9]*|1(\.0+)?)$/),
      'Score from which a poll counts as anomalous: above 0, at most 1.',
    ).default('0.85'),
    minSamples: integer(10, 100_000, 'Below so many samples only limits, status and peers judge.').default(100),
    trigger: trigger.prefault({}),
  }),
  'How trouble is found.',
);

const diagnosis = describe(
  z.object({
    windowSeconds: seconds(3600, 'Seconds of evidence that are looked at.', 60).default(300),
    logs: describe(
      z.object({
        source: oneOf(['Kubernetes', 'Loki', 'None'], 'Where log lines are read.').default('Kubernetes'),
        maxLinesPerPod: integer(1, 10_000, 'Lines read of each pod at most.').default(2000),
      }),
      'Log lines as evidence.',
    ).prefault({}),
  }),
  'How trouble is named.',
);

const maxDisrupted = describe(
  z.union([
    z.int().min(1).max(10_000),
    z
      .string()
      .max(4)
      .regex(/^(100|[1-9][0-9]?)%$/),
  ]),
  'Pods that may be down at once: a number, or a share of the desired replicas ("25%"); at least 1 either way.',
);

const limits = describe(
  z.object({
    cooldownSeconds: seconds(
      86_400,
      'Seconds between two actions on one workload; never shorter than a query’s look-back.',
    ).default(300),
    maxActionsPerHour: integer(1, 1000, 'Actions of this policy in any hour.').default(6),
    maxDisrupted: maxDisrupted.default('25%'),
    minReplicas: integer(1, 10_000, 'Replicas never go below.').optional(),
    maxReplicas: integer(1, 10_000, 'Replicas never go above. Left out: twice the baseline.').optional(),
    minPodAgeSeconds: seconds(86_400, 'Younger pods are left alone.').default(120),
    progressive: oneOf(
      ['OneThenRest', 'All'],
      'Treat one pod, verify, then widen; or no single first pod. maxDisrupted holds either way.',
    ).default('OneThenRest'),
  }),
  'How much may be done.',
  [
    {
      cel: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
      message: 'limits.minReplicas must be at most limits.maxReplicas',
      holds: (it) => it.minReplicas === undefined || it.maxReplicas === undefined || it.minReplicas <= it.maxReplicas,
    },
  ],
);

const verification = describe(
  z.object({
    stabilizationSeconds: seconds(3600, 'Seconds to wait after an effect before it is judged.').default(60),
    timeoutSeconds: seconds(
      86_400,
      'Seconds after which an effect that cannot be proven counts as ineffective.',
    ).default(300),
    onIneffective: oneOf(['RollBack', 'Keep'], 'What happens to an effect that did not help.').default('RollBack'),
  }),
  'How an effect is judged.',
  [
    {
      cel: 'self.stabilizationSeconds <= self.timeoutSeconds',
      message: 'verification.stabilizationSeconds must be at most verification.timeoutSeconds',
      holds: (it) => it.stabilizationSeconds <= it.timeoutSeconds,
    },
  ],
);

const specShape = z.object({
  mode: oneOf(
    MODES,
    '`Observe` decides and records only, `Approve` acts after a person approved, `Auto` acts.',
  ).default('Observe'),
  priority: integer(0, 1000, 'Of two policies on one workload the higher one acts; on a tie the older.').default(100),
  pauseRequests: namedList(
    describe(
      z.object({ name: dnsLabel('Who pauses, or for what.'), reason: text(256, 'Why.') }),
      'A request to pause.',
    ),
    'name',
    { max: 16 },
    'While any is present no new action starts; running verification goes on.',
  ).default([]),
  target,
  detection: detection.prefault({}),
  diagnosis: diagnosis.prefault({}),
  remedies: list(
    remedy,
    { min: 1, max: 32 },
    'Ladders. Left out, or where none matches: the default ladder of the failure type.',
  ).optional(),
  limits: limits.prefault({}),
  windows: windows.default([]),
  holdWhileAlertsFiring: holdWhileAlertsFiring.default([]),
  rules: rules.default([]),
  verification: verification.prefault({}),
  approval: describe(
    z.object({ timeoutSeconds: seconds(86_400, 'Seconds after which an unanswered approval means no.').default(900) }),
    'How long a person has to approve.',
  ).prefault({}),
  notifications: namedList(
    describe(
      z.object({
        sink: dnsLabel('Name of a sink in the operator’s configuration.'),
        minSeverity: oneOf(SEVERITIES, 'Milder incidents are not told.').default('low'),
      }),
      'A sink that is told.',
    ),
    'sink',
    { max: 16 },
    'Who is told. A policy holds no URL and no credential: sinks are the administrator’s.',
  ).default([]),
});

const scales = ({ remedies = [] }: z.output<typeof specShape>): boolean =>
  remedies.some(({ steps }) => steps.some(({ action }) => action === 'scale_up' || action === 'scale_down'));

/** `spec` of an AegisHealingPolicy, defaults filled. */
export const HealingPolicySpec = describe(specShape, 'What is watched, and what may be done about its troubles.', [
  {
    cel: "self.target.kind != 'DaemonSet' || !has(self.remedies) || self.remedies.all(remedy, remedy.steps.all(step, !(step.action in ['scale_up', 'scale_down'])))",
    message: 'remedies must hold no scale_up and no scale_down for target.kind DaemonSet: it has no replicas to scale',
    holds: (it) => it.target.kind !== 'DaemonSet' || !scales(it),
  },
]);
export type HealingPolicySpec = z.output<typeof HealingPolicySpec>;

const POLICY_CONDITIONS = [
  'Accepted',
  'Ready',
  'MetricsAvailable',
  'Learned',
  'Healthy',
  'Paused',
  'Conflict',
  'Limited',
] as const;

const count = (description: string) => integer(0, 1_000_000, description);

const incident = describe(
  z.object({
    id: text(64, 'Identity of the incident.'),
    workload: text(600, 'Workload in trouble.'),
    failureType: text(80, 'What it was diagnosed as.'),
    severity: oneOf(SEVERITIES, 'How bad it is.'),
    sinceTime: time('When it opened.'),
    step: integer(0, 100, 'Rung of the ladder.'),
    decision: oneOf(['act', 'hold', 'ignore'], 'What was decided last.'),
    reason: note(1024, 'Why it acts, or why not.'),
  }),
  'An open incident.',
);

/** `status` of an AegisHealingPolicy. */
export const HealingPolicyStatus = describe(
  z.object({
    observedGeneration: generation('Generation of the spec that this status is about.').optional(),
    conditions: namedList(
      condition(POLICY_CONDITIONS, 'A condition of the policy.'),
      'type',
      { max: 16 },
      'Accepted, Ready, MetricsAvailable, Learned, Healthy, Paused, Conflict, Limited.',
    ).optional(),
    targets: describe(
      z.object({
        matched: count('Workloads that the target selects.'),
        anomalous: count('Of these: anomalous.'),
        unknown: count('Of these: neither healthy nor anomalous for want of data.'),
      }),
      'How many workloads are watched.',
    ).optional(),
    incidents: list(incident, { max: 10 }, 'Open incidents, the worst first, at most 10.').optional(),
    lastAction: describe(
      z.object({
        name: objectName('Name of the AegisHealingAction.'),
        action: text(64, 'What was done.'),
        target: text(600, 'To which workload.'),
        outcome: text(128, 'What came of it.'),
        time: time('When.'),
      }),
      'The last action.',
    ).optional(),
  }),
  'What Aegis sees and does. Written only when it changes.',
);
export type HealingPolicyStatus = z.output<typeof HealingPolicyStatus>;
