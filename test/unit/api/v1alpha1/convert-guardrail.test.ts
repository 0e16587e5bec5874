import { describe, expect, test } from '@jest/globals';
import { parseGuardrail } from '../../../../src/api/v1alpha1/convert-guardrail.ts';
import { ACTIONS } from '../../../../src/policy/action.ts';
import { aGuardrailObject } from '../../../support/builders/api.ts';

describe('an empty guardrail', () => {
  test('is the built-in one: it selects all namespaces and holds the default budget', () => {
    expect(parseGuardrail(aGuardrailObject())).toEqual({
      kind: 'valid',
      value: {
        name: 'all',
        uid: '',
        generation: 0,
        namespaceSelector: { matchLabels: {}, matchExpressions: [] },
        suspended: false,
        maxMode: 'Auto',
        allowedActions: [...ACTIONS],
        budget: { maxActionsPerMinute: 5, maxActionsPerHour: 30, maxConcurrent: 3 },
        storm: { unhealthyPercent: 40, minTargets: 3, cooldownSeconds: 600 },
        windows: [],
        rules: [],
        holdWhileAlertsFiring: [],
        customQueries: 'Allow',
        execCommands: [],
      },
    });
  });
});

describe('a guardrail', () => {
  test('that allows no action allows none: an empty list never means all', () => {
    expect(parseGuardrail(aGuardrailObject({ allowedActions: [] }))).toMatchObject({ value: { allowedActions: [] } });
  });

  test('with an engine has its defaults: three seconds, and no answer denies', () => {
    const policyEngine = { url: 'https://engine.example:8181/v1/data' };
    expect(parseGuardrail(aGuardrailObject({ policyEngine }))).toMatchObject({
      value: { policyEngine: { ...policyEngine, type: 'Aegis', timeoutSeconds: 3, failurePolicy: 'Deny' } },
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a share of 0', { storm: { unhealthyPercent: 0 } }, 'spec.storm.unhealthyPercent'],
    ['a share of 101', { storm: { unhealthyPercent: 101 } }, 'spec.storm.unhealthyPercent'],
    ['a negative budget', { budget: { maxActionsPerHour: -1 } }, 'spec.budget.maxActionsPerHour'],
    ['an unknown action', { allowedActions: ['Restart_Pod'] }, 'spec.allowedActions[0]'],
    ['userinfo in the address', { policyEngine: { url: 'https://user:pass@engine/' } }, 'spec.policyEngine.url'],
    ['a line break in the address', { policyEngine: { url: 'https://engine/\r\nX: y' } }, 'spec.policyEngine.url'],
    ['an address of 8 KiB', { policyEngine: { url: `https://engine/${'x'.repeat(8192)}` } }, 'spec.policyEngine.url'],
    ['a host that is not ASCII', { policyEngine: { url: 'https://enginе/' } }, 'spec.policyEngine.url'],
    ['a file', { policyEngine: { url: 'file:///etc/passwd' } }, 'spec.policyEngine.url'],
    [
      'a window of no length',
      { windows: [{ schedule: '* * * * *', durationSeconds: 0, effect: 'Deny' }] },
      'spec.windows[0].durationSeconds',
    ],
    [
      'a schedule that means nothing',
      { windows: [{ schedule: 'x', durationSeconds: 9, effect: 'Deny' }] },
      'spec.windows[0]',
    ],
  ])('with %s is invalid', (_, spec, path) => {
    const parsed = parseGuardrail(aGuardrailObject(spec));
    expect(parsed.kind === 'valid' ? [] : parsed.problems.map((problem) => problem.path)).toEqual([path]);
  });
});
