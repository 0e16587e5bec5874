import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { departed, usualAt } from '../../../tools/scenarios/curves.ts';
import { judge } from '../../../tools/scenarios/judge.ts';
import { loadScenario, type LoadedScenario } from '../../../tools/scenarios/load.ts';
import { noteReady, type Observations, type Outcome } from '../../../tools/scenarios/outcome.ts';
import { play } from '../../../tools/scenarios/play.ts';
import { notOnRig } from '../../../tools/scenarios/rig/playable.ts';
import { Stage } from '../../../tools/scenarios/stage.ts';
import { happen } from '../../../tools/scenarios/events.ts';
import { median } from '../../../src/detection/statistics/median.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'aegis-format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const POLICY = { metadata: { name: 'web' }, spec: { target: { kind: 'Deployment', name: 'web' } } };

function read(over: object): ReturnType<typeof loadScenario> {
  const file = join(folder, 'scenario.yaml');
  const whole = { name: 'x', group: 'fault', lastsSeconds: 60, cluster: { workloads: [{ name: 'web' }] } };
  writeFileSync(file, JSON.stringify({ ...whole, policies: [POLICY], ...over }));
  return loadScenario(file);
}

function loaded(over: object): LoadedScenario {
  const result = read(over);
  if (!result.ok) throw new Error(result.error.join('\n'));
  return result.value;
}

/** The stage after all events, whenever they were to happen. */
async function staged(over: object): Promise<Stage> {
  const scenario = loaded(over);
  const stage = await Stage.open(scenario);
  for (const event of scenario.scenario.events) await happen(stage, event);
  return stage;
}

describe('noise', () => {
  const values = (distribution: 'uniform' | 'normal' | 'heavy-tailed'): readonly number[] =>
    Array.from({ length: 4_000 }, (_, i) => usualAt({ level: 100, noise: 10, distribution }, 'series', i));
  const beyond = (all: readonly number[], distance: number): number =>
    all.filter((value) => Math.abs(value - 100) > distance).length / all.length;

  test('spread evenly never leaves its amplitude', () => expect(beyond(values('uniform'), 10)).toBe(0));

  test('spread normally leaves it as often as one standard deviation is left: in 31.7 % of cases', () =>
    expect(Math.abs(beyond(values('normal'), 10) - 0.317)).toBeLessThan(0.03));

  test('with a heavy tail has its median at the level, and one in a hundred is nine amplitudes above it', () => {
    const all = values('heavy-tailed');
    expect(Math.abs(median(all) - 100)).toBeLessThan(1);
    expect(Math.min(...all)).toBeGreaterThan(90);
    const [high = 0] = all.toSorted((a, b) => b - a).slice(40, 41);
    expect(Math.abs(high - 192)).toBeLessThan(25);
  });
});

describe('work that comes little by little', () => {
  const moment = { series: 's', usualPods: 2, readyPods: 2, usualPerSecond: 100, admittedPerSecond: undefined };
  const at = (t: number): number =>
    departed({ shape: 'shared', factor: 3, overSeconds: 100, upTo: 1_000 }, 40, { ...moment, t });

  test.each([
    ['at first none', 0, 40],
    ['half of it after half of the time', 50, 80],
    ['all of it in the end', 100, 120],
    ['and no more than all', 1_000, 120],
  ])('%s', (_, t, value) => expect(at(t)).toBe(value));
});

describe('copies of a workload', () => {
  const many = { cluster: { workloads: [{ name: 'svc', copies: 3, pods: 2 }, { name: 'web' }] } };

  test('are workloads of their own, and a pattern names them all', () => {
    const { scenario } = loaded({ ...many, events: [{ at: 1, do: 'crash', workload: 'svc-*' }] });
    expect(scenario.cluster.workloads.map(({ name }) => name)).toEqual(['svc-1', 'svc-2', 'svc-3', 'web']);
    expect(scenario.events.map((event) => 'workload' in event && event.workload)).toEqual(['svc-1', 'svc-2', 'svc-3']);
  });

  test('a pattern that names none is wrong, and so is a place that none of them has', () => {
    const result = read({
      ...many,
      events: [
        { at: 1, do: 'crash', workload: 'srv-*' },
        { at: 1, do: 'crash', workload: 'svc-*', pods: [2] },
      ],
    });
    expect(result.ok ? [] : result.error.map((each) => each.replace(/^line \d+, /, ''))).toEqual([
      expect.stringMatching(/^events\[0\]\.workload: "srv-\*": there is no such workload/),
      expect.stringMatching(/^events\[1\]\.pods: 2: svc-\* has 2 pods/),
    ]);
  });
});

describe('a container that is named crashes', () => {
  const podSpec = { initContainers: [{ name: 'wait' }], containers: [{ name: 'agent' }] };
  const cluster = { workloads: [{ name: 'web', podSpec }] };
  const shown = async (container: string): Promise<readonly string[]> => {
    const stage = await staged({ cluster, events: [{ at: 0, do: 'crash', workload: 'web', pods: [0], container }] });
    const [pod] = stage.find('web', 'shop').pods;
    await stage.close();
    return [
      `${pod?.phase} ${pod?.ready ? 'ready' : 'not ready'}`,
      ...(pod?.containers ?? []).map((each) => `${each.name} ${each.waitingReason ?? each.state}`),
    ];
  };

  test('a sidecar: the others run on, and the pod is not ready', async () =>
    expect(await shown('agent')).toEqual([
      'Running not ready',
      ...['app running', 'agent CrashLoopBackOff', 'wait terminated'],
    ]));

  test('an init container: none of the others has begun', async () =>
    expect(await shown('wait')).toEqual([
      'Pending not ready',
      ...['app PodInitializing', 'agent PodInitializing', 'wait CrashLoopBackOff'],
    ]));

  test('one that the template does not have is said at once', () => {
    const result = read({ cluster, events: [{ at: 0, do: 'crash', workload: 'web', container: 'agnet' }] });
    expect(result.ok ? '' : result.error.join()).toContain(
      'container: "agnet": the podSpec of web has no such container',
    );
  });
});

describe('a release that fails', () => {
  test('brings one pod that is never ready, beside the old ones, and the workload rolls out', async () => {
    const stage = await staged({
      events: [{ at: 0, do: 'deploy', workload: 'web', hash: 'v2', fails: 'image-error', image: 'shop/web:typo' }],
    });
    await stage.world.run(60_000);
    const { pods, replicas } = stage.find('web', 'shop');
    await stage.close();
    expect(pods.map(({ templateHash, ready }) => `${templateHash} ${ready}`)).toEqual([
      ...['abc true', 'abc true', 'abc true', 'v2 false'],
    ]);
    expect(pods[3]?.containers[0]).toMatchObject({ image: 'shop/web:typo', waitingReason: 'ImagePullBackOff' });
    expect(replicas).toMatchObject({ desired: 3, current: 4, updated: 1, ready: 3 });
  });
});

describe('what owners do in the middle', () => {
  test('an edit goes on from the one before, and not from what was written at first', async () => {
    const stage = await staged({
      events: [
        { at: 0, do: 'policy', name: 'web', spec: { mode: 'Auto' } },
        { at: 1, do: 'policy', name: 'web', spec: { limits: { maxActionsPerHour: 2 } } },
      ],
    });
    const [policy] = stage.world.cluster.view().policies;
    await stage.close();
    const value = policy?.kind === 'valid' ? policy.value : undefined;
    expect([value?.mode, value?.limits.maxActionsPerHour, value?.generation]).toEqual(['Auto', 2, 3]);
  });

  test('policies and guardrails come and go', async () => {
    const stage = await staged({
      events: [
        { at: 0, do: 'add-policy', policy: { ...POLICY, metadata: { name: 'late' } } },
        { at: 1, do: 'delete-policy', name: 'web' },
        { at: 2, do: 'guardrail', name: 'freeze', spec: { suspended: true } },
        { at: 3, do: 'guardrail', name: 'other', spec: { maxMode: 'Observe' } },
        { at: 4, do: 'delete-guardrail', name: 'freeze' },
      ],
    });
    const { policies, guardrails } = stage.world.cluster.view();
    await stage.close();
    expect([policies, guardrails ?? []].map((all) => all.map((each) => (each.kind === 'valid' ? each.value.name : '')))).toEqual([['late'], ['other']]); // prettier-ignore
  });

  test('what is not there cannot be deleted, and a policy that is made is read as carefully as the others', () => {
    const result = read({
      events: [
        { at: 0, do: 'delete-policy', name: 'wab' },
        { at: 0, do: 'delete-guardrail', name: 'freeze' },
        { at: 0, do: 'add-policy', policy: { metadata: { name: 'p' }, spec: { mode: 'Atuo', target: { kind: 'Deployment', name: 'web' } } } },
      ],
    }); // prettier-ignore
    const said = result.ok ? '' : result.error.join('\n');
    for (const part of [
      'events[0].name: "wab": there is no such policy: did you mean "web"?',
      'events[1].name: "freeze": there is no such guardrail',
      'events[2].policy.spec.mode: ',
    ]) {
      expect(said).toContain(part);
    }
  });
});

test('a metric of pods that come later is that of no other', async () => {
  const stage = await staged({
    events: [
      { at: 0, do: 'metric', workload: 'web', metric: 'memory_usage', pods: 'new', course: { shape: 'constant', value: 90 } },
      { at: 0, do: 'remove-pods', workload: 'web', pods: [0] },
    ],
  }); // prettier-ignore
  await stage.world.run(20_000);
  const workload = stage.find('web', 'shop');
  const shown = workload.pods.map((pod) => stage.metrics.valueOf('memory_usage', pod, workload, stage.nowMs) === 90);
  await stage.close();
  expect(shown).toEqual([false, false, true]);
});

describe('workloads are told apart', () => {
  test('of one name in two namespaces: metrics, limits, pods that are made', async () => {
    const stage = await staged({
      cluster: {
        workloads: [
          { name: 'web', limits: { cpu: 2, memory: 1_000 } },
          { name: 'web', namespace: 'other', metrics: { cpu_usage: { level: 10 } }, limits: null },
        ],
      },
      events: [{ at: 0, do: 'remove-pods', workload: 'web', namespace: 'shop', pods: [0] }],
    });
    await stage.world.run(20_000);
    const [here, there] = [stage.find('web', 'shop'), stage.find('web', 'other')];
    await stage.close();
    expect(here.pods.map(({ containers }) => containers[0]?.memoryLimit)).toEqual([1_000, 1_000, 1_000]);
    expect([stage.metrics.namesOf(here).length, stage.metrics.namesOf(there)]).toEqual([5, ['cpu_usage']]);
    expect(here.ref.uid).not.toBe(there.ref.uid);
  });

  test('of names that begin alike: a deploy of one brings no pod of the other', async () => {
    const stage = await staged({
      cluster: { workloads: [{ name: 'web' }, { name: 'web-api' }] },
      events: [
        { at: 0, do: 'deploy', workload: 'web', hash: 'new' },
        { at: 0, do: 'remove-pods', workload: 'web-api' },
      ],
    });
    await stage.world.run(60_000);
    const hashes = (name: string) => new Set(stage.find(name, 'shop').pods.map(({ templateHash }) => templateHash));
    const found = [hashes('web'), hashes('web-api')];
    await stage.close();
    expect(found).toEqual([new Set(['new']), new Set(['abc'])]);
  });

  test('and expected by their namespace', async () => {
    const { failures } = await play(
      loaded({
        cluster: { workloads: [{ name: 'web' }, { name: 'web', namespace: 'other', pods: 2 }] },
        expect: { replicas: { 'shop/web': 3, 'other/web': 3 }, conditions: { 'shop/web': { Accepted: 'True *' } } },
      }),
    );
    expect(failures).toEqual(['replicas of other/web: 2, not 3']);
  });
});

describe('so many ready pods in time', () => {
  const { scenario } = loaded({ expect: { readyWithin: { workload: 'web', pods: 5, after: 100, seconds: 60 } } });
  const failures = (...counts: readonly { readonly at: number; readonly ready: number }[]): readonly string[] => {
    const seen: Observations = { atFirstEffect: new Map(), mostEvictedAtOnce: 0, readyPods: new Map() };
    for (const count of counts) noteReady(seen, 'web', count);
    const nothing = { faults: [], effects: [], writes: [], actions: [], held: [], sent: [], incidents: [] };
    const rest = { failureTypes: new Set<string>(), replicas: new Map(), condition: () => 'none' };
    return judge(scenario, { ...nothing, ...rest, seen } satisfies Outcome);
  };

  test.each([
    ['in time', [{ at: 1, ready: 3 }, { at: 160, ready: 5 }], []],
    ['more than enough', [{ at: 1, ready: 3 }, { at: 130, ready: 7 }], []],
    ['from before on', [{ at: 1, ready: 5 }], []],
    ['a second too late', [{ at: 1, ready: 3 }, { at: 161, ready: 5 }], ['5 pods of web were ready after 61 s, not within 60 s']],
    ['before, and then no more', [{ at: 1, ready: 5 }, { at: 90, ready: 3 }], ['web never had 5 ready pods after 100 s']],
    ['never', [{ at: 1, ready: 3 }], ['web never had 5 ready pods after 100 s']],
  ])('%s', (_, counts, wanted) => expect(failures(...counts)).toEqual(wanted)); // prettier-ignore
});

test('the time at which it begins is its own, and the rig cannot turn the clock', async () => {
  const over = { startsAt: '2026-03-29T00:50:00Z' };
  const stage = await Stage.open(loaded(over));
  expect(new Date(stage.nowMs).toISOString()).toBe('2026-03-29T00:50:00.000Z');
  expect(stage.find('web', 'shop').pods[0]?.createdAtMs).toBe(stage.nowMs - 86_400_000);
  await stage.close();
  expect(notOnRig(loaded(over)).join()).toContain('startsAt: ');
});

test('a route without a status is one that an Envoy Gateway has accepted', async () => {
  const route = { kind: 'HTTPRoute', metadata: { name: 'web' }, spec: { parentRefs: [{ name: 'edge' }] } };
  const stage = await staged({ cluster: { workloads: [{ name: 'web' }], objects: [route] } });
  const found = stage.world.objects.get('httproutes', 'shop', 'web');
  await stage.close();
  expect(found).toMatchObject({
    status: { parents: [{ parentRef: { name: 'edge' }, conditions: [{ type: 'Accepted', status: 'True' }] }] },
  });
});
