import { describe, expect, test } from '@jest/globals';
import { parsePolicyStatus, policyStatusObject } from '../../../../src/api/v1alpha1/policy-status.ts';
import type { PolicyStatus } from '../../../../src/healing/policy-status.ts';

const STATUS: PolicyStatus = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'TargetNotFound',
      message: 'no Deployment checkout',
      observedGeneration: 3,
      lastTransitionMs: 1_700_000_000_123,
    },
  ],
  targets: { matched: 2, anomalous: 1, unknown: 1 },
  incidents: [
    {
      id: 'i-1',
      workload: 'Deployment shop/checkout',
      failureType: 'memory_leak',
      severity: 'high',
      sinceMs: 1_700_000_000_000,
      step: 1,
      decision: 'hold',
      reason: 'Cooldown: 120 s left',
    },
  ],
  lastAction: {
    name: 'checkout-1',
    action: 'restart_pod',
    target: 'Deployment shop/checkout',
    outcome: 'Healed',
    atMs: 1_700_000_000_001,
  },
};

describe("a policy's status", () => {
  test('is read back as it was written', () => {
    const status: unknown = JSON.parse(JSON.stringify(policyStatusObject(STATUS)));
    expect(parsePolicyStatus({ status })).toEqual(STATUS);
  });

  test('holds ten incidents, and texts that the API server takes', () => {
    const incidents = Array.from({ length: 12 }, () => ({ ...STATUS.incidents[0]!, reason: 'x'.repeat(5000) }));
    const parsed = parsePolicyStatus({ status: policyStatusObject({ ...STATUS, incidents }) });
    expect(parsed?.incidents).toHaveLength(10);
    expect(parsed?.incidents[0]?.reason).toHaveLength(1024);
  });

  test.each<[string, unknown]>([
    ['absent', {}],
    ['forged', { status: { observedGeneration: 1, conditions: [{ type: 'Owned' }] } }],
    ['a text', { status: 'fine' }],
  ])('that is %s is none', (_, object) => {
    expect(parsePolicyStatus(object)).toBeUndefined();
  });
});
