/** Raw objects as the API server shows them, for what a workload stands on. Times are epoch milliseconds. */

const iso = (ms: number): string => new Date(ms).toISOString().replace('.000', '');

export interface Written {
  readonly name: string;
  readonly namespace?: string;
  readonly createdAtMs?: number;
  /** Last write of anything but the status. */
  readonly writtenAtMs?: number;
}

const LONG_AGO = Date.parse('2025-01-01T00:00:00Z');

export function aMeta({ name, namespace = 'shop', createdAtMs = LONG_AGO, writtenAtMs }: Written) {
  return {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: '7',
    creationTimestamp: iso(createdAtMs),
    managedFields: [
      { manager: 'kubectl', operation: 'Apply', time: iso(writtenAtMs ?? createdAtMs) },
      { manager: 'controller', operation: 'Update', subresource: 'status', time: '2099-01-01T00:00:00Z' },
    ],
  };
}

export const aService = (written: Written, selector: Readonly<Record<string, string>>) => ({
  metadata: aMeta(written),
  spec: { type: 'ClusterIP', selector },
});

/** Pod name -> ready. */
export const aSlice = (service: string, pods: Readonly<Record<string, boolean>>, namespace = 'shop') => ({
  metadata: { ...aMeta({ name: `${service}-x`, namespace }), labels: { 'kubernetes.io/service-name': service } },
  endpoints: Object.entries(pods).map(([name, ready]) => ({
    addresses: ['10.0.0.1'],
    conditions: { ready },
    targetRef: { kind: 'Pod', name },
  })),
});

export const aNetworkPolicy = (written: Written, matchLabels: Readonly<Record<string, string>> = {}) => ({
  metadata: aMeta(written),
  spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'] },
});

export interface CertificateTimes {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly sinceMs?: number;
}

export function aCertificate(written: Written, secretName: string, times: CertificateTimes) {
  const { notBeforeMs, notAfterMs, ready, reason = 'Ready', sinceMs } = times;
  return {
    metadata: aMeta(written),
    spec: { secretName },
    status: {
      ...(notBeforeMs !== undefined && { notBefore: iso(notBeforeMs) }),
      ...(notAfterMs !== undefined && { notAfter: iso(notAfterMs) }),
      conditions:
        ready === undefined
          ? []
          : [
              {
                type: 'Ready',
                status: ready,
                reason,
                ...(sinceMs !== undefined && { lastTransitionTime: iso(sinceMs) }),
              },
            ],
    },
  };
}

export interface ExternalSecretTimes {
  readonly refreshedAtMs?: number;
  readonly sinceMs?: number;
  readonly ready?: 'True' | 'False';
  readonly spec?: object;
}

export function anExternalSecret(written: Written, times: ExternalSecretTimes) {
  const { refreshedAtMs, sinceMs, ready = 'True', spec = {} } = times;
  return {
    metadata: aMeta(written),
    spec,
    status: {
      ...(refreshedAtMs !== undefined && { refreshTime: iso(refreshedAtMs) }),
      conditions: [
        { type: 'Ready', status: ready, ...(sinceMs !== undefined && { lastTransitionTime: iso(sinceMs) }) },
      ],
    },
  };
}

/** A workload's own object with a pod template that names what is given. */
export const aTemplated = (written: Written, podSpec: object, more: object = {}) => ({
  metadata: aMeta(written),
  spec: { template: { metadata: { labels: { app: written.name } }, spec: { containers: [], ...podSpec } }, ...more },
});
