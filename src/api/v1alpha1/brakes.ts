import { z } from 'zod';
import { describe } from './rules.ts';
import { dnsLabel, list, namedList, oneOf, seconds, set, text } from './fields.ts';

/** Fields that policy and guardrail share: windows, rules, alerts that hold. */

const window = describe(
  z.object({
    schedule: describe(
      z
        .string()
        .min(1)
        .max(128)
        .regex(/^[ -~]*$/),
      'Cron expression of five fields: when the window opens.',
    ),
    durationSeconds: seconds(604_800, 'Seconds that the window stays open.'),
    timeZone: describe(
      z
        .string()
        .min(1)
        .max(64)
        .regex(/^[A-Za-z0-9_+\-/]+$/),
      'IANA time zone of the schedule.',
    ).default('UTC'),
    effect: oneOf(['Allow', 'Deny'], 'Whether actions are allowed or denied while the window is open.'),
  }),
  'A recurring window of time.',
);

export const windows = list(
  window,
  { max: 32 },
  'When actions may start. Deny wins; with any Allow, all other time is closed.',
);

export const holdWhileAlertsFiring = set(
  text(128, 'Name of a Prometheus alert.'),
  { max: 32 },
  'Nothing is done while one of these alerts fires, or while the alerts cannot be read.',
);

const rule = describe(
  z.object({
    name: dnsLabel('Name of the rule; a denial shows it.'),
    expression: describe(
      text(2048, ''),
      'CEL expression that gives a boolean; variables: action, target, incident, diagnosis, metrics, policy, cluster, now.',
      [
        {
          cel: "self.matches('\\\\S')",
          message: 'expression must not be blank',
          holds: (it) => /\S/.test(it),
        },
      ],
    ),
    effect: oneOf(['Deny', 'RequireApproval'], 'What follows when the expression is true.'),
    message: text(256, 'Sentence that people are shown when the rule applies.').optional(),
  }),
  'A rule over the action that is about to be done.',
);

export const rules = namedList(rule, 'name', { max: 16 }, 'Rules that can deny an action or ask for approval.');
