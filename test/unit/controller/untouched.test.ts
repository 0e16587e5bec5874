import { expect, jest, test } from '@jest/globals';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, EVERY_DEPLOYMENT, type World } from '../../support/fakes/world.ts';

jest.setTimeout(120_000);
const MINUTE = 60_000;
const excluded = { 'healing.aegis.dev/exclude': 'true' };

/** What a selector takes in and nobody may touch. */
const PROTECTED: readonly (readonly [name: string, over: Partial<WorkloadSnapshot>])[] = [
  ['aegis', { labels: { app: 'aegis', 'app.kubernetes.io/name': 'aegis' } }],
  ['api-server', { labels: { app: 'api-server', tier: 'control-plane' } }],
  ['left-alone', { annotations: excluded }],
  ['in-a-namespace-left-alone', { namespaceAnnotations: excluded }],
];

async function aShopWith(...[name, over]: (typeof PROTECTED)[number]): Promise<World> {
  const world = await aShop({ target: EVERY_DEPLOYMENT });
  // One ill of four is no storm.
  for (const other of ['cart', 'search']) world.cluster.addWorkload({ name: other, pods: 3 });
  world.cluster.addWorkload({ name, pods: 3, over });
  await anOperator(world);
  await world.run(MINUTE);
  return world;
}

test.each(PROTECTED)(
  'I21: a selector that matches everything: %s is left alone, the others are healed',
  async (name, over) => {
    const world = await aShopWith(name, over);
    crashOne(world, name);
    await world.run(5 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
    const pod = crashOne(world, 'checkout');
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 5 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.faults()).toEqual([]);
  },
);

test.each(['kube-system', 'kube-public'])('I21: a policy in %s does nothing there', async (namespace) => {
  const world = await aShop();
  world.cluster.addWorkload({ name: 'dns', namespace, pods: 3 });
  const known = world.cluster.view().policies[0];
  if (known?.kind !== 'valid') throw new Error('no policy');
  world.cluster.putPolicy({
    ...known.value,
    uid: 'p-dns',
    name: 'dns',
    namespace,
    target: { kind: 'Deployment', name: 'dns' },
  });
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world, 'dns', namespace);
  await world.run(5 * MINUTE);
  expect(world.cluster.foreignWrites()).toEqual([]);
});
