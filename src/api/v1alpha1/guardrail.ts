import { z } from 'zod';
import { ACTIONS } from '../../policy/action.ts';
import { holdWhileAlertsFiring, rules, windows } from './brakes.ts';
import { condition, generation, integer, list, namedList, oneOf, openSelector, seconds, set } from './fields.ts';
import { MODES } from './healing-policy.ts';
import { command } from './remedies.ts';
import { describe } from './rules.ts';

/**
 * An address without userinfo: a host of ASCII letters (or a bracketed IPv6 address), then at most a port and a
 * path of printable ASCII. Credentials in an address would show up in every log.
 */
const ENGINE_URL = /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?(\/[!-~]*)?$/;

const policyEngine = describe(
  z.object({
    url: describe(
      z.string().min(8).max(2048).regex(ENGINE_URL),
      'Address of the engine: http or https, ASCII, without userinfo. Its host must be on the administrator’s list.',
    ),
    type: oneOf(['Aegis', 'OPA'], 'Which exchange the engine speaks.').default('Aegis'),
    timeoutSeconds: seconds(30, 'Seconds to wait for an answer.').default(3),
    failurePolicy: oneOf(['Deny', 'Allow'], 'What no answer means.').default('Deny'),
  }),
  'An external engine that is asked before every action.',
);

/** `spec` of an AegisGuardrail, defaults filled. */
export const GuardrailSpec = describe(
  z.object({
    namespaceSelector: openSelector('Namespaces whose policies it bounds; the empty selector selects all.').prefault(
      {},
    ),
    suspended: describe(
      z.boolean(),
      'Kill switch: no effect while true. Verification, due undos and alerts go on; it never resumes by itself.',
    ).default(false),
    maxMode: oneOf(MODES, 'Cap on the mode of every policy.').default('Auto'),
    allowedActions: set(
      oneOf(ACTIONS, 'An action.'),
      { max: ACTIONS.length },
      'Actions that may be done; an empty list allows none.',
    ).default([...ACTIONS]),
    budget: describe(
      z.object({
        maxActionsPerMinute: integer(1, 1000, 'Actions in any minute; each pod treated counts.').default(5),
        maxActionsPerHour: integer(1, 10_000, 'Actions in any hour; each pod treated counts.').default(30),
        maxConcurrent: integer(1, 100, 'Actions under way at once.').default(3),
      }),
      'For all policies that it selects, together.',
    ).prefault({}),
    storm: describe(
      z.object({
        unhealthyPercent: integer(
          1,
          100,
          'More than this share of the watched workloads anomalous is a storm.',
        ).default(40),
        minTargets: integer(1, 10_000, 'And at least so many workloads.').default(3),
        cooldownSeconds: seconds(86_400, 'Seconds for which the brake stays on afterwards.').default(600),
      }),
      'When many workloads turn anomalous together nothing is done: healing each would make it worse.',
    ).prefault({}),
    windows: windows.default([]),
    rules: rules.default([]),
    holdWhileAlertsFiring: holdWhileAlertsFiring.default([]),
    customQueries: oneOf(['Allow', 'Deny'], 'Whether policies may hold PromQL of their own.').default('Allow'),
    execCommands: list(
      command('One argument vector, compared as a whole.'),
      { max: 32 },
      'Commands that clear_cache may run in a container, each argument for argument; none by default.',
    ).default([]),
    policyEngine: policyEngine.optional(),
  }),
  'Bounds every policy in the namespaces that it selects. Of several guardrails the strictest wins.',
);
export type GuardrailSpec = z.output<typeof GuardrailSpec>;

/** `status` of an AegisGuardrail. */
export const GuardrailStatus = describe(
  z.object({
    observedGeneration: generation('Generation of the spec that this status is about.').optional(),
    conditions: namedList(
      condition(['Accepted', 'Suspended'], 'A condition of the guardrail.'),
      'type',
      { max: 4 },
      'Accepted: whether the guardrail makes sense. Suspended: no effect begins under it.',
    ).optional(),
    boundPolicies: integer(
      0,
      1_000_000,
      'Policies in the namespaces that it selects; absent while it is invalid.',
    ).optional(),
  }),
  'What Aegis makes of it. An invalid guardrail holds every effect, in all namespaces.',
);
export type GuardrailStatus = z.output<typeof GuardrailStatus>;
