import { describe, expect, test } from '@jest/globals';
import { classify } from '../../../src/diagnosis/classify.ts';
import { aCase, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { Behaviour, CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

const calmMetrics: Readonly<Record<string, Behaviour>> = {
  cpu_usage: ['flat', 40, 40],
  memory_usage: ['flat', 50, 50],
  request_rate: ['flat', 100, 100],
  error_rate: ['flat', 0.005, 0.005],
  response_time: ['flat', 80, 80],
};
const pod = (metrics: Readonly<Record<string, Behaviour>> = {}, over: PodSpec = {}): PodSpec => ({
  metrics: { ...calmMetrics, ...metrics },
  ...over,
});
const three = (each: PodSpec): readonly PodSpec[] => [each, each, each];
const calm = pod();

interface Row {
  readonly name: string;
  readonly spec: CaseSpec;
  readonly type: string;
  readonly because?: string;
}

const leak: Readonly<Record<string, Behaviour>> = { memory_usage: ['up', 88, 50, ['own-history', 'trend']] };
const killed = { lastEnd: { reason: 'OOMKilled', exitCode: 137, finishedAtMs: NOW - 30_000 }, restarts: 2 };
const hot: Readonly<Record<string, Behaviour>> = { cpu_usage: ['up', 95, 40], response_time: ['up', 600, 80] };
const surge: Readonly<Record<string, Behaviour>> = { ...hot, request_rate: ['up', 300, 100] };

const rows: readonly Row[] = [
  {
    name: 'oom_kill: a container was ended at its limit',
    spec: { pods: [pod({}, killed), calm, calm] },
    type: 'oom_kill',
  },
  {
    name: 'oom_kill: while memory climbs, the status weighs more than the leak',
    spec: { pods: [pod(leak, killed), calm, calm] },
    type: 'oom_kill',
  },
  {
    name: 'oom_kill: in a crash loop, the end tells the cause',
    spec: { pods: [pod({}, { ...killed, waiting: 'CrashLoopBackOff', restarts: 8 }), calm, calm] },
    type: 'oom_kill',
  },
  {
    name: 'oom_kill: an end of yesterday is no evidence of today',
    spec: { pods: [pod({}, { lastEnd: { reason: 'OOMKilled', exitCode: 137, finishedAtMs: NOW - 9e7 } }), calm] },
    type: 'unknown',
  },
  {
    name: 'oom_kill: a line alone does not decide',
    spec: { pods: three(calm), logs: ['java.lang.OutOfMemoryError: Java heap space'] },
    type: 'unknown',
    because: 'text',
  },

  { name: 'memory_leak: in every replica', spec: { pods: three(pod(leak)) }, type: 'memory_leak' },
  {
    name: 'memory_leak: without request rate it must climb',
    spec: {
      pods: [
        { metrics: { memory_usage: ['up', 88, 50, ['own-history', 'trend', 'peers']] } },
        { metrics: { memory_usage: ['flat', 50, 50] } },
      ],
    },
    type: 'memory_leak',
  },
  {
    name: 'memory_leak: memory that follows the requests is none',
    spec: { pods: three(pod({ ...leak, request_rate: ['up', 300, 100] })) },
    type: 'unknown',
    because: 'requests',
  },
  {
    name: 'memory_leak: height that does not go with age contradicts it',
    spec: {
      pods: [
        pod({ memory_usage: ['up', 60, 30, ['own-history', 'trend']] }, { ageMs: 9e8 }),
        pod({ memory_usage: ['up', 75, 30, ['own-history', 'trend']] }, { ageMs: 5e8 }),
        pod({ memory_usage: ['up', 90, 30, ['own-history', 'trend']] }, { ageMs: 1e8 }),
      ],
    },
    type: 'unknown',
    because: 'age',
  },

  { name: 'cpu_saturation: busy and slow at flat requests', spec: { pods: three(pod(hot)) }, type: 'cpu_saturation' },
  { name: 'cpu_saturation: one hot pod', spec: { pods: [calm, pod(hot), calm] }, type: 'cpu_saturation' },
  {
    name: 'cpu_saturation: without latency it is still cpu',
    spec: { pods: three({ metrics: { cpu_usage: ['up', 95, 40], request_rate: ['flat', 100, 100] } }) },
    type: 'cpu_saturation',
  },
  {
    name: 'cpu_saturation: throttling alone harms nobody',
    spec: { pods: three(pod({ cpu_throttling: ['up', 0.6, 0.02] })) },
    type: 'unknown',
  },
  {
    name: 'cpu_saturation: cpu alone, without the request rate, may be a surge',
    spec: { pods: three({ metrics: { cpu_usage: ['up', 95, 40] } }) },
    type: 'unknown',
    because: 'confidence',
  },

  {
    name: 'traffic_surge: requests, cpu and latency on all replicas',
    spec: { pods: three(pod(surge)) },
    type: 'traffic_surge',
  },
  {
    name: 'traffic_surge: the requests rose first',
    spec: {
      pods: three(pod(surge)),
      input: {
        series: [1, 2, 3].flatMap((i) => [
          { metric: 'request_rate', pod: `checkout-abc-${i}`, onsetAtMs: ONSET },
          { metric: 'cpu_usage', pod: `checkout-abc-${i}`, onsetAtMs: ONSET + 30_000 },
        ]),
      },
    },
    type: 'traffic_surge',
  },
  {
    name: 'traffic_surge: measured for the workload as a whole',
    spec: {
      pods: three({ metrics: { cpu_usage: ['up', 95, 40] } }),
      workloadMetrics: { request_rate: ['up', 900, 300] },
    },
    type: 'traffic_surge',
  },
  {
    name: 'traffic_surge: requests on one replica only are no surge',
    spec: { pods: [pod(surge), calm, calm] },
    type: 'unknown',
  },
  {
    name: 'traffic_surge: more requests without load harm nobody',
    spec: { pods: three(pod({ request_rate: ['up', 300, 100] })) },
    type: 'unknown',
  },

  {
    name: 'retry_storm: calls per user request doubled',
    spec: {
      pods: three(
        pod({ request_rate: ['up', 300, 100], calls_per_request: ['up', 6, 3], error_rate: ['up', 0.2, 0.005] }),
      ),
      logs: ['call failed, retrying'],
    },
    type: 'retry_storm',
  },
  {
    name: 'retry_storm: calls rise while users do not',
    spec: {
      pods: three(
        pod({ request_rate: ['up', 300, 100], user_request_rate: ['flat', 100, 100], response_time: ['up', 700, 80] }),
      ),
    },
    type: 'retry_storm',
  },
  {
    name: 'retry_storm: users rise as well: a surge',
    spec: { pods: three(pod({ ...surge, user_request_rate: ['up', 300, 100] })), logs: ['retrying'] },
    type: 'traffic_surge',
  },

  {
    name: 'volume_full: by usage',
    spec: { pods: [pod({ volume_usage: ['up', 97, 50] }), calm, calm] },
    type: 'volume_full',
  },
  {
    name: 'volume_full: by status of the claim',
    spec: { pods: three(calm), input: { volumes: [{ claim: 'data-0', freeRatio: 0.02, holdsCache: false }] } },
    type: 'volume_full',
  },
  {
    name: 'volume_full: full within four days',
    spec: {
      pods: three(calm),
      input: { volumes: [{ claim: 'data-0', timeToFullMs: 2 * 86_400_000, holdsCache: true }] },
    },
    type: 'volume_full',
  },
  {
    name: 'volume_full: half empty and full in three days: what crashes crashes for another reason',
    spec: {
      pods: three({ waiting: 'CrashLoopBackOff', restarts: 7, lastEnd: { reason: 'Error', exitCode: 1 } }),
      input: { volumes: [{ claim: 'data-0', freeRatio: 0.5, timeToFullMs: 3 * 86_400_000, holdsCache: false }] },
    },
    type: 'crash_loop',
  },
  {
    name: 'volume_full: lines against a measured volume with room',
    spec: {
      pods: three(pod({ volume_usage: ['flat', 40, 40], error_rate: ['up', 0.4, 0.005] })),
      logs: ['no space left on device', 'ENOSPC'],
    },
    type: 'unknown',
  },

  {
    name: 'lock_contention: lines, latency, idle cpu',
    spec: {
      pods: three(pod({ response_time: ['up', 900, 80] })),
      logs: ['deadlock detected', 'Lock wait timeout exceeded'],
    },
    type: 'lock_contention',
  },
  {
    name: 'lock_contention: measured lock waits',
    spec: { pods: three(pod({ response_time: ['up', 900, 80], lock_waits: ['up', 40, 1] })) },
    type: 'lock_contention',
  },
  {
    name: 'lock_contention: with an empty pool it is the pool',
    spec: {
      pods: three(pod({ response_time: ['up', 5000, 80], cpu_usage: ['down', 10, 40] })),
      logs: ['connection pool exhausted', 'lock wait'],
    },
    type: 'connection_pool_exhaustion',
  },
];

describe('resources', () => {
  test.each(rows)('$name', ({ spec, type, because }) => {
    const diagnosis = classify(aCase(spec));
    expect(diagnosis.failureType).toBe(type);
    if (type === 'unknown') expect(diagnosis.abstained).toMatch(because ?? /./);
    else expect(diagnosis.confidence).toBeGreaterThanOrEqual(0.6);
  });
});
