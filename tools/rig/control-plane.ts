import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { createCredentials, type Credentials } from './credentials.ts';
import { isApiServerReady } from './api-server-ready.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startDaemon } from './processes.ts';
import { waitForDaemon } from './wait.ts';

export interface ControlPlane {
  readonly apiServerUrl: string;
  readonly caFile: string;
  readonly keyFile: string;
  readonly token: string;
  readonly kubeconfigPath: string;
}

export interface ControlPlanePorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

/** How others than this machine's own processes reach the API server, and it them. Left out: it listens on loopback alone. */
export interface Exposure {
  /** An address of this machine that pods can reach; it stands behind the service `kubernetes`. */
  readonly address: string;
  /** Client certificate and key that kubelets know the API server by. */
  readonly kubeletCertFile: string;
  readonly kubeletKeyFile: string;
}

/** Starts etcd and the API server side by side and returns when `/readyz` answers 200 to the administrator. */
export async function startApiServer(
  stateDir: string,
  bin: Binaries,
  { exposure, auditFile, ...ports }: ControlPlanePorts & { readonly exposure?: Exposure; readonly auditFile?: string },
): Promise<ControlPlane> {
  const credentials = createCredentials(stateDir);
  const etcdUrl = `http://127.0.0.1:${ports.etcd}`;
  const etcd = startDaemon(stateDir, {
    name: 'etcd',
    command: bin.etcd,
    args: etcdArgs(stateDir, etcdUrl, ports.etcdPeer),
  });
  const certDir = join(stateDir, 'tls');
  const apiServer = startDaemon(stateDir, {
    name: 'kube-apiserver',
    command: bin['kube-apiserver'],
    args: [
      ...apiServerArgs({ etcdUrl, port: ports.apiServer, certDir, credentials }),
      ...(exposure === undefined ? ONLY_LOOPBACK : exposureArgs(exposure)),
      ...(auditFile === undefined ? [] : auditArgs(stateDir, auditFile)),
    ],
  });
  // The certificate, which it signs itself, names the address that it is reached at.
  const apiServerUrl = `https://${exposure?.address ?? '127.0.0.1'}:${ports.apiServer}`;
  const caFile = join(certDir, 'apiserver.crt');
  await waitForDaemon(stateDir, apiServer, () => isApiServerReady(apiServerUrl, caFile, credentials.token)).catch(
    async (error: unknown) => {
      await waitForDaemon(stateDir, etcd, () => true); // etcd's death is the better explanation, when it has died
      throw error;
    },
  );
  const kubeconfigPath = join(stateDir, 'kubeconfig');
  const { token } = credentials;
  // The CA is embedded, so the file works wherever it is copied.
  const cluster = { server: apiServerUrl, 'certificate-authority-data': readFileSync(caFile).toString('base64') };
  writeKubeconfig(kubeconfigPath, { cluster, user: 'rig-admin', token });
  return { apiServerUrl, caFile, keyFile: join(certDir, 'apiserver.key'), token, kubeconfigPath };
}

/** Starts the two loops that turn Deployments into scheduled pods. They need no port and no leader election. */
export function startControllers(stateDir: string, bin: Binaries, plane: ControlPlane): void {
  const kubeconfig = plane.kubeconfigPath;
  startDaemon(stateDir, {
    name: 'kube-controller-manager',
    command: bin['kube-controller-manager'],
    args: [
      ...[
        '--kubeconfig',
        kubeconfig,
        '--authentication-kubeconfig',
        kubeconfig,
        '--authorization-kubeconfig',
        kubeconfig,
      ],
      ...['--service-account-private-key-file', join(stateDir, 'service-account.key'), '--root-ca-file', plane.caFile],
      ...['--leader-elect=false', '--secure-port', '0', '--kube-api-qps', '200', '--kube-api-burst', '400'],
      '--use-service-account-credentials=false',
    ],
  });
  const config = join(stateDir, 'scheduler.json');
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      clientConnection: { kubeconfig, qps: 500, burst: 1000 },
      leaderElection: { leaderElect: false },
    }),
  );
  startDaemon(stateDir, {
    name: 'kube-scheduler',
    command: bin['kube-scheduler'],
    args: ['--config', config, '--secure-port', '0', '--authentication-kubeconfig', kubeconfig],
  });
}

/** Every write of a service account, with its body; the rig's own daemons and the administrator are none. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted', 'Panic'],
  rules: [
    { level: 'Request', verbs: ['create', 'update', 'patch', 'delete'], userGroups: ['system:serviceaccounts'] },
    { level: 'None' },
  ],
};

function auditArgs(stateDir: string, auditFile: string): string[] {
  const policyFile = join(stateDir, 'audit-policy.json'); // JSON is YAML
  writeFileSync(policyFile, JSON.stringify(AUDIT_POLICY));
  return ['--audit-policy-file', policyFile, '--audit-log-path', auditFile, '--audit-log-mode', 'blocking'];
}

function etcdArgs(stateDir: string, url: string, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    ...['--data-dir', join(stateDir, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    // The data is thrown away with the rig: waiting for the disk would only slow it down.
    ...['--unsafe-no-fsync', '--quota-backend-bytes', '4294967296', '--log-level', 'warn'],
  ];
}

function apiServerArgs(facts: {
  readonly etcdUrl: string;
  readonly port: number;
  readonly certDir: string;
  readonly credentials: Credentials;
}): string[] {
  const { credentials } = facts;
  return [
    ...['--etcd-servers', facts.etcdUrl, '--secure-port', String(facts.port)],
    ...['--cert-dir', facts.certDir, '--token-auth-file', credentials.tokenFile],
    ...['--authorization-mode', 'Node,RBAC', '--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-signing-key-file', credentials.serviceAccountKey],
    ...['--service-account-key-file', credentials.serviceAccountPublicKey],
    ...['--service-cluster-ip-range', '10.96.0.0/24', '--allow-privileged=true'],
    ...['--kubelet-preferred-address-types', 'InternalIP'],
  ];
}

const ONLY_LOOPBACK = ['--bind-address', '127.0.0.1', '--endpoint-reconciler-type', 'none'];

function exposureArgs({ address, kubeletCertFile, kubeletKeyFile }: Exposure): string[] {
  return [
    ...['--bind-address', '0.0.0.0', '--advertise-address', address],
    ...['--kubelet-client-certificate', kubeletCertFile, '--kubelet-client-key', kubeletKeyFile],
  ];
}
