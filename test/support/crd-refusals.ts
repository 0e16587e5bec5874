import { SHORTEST_SPEC } from './builders/api.ts';

type Json = Record<string, unknown>;

/** A spec that the API server must refuse, and a piece of the message that says why. */
export type Refusal = readonly [sentence: string, spec: unknown, message: string | RegExp];

const policy = (spec: Json): Json => ({ ...SHORTEST_SPEC, ...spec });
const target = (fields: Json): Json => policy({ target: { kind: 'Deployment', ...fields } });
const selector = (fields: Json): Json => target({ selector: fields });
const ladder = (...steps: Json[]): Json => policy({ remedies: [{ on: ['any'], steps }] });
const metric = (fields: Json): Json => policy({ detection: { metrics: [fields] } });
const query = { name: 'queue', query: 'queue_length', unit: 'jobs', direction: 'Above' };
const window = { schedule: '0 * * * *', durationSeconds: 60, effect: 'Deny' };
const rule = { name: 'r', expression: 'true', effect: 'Deny' };

/** Rows of AegisHealingPolicy; the number in brackets is that of the list of bad inputs. */
export const POLICY_REFUSALS: readonly Refusal[] = [
  ['[1] spec missing', undefined, 'spec: Required value'],
  ['[1] spec null', null, /spec/],
  ['[1] spec a list', [], 'spec: Invalid value'],
  ['[1] spec a text', 'Auto', 'spec: Invalid value'],
  ['target missing', { mode: 'Auto' }, 'spec.target: Required value'],
  ['[3] selector {}', selector({}), 'selector must hold at least one entry'],
  [
    '[3] selector with empty lists',
    selector({ matchLabels: {}, matchExpressions: [] }),
    'selector must hold at least one entry',
  ],
  [
    '[3] name and selector',
    target({ name: 'a', selector: { matchLabels: { a: 'b' } } }),
    'target must hold exactly one of name and selector',
  ],
  ['[3] neither name nor selector', target({}), 'target must hold exactly one of name and selector'],
  [
    '[5] In with no values',
    selector({ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }),
    'values must be given for operator In',
  ],
  [
    '[5] In without values',
    selector({ matchExpressions: [{ key: 'a', operator: 'In' }] }),
    'values must be given for operator In',
  ],
  [
    '[5] Exists with values',
    selector({ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] }),
    'values must be given for operator In',
  ],
  [
    '[5] an unknown operator',
    selector({ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }),
    'spec.target.selector.matchExpressions[0].operator',
  ],
  [
    '[6] a label key of 64 characters',
    selector({ matchLabels: { ['a'.repeat(64)]: 'b' } }),
    'matchLabels keys must be label keys',
  ],
  ['[6] a label key with blanks', selector({ matchLabels: { 'a b': 'c' } }), 'matchLabels keys must be label keys'],
  [
    '[6] a label key of 318 characters',
    selector({ matchLabels: { [`${'a'.repeat(316)}/b`]: 'c' } }),
    'matchLabels keys must have at most 317 characters',
  ],
  [
    '[6] a label value of 64 characters',
    selector({ matchLabels: { a: 'b'.repeat(64) } }),
    'spec.target.selector.matchLabels.a',
  ],
  ['[6] a label value with a blank', selector({ matchLabels: { a: 'b c' } }), 'spec.target.selector.matchLabels.a'],
  [
    '[6] the key of an expression with bad characters',
    selector({ matchExpressions: [{ key: '-a', operator: 'Exists' }] }),
    'matchExpressions[0].key',
  ],
  [
    '17 labels',
    selector({ matchLabels: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`l${i}`, 'x'])) }),
    'spec.target.selector.matchLabels',
  ],
  ['[9] kind Job', policy({ target: { kind: 'Job', name: 'a' } }), 'spec.target.kind'],
  ['[9] kind Node', policy({ target: { kind: 'Node', name: 'a' } }), 'spec.target.kind'],
  ['[9] kind deployment', policy({ target: { kind: 'deployment', name: 'a' } }), 'spec.target.kind'],
  [
    '[9] a DaemonSet with a scale step',
    { ...ladder({ action: 'scale_up' }), target: { kind: 'DaemonSet', name: 'a' } },
    'remedies must hold no scale_up and no scale_down for target.kind DaemonSet',
  ],
  ['[10] a name with a slash', target({ name: 'a/b' }), 'spec.target.name'],
  ['[10] a name in upper case', target({ name: 'Checkout' }), 'spec.target.name'],
  ['[10] a name of 254 characters', target({ name: 'a'.repeat(254) }), 'spec.target.name'],
  ['[10] a name with a homoglyph', target({ name: 'сheckout' }), 'spec.target.name'],
  ['[13] NaN as a decimal', policy({ detection: { anomalyThreshold: 'NaN' } }), 'spec.detection.anomalyThreshold'],
  ['[13] 1e9 as a decimal', metric({ ...query, limit: { enter: '1e9', leave: '1' } }), 'limit.enter'],
  ['[13] a decimal comma', policy({ detection: { anomalyThreshold: '0,85' } }), 'spec.detection.anomalyThreshold'],
  ['[14] a text for an integer', policy({ priority: '100' }), 'spec.priority'],
  [
    '[14] a number for a decimal text',
    policy({ detection: { anomalyThreshold: 0.85 } }),
    'spec.detection.anomalyThreshold',
  ],
  ['[14] per cent for an integer', policy({ limits: { maxActionsPerHour: '5%' } }), 'spec.limits.maxActionsPerHour'],
  ['a threshold of 0', policy({ detection: { anomalyThreshold: '0.0' } }), 'spec.detection.anomalyThreshold'],
  ['a threshold above 1', policy({ detection: { anomalyThreshold: '1.1' } }), 'spec.detection.anomalyThreshold'],
  ['a priority of 1001', policy({ priority: 1001 }), 'spec.priority'],
  [
    '[16] breaches above polls',
    policy({ detection: { trigger: { breaches: 6, polls: 5 } } }),
    'trigger.breaches must be at most trigger.polls',
  ],
  [
    '[16] breaches above the default of polls',
    policy({ detection: { trigger: { breaches: 6 } } }),
    'trigger.breaches must be at most trigger.polls',
  ],
  ['[16] breaches 0', policy({ detection: { trigger: { breaches: 0 } } }), 'spec.detection.trigger.breaches'],
  [
    '[16] breaches 10^6',
    policy({ detection: { trigger: { breaches: 1e6, polls: 1e6 } } }),
    'spec.detection.trigger.breaches',
  ],
  ['[17] seconds 0', policy({ approval: { timeoutSeconds: 0 } }), 'spec.approval.timeoutSeconds'],
  ['[17] seconds -1', policy({ verification: { stabilizationSeconds: -1 } }), 'spec.verification.stabilizationSeconds'],
  ['[17] seconds 1.5', policy({ verification: { timeoutSeconds: 1.5 } }), 'spec.verification.timeoutSeconds'],
  ['[17] seconds beyond the maximum', policy({ diagnosis: { windowSeconds: 3601 } }), 'spec.diagnosis.windowSeconds'],
  ['[17] seconds "5m"', policy({ limits: { minPodAgeSeconds: '5m' } }), 'spec.limits.minPodAgeSeconds'],
  ['[18] an interval of 4', policy({ detection: { intervalSeconds: 4 } }), 'spec.detection.intervalSeconds'],
  ['[18] an interval of 3601', policy({ detection: { intervalSeconds: 3601 } }), 'spec.detection.intervalSeconds'],
  ['[18] an interval of 2^63', policy({ detection: { intervalSeconds: 2 ** 63 } }), 'spec.detection.intervalSeconds'],
  ['[19] a cooldown of 0', policy({ limits: { cooldownSeconds: 0 } }), 'spec.limits.cooldownSeconds'],
  ['[20] 0 actions an hour', policy({ limits: { maxActionsPerHour: 0 } }), 'spec.limits.maxActionsPerHour'],
  ['[20] -1 actions an hour', policy({ limits: { maxActionsPerHour: -1 } }), 'spec.limits.maxActionsPerHour'],
  ['[20] 10^9 actions an hour', policy({ limits: { maxActionsPerHour: 1e9 } }), 'spec.limits.maxActionsPerHour'],
  [
    '[21] minReplicas above maxReplicas',
    policy({ limits: { minReplicas: 5, maxReplicas: 4 } }),
    'limits.minReplicas must be at most limits.maxReplicas',
  ],
  ['[21] minReplicas 0', policy({ limits: { minReplicas: 0 } }), 'spec.limits.minReplicas'],
  ['[21] maxReplicas 10^6', policy({ limits: { maxReplicas: 1e6 } }), 'spec.limits.maxReplicas'],
  ['[23] maxDisrupted 0', policy({ limits: { maxDisrupted: 0 } }), 'spec.limits.maxDisrupted'],
  ['[23] maxDisrupted "0%"', policy({ limits: { maxDisrupted: '0%' } }), 'spec.limits.maxDisrupted'],
  ['[23] maxDisrupted "150%"', policy({ limits: { maxDisrupted: '150%' } }), 'spec.limits.maxDisrupted'],
  ['[23] maxDisrupted "-1"', policy({ limits: { maxDisrupted: '-1' } }), 'spec.limits.maxDisrupted'],
  ['[23] maxDisrupted "1.5"', policy({ limits: { maxDisrupted: '1.5' } }), 'spec.limits.maxDisrupted'],
  ['[23] maxDisrupted -1', policy({ limits: { maxDisrupted: -1 } }), 'spec.limits.maxDisrupted'],
  ['[24] an unknown action', ladder({ action: 'reboot_node' }), 'steps[0].action'],
  ['[24] Restart_Pod', ladder({ action: 'Restart_Pod' }), 'steps[0].action'],
  [
    '[24] a rung twice',
    ladder({ action: 'restart_pod' }, { action: 'restart_pod' }),
    'steps must name each action at most once',
  ],
  [
    'a group with another step between its own',
    ladder({ action: 'scale_up', group: 'a' }, { action: 'clear_cache' }, { action: 'throttle_api', group: 'a' }),
    'steps of one group must stand next to each other',
  ],
  [
    'an alert among alternatives',
    ladder({ action: 'scale_up', group: 'a' }, { action: 'alert_admin', group: 'a' }),
    'group is for steps that change something',
  ],
  ['a group that is no name', ladder({ action: 'scale_up', group: 'A b' }), 'spec.remedies[0].steps[0].group'],
  [
    '[24] 10 000 rungs',
    ladder(...Array.from({ length: 10_000 }, () => ({ action: 'restart_pod' }))),
    'steps: Too many',
  ],
  ['no rung', policy({ remedies: [{ on: ['any'], steps: [] }] }), 'spec.remedies[0].steps'],
  ['remedies empty', policy({ remedies: [] }), 'spec.remedies'],
  ['on empty', policy({ remedies: [{ on: [], steps: [{ action: 'restart_pod' }] }] }), 'spec.remedies[0].on'],
  [
    'on in upper case',
    policy({ remedies: [{ on: ['ANY'], steps: [{ action: 'restart_pod' }] }] }),
    'spec.remedies[0].on[0]',
  ],
  [
    'a trigger twice',
    policy({ remedies: [{ on: ['any', 'any'], steps: [{ action: 'restart_pod' }] }] }),
    'spec.remedies[0].on[1]: Duplicate value',
  ],
  ['six attempts', ladder({ action: 'restart_pod', attempts: 6 }), 'steps[0].attempts'],
  [
    '[25] scale on restart_pod',
    ladder({ action: 'restart_pod', scale: {} }),
    'scale is a parameter of scale_up and scale_down only',
  ],
  [
    '[25] throttle on scale_up',
    ladder({ action: 'scale_up', throttle: {} }),
    'throttle is a parameter of throttle_api only',
  ],
  [
    '[25] cache on restart_pod',
    ladder({ action: 'restart_pod', cache: { http: { port: 80, path: '/' } } }),
    'cache is a parameter of clear_cache only',
  ],
  [
    '[25] notify on restart_pod',
    ladder({ action: 'restart_pod', notify: { sinks: ['a'] } }),
    'notify is a parameter of alert_admin only',
  ],
  [
    'a cache with two ways',
    ladder({
      action: 'clear_cache',
      cache: { http: { port: 80, path: '/' }, exec: { container: 'a', command: ['b'] } },
    }),
    'cache must hold exactly one of http and exec',
  ],
  [
    'a cache without a way',
    ladder({ action: 'clear_cache', cache: {} }),
    'cache must hold exactly one of http and exec',
  ],
  [
    'a cache at another host',
    ladder({ action: 'clear_cache', cache: { http: { port: 80, path: 'http://bank/' } } }),
    'cache.http.path',
  ],
  ['metrics empty', policy({ detection: { metrics: [] } }), 'spec.detection.metrics'],
  [
    'a metric twice',
    policy({ detection: { metrics: [{ name: 'cpu_usage' }, { name: 'cpu_usage' }] } }),
    'spec.detection.metrics[1]: Duplicate value',
  ],
  ['a metric that is no preset', metric({ name: 'queue' }), 'name must be a preset'],
  [
    'a query without a unit',
    metric({ name: 'queue', query: 'x', direction: 'Above' }),
    'unit and direction must be given with a query',
  ],
  [
    'a preset with a unit of its own',
    metric({ name: 'cpu_usage', unit: 'cores' }),
    'unit and direction must be given with a query',
  ],
  [
    'a limit on both sides',
    metric({ ...query, direction: 'Both', limit: { enter: '5', leave: '4' } }),
    'limit needs direction Above or Below',
  ],
  [
    'a limit that is left before it is entered',
    metric({ ...query, limit: { enter: '5', leave: '6' } }),
    'limit.leave must lie on the healthy side of limit.enter',
  ],
  [
    'a lower limit that is left before it is entered',
    metric({ ...query, direction: 'Below', limit: { enter: '5', leave: '4' } }),
    'limit.leave must lie on the healthy side of limit.enter',
  ],
  ['[26] PromQL over its length', metric({ ...query, query: 'x'.repeat(4097) }), 'metrics[0].query'],
  [
    'stabilization above the time-out',
    policy({ verification: { stabilizationSeconds: 301 } }),
    'verification.stabilizationSeconds must be at most verification.timeoutSeconds',
  ],
  [
    '[35] NUL in a text',
    policy({ pauseRequests: [{ name: 'a', reason: 'x\u0000y' }] }),
    'spec.pauseRequests[0].reason',
  ],
  ['[35] ANSI in a text', policy({ rules: [{ ...rule, message: '\u001b[31mred' }] }), 'spec.rules[0].message'],
  [
    '[35] a text of 1 MiB',
    policy({ pauseRequests: [{ name: 'a', reason: 'x'.repeat(1 << 20) }] }),
    'spec.pauseRequests[0].reason',
  ],
  ['[37] yes for an enum', policy({ mode: 'yes' }), 'spec.mode'],
  ['[37] true for an enum', policy({ mode: true }), 'spec.mode'],
  [
    '[47] a window of no length',
    policy({ windows: [{ ...window, durationSeconds: 0 }] }),
    'spec.windows[0].durationSeconds',
  ],
  [
    'a window without an effect',
    policy({ windows: [{ schedule: '0 * * * *', durationSeconds: 60 }] }),
    'spec.windows[0].effect: Required value',
  ],
  ['a rule of blanks', policy({ rules: [{ ...rule, expression: '  ' }] }), 'expression must not be blank'],
  ['a rule twice', policy({ rules: [rule, rule] }), 'spec.rules[1]: Duplicate value'],
  ['17 rules', policy({ rules: Array.from({ length: 17 }, (_, i) => ({ ...rule, name: `r${i}` })) }), 'spec.rules'],
  ['an address as a sink', policy({ notifications: [{ sink: 'https://bank' }] }), 'spec.notifications[0].sink'],
];

const engine = (url: string): Json => ({ policyEngine: { url } });

/** Rows of AegisGuardrail. */
export const GUARDRAIL_REFUSALS: readonly Refusal[] = [
  ['[32] userinfo in the address', engine('https://user:pass@engine/'), 'spec.policyEngine.url'],
  ['[32] a line break in the address', engine('https://engine/\r\nX-Evil: 1'), 'spec.policyEngine.url'],
  ['[32] an address of 8 KiB', engine(`https://engine/${'x'.repeat(8192)}`), 'spec.policyEngine.url'],
  ['[32] a host that is not ASCII', engine('https://enginе/'), 'spec.policyEngine.url'],
  ['[32] a file', engine('file:///etc/passwd'), 'spec.policyEngine.url'],
  ['an engine without an address', { policyEngine: {} }, 'spec.policyEngine.url: Required value'],
  ['[45] a storm of 0 per cent', { storm: { unhealthyPercent: 0 } }, 'spec.storm.unhealthyPercent'],
  ['[45] a storm of 101 per cent', { storm: { unhealthyPercent: 101 } }, 'spec.storm.unhealthyPercent'],
  ['[45] a budget of -1', { budget: { maxActionsPerHour: -1 } }, 'spec.budget.maxActionsPerHour'],
  ['[45] an unknown action', { allowedActions: ['reboot_node'] }, 'spec.allowedActions[0]'],
  ['an action twice', { allowedActions: ['restart_pod', 'restart_pod'] }, 'spec.allowedActions[1]: Duplicate value'],
  ['[47] a window of no length', { windows: [{ ...window, durationSeconds: 0 }] }, 'spec.windows[0].durationSeconds'],
  ['a mode that does not exist', { maxMode: 'Always' }, 'spec.maxMode'],
  ['a command without arguments', { execCommands: [[]] }, 'spec.execCommands[0]'],
  ['a switch in words', { suspended: 'yes' }, 'spec.suspended'],
  [
    '[6] a label key with blanks',
    { namespaceSelector: { matchLabels: { 'a b': 'c' } } },
    'matchLabels keys must be label keys',
  ],
  [
    '[6] a label key of 318 characters',
    { namespaceSelector: { matchLabels: { [`${'a'.repeat(316)}/b`]: 'c' } } },
    'matchLabels keys must have at most 317',
  ],
  [
    '[5] In with no values',
    { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    'values must be given for operator In',
  ],
  ['a rule of blanks', { rules: [{ ...rule, expression: ' ' }] }, 'expression must not be blank'],
];

/** A change to a valid action's spec that the API server must refuse when the action is created. */
export const ACTION_CREATE_REFUSALS: readonly Refusal[] = [
  ['no parameters', { parameters: {} }, 'parameters must hold exactly one of restart, scale, throttle, cache, alert'],
  [
    'parameters of two actions',
    { parameters: { restart: { method: 'evict' }, alert: { sinks: [] } } },
    'parameters must hold exactly one of',
  ],
  ['parameters of another action', { action: 'scale_up' }, 'parameters must be those of action'],
  [
    'a cache with two ways',
    {
      action: 'clear_cache',
      parameters: { cache: { http: { port: 80, path: '/' }, exec: { container: 'a', command: ['b'] } } },
    },
    'cache must hold exactly one of http and exec',
  ],
  ['a failure type that does not exist', { diagnosis: { failureType: 'gremlins' } }, 'spec.diagnosis.failureType'],
  ['a time that is none', { decidedTime: 'soon' }, 'spec.decidedTime'],
  ['a number that is none', { severityScore: 'NaN' }, 'spec.severityScore'],
];

/** [48] A merge patch of a stored action's spec that must be refused, with the field that the refusal names. */
export const ACTION_EDIT_REFUSALS: readonly Refusal[] = [
  ['another policy', { policyRef: { name: 'other' } }, 'spec.policyRef is immutable'],
  ['another incident', { incidentId: 'other' }, 'spec.incidentId is immutable'],
  ['another step', { step: 5 }, 'spec.step is immutable'],
  ['another attempt', { attempt: 5 }, 'spec.attempt is immutable'],
  ['another action', { action: 'alert_admin' }, 'spec.action is immutable'],
  ['another target', { target: { name: 'bank' } }, 'spec.target is immutable'],
  ['another pod', { pods: [{ name: 'b', uid: 'b' }] }, 'spec.pods is immutable'],
  ['other parameters', { parameters: { restart: { method: 'rollout' } } }, 'spec.parameters is immutable'],
  ['another baseline', { baseline: { desiredReplicas: 9 } }, 'spec.baseline is immutable'],
  ['another diagnosis', { diagnosis: { advice: 'none' } }, 'spec.diagnosis is immutable'],
  ['another score', { severityScore: '0.1' }, 'spec.severityScore is immutable'],
  ['other metrics', { triggerMetrics: [] }, 'spec.triggerMetrics is immutable'],
  ['another reason', { reason: 'because' }, 'spec.reason is immutable'],
  ['another time of the decision', { decidedTime: '2020-01-01T00:00:00Z' }, 'spec.decidedTime is immutable'],
  ['a longer life', { expiresTime: '2099-01-01T00:00:00Z' }, 'spec.expiresTime is immutable'],
  ['DryRun made real', { execution: 'DryRun' }, 'spec.execution is immutable'],
  ['another hash', { policyHash: 'ffff' }, 'spec.policyHash is immutable'],
  ['approval no longer asked for', { approvalRequired: false }, 'spec.approvalRequired is immutable'],
];
