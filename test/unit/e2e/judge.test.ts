import { describe, expect, test } from '@jest/globals';
import type { SeenAction } from '../../../tools/demo/observer.ts';
import { figuresOf } from '../../../tools/e2e/figures.ts';
import { judge } from '../../../tools/e2e/judge.ts';
import type { Second } from '../../../tools/e2e/load/tally.ts';
import type { PodRecord, ReplicaRecord, RunRecord } from '../../../tools/e2e/record.ts';

const LEAK = { fault: 'leak', workload: 'payments', fromMs: 0, toMs: 100_000, podUid: 'leaking' } as const;
const OVERLOAD = { fault: 'overload', workload: 'web', fromMs: 200_000, toMs: 300_000 } as const;
const RELEASE = { fault: 'release', workload: 'orders', fromMs: 400_000, toMs: 520_000 } as const;

const second = (workload: string, atMs: number, failed = 0): Second => ({
  ...{ workload, atMs, sent: 100, failed, causes: {} },
  latenciesMs: Array.from({ length: 100 - failed }, () => 5),
});
const replicas = (workload: string, atMs: number, desired: number): ReplicaRecord => ({
  ...{ workload, atMs, desired, ready: desired },
});
const pod = (more: Partial<PodRecord>): PodRecord => ({
  ...{ workload: 'payments', name: 'payments-1', uid: 'leaking', restarts: 0, firstSeenMs: 0 },
  ...more,
});
const action = (workload: string, name: string, state = 'Healed'): SeenAction => ({
  ...{ name: `${workload}-${name}`, workload, action: name, failureType: 'x', incidentId: 'i', state, reason: '' },
  ...{ decidedMs: 1, verdict: '', dryRun: false },
});
const alert = (workload: string, more: object = {}) => ({
  ...{ incident: `of-${workload}`, workload, summary: '', failureType: 'bad_deploy', firstSeenMs: 430_000 },
  advice: 'Roll back to revision 1: kubectl -n shop rollout undo deployment/orders --to-revision=1',
  ...more,
});

/** Everything as it ought to be with Aegis. */
const GOOD: RunRecord = {
  withAegis: true,
  chapters: [LEAK, OVERLOAD, RELEASE],
  seconds: [
    ...[second('payments', 1_000), second('web', 210_000), second('web', 290_000), second('catalog', 10_000)],
    ...[second('orders', 420_000, 30), second('orders', 510_000)],
  ],
  pods: [pod({ leavingMs: 50_000 }), pod({ uid: 'other', name: 'payments-2' })],
  replicas: [
    ...[replicas('web', 100_000, 3), replicas('web', 240_000, 5), replicas('web', 295_000, 3)],
    ...[replicas('orders', 1, 3), replicas('orders', 410_000, 3)],
  ],
  actions: [action('payments', 'restart_pod'), action('web', 'scale_up'), action('orders', 'alert_admin')],
  alerts: [alert('orders')],
  rollback: { command: 'kubectl rollout undo', atMs: 460_000 },
};

/** And without: three faults that are felt. */
const BAD: RunRecord = {
  ...GOOD,
  withAegis: false,
  seconds: [
    second('payments', 1_000, 3),
    second('web', 250_000, 20),
    second('orders', 420_000, 30),
    second('catalog', 1),
  ],
  pods: [pod({ restarts: 1, oomKilledMs: 90_000 })],
  replicas: [replicas('web', 100_000, 3), replicas('orders', 1, 3), replicas('orders', 410_000, 3)],
  actions: [],
  alerts: [],
};

const failedOf = (without: RunRecord, withAegis: RunRecord): string[] => {
  const { rollback, ...untold } = without;
  void rollback; // nobody is told without Aegis
  return judge(figuresOf(untold), figuresOf(withAegis))
    .filter(({ holds }) => !holds)
    .map(({ claim }) => claim);
};

describe('the judgement over both runs', () => {
  test('a good run fails no claim', () => expect(failedOf(BAD, GOOD)).toEqual([]));

  test('a run of one fault is judged by that fault and the neighbours', () => {
    const only = { ...GOOD, chapters: [LEAK] };
    expect(judge(figuresOf({ ...BAD, chapters: [LEAK] }), figuresOf(only))).toHaveLength(7);
  });

  test.each<[string, Partial<RunRecord>, string]>([
    ['no kill', { pods: [pod({})] }, 'without Aegis the leaking pod is killed for its memory'],
    ['no failure in the overload', { seconds: GOOD.seconds }, 'without Aegis the overload is felt'],
    [
      'no failure of the bad release',
      { seconds: [second('web', 250_000, 20), second('orders', 420_000), second('catalog', 1)] },
      'without Aegis the bad release is felt',
    ],
  ])('without Aegis %s: the fault was none', (_, without, claim) => {
    expect(failedOf({ ...BAD, ...without }, GOOD)).toContain(claim);
  });

  test.each<[string, Partial<RunRecord>, string]>([
    [
      'the kill comes first',
      { pods: [pod({ leavingMs: 50_000, restarts: 1, oomKilledMs: 40_000 })] },
      'with Aegis it is evicted before that, and no other pod with it',
    ],
    [
      'a second pod goes',
      { pods: [pod({ leavingMs: 50_000 }), pod({ uid: 'other', leavingMs: 60_000 })] },
      'with Aegis it is evicted before that, and no other pod with it',
    ],
    [
      'another pod goes in its place',
      { pods: [pod({}), pod({ uid: 'other', leavingMs: 60_000 })] },
      'with Aegis it is evicted before that, and no other pod with it',
    ],
    [
      'the eviction is not verified',
      { actions: [action('payments', 'restart_pod', 'Ineffective'), action('web', 'scale_up')] },
      'by one restart_pod that is verified',
    ],
    [
      'a request fails in the eviction',
      { seconds: [...GOOD.seconds, second('payments', 50_000, 1)] },
      'and none of its requests fails',
    ],
    [
      'nobody scales',
      {
        replicas: [replicas('web', 100_000, 3), replicas('orders', 1, 3)],
        actions: [action('payments', 'restart_pod')],
      },
      'with Aegis the deployment is scaled before its errors pass 1 %',
    ],
    [
      'errors come first',
      { seconds: [...GOOD.seconds, second('web', 220_000, 50)] },
      'with Aegis the deployment is scaled before its errors pass 1 %',
    ],
    [
      'errors come after the scaling',
      { seconds: [...GOOD.seconds, second('web', 270_000, 50)] },
      'and they stay below it',
    ],
    [
      'the replicas stay up',
      { replicas: [replicas('web', 100_000, 3), replicas('web', 240_000, 5), replicas('orders', 1, 3)] },
      'its replicas return to their baseline',
    ],
    [
      'the bad release is scaled',
      { actions: [...GOOD.actions, action('orders', 'scale_up')] },
      'with Aegis nothing makes it worse: no effect, no replica less',
    ],
    [
      'two alerts',
      { alerts: [alert('orders'), alert('orders', { incident: 'b' })] },
      'one alert, and it says what to roll back',
    ],
    ['no alert', { alerts: [] }, 'one alert, and it says what to roll back'],
    [
      'advice without a revision',
      { alerts: [alert('orders', { advice: 'Look.' })] },
      'one alert, and it says what to roll back',
    ],
    ['the cure cures nothing', { seconds: [...GOOD.seconds, second('orders', 515_000, 1)] }, 'what it says cures it'],
    [
      'a neighbour is restarted',
      { actions: [...GOOD.actions, action('catalog', 'restart_pod')] },
      'nothing is done to a healthy neighbour, and nobody is alerted of one',
    ],
    [
      'somebody is alerted of a neighbour',
      { alerts: [...GOOD.alerts, alert('catalog')] },
      'nothing is done to a healthy neighbour, and nobody is alerted of one',
    ],
    ['a storm', { alerts: [...GOOD.alerts, alert('shop')] }, 'three faults apart from one another are no storm'],
    [
      "a neighbour's pod goes",
      { pods: [...GOOD.pods, pod({ workload: 'stock', uid: 's', leavingMs: 1 })] },
      'nothing is done to a healthy neighbour, and nobody is alerted of one',
    ],
    [
      "a neighbour's requests fail",
      { seconds: [...GOOD.seconds, second('stock', 1, 1)] },
      'hardly a request of the neighbours fails',
    ],
  ])('with Aegis %s', (_, withAegis, claim) => {
    expect(failedOf(BAD, { ...GOOD, ...withAegis })).toEqual(expect.arrayContaining([claim]));
  });
});
