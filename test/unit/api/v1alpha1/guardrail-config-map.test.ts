import { describe, expect, test } from '@jest/globals';
import { parseGuardrail } from '../../../../src/api/v1alpha1/convert-guardrail.ts';
import { parseGuardrailConfigMap } from '../../../../src/api/v1alpha1/guardrail-config-map.ts';

const map = (data?: Record<string, unknown>) => ({
  ...{
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'aegis-system', name: 'aegis-guardrail', uid: 'c-1' },
  },
  ...(data !== undefined && { data }),
});
const NAME = 'ConfigMap aegis-system/aegis-guardrail';

describe('a guardrail in a ConfigMap', () => {
  test.each([
    ['without data', map()],
    ['with empty data', map({})],
  ])('%s is the built-in one', (_, object) => {
    expect(parseGuardrailConfigMap(object)).toEqual(parseGuardrail({ metadata: { name: NAME, uid: 'c-1' }, spec: {} }));
  });

  test.each<[what: string, data: Record<string, string>, value: Record<string, unknown>]>([
    ['the kill switch', { suspended: 'true' }, { suspended: true }],
    ['the kill switch with a line break behind it', { suspended: 'true\n' }, { suspended: true }],
    ['a word without quotes', { maxMode: 'Approve' }, { maxMode: 'Approve' }],
    ['a list', { allowedActions: '["restart_pod"]' }, { allowedActions: ['restart_pod'] }],
    [
      'an object, its other fields by default',
      { budget: '{"maxActionsPerHour": 2}' },
      { budget: { maxActionsPerHour: 2, maxConcurrent: 3 } },
    ],
  ])('takes %s', (_, data, value) => {
    expect(parseGuardrailConfigMap(map(data))).toMatchObject({ kind: 'valid', value: { name: NAME, ...value } });
  });

  test.each<[what: string, data: Record<string, string>, path: string]>([
    ['a slip of the pen', { suspend: 'true' }, 'data.suspend'],
    ['a kill switch that is neither on nor off', { suspended: 'yes' }, 'data.suspended'],
    ['an empty kill switch', { suspended: '' }, 'data.suspended'],
    ['a selector of namespaces', { namespaceSelector: '{}' }, 'data.namespaceSelector'],
    ['JSON that is cut', { budget: '{"maxActionsPerHour": 2' }, 'data.budget'],
    ['a number out of range', { budget: '{"maxActionsPerHour": 0}' }, 'data.budget.maxActionsPerHour'],
  ])('with %s is invalid, so that it holds', (_, data, path) => {
    const parsed = parseGuardrailConfigMap(map(data));
    expect(parsed.kind === 'invalid' && parsed.problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('names every problem at once', () => {
    const parsed = parseGuardrailConfigMap(map({ suspend: 'true', maxMode: 'Turbo' }));
    expect(parsed.kind === 'invalid' && parsed.problems.map(({ path }) => path)).toEqual([
      'data.suspend',
      'data.maxMode',
    ]);
  });
});
