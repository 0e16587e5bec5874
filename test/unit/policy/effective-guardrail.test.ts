import { describe, expect, test } from '@jest/globals';
import { ACTIONS } from '../../../src/policy/action.ts';
import { effectiveGuardrail, lowerMode } from '../../../src/policy/effective-guardrail.ts';
import { aGuardrail } from '../../support/builders/policy.ts';

const TEAM = { matchLabels: { team: 'shop' }, matchExpressions: [] };
const window = { schedule: '0 3 * * *', durationSeconds: 60, timeZone: 'UTC', effect: 'Allow' } as const;
const engine = { url: 'https://engine.example', type: 'OPA', timeoutSeconds: 3, failurePolicy: 'Deny' } as const;

test('without a guardrail the built-in defaults hold', () => {
  expect(effectiveGuardrail([])).toEqual({
    suspendedBy: [],
    maxMode: 'Auto',
    allowedActions: ACTIONS,
    budgets: [
      {
        guardrail: 'built-in',
        scope: { matchLabels: {}, matchExpressions: [] },
        limits: { maxActionsPerMinute: 5, maxActionsPerHour: 30, maxConcurrent: 3 },
      },
    ],
    storm: { unhealthyPercent: 40, minTargets: 3, cooldownSeconds: 600 },
    windows: [],
    rules: [],
    holdWhileAlertsFiring: [],
    customQueries: 'Allow',
    execCommands: [],
    policyEngines: [],
  });
});

describe('the strictest wins', () => {
  const rule = { name: 'r', expression: 'true', effect: 'Deny' } as const;
  const merged = effectiveGuardrail([
    aGuardrail({
      name: 'a',
      maxMode: 'Approve',
      allowedActions: ['restart_pod', 'scale_up', 'alert_admin'],
      storm: { unhealthyPercent: 50, minTargets: 2, cooldownSeconds: 60 },
      windows: [window],
      rules: [rule],
      holdWhileAlertsFiring: ['X', 'Y'],
      execCommands: [
        ['redis-cli', 'flushall'],
        ['a', 'b'],
      ],
      policyEngine: engine,
    }),
    aGuardrail({
      name: 'b',
      suspended: true,
      allowedActions: ['scale_up', 'alert_admin', 'clear_cache'],
      storm: { unhealthyPercent: 30, minTargets: 5, cooldownSeconds: 900 },
      holdWhileAlertsFiring: ['Y', 'Z'],
      customQueries: 'Deny',
      execCommands: [
        ['redis-cli', 'flushall'],
        ['a', 'b', 'c'],
      ],
    }),
  ]);

  test.each<readonly [keyof typeof merged, unknown]>([
    ['suspendedBy', ['b']],
    ['maxMode', 'Approve'],
    ['allowedActions', ['scale_up', 'alert_admin']],
    ['storm', { unhealthyPercent: 30, minTargets: 2, cooldownSeconds: 900 }],
    ['windows', [[window]]],
    ['rules', [rule]],
    ['holdWhileAlertsFiring', ['X', 'Y', 'Z']],
    ['customQueries', 'Deny'],
    ['execCommands', [['redis-cli', 'flushall']]],
    ['policyEngines', [engine]],
  ])('%s', (field, expected) => expect(merged[field]).toEqual(expected));

  test('a guardrail that lists no command allows none, whatever another lists', () => {
    expect(effectiveGuardrail([aGuardrail({ execCommands: [['a']] }), aGuardrail()]).execCommands).toEqual([]);
  });
});

describe('budgets', () => {
  const names = (...guardrails: Parameters<typeof effectiveGuardrail>[0][number][]) =>
    effectiveGuardrail(guardrails).budgets.map(({ guardrail }) => guardrail);

  test('a guardrail for some namespaces adds to the built-in budget', () => {
    expect(names(aGuardrail({ name: 'team', namespaceSelector: TEAM }))).toEqual(['team', 'built-in']);
  });
  test('one that selects all replaces it', () => {
    expect(names(aGuardrail({ name: 'team', namespaceSelector: TEAM }), aGuardrail())).toEqual(['team', 'cluster']);
  });
});

test.each([
  ['Observe', 'Auto', 'Observe'],
  ['Auto', 'Approve', 'Approve'],
  ['Auto', 'Auto', 'Auto'],
] as const)('the lower of %s and %s is %s', (a, b, expected) => {
  expect([lowerMode(a, b), lowerMode(b, a)]).toEqual([expected, expected]);
});
