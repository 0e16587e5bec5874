import { describe, expect, test } from '@jest/globals';
import {
  changed,
  deepestCallees,
  errorSpeed,
  explainingCallee,
  reach,
  requestsExplain,
  requestsLead,
  restartSpacing,
  templateSplit,
  waitsNotWorks,
} from '../../../src/diagnosis/discriminators.ts';
import { gatherFacts } from '../../../src/diagnosis/facts.ts';
import type { Facts } from '../../../src/diagnosis/facts.ts';
import { aCase, MINUTE, NOW, ONSET, podName } from '../../support/builders/diagnosis.ts';
import type { Behaviour, CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

const pod = (metrics: Readonly<Record<string, Behaviour>>, over: PodSpec = {}): PodSpec => ({ metrics, ...over });
const facts = (spec: CaseSpec): Facts => gatherFacts(aCase(spec));
const onset = (metric: string, atMs: number) => ({ metric, pod: podName(1), onsetAtMs: atMs });

const up: Readonly<Record<string, Behaviour>> = { request_rate: ['up', 300, 100], cpu_usage: ['up', 95, 40] };

describe('1. the requests lead', () => {
  test.each<[string, Readonly<Record<string, Behaviour>>, readonly number[], string]>([
    ['first, half a minute before cpu', up, [ONSET, ONSET + 30_000], 'first'],
    ['later, half a minute after cpu', up, [ONSET + 30_000, ONSET], 'later'],
    ['together, within the distance of polls', up, [ONSET, ONSET + 4000], 'together'],
    ['together, where no onset is known', up, [], 'together'],
    ['alone, where nothing follows', { request_rate: ['up', 300, 100] }, [], 'alone'],
    ['flat', { request_rate: ['flat', 100, 100], cpu_usage: ['up', 95, 40] }, [], 'flat'],
    ['fell', { request_rate: ['down', 5, 100] }, [], 'fell'],
    ['unknown, not measured', { cpu_usage: ['up', 95, 40] }, [], 'unknown'],
  ])('%s', (_, metrics, [requests, cpu], lead) => {
    const series =
      requests === undefined || cpu === undefined ? [] : [onset('request_rate', requests), onset('cpu_usage', cpu)];
    expect(requestsLead(facts({ pods: [pod(metrics)], input: { series } }))).toBe(lead);
  });
});

describe('1. of several followers', () => {
  const both = pod({ ...up, response_time: ['up', 900, 80] });
  const lead = (...series: ReturnType<typeof onset>[]): string =>
    requestsLead(facts({ pods: [both], input: { series } }));

  test.each<[string, readonly ReturnType<typeof onset>[], string]>([
    ['the one that rose first counts', [onset('request_rate', ONSET), onset('cpu_usage', ONSET + 60_000), onset('response_time', ONSET - 60_000)], 'later'],
    ['either of them', [onset('request_rate', ONSET), onset('cpu_usage', ONSET - 60_000), onset('response_time', ONSET + 60_000)], 'later'],
    ['one of which it is not known when does not', [onset('request_rate', ONSET), onset('response_time', ONSET + 60_000)], 'first'],
    ['five seconds are together', [onset('request_rate', ONSET), onset('cpu_usage', ONSET + 5000)], 'together'],
    ['more are not', [onset('request_rate', ONSET), onset('cpu_usage', ONSET + 5001)], 'first'],
    ['together, where only the onset of the requests is known', [onset('request_rate', ONSET)], 'together'],
    ['together, where only that of the others is known', [onset('cpu_usage', ONSET)], 'together'],
  ])('%s', (_, series, expected) => {
    expect(lead(...series)).toBe(expected);
  });

  test('latency alone follows as well', () => {
    const { cpu_usage: _, ...rest } = up;
    const latency = pod({ ...rest, response_time: ['up', 900, 80] });
    const series = [onset('request_rate', ONSET), onset('response_time', ONSET + 60_000)];
    expect(requestsLead(facts({ pods: [latency], input: { series } }))).toBe('first');
  });
}); // prettier-ignore

describe('2. only pods of the new template', () => {
  const bad: PodSpec = { waiting: 'CrashLoopBackOff' };
  const revisions = [
    {
      name: 'checkout-new',
      templateHash: 'new',
      revision: 8,
      createdAtMs: NOW - MINUTE,
      replicas: 1,
      readyReplicas: 0,
    },
    { name: 'checkout-abc', templateHash: 'abc', revision: 7, createdAtMs: NOW - 9e8, replicas: 2, readyReplicas: 2 },
  ];
  const fresh = (spec: PodSpec): PodSpec => ({ ...spec, hash: 'new' });
  test.each<[string, readonly PodSpec[], string]>([
    ['the new one fails', [fresh(bad), {}, {}], 'new-only'],
    ['an old one fails', [fresh({}), bad, {}], 'old-only'],
    ['both fail', [fresh(bad), bad, {}], 'both'],
    ['all are new', [fresh(bad), fresh({})], 'one-template'],
    ['none fails', [fresh({}), {}, {}], 'unknown'],
    ['one of two new ones fails', [fresh(bad), fresh({}), {}], 'new-only'],
    ['one of two old ones fails', [fresh({}), bad, {}], 'old-only'],
    ['the new one is unhealthy by its metrics', [fresh({ unhealthy: true }), {}], 'new-only'],
    ['the new one is not ready, and nobody knows why', [fresh({ ready: false, unhealthy: false }), {}], 'unknown'],
  ])('%s', (_, pods, split) => {
    expect(templateSplit(facts({ pods, workload: { revisions } }))).toBe(split);
  });

  test('no revision is known', () => {
    expect(templateSplit(facts({ pods: [bad], workload: { revisions: [] } }))).toBe('unknown');
  });
});

describe('3. how far it reaches', () => {
  const bad: PodSpec = { unhealthy: true };
  const many = ['a', 'b', 'c'].map((name) => ({ name, onsetAtMs: ONSET }));
  test.each<[string, CaseSpec, string]>([
    ['one pod of three', { pods: [bad, {}, {}] }, 'one-pod'],
    ['two pods of one node', { pods: [{ ...bad, node: 'n1' }, { ...bad, node: 'n1' }, { node: 'n2' }] }, 'one-node'],
    [
      'two pods of a node that spares a third',
      { pods: [{ ...bad, node: 'n1' }, { ...bad, node: 'n1' }, { node: 'n1' }, { node: 'n2' }] },
      'some-pods',
    ],
    [
      'two pods of one node, and there is no other',
      { pods: [{ ...bad, node: 'n1' }, { ...bad, node: 'n1' }, { node: 'n1' }] },
      'some-pods',
    ],
    [
      'two pods of no known node',
      { pods: [{ ...bad, node: null }, { ...bad, node: null }, { node: 'n2' }] },
      'some-pods',
    ],
    ['one pod of a node', { pods: [{ ...bad, node: 'n1' }, { node: 'n2' }] }, 'one-pod'],
    ['two others at the same instant', { pods: [bad, {}], input: { otherAnomalous: many.slice(1) } }, 'one-pod'],
    [
      'three others a minute before',
      { pods: [bad, {}], input: { otherAnomalous: many.map((each) => ({ ...each, onsetAtMs: ONSET - MINUTE })) } },
      'many-workloads',
    ],
    [
      'three others longer before',
      { pods: [bad, {}], input: { otherAnomalous: many.map((each) => ({ ...each, onsetAtMs: ONSET - MINUTE - 1 })) } },
      'one-pod',
    ],
    ['two pods of two nodes', { pods: [{ ...bad, node: 'n1' }, { ...bad, node: 'n2' }, { node: 'n3' }] }, 'some-pods'],
    ['all', { pods: [bad, bad] }, 'all-pods'],
    ['none', { pods: [{}, {}] }, 'none'],
    [
      'three other workloads at the same instant',
      { pods: [bad, {}], input: { otherAnomalous: many } },
      'many-workloads',
    ],
    [
      'three others an hour ago',
      { pods: [bad, {}], input: { otherAnomalous: many.map((each) => ({ ...each, onsetAtMs: ONSET - 60 * MINUTE })) } },
      'one-pod',
    ],
  ])('%s', (_, spec, expected) => {
    expect(reach(facts(spec))).toBe(expected);
  });
});

describe('4. the deepest callees', () => {
  const callee = (
    name: string,
    state: 'healthy' | 'unhealthy' | 'unknown',
    anomalousCallees: readonly string[] = [],
  ) => ({ name, kind: 'workload' as const, state, anomalousCallees });
  test('anomalous ones without anomalous callees', () => {
    const dependencies = [
      callee('a', 'unhealthy', ['db']),
      callee('db', 'unhealthy'),
      callee('c', 'healthy'),
      callee('d', 'unknown'),
    ];
    expect(deepestCallees(facts({ pods: [{}], input: { dependencies } }))?.map((each) => each.name)).toEqual(['db']);
  });
  test('several are named in their order, and one that fell ill long after is a victim', () => {
    const at = (name: string, onsetAtMs: number) => ({ ...callee(name, 'unhealthy'), onsetAtMs });
    const dependencies = [at('z', ONSET + 5 * MINUTE), at('late', ONSET + 5 * MINUTE + 1), callee('b', 'unhealthy'), { ...callee('dns', 'unhealthy'), kind: 'dns' as const }];
    const found = facts({ pods: [{}], input: { dependencies } });
    expect(deepestCallees(found)?.map((each) => each.name)).toEqual(['b', 'z']);
    expect(explainingCallee(found)).toBe('b and z');
  }); // prettier-ignore

  test('no call graph is not an empty one', () => {
    expect(deepestCallees(facts({ pods: [{}] }))).toBeUndefined();
  });
});

describe('5. a change within 15 minutes before the onset', () => {
  test.each([
    ['a minute before', ONSET - MINUTE, true],
    ['14 minutes before', ONSET - 14 * MINUTE, true],
    ['16 minutes before', ONSET - 16 * MINUTE, false],
    ['since the onset', ONSET + MINUTE, true],
    ['in the future', NOW + MINUTE, false],
  ])('%s', (_, atMs, counts) => {
    const changes = [{ kind: 'config' as const, name: 'settings', atMs }];
    expect(changed(facts({ pods: [{}], input: { changes } }), 'config') !== undefined).toBe(counts);
  });

  test('the first revision of a new workload is its birth, not a change', () => {
    const revisions = [
      {
        name: 'checkout-abc',
        templateHash: 'abc',
        revision: 1,
        createdAtMs: NOW - 5 * MINUTE,
        replicas: 1,
        readyReplicas: 1,
      },
    ];
    const born = facts({ pods: [{}], workload: { createdAtMs: NOW - 5 * MINUTE, revisions } });
    expect(changed(born, 'template')).toBeUndefined();
  });
});

describe('6. waiting or working', () => {
  test.each<[string, Readonly<Record<string, Behaviour>>, string]>([
    ['slow at idle cpu waits', { response_time: ['up', 900, 80], cpu_usage: ['down', 10, 40] }, 'waits'],
    ['slow at usual cpu waits', { response_time: ['up', 900, 80], cpu_usage: ['flat', 40, 40] }, 'waits'],
    ['slow at high cpu works', { response_time: ['up', 900, 80], cpu_usage: ['up', 95, 40] }, 'works'],
    ['not slow', { response_time: ['flat', 80, 80], cpu_usage: ['up', 95, 40] }, 'unknown'],
    ['cpu not measured', { response_time: ['up', 900, 80] }, 'unknown'],
  ])('%s', (_, metrics, expected) => {
    expect(waitsNotWorks(facts({ pods: [pod(metrics)] }))).toBe(expected);
  });
});

describe('7. how fast the errors come', () => {
  test.each<[string, Readonly<Record<string, Behaviour>>, string]>([
    ['at a round time-out', { response_time: ['up', 5040, 80] }, 'time-out'],
    ['slowly', { response_time: ['up', 7777, 80] }, 'slow'],
    ['at once: latency falls', { response_time: ['down', 10, 80] }, 'rejection'],
    [
      'at once: errors at usual latency',
      { response_time: ['flat', 80, 80], error_rate: ['up', 0.5, 0.01] },
      'rejection',
    ],
    ['no errors', { response_time: ['flat', 80, 80] }, 'unknown'],
    ['latency not measured', { error_rate: ['up', 0.5, 0.01] }, 'unknown'],
  ])('%s', (_, metrics, expected) => {
    expect(errorSpeed(facts({ pods: [pod(metrics)] }))).toBe(expected);
  });
});

describe('8. spacing of restarts', () => {
  test.each<[string, readonly number[], string]>([
    ['every 30 s', [0, 30_000, 60_000, 90_500], 'constant'],
    ['irregular', [0, 30_000, 45_000, 140_000], 'irregular'],
    ['in any order, twice told', [60_000, 0, 30_000, 30_000], 'constant'],
    ['two only', [0, 30_000], 'unknown'],
    ['none', [], 'unknown'],
    ['no numbers', [NaN, Infinity, 5], 'unknown'],
  ])('%s', (_, times, expected) => {
    expect(restartSpacing(times)).toBe(expected);
  });
});

describe('1b. the requests explain a rise', () => {
  test.each<[string, Behaviour, Behaviour, boolean]>([
    ['in proportion', ['up', 300, 100], ['up', 95, 40], true],
    ['a little more requests, much more cpu', ['up', 125, 100], ['up', 95, 40], false],
    ['no more requests', ['flat', 100, 100], ['up', 95, 40], false],
    ['nothing rose', ['up', 300, 100], ['flat', 40, 40], false],
    ['from nothing: any rise explains it', ['up', 300, 0], ['up', 95, 40], true],
  ])('%s', (_, request_rate, cpu_usage, explained) => {
    const found = facts({ pods: [pod({ request_rate, cpu_usage })] });
    expect(requestsExplain(found, found.metric('cpu_usage'))).toBe(explained);
  });
});
