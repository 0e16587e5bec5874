import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { PodSnapshot } from '../../../src/lib/workload.ts';
import { MetricBook } from '../../../tools/scenarios/metric-book.ts';
import { loadScenario, scenarioFiles } from '../../../tools/scenarios/load.ts';
import { scenarioSchema, type Scenario } from '../../../tools/scenarios/schema.ts';
import { writesOf } from '../../../tools/scenarios/rig/audit.ts';
import { ScenarioPage } from '../../../tools/scenarios/rig/page.ts';
import { isClusterWide, notOnRig } from '../../../tools/scenarios/rig/playable.ts';
import { rawStatus } from '../../../tools/scenarios/rig/raw-pod.ts';
import { aContainer, aPod, aWorkload, NOW } from '../../support/builders/workload.ts';

const folder = mkdtempSync(join(tmpdir(), 'aegis-rig-scenarios-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = (over: Readonly<Record<string, unknown>>): Scenario =>
  scenarioSchema.parse({
    ...{ name: 'x', group: 'fault', lastsSeconds: 60, cluster: { workloads: [{ name: 'web' }] } },
    ...{ policies: [{ metadata: { name: 'web' }, spec: { target: { kind: 'Deployment', name: 'web' } } }], ...over },
  });
const withEvent = (event: object): Scenario => scenario({ events: [{ at: 1, ...event }] });

describe('what the rig can play', () => {
  test.each<readonly [string, object]>([
    ['a curve', { do: 'metric', workload: 'web', metric: 'cpu_usage', course: { shape: 'add', value: 1 } }],
    ['a crash', { do: 'crash', workload: 'web' }],
    ['a waiting container', { do: 'pods', workload: 'web', container: { state: 'waiting', waitingReason: 'X' } }],
    ['a release', { do: 'deploy', workload: 'web', hash: 'def' }],
    ['a kill of Aegis', { do: 'restart-aegis' }],
    ['sinks that are down', { do: 'outage', of: 'sinks', forSeconds: 5 }],
    ['Prometheus away', { do: 'prometheus', answers: 'unreachable' }],
  ])('%s', (_, event) => expect(notOnRig({ scenario: withEvent(event) })).toEqual([]));

  test.each<readonly [string, object, string]>([
    ['a clock that jumps', { do: 'clock-jump', bySeconds: 5 }, 'events[0] clock-jump: '],
    ['an answer in the server’s place', { do: 'trouble', with: 'evict', answer: 'lost' }, 'events[0] trouble: '],
    ['a store that is down', { do: 'outage', of: 'store', forSeconds: 5 }, 'events[0] outage: the store is shared'],
    ['stale samples', { do: 'prometheus', answers: 'stale' }, 'events[0] prometheus: '],
    ['a pod of another age', { do: 'pods', workload: 'web', set: { createdAtMs: 'now' } }, 'set.createdAtMs follows'],
    ['revisions', { do: 'workload', workload: 'web', set: { revisions: [] } }, 'set.revisions follows'],
    ['a cache that answers', { do: 'cache', answers: 500 }, 'events[0] cache: simulated pods run nothing'],
  ])('not: %s', (_, event, why) => expect(notOnRig({ scenario: withEvent(event) }).join()).toContain(why));

  test('not: a workload of Argo, one that KEDA scales, one with a claim; each with its place', () => {
    const claim = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
    const workloads = [
      { name: 'a', kind: 'Rollout' },
      { name: 'b', set: { autoscalers: [{ kind: 'ScaledObject', name: 'b' }] } },
      { name: 'c', podSpec: claim },
    ];
    expect(notOnRig({ scenario: scenario({ cluster: { workloads } }) })).toEqual([
      expect.stringMatching(/^cluster\.workloads\[0\]: no controller of Argo/),
      expect.stringMatching(/^cluster\.workloads\[1\]: the controller of a ScaledObject/),
      expect.stringMatching(/^cluster\.workloads\[2\]: pods with a claim/),
    ]);
  });

  test('every one of the short ones; and what the whole cluster feels is known', () => {
    const files = scenarioFiles(join(import.meta.dirname, '../../../scenarios/short'));
    const loaded = files.flatMap((file) => {
      const each = loadScenario(file);
      return each.ok ? [each.value] : [];
    });
    expect(loaded.length).toBe(files.length);
    expect(loaded.filter((each) => notOnRig(each).length > 0).map(({ file }) => file)).toEqual([]);
    const wide = loaded.filter(isClusterWide).map(({ file }) => file.split('/').at(-1));
    expect(wide).toEqual(['dns-pods-down.yaml', 'no-node-lost.yaml', 'no-node-pressure.yaml']);
  });
});

describe('the page that Prometheus scrapes', () => {
  const book = new MetricBook(scenario({}));
  const pod = aPod(0, { name: 'web-x', containers: [aContainer({ cpuLimit: 2, memoryLimit: 1000 })] });
  const workload = aWorkload({ ref: { ...aWorkload().ref, name: 'web' }, pods: [pod] });
  const values = (page: ScenarioPage, nowMs: number, pods: readonly PodSnapshot[] = [pod]) =>
    new Map(
      page.lines([{ ...workload, pods }], nowMs).map((line) => {
        const [series = '', value] = line.split(' ');
        return [series, Number(value)] as const;
      }),
    );
  const CPU = 'container_cpu_usage_seconds_total{namespace="shop",pod="web-x",container="app"}';
  const OK = 'http_requests_total{namespace="shop",pod="web-x",code="200"}';

  test('counts what the curves say: 40 % of two cores and 100 requests a second, for ten seconds', () => {
    const page = new ScenarioPage(book);
    values(page, NOW);
    const after = values(page, NOW + 10_000);
    expect(Math.abs((after.get(CPU) ?? 0) - 8)).toBeLessThan(0.5);
    expect(Math.abs((after.get(OK) ?? 0) - 1000)).toBeLessThan(60);
    const memory = after.get('container_memory_working_set_bytes{namespace="shop",pod="web-x",container="app"}') ?? 0;
    expect(Math.abs(memory - 500)).toBeLessThanOrEqual(10);
  });

  test('begins anew with a restarted container, and has no series of one that waits', () => {
    const page = new ScenarioPage(book);
    values(page, NOW);
    expect(values(page, NOW + 10_000).get(CPU)).toBeGreaterThan(7);
    const [container] = pod.containers;
    const again = { ...pod, containers: [aContainer({ ...container, restartCount: 1 })] };
    expect(values(page, NOW + 20_000, [again]).get(CPU)).toBe(0);
    const waiting = { ...pod, containers: [aContainer({ ...container, state: 'waiting' })] };
    expect(values(page, NOW + 30_000, [waiting]).size).toBe(0);
  });
});

describe('what was done, by the audit log of the API server', () => {
  const me = 'system:serviceaccount:aegis-1:aegis';
  const entry = (over: object, code = 201): string =>
    JSON.stringify({
      ...{ verb: 'create', user: { username: me }, requestURI: '/x', requestReceivedTimestamp: '2026-01-01T00:00:00Z' },
      ...{ responseStatus: { code }, ...over },
    });
  const eviction = { objectRef: { resource: 'pods', name: 'web-1', subresource: 'eviction' } };
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['an eviction', entry(eviction), ['evict web-1 true']],
    ['one that a budget refuses', entry(eviction, 429), ['evict web-1 false']],
    ['a dry run is none', entry({ ...eviction, requestURI: '/x?dryRun=All' }), []],
    ['a dry run in the body is none', entry({ ...eviction, requestObject: { deleteOptions: { dryRun: ['All'] } } }), []],
    ['somebody else’s is none', entry({ ...eviction, user: { username: 'system:serviceaccount:aegis-2:aegis' } }), []],
    ['a scale', entry({ objectRef: { resource: 'deployments', name: 'web', subresource: 'scale' }, requestObject: { spec: { replicas: 5 } } }, 200), ['scale web to 5 true']],
    ['a rollout', entry({ verb: 'patch', objectRef: { resource: 'deployments', name: 'web' } }, 200), ['rollout web true']],
    ['the minimum of an autoscaler', entry({ verb: 'patch', objectRef: { resource: 'horizontalpodautoscalers', name: 'web' }, requestObject: { spec: { minReplicas: 4 } } }, 200), ['minimum web to 4 true']],
    ['a limit', entry({ objectRef: { resource: 'backendtrafficpolicies', name: 'a' } }), ['limit backendtrafficpolicies true']],
    ['its end', entry({ verb: 'delete', objectRef: { resource: 'envoyfilters', name: 'a' } }, 200), ['unlimit envoyfilters true']],
    ['a pod that is deleted past its budget', entry({ verb: 'delete', objectRef: { resource: 'pods', name: 'web-1' } }, 200), ['delete pod web-1 true']],
    ['its own kinds are none', entry({ objectRef: { resource: 'aegishealingactions', name: 'a' } }), []],
  ]; // prettier-ignore

  test.each(rows)('%s', (_, line, wanted) => {
    const file = join(folder, 'audit.log');
    writeFileSync(file, `${line}\n`);
    expect(writesOf(file, me).map(({ what, applied }) => `${what} ${applied}`)).toEqual(wanted);
  });
});

test('the status of a sick pod is what a kubelet would write', () => {
  const lastTermination = { reason: 'OOMKilled', exitCode: 137, startedAtMs: NOW - 60_000, finishedAtMs: NOW };
  const container = aContainer({
    ...{ ready: false, state: 'waiting', waitingReason: 'CrashLoopBackOff', restartCount: 4, lastTermination },
  });
  expect(rawStatus(aPod(0, { ready: false, conditions: [], containers: [container] }), NOW)).toMatchObject({
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: 'False', lastTransitionTime: '2025-06-04T12:00:00Z' },
      { type: 'ContainersReady', status: 'False' },
    ],
    containerStatuses: [
      {
        ...{ name: 'app', ready: false, restartCount: 4, started: false },
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2025-06-04T12:00:00Z' } },
      },
    ],
  });
});
