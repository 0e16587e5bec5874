import { describe, expect, test } from '@jest/globals';
import { parsePolicy } from '../../../../src/api/v1alpha1/convert-policy.ts';
import type { HealingPolicy } from '../../../../src/policy/healing-policy.ts';
import { aPolicyObject } from '../../../support/builders/api.ts';

function valid(object: unknown): HealingPolicy {
  const parsed = parsePolicy(object);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function problems(object: unknown): string[] {
  const parsed = parsePolicy(object);
  return parsed.kind === 'valid' ? [] : parsed.problems.map(({ path, reason }) => `${path} ${reason}`);
}

describe('the shortest policy', () => {
  test('has the defaults that a careful operator would choose', () => {
    const metadata = { uid: 'u', generation: 2, creationTimestamp: '2023-11-14T22:13:20Z' };
    const { hash, ...policy } = valid(aPolicyObject({}, metadata));
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(policy).toEqual({
      name: 'checkout',
      namespace: 'shop',
      uid: 'u',
      generation: 2,
      createdAtMs: 1_700_000_000_000,
      mode: 'Auto',
      priority: 100,
      pauseRequests: [],
      target: { kind: 'Deployment', name: 'checkout' },
      detection: {
        intervalSeconds: 15,
        metrics: [],
        trafficSource: 'Auto',
        anomalyThreshold: 0.85,
        minSamples: 100,
        trigger: { breaches: 3, polls: 5 },
      },
      diagnosis: { windowSeconds: 300, logs: { source: 'Kubernetes', maxLinesPerPod: 2000 } },
      remedies: [],
      limits: {
        cooldownSeconds: 300,
        maxActionsPerHour: 6,
        maxDisrupted: { percent: 25 },
        minPodAgeSeconds: 120,
        progressive: 'OneThenRest',
      },
      windows: [],
      holdWhileAlertsFiring: [],
      rules: [],
      verification: { stabilizationSeconds: 60, timeoutSeconds: 300, onIneffective: 'RollBack' },
      approval: { timeoutSeconds: 900 },
      notifications: [],
    });
  });

  test('observes where no mode is given', () => {
    expect(valid(aPolicyObject({ mode: undefined })).mode).toBe('Observe');
  });
});

describe('fields as the domain sees them', () => {
  test.each([
    ['a share', '40%', { percent: 40 }],
    ['a count', 3, { count: 3 }],
  ])('maxDisrupted as %s', (_, maxDisrupted, expected) => {
    expect(valid(aPolicyObject({ limits: { maxDisrupted } })).limits.maxDisrupted).toEqual(expected);
  });

  test('a preset brings its own unit and direction, a query those of its author', () => {
    const query = { name: 'queue', query: 'queue_length', unit: 'jobs', direction: 'Above' };
    const limit = { enter: '90', leave: '80.5' };
    const metrics = [{ name: 'error_rate' }, { ...query, limit }];
    expect(valid(aPolicyObject({ detection: { metrics } })).detection.metrics).toEqual([
      { name: 'error_rate', unit: 'ratio', direction: 'Above' },
      { ...query, limit: { enter: 90, leave: 80.5, forSeconds: 60 } },
    ]);
  });

  test('a rung carries the defaults of its parameters', () => {
    const steps = [
      { action: 'scale_up', scale: {} },
      { action: 'throttle_api', throttle: {}, attempts: 2 },
    ];
    expect(valid(aPolicyObject({ remedies: [{ on: ['any'], steps }] })).remedies).toEqual([
      {
        on: ['any'],
        minSeverity: 'low',
        steps: [
          {
            action: 'scale_up',
            attempts: 1,
            timeoutSeconds: 300,
            scale: { percent: 50, returnAfterSeconds: 1800, autoscaler: 'Leave' },
          },
          {
            action: 'throttle_api',
            attempts: 2,
            timeoutSeconds: 300,
            throttle: { provider: 'Auto', percentOfBaseline: 80, ttlSeconds: 900 },
          },
        ],
      },
    ]);
  });

  test('a selector has both halves', () => {
    const selector = { matchExpressions: [{ key: 'tier', operator: 'Exists' }] };
    expect(valid(aPolicyObject({ target: { kind: 'StatefulSet', selector } })).target).toEqual({
      kind: 'StatefulSet',
      selector: { matchLabels: {}, matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }] },
    });
  });
});

describe('the hash', () => {
  const hash = (spec: object) => valid(aPolicyObject(spec as Record<string, unknown>)).hash;

  test('does not see the order of keys, nor defaults that are written out', () => {
    expect(hash({ limits: { minReplicas: 1, maxReplicas: 5 } })).toBe(
      hash({ limits: { maxReplicas: 5, minReplicas: 1 } }),
    );
    expect(hash({ priority: 100 })).toBe(hash({}));
  });

  test('sees every change that means something', () => {
    expect(hash({ priority: 101 })).not.toBe(hash({}));
    expect(hash({ holdWhileAlertsFiring: ['A', 'B'] })).not.toBe(hash({ holdWhileAlertsFiring: ['B', 'A'] }));
  });
});

describe('what no schema can judge', () => {
  test.each<[string, object, string[]]>([
    [
      'a rule with a syntax error',
      { rules: [{ name: 'r', expression: 'action.name ==', effect: 'Deny' }] },
      ['spec.rules[r].expression RuleInvalid'],
    ],
    [
      'a rule with an unknown variable',
      { rules: [{ name: 'r', expression: 'pod.name == "x"', effect: 'Deny' }] },
      ['spec.rules[r].expression RuleInvalid'],
    ],
    [
      'a rule that gives a number',
      { rules: [{ name: 'r', expression: 'target.replicas + 1', effect: 'Deny' }] },
      ['spec.rules[r].expression RuleInvalid'],
    ],
    [
      'an unknown failure type',
      { remedies: [{ on: ['memory_leek'], steps: [{ action: 'restart_pod' }] }] },
      ['spec.remedies[0].on[0] UnknownFailureType'],
    ],
    [
      'a cron minute of 61',
      { windows: [{ schedule: '61 * * * *', durationSeconds: 60, effect: 'Deny' }] },
      ['spec.windows[0] WindowInvalid'],
    ],
    [
      'a zone on Mars',
      { windows: [{ schedule: '0 * * * *', durationSeconds: 60, effect: 'Deny', timeZone: 'Mars/Base' }] },
      ['spec.windows[0] WindowInvalid'],
    ],
    [
      'a day that never comes',
      { windows: [{ schedule: '0 0 30 2 *', durationSeconds: 60, effect: 'Deny' }] },
      ['spec.windows[0] WindowInvalid'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(problems(aPolicyObject(spec as Record<string, unknown>))).toEqual(expected);
  });

  test.each(['any', 'unknown', 'memory_leak', 'service_down', 'high_latency', 'connection_timeout', 'anomaly:queue'])(
    '%s is a trigger',
    (name) => {
      expect(problems(aPolicyObject({ remedies: [{ on: [name], steps: [{ action: 'restart_pod' }] }] }))).toEqual([]);
    },
  );

  test('a policy in a namespace of the system is Protected', () => {
    expect(problems(aPolicyObject({}, { namespace: 'kube-system' }))).toEqual(['metadata.namespace Protected']);
  });

  test('all problems come at once, each with its path', () => {
    const spec = {
      mode: 'auto',
      priority: -1,
      limits: { maxActionsPerHour: 0 },
      verification: { timeoutSeconds: '5m' },
    };
    expect(problems(aPolicyObject(spec, { namespace: 'kube-public' }))).toEqual([
      'metadata.namespace Protected',
      'spec.mode SpecInvalid',
      'spec.priority SpecInvalid',
      'spec.limits.maxActionsPerHour SpecInvalid',
      'spec.verification.timeoutSeconds SpecInvalid',
    ]);
  });

  test.each([undefined, null, 'text', 7, [], {}])('%j is no policy, and no crash', (object) => {
    expect(parsePolicy(object).kind).toBe('invalid');
  });

  test('a broken policy is told by its name', () => {
    expect(parsePolicy(aPolicyObject({ mode: 'x' }, { uid: 'u', generation: 4 }))).toMatchObject({
      kind: 'invalid',
      name: 'checkout',
      namespace: 'shop',
      uid: 'u',
      generation: 4,
    });
  });

  test('unknown fields are pruned, as the API server does', () => {
    expect(valid(aPolicyObject({ limits: { minReplica: 3 } })).limits).not.toHaveProperty('minReplica');
  });
});
