import { z } from 'zod';
import type { ContainerFacts } from './curves.ts';

/** A pod that the exporter gives series to. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** Name of the Deployment, StatefulSet, DaemonSet or ReplicaSet it belongs to, else its own. */
  readonly workload: string;
  readonly createdAtMs: number;
  readonly isReady: boolean;
  /** False while the first container waits or has ended: nobody then scrapes it. */
  readonly isRunning: boolean;
  readonly restartCount: number;
  readonly container: ContainerFacts;
}

const quantities = z.record(z.string(), z.string()).optional();

/** Only what is read; the API server's own types are not needed for eight fields. */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).optional(),
  }),
  spec: z.object({
    containers: z.array(z.object({ name: z.string(), resources: z.object({ limits: quantities }).optional() })),
  }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
    containerStatuses: z
      .array(z.object({ restartCount: z.number(), state: z.record(z.string(), z.unknown()).optional() }))
      .optional(),
  }),
});

export function toPod(raw: z.infer<typeof podSchema>): Pod {
  const { metadata, spec, status } = raw;
  const first = spec.containers[0];
  const limits = first?.resources?.limits;
  const started = status.containerStatuses?.[0];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    workload: workloadName(metadata),
    createdAtMs: Date.parse(metadata.creationTimestamp),
    isReady:
      metadata.deletionTimestamp === undefined &&
      status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true,
    isRunning: started?.state?.['running'] !== undefined,
    restartCount: started?.restartCount ?? 0,
    container: {
      name: first?.name ?? 'app',
      ...(limits?.['cpu'] !== undefined && { cpuLimitCores: parseQuantity(limits['cpu']) }),
      ...(limits?.['memory'] !== undefined && { memoryLimitBytes: parseQuantity(limits['memory']) }),
    },
  };
}

/** `web-6d4f9c-x2x4z` of ReplicaSet `web-6d4f9c` belongs to `web`: the hash is also the pod's label. */
function workloadName(metadata: z.infer<typeof podSchema>['metadata']): string {
  const owner = metadata.ownerReferences?.[0];
  if (owner === undefined) return metadata.name;
  const hash = metadata.labels?.['pod-template-hash'];
  if (owner.kind !== 'ReplicaSet' || hash === undefined) return owner.name;
  return owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name;
}

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** A Kubernetes quantity as a number: `250m` is 0.25, `128Mi` is 134217728. */
export function parseQuantity(text: string): number {
  const match = /^([0-9.]+)([A-Za-z]*)$/.exec(text);
  const factor = match?.[2] === '' ? 1 : SUFFIXES[match?.[2] ?? ''];
  if (match === null || factor === undefined) throw new Error(`not a quantity: ${text}`);
  return Number(match[1]) * factor;
}
