import { writeFileSync } from 'node:fs';

export interface KubeconfigFacts {
  /** As in the kubeconfig itself: `server` and the certificate authority. */
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
}

/** Writes a kubeconfig with one context. JSON is YAML. */
export function writeKubeconfig(path: string, facts: KubeconfigFacts): void {
  const name = 'aegis-rig';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: facts.cluster }],
    users: [{ name: facts.user, user: { token: facts.token } }],
    contexts: [
      { name, context: { cluster: name, user: facts.user, ...(facts.namespace && { namespace: facts.namespace }) } },
    ],
    'current-context': name,
  };
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
