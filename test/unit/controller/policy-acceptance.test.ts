import { describe, expect, test } from '@jest/globals';
import { PolicyAcceptance } from '../../../src/controller/policy-acceptance.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';
import { aGuardrail, aPolicy, aStep } from '../../support/builders/policy.ts';

const MINUTE = 60_000;

/** What is not accepted of such a policy: reason and path. */
function refusals(over: Partial<HealingPolicy>, guardrails = [aGuardrail()]): readonly string[] {
  const acceptance = new PolicyAcceptance({
    source: {
      checkQueries: ({ metrics }) =>
        metrics.flatMap(({ name, query }) =>
          query?.includes('((') ? [{ metric: name, message: 'syntax error' }] : [],
        ),
    },
    notifier: { sinks: () => ['hook'] },
  });
  return acceptance.problems(aPolicy(over), guardrails).map(({ reason, path }) => `${reason} ${path}`);
}

const queue = (query: string) => [{ name: 'queue', unit: '1', direction: 'Above' as const, query }];
const ladder = (on: string) => [{ on: [on], minSeverity: 'low' as const, steps: [aStep('alert_admin')] }];
const tell = (...sinks: string[]) => [
  { on: ['any'], minSeverity: 'low' as const, steps: [aStep('restart_pod'), aStep('alert_admin', { notify: { sinks } })] },
]; // prettier-ignore

describe('what the schema takes and Aegis refuses', () => {
  test.each<readonly [string, Partial<HealingPolicy>, readonly string[]]>([
    ['a policy that makes sense', {}, []],
    ['a query that cannot be parsed', { detection: { ...aPolicy().detection, metrics: queue('((') } }, ['QueryInvalid spec.detection.metrics[0].query']],
    ['a sink that nobody configured', { notifications: [{ sink: 'nosuch', minSeverity: 'low' }] }, ['SinkUnknown spec.notifications[0].sink']],
    ['a sink named like a property of every object', { notifications: [{ sink: 'constructor', minSeverity: 'low' }] }, ['SinkUnknown spec.notifications[0].sink']],
    ['an unknown sink in a rung', { remedies: tell('hook', 'nosuch') }, ['SinkUnknown spec.remedies[0].steps[1].notify.sinks[1]']],
    ['a known sink in a rung', { remedies: tell('hook') }, []],
    ['a ladder for a preset', { remedies: ladder('anomaly:cpu_usage') }, []],
    ['a ladder for a metric that nobody knows', { remedies: ladder('anomaly:cpu_usge') }, ['UnknownFailureType spec.remedies[0].on[0]']],
    ['a ladder for its own metric', { remedies: ladder('anomaly:queue'), detection: { ...aPolicy().detection, metrics: queue('up') } }, []],
    ['a ladder for a preset that it does not watch', { remedies: ladder('anomaly:cpu_usage'), detection: { ...aPolicy().detection, metrics: queue('up') } }, ['UnknownFailureType spec.remedies[0].on[0]']],
  ])('%s', (_sentence, over, expected) => expect(refusals(over)).toEqual(expected)); // prettier-ignore

  test('a guardrail that denies custom queries', () => {
    const over = { detection: { ...aPolicy().detection, metrics: queue('up') } };
    expect(refusals(over, [aGuardrail({ customQueries: 'Deny' })])).toEqual(['QueryInvalid spec.detection.metrics[0].query']); // prettier-ignore
  });
});

test('a policy that names Aegis itself is refused, nothing is done for it, and it recovers once the name is free', async () => {
  const world = await aShop();
  const own = { 'app.kubernetes.io/name': 'aegis' };
  world.cluster.editWorkload('checkout', (workload) => ({ ...workload, labels: { ...workload.labels, ...own } }));
  await anOperator(world);
  await world.run(MINUTE);
  expect(world.condition('checkout', 'Accepted')).toBe('False Protected');
  crashOne(world);
  await world.run(3 * MINUTE);
  expect([world.cluster.effects(), world.cluster.actions()]).toEqual([[], []]);
  world.cluster.editWorkload('checkout', (workload) => ({ ...workload, labels: {} }));
  await world.run(MINUTE);
  expect(world.condition('checkout', 'Accepted')).toBe('True Valid');
}, 60_000);
