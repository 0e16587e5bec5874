import { z } from 'zod';
import { ACTIONS } from '../../policy/action.ts';
import { describe } from './rules.ts';
import { dnsLabel, integer, list, oneOf, seconds, set, text } from './fields.ts';

/** Severities, mildest first. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

const THROTTLE_PROVIDERS = ['Auto', 'EnvoyGateway', 'Istio', 'IngressNginx', 'Hook'] as const;

/** An argument of a command: no shell ever sees it. */
const argument = text(1024, 'One argument, passed as it is: there is no shell.');

/** An argument vector. */
export const command = (description: string) => list(argument, { min: 1, max: 32 }, description);

const scale = describe(
  z.object({
    percent: integer(1, 100, 'Replicas to add or to take away, in per cent of the present number.').default(50),
    returnAfterSeconds: seconds(604_800, 'Seconds of health after which a scale_up is taken back.').default(1800),
    autoscaler: oneOf(
      ['Leave', 'RaiseMinimum'],
      'What to do where a HorizontalPodAutoscaler owns the replicas: leave it alone, or raise its minimum.',
    ).default('Leave'),
  }),
  'Parameters of scale_up and scale_down.',
);

export const throttleShape = {
  provider: oneOf(
    THROTTLE_PROVIDERS,
    'What limits the traffic. `Auto` takes EnvoyGateway or Istio, whichever carries this workload’s traffic.',
  ).default('Auto'),
  percentOfBaseline: integer(1, 100, 'Limit, in per cent of the healthy traffic before the onset.').default(80),
  minPerSecond: integer(1, 1_000_000, 'The limit never goes below so many requests per second.').optional(),
  ttlSeconds: seconds(86_400, 'Seconds after which the limit is lifted in any case.').default(900),
};

const throttle = describe(z.object(throttleShape), 'Parameters of throttle_api.');

const cacheShape = z.object({
  http: describe(
    z.object({
      port: integer(1, 65_535, 'Port of the pod.'),
      path: describe(
        z
          .string()
          .min(1)
          .max(256)
          .regex(/^\/[!-~]*$/),
        'Absolute path of printable ASCII characters.',
      ),
    }),
    'A POST to the treated pod’s own address.',
  ).optional(),
  exec: describe(
    z.object({
      container: dnsLabel('Container in which the command runs.'),
      command: command('Argument vector; must equal an entry of a guardrail’s execCommands.'),
    }),
    'A command in the pod.',
  ).optional(),
});

/** Parameters of clear_cache. */
export const cache = describe(cacheShape, 'Parameters of clear_cache: how this workload’s cache is emptied.', [
  {
    cel: 'has(self.http) != has(self.exec)',
    message: 'cache must hold exactly one of http and exec',
    holds: (it) => (it.http === undefined) !== (it.exec === undefined),
  },
]);

const notify = describe(
  z.object({
    sinks: set(dnsLabel('Name of a sink in the operator’s configuration.'), { min: 1, max: 16 }, 'Sinks to notify.'),
  }),
  'Parameters of alert_admin; without them the policy’s notifications are used.',
);

const stepShape = z.object({
  action: oneOf(ACTIONS, 'What is done on this rung.'),
  attempts: integer(1, 5, 'How often the rung may be tried in one incident.').default(1),
  timeoutSeconds: seconds(86_400, 'Seconds after which a blocked rung is reported to people.').default(300),
  group: dnsLabel(
    'Steps next to each other that name the same group are alternatives: the one that helped most against this failure on this kind of workload is tried first, as written where nothing is known. Without a group the order is kept.',
  ).optional(),
  scale: scale.optional(),
  throttle: throttle.optional(),
  cache: cache.optional(),
  notify: notify.optional(),
});

/** Parameter block -> the actions that take it. */
const TAKES = {
  scale: ['scale_up', 'scale_down'],
  throttle: ['throttle_api'],
  cache: ['clear_cache'],
  notify: ['alert_admin'],
} as const;

const parameterRules = (Object.keys(TAKES) as (keyof typeof TAKES)[]).map((field) => ({
  cel: `!has(self.${field}) || self.action in [${TAKES[field].map((action) => `'${action}'`).join(', ')}]`,
  message: `${field} is a parameter of ${TAKES[field].join(' and ')} only`,
  holds: (it: z.output<typeof stepShape>) =>
    it[field] === undefined || (TAKES[field] as readonly string[]).includes(it.action),
}));

const groupRule = {
  cel: "!has(self.group) || !(self.action in ['alert_admin', 'no_action'])",
  message: 'group is for steps that change something: people are told last in any case',
  holds: (it: z.output<typeof stepShape>) =>
    it.group === undefined || (it.action !== 'alert_admin' && it.action !== 'no_action'),
};

const step = describe(stepShape, 'One rung of a ladder.', [...parameterRules, groupRule]);

/**
 * `isConnected` in CEL: whoever has a group has it in common with the next step, or with none behind that. Places are
 * counted out, since the API server must see beforehand that a rule is cheap.
 */
const places = ACTIONS.map((_, place) => place);
const connectedRule = [
  `[${places.slice(0, -2).join(', ')}].all(i, i + 2 >= size(self) || !has(self[i].group)`,
  '(has(self[i + 1].group) && self[i + 1].group == self[i].group)',
  `[${places.slice(2).join(', ')}].all(k, k < i + 2 || k >= size(self) || !has(self[k].group) || self[k].group != self[i].group))`,
].join(' || ');

/** The steps of a group stand next to each other. */
function isConnected(steps: readonly z.output<typeof stepShape>[]): boolean {
  return steps.every(({ group }, at) => {
    const before = steps.findIndex((other) => other.group === group);
    return group === undefined || steps.slice(before, at).every((other) => other.group === group);
  });
}

/** Reference to what a ladder answers: checked for its form here, for its meaning by Aegis (`UnknownFailureType`). */
const trigger = describe(
  z
    .string()
    .min(1)
    .max(80)
    .regex(/^(anomaly:)?[a-z][a-z0-9_]*$/),
  'A failure type, one of the categories service_down, high_latency, connection_timeout, `anomaly:METRIC`, or `any` (all but unknown).',
);

/** A ladder: what is tried, in which order, for which failures. */
export const remedy = describe(
  z.object({
    on: set(
      trigger,
      { min: 1, max: 32 },
      'Failures that this ladder answers. In YAML write the key in quotes, "on": many readers take the bare word for true.',
    ),
    minSeverity: oneOf(SEVERITIES, 'Milder incidents are left alone by this ladder.').default('low'),
    steps: list(
      step,
      { min: 1, max: ACTIONS.length },
      'Rungs in order. alert_admin is always the last one and is added where it is left out.',
      [
        {
          cel: 'self.all(one, self.exists_one(other, other.action == one.action))',
          message: 'steps must name each action at most once',
          holds: (it) => new Set(it.map(({ action }) => action)).size === it.length,
        },
        {
          cel: connectedRule,
          message: 'steps of one group must stand next to each other',
          holds: isConnected,
        },
      ],
    ),
  }),
  'A ladder of actions for some failures. The first ladder that matches is used.',
);
