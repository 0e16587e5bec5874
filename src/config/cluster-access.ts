import { join } from 'node:path';
import type { ClusterAccess } from './config.ts';
import type { Settings } from './schema.ts';

type Given = Partial<Settings>;
type Env = Readonly<Record<string, string | undefined>>;

/**
 * The kubeconfig to use. The user's own `~/.kube/config` counts only when a context is named or a cluster is
 * required: `npm start` on a developer's machine must not begin to heal whatever cluster was used last.
 */
export function kubeconfigPath({ KUBECONFIG, KUBE_CONTEXT, AEGIS_CLUSTER }: Given, env: Env): string | undefined {
  if (KUBECONFIG !== undefined) return KUBECONFIG;
  const home = env['HOME'];
  const asked = KUBE_CONTEXT !== undefined || (AEGIS_CLUSTER === 'required' && !inPod(env));
  return asked && home !== undefined ? join(home, '.kube', 'config') : undefined;
}

const inPod = (env: Env): boolean => env['KUBERNETES_SERVICE_HOST'] !== undefined;

/** How the cluster is reached; `undefined`: the API is served alone. A named kubeconfig comes before the own pod's account. */
export function clusterAccess(given: Settings, env: Env): ClusterAccess | undefined {
  if (given.AEGIS_CLUSTER === 'off') return undefined;
  const path = kubeconfigPath(given, env);
  if (path !== undefined) {
    return { kind: 'kubeconfig', path, ...(given.KUBE_CONTEXT !== undefined && { context: given.KUBE_CONTEXT }) };
  }
  const host = env['KUBERNETES_SERVICE_HOST'];
  return host === undefined ? undefined : { kind: 'in-cluster', host, port: env['KUBERNETES_SERVICE_PORT'] ?? '443' };
}
