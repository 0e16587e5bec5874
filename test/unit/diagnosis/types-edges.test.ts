import { describe, expect, test } from '@jest/globals';
import { classify } from '../../../src/diagnosis/classify.ts';
import type { DependencyState } from '../../../src/diagnosis/evidence.ts';
import { aCase, MINUTE, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { Behaviour, CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

const pod = (metrics: Readonly<Record<string, Behaviour>> = {}, over: PodSpec = {}): PodSpec => ({
  metrics: {
    cpu_usage: ['flat', 40, 40],
    request_rate: ['flat', 100, 100],
    error_rate: ['flat', 0.005, 0.005],
    response_time: ['flat', 80, 80],
    ...metrics,
  },
  ...over,
});
const three = (each: PodSpec): readonly PodSpec[] => [each, each, each];
const errors: Readonly<Record<string, Behaviour>> = { error_rate: ['up', 0.5, 0.005] };
const slow: Readonly<Record<string, Behaviour>> = { response_time: ['up', 900, 80] };
const callee = (
  name: string,
  state: DependencyState['state'],
  more: Partial<DependencyState> = {},
): DependencyState => ({
  name,
  kind: 'workload',
  state,
  anomalousCallees: [],
  ...more,
});
const many = ['cart', 'user', 'search'].map((name) => ({ name, onsetAtMs: ONSET + 5000 }));

interface Row {
  readonly name: string;
  readonly spec: CaseSpec;
  readonly type: string;
  readonly cause?: { readonly kind: string; readonly name?: string };
  readonly because?: string;
}

const refused = ['connect ECONNREFUSED 10.0.4.7:8080', '503 service unavailable'];
const pool = ['HikariPool-1 - Connection is not available, request timed out after 30000ms'];
const certificate = { kind: 'certificate', name: 'tls', ready: false, notAfterMs: ONSET - 5000 } as const;

const rows: readonly Row[] = [
  {
    name: 'dependency_down: the callee is unhealthy',
    spec: {
      pods: three(pod({ ...errors, ...slow })),
      input: { dependencies: [callee('payment', 'unhealthy'), callee('user', 'healthy')] },
    },
    type: 'dependency_down',
    cause: { kind: 'dependency', name: 'payment' },
  },
  {
    name: 'dependency_down: the deepest is blamed',
    spec: {
      pods: three(pod({ ...errors, ...slow })),
      logs: refused,
      input: {
        dependencies: [callee('payment', 'unhealthy', { anomalousCallees: ['db'] }), callee('db', 'unhealthy')],
      },
    },
    type: 'dependency_down',
    cause: { kind: 'dependency', name: 'db' },
  },
  {
    name: 'dependency_down: without a call graph by lines, errors and waiting',
    spec: { pods: three(pod({ ...errors, ...slow })), logs: [...refused, 'context deadline exceeded'] },
    type: 'dependency_down',
    cause: { kind: 'self' },
  },
  {
    name: 'dependency_down: two equally deep',
    spec: {
      pods: three(pod({ ...errors, ...slow })),
      input: { dependencies: [callee('payment', 'unhealthy'), callee('db', 'unhealthy')] },
    },
    type: 'unknown',
    because: 'equally deep',
  },
  {
    name: 'dependency_down: every callee is well',
    spec: {
      pods: three(pod({ ...errors, ...slow })),
      logs: refused,
      input: { dependencies: [callee('payment', 'healthy')] },
    },
    type: 'unknown',
  },

  {
    name: 'connection_pool_exhaustion: pool lines, waiting',
    spec: { pods: three(pod({ response_time: ['up', 30_000, 80], cpu_usage: ['down', 10, 40] })), logs: pool },
    type: 'connection_pool_exhaustion',
  },
  {
    name: 'connection_pool_exhaustion: measured',
    spec: {
      pods: three(
        pod({ response_time: ['up', 5000, 80], connection_pool_usage: ['up', 100, 40], cpu_usage: ['down', 10, 40] }),
      ),
    },
    type: 'connection_pool_exhaustion',
  },
  {
    name: 'connection_pool_exhaustion: the callee is slow: the dependency',
    spec: {
      pods: three(pod({ ...errors, response_time: ['up', 30_000, 80] })),
      logs: pool,
      input: { dependencies: [callee('db', 'unhealthy')] },
    },
    type: 'dependency_down',
    cause: { kind: 'dependency', name: 'db' },
  },

  {
    name: 'dns_failure: lines, errors, many workloads',
    spec: { pods: three(pod(errors)), logs: ['getaddrinfo EAI_AGAIN payment'], input: { otherAnomalous: many } },
    type: 'dns_failure',
    cause: { kind: 'dns' },
  },
  {
    name: 'dns_failure: the DNS pods are not ready',
    spec: { pods: three(pod(errors)), input: { dependencies: [callee('kube-dns', 'unhealthy', { kind: 'dns' })] } },
    type: 'dns_failure',
    cause: { kind: 'dns', name: 'kube-dns' },
  },

  {
    name: 'network_delay: one pod slow and resending',
    spec: { pods: [pod({ ...slow, network_retransmits: ['up', 40, 1] }), pod(), pod()] },
    type: 'network_delay',
    cause: { kind: 'self' },
  },
  {
    name: 'network_delay: the pods of one node',
    spec: {
      pods: [
        pod({ ...slow, network_retransmits: ['up', 40, 1] }, { node: 'n1' }),
        pod({ ...slow, network_retransmits: ['up', 40, 1] }, { node: 'n1' }),
        pod({}, { node: 'n2' }),
      ],
    },
    type: 'network_delay',
    cause: { kind: 'node', name: 'n1' },
  },
  {
    name: 'network_delay: a pod that works hard is not waiting',
    spec: { pods: [pod({ ...slow, cpu_usage: ['up', 96, 40] }), pod(), pod()] },
    type: 'cpu_saturation',
  },

  {
    name: 'network_policy_block: nearly every call fails after a change',
    spec: {
      pods: three(pod({ error_rate: ['up', 0.97, 0.005] })),
      logs: ['connection refused'],
      input: { changes: [{ kind: 'network-policy', name: 'deny', atMs: ONSET - MINUTE }] },
    },
    type: 'network_policy_block',
  },
  {
    name: 'network_policy_block: a Service without endpoints',
    spec: {
      pods: three(pod({ request_rate: ['down', 2, 100], error_rate: ['up', 1, 0.005] })),
      input: { endpoints: [{ service: 'checkout', readyEndpoints: 0 }] },
    },
    type: 'network_policy_block',
  },
  {
    name: 'network_policy_block: without a change it is a dependency',
    spec: {
      pods: three(pod({ ...slow, error_rate: ['up', 0.97, 0.005] })),
      logs: [...refused, 'context deadline exceeded'],
    },
    type: 'dependency_down',
  },

  {
    name: 'certificate_expired: status and instant',
    spec: { pods: three(pod(errors)), input: { credentials: [certificate] } },
    type: 'certificate_expired',
  },
  {
    name: 'certificate_expired: lines and errors at once',
    spec: { pods: three(pod(errors)), logs: ['x509: certificate has expired or is not yet valid'] },
    type: 'certificate_expired',
  },
  {
    name: 'certificate_expired: lines alone',
    spec: { pods: three(pod()), logs: ['x509: certificate has expired'] },
    type: 'unknown',
    because: 'text',
  },

  {
    name: 'credentials_rejected: fast errors',
    spec: {
      pods: three(pod({ ...errors, response_time: ['down', 20, 80] })),
      logs: ['password authentication failed for user "x"'],
    },
    type: 'credentials_rejected',
  },
  {
    name: 'credentials_rejected: after a rotation',
    spec: {
      pods: three(pod(errors)),
      logs: ['401 unauthorized'],
      input: { changes: [{ kind: 'secret', name: 'db', atMs: ONSET - MINUTE }] },
    },
    type: 'credentials_rejected',
  },
  {
    name: 'credentials_rejected: lines that were as frequent before are no sign',
    spec: {
      pods: three(pod(errors)),
      input: {
        logs: Array.from({ length: 40 }, (_, i) => ({
          atMs: NOW - i * 30_000,
          level: 'error' as const,
          message: '401 unauthorized',
          service: 'x',
        })),
      },
    },
    type: 'unknown',
  },
];

describe('edges between services, identity and time-outs', () => {
  test.each(rows)('$name', ({ spec, type, cause, because }) => {
    const diagnosis = classify(aCase(spec));
    expect(diagnosis.failureType).toBe(type);
    if (type !== 'unknown') expect(diagnosis.confidence).toBeGreaterThanOrEqual(0.6);
    if (cause !== undefined) expect(diagnosis.cause).toMatchObject(cause);
    if (because !== undefined) expect(diagnosis.abstained).toMatch(because);
  });
});
