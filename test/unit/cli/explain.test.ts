import { describe, expect, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../src/cli/commands/all.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { ClusterObjects } from '../../../src/cli/services.ts';
import { actionObject, actionStatusObject } from '../../../src/api/v1alpha1/convert-action.ts';
import { policyStatusObject } from '../../../src/api/v1alpha1/policy-status.ts';
import { ok } from '../../../src/lib/result.ts';
import { aTerminal } from '../../support/builders/cli.ts';
import { MINUTE } from '../../support/builders/workload.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

/** The objects of the world as the API server would list them. */
function objectsOf(world: World): ClusterObjects {
  const meta = { apiVersion: 'healing.aegis.dev/v1alpha1', kind: 'AegisHealingPolicy' };
  const status = world.cluster.policyStatus('checkout');
  const policy = {
    ...meta,
    metadata: { name: 'checkout', namespace: 'shop', uid: 'p-checkout', generation: 1 },
    spec: { mode: 'Auto', target: { kind: 'Deployment', name: 'checkout' } },
    ...(status !== undefined && { status: policyStatusObject(status) }),
  };
  const actions = world.cluster.actions().map((action) => {
    const object = actionObject(action.intent) as { metadata: object };
    const metadata = {
      ...object.metadata,
      uid: action.uid,
      resourceVersion: '1',
      creationTimestamp: '2025-06-04T12:00:00Z',
    };
    return { ...object, metadata, status: actionStatusObject(action.intent, action.status) };
  });
  return {
    namespace: 'shop',
    list: (kind) => Promise.resolve(ok(kind === 'policies' ? [policy] : actions)),
    close: () => undefined,
  };
}

async function asked(world: World, argv: readonly string[]) {
  const { services, output, stdout } = aTerminal({}, { openCluster: () => Promise.resolve(ok(objectsOf(world))) });
  const nowMs = (): number => world.clock.nowMs();
  const code = await runProgram(argv, { ...services, terminal: { ...services.terminal, nowMs } }, SUBCOMMANDS);
  return { code, output: output(), stdout: stdout() };
}

describe('explain', () => {
  test('a pod that was healed: the decision, its evidence, the write, and what was measured', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    const { code, output } = await asked(world, ['explain', 'checkout']);
    expect(code).toBe(0);
    for (const part of [
      'restart_pod',
      'Healed',
      'crash_loop',
      pod,
      'CrashLoopBackOff',
      'applied',
      'verified: Effective',
    ]) {
      expect(output).toContain(part);
    }
  });

  test('at a time before it happened nothing was done', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    const { output } = await asked(world, ['explain', 'deployment/checkout', '--at', '2025-06-04T12:00:30Z']);
    expect(output).toContain('Nothing was done to it');
  });
});

describe('why-not', () => {
  test('a full disruption budget: the guard, its numbers, its meaning, and what follows', async () => {
    const world = await aShop();
    world.cluster.editWorkload('checkout', (workload) => ({
      ...workload,
      disruptionBudgets: [{ name: 'checkout-pdb', disruptionsAllowed: 0 }],
    }));
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('held', () => world.condition('checkout', 'Healthy').startsWith('False'), 4 * MINUTE);
    await world.run(MINUTE);
    const { code, output } = await asked(world, ['why-not', 'checkout']);
    expect(code).toBe(0);
    expect(output).toContain('DisruptionBudget');
    expect(output).toContain('checkout-pdb');
    expect(output).toContain('A PodDisruptionBudget allows no eviction now.');
  });

  test('all is well: nothing holds anything back', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(5 * MINUTE);
    expect((await asked(world, ['why-not', 'checkout'])).output).toContain('Nothing holds anything back');
  });

  test('the answer as JSON can be read by a program', async () => {
    const world = await aShop({ mode: 'Observe' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('decided', () => world.ends().length > 0, 4 * MINUTE);
    const { stdout } = await asked(world, ['why-not', 'checkout', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      obstacles: expect.arrayContaining([expect.objectContaining({ reason: 'ObserveOnly', next: expect.any(String) })]),
    });
  });
});

describe('what was asked wrongly', () => {
  test.each([
    ['a workload that nobody knows', ['explain', 'nobody'], 'nothing is known of nobody in namespace shop'],
    ['a time that is none', ['why-not', 'checkout', '--at', 'yesterday'], '--at: "yesterday" is no time'],
    ['a kind that is none', ['why-not', 'pod/checkout'], 'kind "pod": one of Deployment'],
    ['no workload', ['explain'], "missing required argument 'workload'"],
  ])('%s', async (_, argv, says) => {
    const { code, output } = await asked(await aShop(), argv);
    expect(code).toBeGreaterThan(0);
    expect(output).toContain(says);
  });

  test('no cluster can be reached: the reason is told', async () => {
    const { services, output } = aTerminal();
    expect(await runProgram(['explain', 'checkout'], services, SUBCOMMANDS)).toBe(1);
    expect(output()).toContain('there is no cluster here');
  });
});
