import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
// Deep imports: the package's index loads every generated model, 80 MiB of memory for nothing (ADR 0010).
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { type Result, err, ok } from '../lib/result.ts';
import { messageOf } from '../lib/thrown.ts';
import { optionalText, record } from './json.ts';

/** Where the API server is and who Aegis is there. */
export type ClusterAccess =
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context?: string }
  /** `host` and `port` are those of `KUBERNETES_SERVICE_HOST` and `_PORT`. */
  | { readonly kind: 'in-cluster'; readonly host: string; readonly port: string; readonly root?: string };

/** One cluster with one user, file paths absolute. */
export interface ClusterLogin {
  readonly cluster: Cluster;
  readonly user: User;
  /** The context's namespace, or the service account's own. */
  readonly namespace?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The login of the chosen context; every problem is a sentence that names the file and the field. */
export async function loadLogin(access: ClusterAccess): Promise<Result<ClusterLogin, string>> {
  return access.kind === 'in-cluster' ? inCluster(access) : fromKubeconfig(access.path, access.context);
}

async function inCluster(access: ClusterAccess & { kind: 'in-cluster' }): Promise<Result<ClusterLogin, string>> {
  const root = access.root ?? SERVICE_ACCOUNT;
  const host = access.host.includes(':') ? `[${access.host}]` : access.host;
  const namespace = await readFile(join(root, 'namespace'), 'utf8').catch(() => '');
  return ok({
    cluster: {
      name: 'in-cluster',
      server: `https://${host}:${access.port}`,
      caFile: join(root, 'ca.crt'),
      skipTLSVerify: false,
    },
    user: { name: 'service-account', authProvider: { name: 'tokenFile', config: { tokenFile: join(root, 'token') } } },
    ...(namespace.trim() === '' ? {} : { namespace: namespace.trim() }),
  });
}

async function fromKubeconfig(path: string, wanted?: string): Promise<Result<ClusterLogin, string>> {
  try {
    const { parseYaml } = await import('./yaml-text.ts');
    const file = record(parseYaml(await readFile(path, 'utf8')));
    const name = wanted ?? optionalText(file['current-context']);
    const context = newContexts(file.contexts).find((each) => each.name === name);
    if (context === undefined) return err(`${path}: no context ${JSON.stringify(name ?? '')}`);
    const cluster = newClusters(file.clusters).find((each) => each.name === context.cluster);
    if (cluster === undefined) return err(`${path}: no cluster ${JSON.stringify(context.cluster)}`);
    const user = newUsers(tokenFilesKept(file.users)).find((each) => each.name === context.user);
    const problem = unsupported(cluster, user);
    if (problem !== undefined) return err(`${path}: ${problem}`);
    return ok({
      ...absolute(cluster, user ?? { name: 'anonymous' }, dirname(path)),
      ...(context.namespace === undefined ? {} : { namespace: context.namespace }),
    });
  } catch (fault) {
    return err(`${path}: ${messageOf(fault)}`);
  }
}

/** The library reads `tokenFile` once, when it parses; as an auth provider the file is read again when it rotates. */
function tokenFilesKept(users: unknown): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((entry: unknown) => {
    const user = record(record(entry).user);
    const tokenFile = optionalText(user.tokenFile) ?? optionalText(user['token-file']);
    if (tokenFile === undefined) return entry;
    const { 'token-file': _dropped, ...rest } = user;
    return { ...record(entry), user: { ...rest, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } };
  });
}

function unsupported(cluster: Cluster, user: User | undefined): string | undefined {
  if (cluster.proxyUrl?.startsWith('socks')) return 'a SOCKS proxy is not supported, an http(s) one is';
  if (!/^https?:\/\//.test(cluster.server)) return `not a server address: ${cluster.server}`;
  const local = /^http:\/\/(127\.\d+\.\d+\.\d+|\[::1\]|localhost)(:|\/|$)/.test(cluster.server);
  if (cluster.server.startsWith('http:') && !local && !cluster.skipTLSVerify) {
    return 'plain http needs insecure-skip-tls-verify, except on the loopback interface';
  }
  const provider = optionalText(record(user?.authProvider).name);
  if (provider !== undefined && !['tokenFile', 'exec', 'oidc'].includes(provider)) {
    return `auth provider ${provider} is gone from Kubernetes; use its exec plugin`;
  }
  return undefined;
}

function absolute(cluster: Cluster, user: User, root: string): { cluster: Cluster; user: User } {
  const whole = (file: string): string => (isAbsolute(file) ? file : join(root, file));
  const tokenFile = optionalText(record(record(user.authProvider).config).tokenFile);
  return {
    cluster: { ...cluster, ...(cluster.caFile ? { caFile: whole(cluster.caFile) } : {}) },
    user: {
      ...user,
      ...(user.certFile ? { certFile: whole(user.certFile) } : {}),
      ...(user.keyFile ? { keyFile: whole(user.keyFile) } : {}),
      ...(tokenFile === undefined
        ? {}
        : { authProvider: { name: 'tokenFile', config: { tokenFile: whole(tokenFile) } } }),
    },
  };
}
