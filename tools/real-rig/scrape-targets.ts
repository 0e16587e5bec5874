/**
 * Tells Prometheus which pods there are, as its own discovery would: Debian's build has that compiled out. Pods with the
 * annotation `prometheus.io/port` are scraped while they run, with their namespace and name as labels.
 *
 * A process of its own: the API server's certificate is trusted through NODE_EXTRA_CA_CERTS, which is read at the start.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { writeTargets, type TargetGroup } from '../rig/prometheus.ts';

const EVERY_MS = 1_000;
const PORT = 'prometheus.io/port';

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
      status: z.object({ phase: z.string(), podIP: z.string().optional() }),
    }),
  ),
});

const { AEGIS_RIG_API: api = '', AEGIS_RIG_TOKEN: token = '', AEGIS_RIG_STATE: stateDir = '' } = process.env;

async function podTargets(): Promise<readonly TargetGroup[]> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${api}/api/v1/pods`, { headers, signal: AbortSignal.timeout(5_000) });
  const { items } = listSchema.parse(await response.json());
  return items.flatMap(({ metadata, status }) => {
    const port = metadata.annotations?.[PORT];
    if (port === undefined || status.podIP === undefined || status.phase !== 'Running') return [];
    const labels = { namespace: metadata.namespace, pod: metadata.name };
    return [{ targets: [`${status.podIP}:${port}`], labels }];
  });
}

let written = '';
for (;;) {
  try {
    const targets = await podTargets();
    const text = JSON.stringify(targets);
    if (text !== written) writeTargets(stateDir, 'pods', targets);
    written = text;
  } catch (error) {
    process.stderr.write(`${String(error)}\n`); // the next turn reads everything again
  }
  await sleep(EVERY_MS);
}
