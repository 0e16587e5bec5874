import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiRequest, KubeClient } from '../../../src/kubernetes/client.ts';
import type { CallFault } from '../../../src/kubernetes/errors.ts';
import type { Json } from '../../../src/kubernetes/json.ts';
import { type Result, err, ok } from '../../../src/lib/result.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import type { Intent } from '../../../src/policy/action.ts';

// ---------------------------------------------------------------- raw objects

export function aPod(
  change: { name?: string; namespace?: string; uid?: string; owner?: string; version?: string } = {},
) {
  const { name = 'web-1', namespace = 'shop', uid = `uid-${name}`, owner = 'rs-uid', version = '1' } = change;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: version,
      creationTimestamp: '2026-01-05T12:00:00Z',
      labels: { app: 'web', 'pod-template-hash': 'abc' },
      annotations: { note: 'short', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: owner, controller: true }],
    },
    spec: {
      nodeName: 'node-1',
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'main',
          image: 'web:1',
          resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-05T12:00:05Z' }],
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          restartCount: 2,
          state: { running: { startedAt: '2026-01-05T12:00:03Z' } },
          lastState: { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-01-05T12:00:02Z' } },
        },
      ],
    },
  };
}

export function aDeployment(change: { name?: string; uid?: string; replicas?: number; version?: string } = {}) {
  const { name = 'web', uid = 'deploy-uid', replicas = 3, version = '7' } = change;
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid,
      resourceVersion: version,
      generation: 2,
      creationTimestamp: '2026-01-05T11:00:00Z',
      labels: { app: 'web' },
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }],
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
      template: {
        metadata: {
          labels: { app: 'web' },
          annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-05T11:30:00Z' },
        },
        spec: { containers: [{ name: 'main', resources: { requests: { cpu: '250m', memory: '64Mi' } } }] },
      },
    },
    status: {
      observedGeneration: 2,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    },
  };
}

export const aReplicaSet = (change: { uid?: string; owner?: string } = {}) => ({
  metadata: {
    name: 'web-abc',
    namespace: 'shop',
    uid: change.uid ?? 'rs-uid',
    resourceVersion: '5',
    creationTimestamp: '2026-01-05T11:00:01Z',
    labels: { 'pod-template-hash': 'abc' },
    annotations: { 'deployment.kubernetes.io/revision': '4' },
    ownerReferences: [{ kind: 'Deployment', name: 'web', uid: change.owner ?? 'deploy-uid', controller: true }],
  },
  status: { replicas: 3, readyReplicas: 3 },
});

// ---------------------------------------------------------------- domain values

export const aLivePod = (name: string, change: Partial<PodSnapshot> = {}): PodSnapshot => ({
  name,
  uid: `uid-${name}`,
  namespace: 'shop',
  phase: 'Running',
  ready: true,
  createdAtMs: 0,
  hostNetwork: false,
  controllerKind: 'ReplicaSet',
  labels: {},
  annotations: {},
  conditions: [],
  containers: [],
  ...change,
});

export const aLiveWorkload = (change: Partial<WorkloadSnapshot> = {}): WorkloadSnapshot => ({
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'deploy-uid' },
  resourceVersion: '7',
  generation: 1,
  observedGeneration: 1,
  createdAtMs: 0,
  labels: {},
  annotations: {},
  namespaceLabels: {},
  namespaceAnnotations: {},
  replicas: { desired: 3, current: 3, updated: 3, ready: 3, available: 3 },
  paused: false,
  strategy: 'RollingUpdate',
  maxSurge: 1,
  conditions: [],
  revisions: [],
  autoscalers: [],
  autoscalersKnown: true,
  replicasManagers: [],
  disruptionBudgets: [],
  pods: [aLivePod('a'), aLivePod('b'), aLivePod('c')],
  ...change,
});

export const anEffect = (change: Partial<Intent> = {}): Intent => ({
  name: 'aegis-0123456789abcdef',
  namespace: 'shop',
  policy: { name: 'web', uid: 'policy-uid', generation: 1 },
  incidentId: 'incident',
  step: 0,
  attempt: 1,
  action: 'restart_pod',
  target: aLiveWorkload().ref,
  pods: [{ name: 'a', uid: 'uid-a' }],
  parameters: { kind: 'restart', how: 'evict' },
  baseline: { podUids: [], desiredReplicas: 3, readyReplicas: 3, metrics: {} },
  diagnosis: { failureType: 'crash_loop', confidence: 0.9, evidence: [], cause: { kind: 'self' }, advice: '' },
  severityScore: 0.9,
  metrics: [],
  reason: 'because',
  decidedAtMs: Date.UTC(2026, 0, 5, 12),
  expiresAtMs: Date.UTC(2026, 0, 5, 12, 5),
  execution: 'Enforce',
  policyHash: 'hash',
  approvalRequired: false,
  ...change,
});

// ---------------------------------------------------------------- a client without a server

export const aFault = (change: Partial<CallFault> = {}): CallFault => ({
  kind: 'Unavailable',
  message: 'down',
  sent: true,
  causes: [],
  ...change,
});

/** What executors need that limit nothing and ask no pod. */
export const NO_PROVIDERS = {
  limits: [],
  postToPod: () => Promise.reject(new Error('no pod is asked here')),
} as const;

export interface FakeClient extends KubeClient {
  readonly requests: ApiRequest[];
}

/** Answers from the function; a request whose fence is closed is not counted, as it would not be sent. */
export function fakeClient(reply: (request: ApiRequest) => Json | CallFault | Promise<Json | CallFault>): FakeClient {
  const requests: ApiRequest[] = [];
  const call = async (request: ApiRequest): Promise<Result<Json, CallFault>> => {
    if (request.fence?.() === false) return err(aFault({ sent: false, causes: ['NotLeader'], message: 'not sent' }));
    requests.push(request);
    const value = await reply(request);
    return isFault(value) ? err(value) : ok(value);
  };
  return {
    requests,
    call,
    namespace: undefined,
    groups: () => call({ method: 'GET', target: { resource: groupsResource } }),
    readText: () => Promise.resolve(ok('')),
    exec: () => Promise.resolve(err(aFault({ message: 'nothing runs here' }))),
    watch: () => Promise.resolve({ kind: 'closed' }),
    fenceWrites: () => undefined,
    close: () => undefined,
  };
}

const groupsResource = { group: '', version: '', plural: 'groups', kind: 'APIGroupList', namespaced: false };

const isFault = (value: Json | CallFault): value is CallFault => 'causes' in value && 'sent' in value;

// ---------------------------------------------------------------- a login

/** Writes a kubeconfig for a plain server on the loopback interface and answers its path. */
export async function aKubeconfig(
  server: string,
  user: Json = { token: 'secret' },
  cluster: Json = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aegis-kubeconfig-'));
  const path = join(folder, 'config');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'local', user: 'me', namespace: 'shop' } }],
    clusters: [{ name: 'local', cluster: { server, ...cluster } }],
    users: [{ name: 'me', user }],
  };
  await writeFile(path, JSON.stringify(content));
  return path;
}
