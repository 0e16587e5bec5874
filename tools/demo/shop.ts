import { join } from 'node:path';
import { untilEstablished } from '../rig/established.ts';
import { LOADS, NAMESPACE } from './story.ts';
import type { Stage } from './stage.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Custom resources, workloads, their load and the policies: with kubectl, as a user would. */
export async function prepareShop(stage: Stage): Promise<void> {
  const { kubectl, metrics } = stage.rig;
  await kubectl(['apply', '--server-side', '-f', join(ROOT, 'crds')]);
  await untilEstablished(kubectl);
  await kubectl(['apply', '-f', join(ROOT, 'examples', 'demo', 'workloads.yaml')]);
  for (const [name, load] of Object.entries(LOADS)) await metrics.setWorkload(NAMESPACE, name, load);
  for (const name of Object.keys(LOADS)) {
    await kubectl(['rollout', 'status', `deployment/${name}`, '-n', NAMESPACE, '--timeout=60s'], { timeoutMs: 70_000 });
  }
  await kubectl(['apply', '-f', join(ROOT, 'examples', 'demo', 'policies.yaml')]);
  stage.say(`shop: ${Object.keys(LOADS).length} deployments ready, policies applied`);
}
