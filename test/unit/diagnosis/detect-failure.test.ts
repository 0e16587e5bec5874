import { describe, expect, test } from '@jest/globals';
import type { Score } from '../../../src/detection/verdict.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import { detectFailure } from '../../../src/diagnosis/detect-failure.ts';
import type { FailureQuestion, JudgedMetric } from '../../../src/diagnosis/request-evidence.ts';
import { aQuestion, aScore, NOW, judged } from '../../support/builders/diagnosis.ts';

const MINUTE = 60_000;

/** A sample `minutesAgo`; `score` from a detector that knows no baseline unless one is given. */
function sample(
  metric: string,
  value: number,
  more: { ago?: number; score?: number; expected?: number; pod?: string } = {},
): JudgedMetric {
  const { ago = 0, score = 0, expected, pod } = more;
  const spread = (expected ?? 0) * 0.1;
  const told: Partial<Score> = expected === undefined ? {} : { expected, band: [expected - spread, expected + spread] };
  const { expected: _expected, band: _band, ...bare } = aScore('limit', { score, observed: value });
  return judged({
    metric,
    value,
    atMs: NOW - ago * MINUTE,
    labels: { service: 'api', ...(pod === undefined ? {} : { pod }) },
    detectors: score === 0 ? [] : [{ ...bare, ...told }],
    samples: expected === undefined ? 0 : 500,
  });
}

const line = (message: string, level: LogLine['level'] = 'error', ago = 0): LogLine => ({
  atMs: NOW - ago * MINUTE,
  level,
  message,
  service: 'api-service',
});

const climb = (metric: string, values: readonly number[]): JudgedMetric[] =>
  values.map((value, i) => sample(metric, value, { ago: values.length - 1 - i }));

interface Row {
  readonly name: string;
  readonly question: FailureQuestion;
  readonly type: string | null;
  readonly subtype: string | null;
  readonly category: string | null;
  readonly actions: readonly string[];
}

const crashing = {
  workload: { kind: 'Deployment', namespace: 'shop', name: 'api', desired: 3 },
  pods: [
    { name: 'api-1', ready: false, restarts: 6, waiting_reason: 'CrashLoopBackOff', exit_code: 1 },
    { name: 'api-2', ready: true },
    { name: 'api-3', ready: true },
  ],
};

const rows: readonly Row[] = [
  {
    name: "the guide's request: errors and a connection time-out",
    question: aQuestion([sample('error_rate', 0.45)], [line('Connection timeout')]),
    type: 'connection_timeout',
    subtype: 'connection_timeout',
    category: 'connection_timeout',
    actions: ['alert_admin'],
  },
  {
    name: 'memory that climbs at flat requests',
    question: aQuestion([...climb('memory_usage', [60, 68, 77, 85]), ...climb('request_rate', [100, 101, 99, 100])]),
    type: 'memory_leak',
    subtype: 'memory_leak',
    category: 'memory_leak',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'memory that climbs with the requests is no leak',
    question: aQuestion([...climb('memory_usage', [60, 68, 77, 85]), ...climb('request_rate', [100, 150, 200, 260])]),
    type: null,
    subtype: null,
    category: null,
    actions: ['no_action'],
  },
  {
    name: 'memory at 93 % with garbage collection lines',
    question: aQuestion([sample('memory_usage', 93, { score: 0.9 })], [line('GC overhead limit exceeded', 'warn')]),
    type: 'memory_leak',
    subtype: 'memory_leak',
    category: 'memory_leak',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'three errors in ten requests',
    question: aQuestion([sample('error_rate', 0.3)]),
    type: 'service_down',
    subtype: 'service_down',
    category: 'service_down',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'traffic gone to a twentieth of its baseline',
    question: aQuestion([sample('request_rate', 5, { score: 0.9, expected: 100 })]),
    type: 'service_down',
    subtype: 'service_down',
    category: 'service_down',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'a line says that the process exits',
    question: aQuestion([], [line('worker exited with code 1')]),
    type: 'service_down',
    subtype: 'service_down',
    category: 'service_down',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'a slow answer without history',
    question: aQuestion([sample('response_time', 1000)]),
    type: 'high_latency',
    subtype: 'high_latency',
    category: 'high_latency',
    actions: ['scale_up', 'alert_admin'],
  },
  {
    name: 'an answer of a second that is usual',
    question: aQuestion([sample('response_time', 1000, { score: 0.1, expected: 990 })]),
    type: null,
    subtype: null,
    category: null,
    actions: ['no_action'],
  },
  {
    name: 'text alone with a finer signature and no rule',
    question: aQuestion([], [line('write /data: No space left on device')]),
    type: 'volume_full',
    subtype: 'volume_full',
    category: null,
    actions: ['alert_admin'],
  },
  {
    name: 'Kubernetes evidence takes part: the finer name',
    question: aQuestion([], [], crashing),
    type: 'crash_loop',
    subtype: 'crash_loop',
    category: 'service_down',
    actions: ['restart_pod', 'alert_admin'],
  },
  {
    name: 'a surge: the rule names, the subtype is finer',
    question: aQuestion([
      sample('request_rate', 400, { score: 0.95, expected: 100 }),
      sample('cpu_usage', 96, { score: 0.95, expected: 40 }),
      sample('response_time', 900, { score: 0.95, expected: 100 }),
    ]),
    type: 'high_latency',
    subtype: 'traffic_surge',
    category: 'high_latency',
    actions: ['scale_up', 'throttle_api', 'alert_admin'],
  },
  {
    name: 'harm without an explanation',
    question: aQuestion([sample('disk_io', 9e8, { score: 0.95, expected: 1e6 })]),
    type: 'unknown',
    subtype: 'unknown',
    category: null,
    actions: ['alert_admin'],
  },
  {
    name: 'ordinary values',
    question: aQuestion([sample('cpu_usage', 35), sample('error_rate', 0.01)], [line('GET /health 200', 'info')]),
    type: null,
    subtype: null,
    category: null,
    actions: ['no_action'],
  },
  {
    name: 'evidence older than the window does not count',
    question: aQuestion([sample('cpu_usage', 35)], [line('Connection timeout', 'error', 6)]),
    type: null,
    subtype: null,
    category: null,
    actions: ['no_action'],
  },
];

describe('detectFailure names the failure in a request', () => {
  test.each(rows)('$name', ({ question, type, subtype, category, actions }) => {
    const found = detectFailure(question);
    expect({ type: found.failureType, subtype: found.subtype, category: found.category }).toEqual({
      type,
      subtype,
      category,
    });
    expect(found.recommendedActions).toEqual(actions);
    expect(found.failureDetected).toBe(type !== null);
    expect(found.confidence).toBeGreaterThanOrEqual(0);
    expect(found.confidence).toBeLessThanOrEqual(1);
  });

  test.each(rows)('the order of samples and lines does not matter: $name', ({ question }) => {
    const turned = { ...question, metrics: [...question.metrics].reverse(), logs: [...question.logs].reverse() };
    expect(detectFailure(turned)).toEqual(detectFailure(question));
  });
});

describe('honesty', () => {
  test('text alone never claims more than 0.5, and its severity is 0.5', () => {
    const found = detectFailure(
      aQuestion([], [line('No space left on device'), line('ENOSPC while writing'), line('disk full')]),
    );
    expect(found.confidence).toBeLessThanOrEqual(0.5);
    expect(found.severityScore).toBe(0.5);
  });

  test('the severity is that of the worst metric in the evidence', () => {
    expect(detectFailure(aQuestion([sample('error_rate', 0.6, { score: 0.93 })])).severityScore).toBe(0.93);
  });

  test('one sample is told what would make it firmer', () => {
    const { missingEvidence } = detectFailure(aQuestion([sample('error_rate', 0.6)]));
    expect(missingEvidence).toEqual(
      expect.arrayContaining([
        'metric cpu_usage',
        'history of error_rate',
        'log lines',
        'Kubernetes status (context.kubernetes)',
      ]),
    );
  });

  test('actions that need a cluster come with their preconditions', () => {
    expect(detectFailure(aQuestion([sample('error_rate', 0.6)])).preconditions.join()).toContain('PodDisruptionBudget');
  });

  test('services are named from lines and labels', () => {
    expect(
      detectFailure(aQuestion([sample('error_rate', 0.6)], [line('Connection refused')])).affectedServices,
    ).toEqual(['api', 'api-service']);
  });

  test.each([null, 7, 'x', [], { pods: 'x' }, { pods: [1, { name: 4 }] }, { nodes: [{}] }])(
    'useless Kubernetes evidence %j is no evidence',
    (kubernetes) => {
      expect(detectFailure(aQuestion([sample('cpu_usage', 35)], [], kubernetes)).failureDetected).toBe(false);
    },
  );
});
