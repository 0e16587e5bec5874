import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Problem } from '../../../src/lib/parsed.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { aStep } from '../../support/builders/policy.ts';
import { anOperator, type RunningProcess } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { quickPolicy, World } from '../../support/fakes/world.ts';

jest.setTimeout(240_000);
const SECOND = 1_000;
const MINUTE = 60_000;
const GOOD = 1_000;
const BAD = 100;
const TEAMS = 100;
const teamOf = (index: number): string => `team-${index % TEAMS}`;

const outOfRange: Problem = { path: 'spec.priority', reason: 'OutOfRange', message: 'at most 1000' };
const tellNobody = [
  { on: ['any'], minSeverity: 'low' as const, steps: [aStep('alert_admin', { notify: { sinks: ['nosuch'] } })] },
];
const climbNothing = [{ on: ['anomaly:cpu_usge'], minSeverity: 'low' as const, steps: [aStep('alert_admin')] }];
const watching = (query: string): HealingPolicy['detection'] => ({
  ...quickPolicy().detection,
  metrics: [{ name: 'queue', unit: '1', direction: 'Above', query }],
});

/** Ways to be wrong, and the reason that each must show. */
const WRONGS: readonly (readonly [reason: string, over: Partial<HealingPolicy> | 'unreadable'])[] = [
  ['OutOfRange', 'unreadable'],
  ['QueryInvalid', { detection: watching('sum({{') }],
  ['SinkUnknown', { remedies: tellNobody }],
  ['UnknownFailureType', { remedies: climbNothing }],
  ['Protected', { target: { kind: 'Deployment', name: 'aegis' } }],
];

/** So many Deployments with a policy each, and so many policies that cannot be followed beside them. */
async function aCluster(good: number, bad: number): Promise<World> {
  const world = await World.create();
  const { cluster, source } = world;
  source.hasPast = false;
  for (let index = 0; index < TEAMS; index++) {
    const labels = { app: 'aegis', 'app.kubernetes.io/name': 'aegis' };
    cluster.addWorkload({ name: 'aegis', namespace: teamOf(index), pods: 1, over: { labels } });
  }
  for (let index = 0; index < good; index++) {
    const [name, namespace] = [`good-${index}`, teamOf(index)];
    cluster.addWorkload({ name, namespace, pods: 1 });
    cluster.putPolicy(quickPolicy({ name, namespace, uid: `p-${name}`, target: { kind: 'Deployment', name } }));
  }
  for (let index = 0; index < bad; index++) {
    const [name, namespace, uid] = [`bad-${index}`, teamOf(index), `p-bad-${index}`];
    const [, over] = wrongOf(index);
    if (over !== 'unreadable') cluster.putPolicy(quickPolicy({ name, namespace, uid, ...over }));
    else cluster.putInvalidPolicy({ kind: 'invalid', generation: 1, problems: [outOfRange], name, namespace, uid });
  }
  return world;
}

const wrongOf = (index: number): (typeof WRONGS)[number] => {
  const wrong = WRONGS[index % WRONGS.length];
  if (wrong === undefined) throw new Error('no way to be wrong');
  return wrong;
};

/** What half a minute of polls costs: exchanges with the source, and times that a policy's workloads are looked up. */
async function costOfPolls(world: World, { reader }: RunningProcess): Promise<{ polls: number; lookUps: number }> {
  const before = world.source.polls;
  const lookUps = jest.spyOn(reader, 'workloads');
  await world.run(30 * SECOND);
  const counted = { polls: world.source.polls - before, lookUps: lookUps.mock.calls.length };
  lookUps.mockRestore();
  return counted;
}

describe('I30: a thousand good policies beside a hundred bad ones', () => {
  let world: World;
  let operator: RunningProcess;

  beforeAll(async () => {
    world = await aCluster(GOOD, BAD);
    operator = await anOperator(world);
    await world.run(30 * SECOND);
  });

  test('every good one is accepted, and its workload judged', () => {
    const names = Array.from({ length: GOOD }, (_, index) => index);
    const accepted = names.map((index) => world.condition(`good-${index}`, 'Accepted', teamOf(index)));
    expect(new Set(accepted)).toEqual(new Set(['True Valid']));
    const judged = operator.book.tracks().filter(({ verdict }) => verdict?.state === 'healthy');
    expect(new Set(judged.map(({ policyUid }) => policyUid)).size).toBe(GOOD);
    const matched = names.map((index) => world.cluster.policyStatus(`good-${index}`, teamOf(index))?.targets?.matched);
    expect(new Set(matched)).toEqual(new Set([1]));
  });

  test('every bad one says what is wrong with it, and nothing is judged under it', () => {
    const names = Array.from({ length: BAD }, (_, index) => index);
    const said = names.map((index) => world.condition(`bad-${index}`, 'Accepted', teamOf(index)));
    expect(said).toEqual(names.map((index) => `False ${wrongOf(index)[0]}`));
    expect(operator.book.tracks().filter(({ policyUid }) => policyUid.startsWith('p-bad'))).toEqual([]);
  });

  test('a good one’s workload is healed all the same', async () => {
    const index = 7;
    world.cluster.scale(teamOf(index), `good-${index}`, 3);
    await world.run(45 * SECOND);
    const pod = crashOne(world, `good-${index}`, teamOf(index));
    await world.until('healed', () => world.cluster.effects().length > 0, 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.faults()).toEqual([]);
  });

  test('a poll is one exchange with the source, and costs each policy what it costs it among ten', async () => {
    const small = await aCluster(10, 1);
    const few = await anOperator(small);
    await small.run(30 * SECOND);
    const one = await costOfPolls(small, few);
    const all = await costOfPolls(world, operator);
    expect(all.polls).toBe(one.polls);
    expect(all.lookUps / (GOOD + BAD)).toBeLessThanOrEqual((1.25 * one.lookUps) / 11);
  });
});
