import { join } from 'node:path';
import { createClient } from '../../kubernetes/client.ts';
import { RESOURCES } from '../../kubernetes/resources.ts';
import { list, record, text } from '../../kubernetes/json.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { systemClock } from '../../system-clock.ts';
import type { ClusterLogin, ClusterObjects } from '../services.ts';
import { silentLog } from './silent-log.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Objects of one page; the API server says where the next begins. */
const PAGE = 500;

/** Reads Aegis's own objects with the login that kubectl would use. No request is sent before the first list. */
export async function openCluster({
  env,
  kubeconfig,
  context,
}: ClusterLogin & { readonly env: Env }): Promise<Result<ClusterObjects, string>> {
  const path = kubeconfig ?? kubeconfigOf(env);
  if (path === undefined) return err('no kubeconfig: set KUBECONFIG or give --kubeconfig FILE');
  const access = { kind: 'kubeconfig', path, ...(context !== undefined && { context }) } as const;
  const client = await createClient({ access, clock: systemClock, log: silentLog });
  if (!client.ok) return client;
  const { call, namespace } = { call: client.value.call.bind(client.value), namespace: client.value.namespace };
  return ok({
    namespace,
    async list(kind, within) {
      const found: unknown[] = [];
      let from = '';
      do {
        const query = { limit: PAGE, continue: from };
        const page = await call({ method: 'GET', target: { resource: RESOURCES[kind], namespace: within, query } });
        if (!page.ok) return err(`${RESOURCES[kind].plural} in ${within} cannot be read: ${page.error.message}`);
        found.push(...list(page.value['items']));
        from = text(record(page.value['metadata'])['continue']);
      } while (from !== '');
      return ok(found);
    },
    close: () => client.value.close(),
  });
}

/** The first file of `KUBECONFIG`, as for kubectl's writes, or the user's own. */
function kubeconfigOf({ KUBECONFIG, HOME }: Env): string | undefined {
  const named = KUBECONFIG?.split(':').find((path) => path !== '');
  return named ?? (HOME === undefined ? undefined : join(HOME, '.kube', 'config'));
}
