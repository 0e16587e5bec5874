import { join } from 'node:path';
import { untilEstablished } from '../tools/rig/established.ts';
import type { RigHandle } from '../tools/rig/handle.ts';

/** What the operator is given to watch: `deployments` of `podsEach` healthy pods, each with a policy of its own. */
export interface StageSize {
  readonly deployments: number;
  readonly podsEach: number;
}

const NAMESPACE = 'bench';
const CRDS = join(import.meta.dirname, '..', 'crds');

/** Custom resources, quiet workloads and policies that poll every 5 s; resolves when all pods are ready. */
export async function prepareStage({ kubectl, metrics }: RigHandle, size: StageSize): Promise<void> {
  await kubectl(['apply', '--server-side', '-f', CRDS]);
  await untilEstablished(kubectl);
  await kubectl(['create', 'namespace', NAMESPACE]);
  const names = Array.from({ length: size.deployments }, (_, i) => `web-${i}`);
  await apply(
    kubectl,
    names.map((name) => deployment(name, size.podsEach)),
  );
  for (const [seed, name] of names.entries()) await metrics.setWorkload(NAMESPACE, name, { seed, noise: 0.03 });
  const ready = ['wait', '--for=condition=Available', '--timeout=300s', '-n', NAMESPACE, 'deployment', '--all'];
  await kubectl(ready, { timeoutMs: 310_000 });
  await apply(kubectl, names.map(policy));
}

/** Name and resourceVersion of every object of Aegis and every Event: one that changed was written. */
export async function ownObjects({ kubectl }: RigHandle): Promise<ReadonlyMap<string, string>> {
  const path = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}';
  const kinds = 'aegishealingpolicies,aegishealingactions,events';
  const text = await kubectl(['get', kinds, '-n', NAMESPACE, '-o', `jsonpath=${path}`]);
  const rows = text.split('\n').flatMap((line) => {
    const [name, version] = line.split(' ');
    return name === undefined || version === undefined ? [] : [[name, version] as const];
  });
  return new Map(rows);
}

async function apply(kubectl: RigHandle['kubectl'], items: readonly object[]): Promise<void> {
  await kubectl(['create', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items }, timeoutMs: 120_000 });
}

const deployment = (name: string, replicas: number): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        nodeSelector: { type: 'kwok' },
        tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists', effect: 'NoSchedule' }],
        containers: [
          {
            name: 'app',
            image: 'example.invalid/web:1.0',
            resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
          },
        ],
      },
    },
  },
});

const policy = (name: string): object => ({
  apiVersion: 'healing.aegis.dev/v1alpha1',
  kind: 'AegisHealingPolicy',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    mode: 'Auto',
    target: { kind: 'Deployment', name },
    detection: { intervalSeconds: 5, minSamples: 20 },
  },
});
