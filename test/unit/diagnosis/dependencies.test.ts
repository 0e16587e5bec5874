import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CallGraph } from '../../../src/diagnosis/call-graph.ts';
import { classify } from '../../../src/diagnosis/classify.ts';
import { dependencyStates, reachableFrom, type Neighbour } from '../../../src/diagnosis/dependencies.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { oddStep } from '../../../src/diagnosis/log-requests.ts';
import type { RememberedSeries } from '../../../src/diagnosis/series-memory.ts';
import { isOwnMeasured, movedMost, suspectOf } from '../../../src/diagnosis/suspects.ts';
import { aCase, MINUTE, NOW, ONSET, type Behaviour, type PodSpec } from '../../support/builders/diagnosis.ts';

/** `a>b b>c` as a graph. */
const graph = (text: string): CallGraph => ({
  edges: text.split(' ').map((edge) => {
    const [caller = '', callee = ''] = edge.split('>');
    return { caller, callee };
  }),
});
const states = (text: string): readonly Neighbour[] =>
  text.split(' ').map((each) => {
    const name = each.slice(1);
    const state = each.startsWith('-') ? 'unhealthy' : each.startsWith('+') ? 'healthy' : 'unknown';
    return { name, state, kind: 'workload' };
  });

describe('the states of what a workload calls: - ill, + well, ? unknown', () => {
  test.each<[string, string, string, Readonly<Record<string, readonly string[]>>]>([
    ['one callee', 'a>b', '-b', { b: [] }],
    ['a chain: the end is the deepest', 'a>b b>c', '-b -c', { b: ['c'], c: [] }],
    ['one that is well ends the chain', 'a>b b>c c>d', '-b +c -d', { b: [], c: ['d'], d: [] }],
    ['one of which nothing is known hides nothing', 'a>b b>c c>d', '-b ?c -d', { b: ['d'], c: ['d'], d: [] }],
    ['two branches are equally deep', 'a>b a>c', '-b -c', { b: [], c: [] }],
    ['a ring of callees: all of them', 'a>b b>c c>b', '-b -c', { b: [], c: [] }],
    ['one that calls back is not deeper', 'a>b b>a', '-b', { b: ['a'] }],
    ['one that calls back, with a deeper one behind', 'a>b b>a b>c', '-b -c', { b: ['a', 'c'], c: [] }],
    ['what nobody calls from here is left out', 'a>b x>y', '-b -y', { b: [] }],
    ['one that calls itself', 'a>b b>b', '-b', { b: [] }],
  ])('%s', (_, edges, known, expected) => {
    const found = dependencyStates(graph(edges), 'a', states(known));
    expect(Object.fromEntries(found.map(({ name, anomalousCallees }) => [name, anomalousCallees]))).toEqual(expected);
  });

  test('whatever the graph: each is reached once, never the workload itself, and an ill one is blamed or points on', () => {
    const node = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const edges = fc.array(fc.record({ caller: node, callee: node }), { maxLength: 15 });
    const ill = fc.subarray(['b', 'c', 'd', 'e', 'f']);
    fc.assert(
      fc.property(edges, ill, (drawn, bad) => {
        const drawnGraph = { edges: drawn };
        const known = ['b', 'c', 'd', 'e', 'f'].map((name): Neighbour => {
          return { name, kind: 'workload', state: bad.includes(name) ? 'unhealthy' : 'healthy' };
        });
        const found = dependencyStates(drawnGraph, 'a', known);
        expect(found.map(({ name }) => name)).toEqual([...new Set(reachableFrom(drawnGraph, 'a'))]);
        expect(found.some(({ name }) => name === 'a')).toBe(false);
        for (const each of found) for (const below of each.anomalousCallees) expect(['a', ...bad]).toContain(below);
      }),
    );
  });
});

const flat = (metric: string, level: number, later = level): RememberedSeries => ({
  metric,
  points: Array.from({ length: 30 }, (_, i) => {
    const atMs = ONSET - 4 * MINUTE + i * 15_000;
    return { atMs, value: (atMs < ONSET ? level : later) + (i % 3) };
  }),
});
const suspect = (series: readonly RememberedSeries[], state: 'healthy' | 'unhealthy' | 'unknown' = 'unhealthy') =>
  suspectOf({ entity: 'x', state, series, alarmAtMs: ONSET });

describe('what moved in a service', () => {
  test.each<[string, ReturnType<typeof suspect>, (found: ReturnType<typeof suspect>) => boolean]>([
    ['its cpu: its own', suspect([flat('cpu_usage', 20, 90)]), ({ ownScore }) => ownScore > 2],
    ['cpu that fell is nobody’s harm', suspect([flat('cpu_usage', 90, 20)]), ({ ownScore }) => ownScore === 0],
    [
      'latency may come from below',
      suspect([flat('response_time', 50, 900)]),
      (s) => s.ownScore === 0 && s.inheritedScore > 2,
    ],
    ['more requests are nobody’s fault', suspect([flat('request_rate', 50, 900)]), ({ ownScore }) => ownScore === 0],
    ['ill without series: ill all the same', suspect([]), ({ inheritedScore }) => inheritedScore > Math.log1p(2)],
    ['well: nothing', suspect([flat('cpu_usage', 20, 90)], 'healthy'), (s) => s.ownScore + s.inheritedScore === 0],
    [
      'unknown: never blamed',
      suspect([flat('cpu_usage', 20, 90)], 'unknown'),
      (s) => s.isProxy === true && s.ownScore === 0,
    ],
  ])('%s', (_, found, holds) => {
    expect(holds(found)).toBe(true);
  });
});

describe('what nobody could look at', () => {
  const missing = ['services: no right to read them'];

  test('is said where no type is named', () => {
    expect(classify(aCase({ pods: pods(slow), input: { missing } })).missing).toEqual(missing);
  });

  test('is not said where the status itself names the failure', () => {
    const crashing: PodSpec = { waiting: 'ImagePullBackOff' };
    const found = classify(aCase({ pods: [crashing, crashing], input: { missing } }));
    expect(found.failureType).toBe('image_error');
    expect(found).not.toHaveProperty('missing');
  });
});

describe('what moved most', () => {
  test('up or down, the most first; noise, and metrics of which nothing is known, are left out', () => {
    const series = [
      flat('cpu_usage', 40),
      flat('response_time', 80, 900),
      flat('request_rate', 100, 20),
      flat('custom', 1, 9),
    ];
    expect(movedMost(series, ONSET).map(({ metric }) => metric)).toEqual(['response_time', 'request_rate']);
  });

  test('too few polls on a side of the onset: nothing is known', () => {
    const short = { metric: 'cpu_usage', points: flat('cpu_usage', 20, 90).points.slice(-5) };
    expect(movedMost([short], ONSET)).toEqual([]);
  });

  test('it stands in the sentence of a failure without a name', () => {
    const moved = movedMost([{ ...flat('response_time', 80, 900), pod: 'checkout-1' }], ONSET);
    const { failureType, summary } = classify(aCase({ pods: pods(slow), input: { moved } }));
    expect(failureType).toBe('unknown');
    expect(summary).toMatch(/moved most: response_time of pod checkout-1 from 8\d to 90\d/);
  });
});

const slow: Readonly<Record<string, Behaviour>> = { response_time: ['up', 900, 80] };
const pods = (metrics: Readonly<Record<string, Behaviour>>): readonly PodSpec[] =>
  [1, 2, 3].map(() => ({ metrics: { request_rate: ['flat', 100, 100], ...metrics } }));

/** `checkout` calls payment, which calls ledger. */
function called(
  metrics: Readonly<Record<string, Behaviour>>,
  known: string,
  own: readonly RememberedSeries[] = [flat('response_time', 80, 900)],
  over: Partial<DiagnosisInput> = {},
) {
  const calls = graph('checkout>payment payment>ledger');
  const neighbours = states(known);
  const suspects = [
    suspectOf({ entity: 'checkout', state: 'unhealthy', series: own, alarmAtMs: ONSET }),
    ...neighbours.map(({ name, state }) => suspectOf({ entity: name, state, series: [], alarmAtMs: ONSET })),
  ];
  return classify(
    aCase({
      pods: pods(metrics),
      input: {
        dependencies: dependencyStates(calls, 'checkout', neighbours),
        calls: { self: 'checkout', graph: calls, suspects, isOwnMeasured: isOwnMeasured(own, ONSET) },
        ...over,
      },
    }),
  );
}

describe('whose fault it is, with a call graph', () => {
  test('only slow, and the callee of the callee is ill: it is named', () => {
    expect(called(slow, '-payment -ledger').cause).toEqual({ kind: 'dependency', name: 'ledger' });
  });

  test('the same without a graph: the workload itself', () => {
    expect(classify(aCase({ pods: pods(slow) })).cause).toEqual({ kind: 'self' });
  });

  test('every callee is well: the workload itself', () => {
    expect(called(slow, '+payment +ledger').cause).toEqual({ kind: 'self' });
  });

  test('nothing is known of the callees: nobody is blamed', () => {
    expect(called(slow, '?payment ?ledger').cause).toEqual({ kind: 'self' });
  });

  test('its own cpu rose as well: that is its own', () => {
    const busy = { ...slow, cpu_usage: ['up', 95, 40] } as const;
    const found = called(busy, '-payment', [flat('cpu_usage', 40, 95), flat('response_time', 80, 900)]);
    expect([found.failureType, found.cause]).toEqual(['cpu_saturation', { kind: 'self' }]);
  });

  test.each<[string, number, object]>([
    ['a callee that fell ill ten minutes later is a victim', 10 * MINUTE, { kind: 'self' }],
    ['one that fell ill at about the same time explains it', 2 * MINUTE, { kind: 'dependency', name: 'payment' }],
    ['one that was ill long before may explain it', -60 * MINUTE, { kind: 'dependency', name: 'payment' }],
  ])('%s', (_, afterMs, cause) => {
    const ill = { name: 'payment', kind: 'workload', state: 'unhealthy', onsetAtMs: ONSET + afterMs } as const;
    const dependencies = dependencyStates(graph('checkout>payment'), 'checkout', [ill]);
    expect(classify(aCase({ pods: pods(slow), input: { dependencies } })).cause).toEqual(cause);
  });

  test('of a long incident the time before is forgotten: its own cpu is anomalous, that is enough', () => {
    const busy = { ...slow, cpu_usage: ['up', 95, 40] } as const;
    const late = flat('cpu_usage', 40, 95).points.slice(-10);
    const found = called(busy, '-payment', [{ metric: 'cpu_usage', points: late }]);
    expect(found.cause).toEqual({ kind: 'self' });
  });

  test('its own cpu is odd, but hardly moved: the callee explains it better', () => {
    const busy = { ...slow, cpu_usage: ['up', 95, 40] } as const;
    const found = called(busy, '-payment', [flat('cpu_usage', 40, 41), flat('response_time', 80, 900)]);
    expect(found.cause).toEqual({ kind: 'dependency', name: 'payment' });
  });

  test('its own pods crash: its own, though a callee is ill', () => {
    const crashing = [1, 2, 3].map((): PodSpec => {
      return { waiting: 'CrashLoopBackOff', restarts: 7, lastEnd: { reason: 'Error', exitCode: 1 } };
    });
    const calls = graph('checkout>payment');
    const dependencies = dependencyStates(calls, 'checkout', states('-payment'));
    expect(classify(aCase({ pods: crashing, input: { dependencies } })).cause).toEqual({ kind: 'self' });
  });

  test('its requests take another course than before: its own', () => {
    const lines = requests(60, (i) => (i < 30 ? ['begin', 'query', 'done'] : ['begin', 'denied']));
    expect(called(slow, '-payment', undefined, { logs: lines }).cause).toEqual({ kind: 'self' });
  });

  test('only DNS is known: that is no call graph', () => {
    const dns = { name: 'kube-dns', kind: 'dns', state: 'healthy', anomalousCallees: [] } as const;
    const refused = { ...slow, error_rate: ['up', 0.5, 0.005] } as const;
    const logs = ['connect ECONNREFUSED 10.0.4.7:8080', 'context deadline exceeded'];
    const found = classify(aCase({ pods: pods(refused), logs, input: { dependencies: [dns] } }));
    expect(found.failureType).toBe('dependency_down');
  });
});

/** `count` requests before and after the onset, of the steps that each takes. */
function requests(count: number, stepsOf: (i: number) => readonly string[]) {
  return Array.from({ length: count }, (_, i) => {
    const atMs = ONSET - 5 * MINUTE + i * ((NOW - ONSET + 5 * MINUTE) / count);
    return stepsOf(i).map((step, k) => ({
      atMs: atMs + k,
      level: 'info' as const,
      message: `${step} trace_id=4bf92f3577b34da6a3ce929d0e0e${String(i).padStart(4, '0')}`,
      service: 'checkout',
      pod: 'checkout-1',
    }));
  }).flat();
}

describe('the course of requests', () => {
  test('a step that was never taken is found, with the numbers', () => {
    const found = oddStep(
      requests(80, (i) => (i < 40 ? ['begin', 'query', 'done'] : ['begin', 'denied'])),
      ONSET - 5 * MINUTE + 40 * ((NOW - ONSET + 5 * MINUTE) / 80),
    );
    expect(found).toMatchObject({ before: [0, 40], after: [40, 40] });
    expect(found?.from).toContain('begin');
  });

  test('a chatty log is read next to the onset alone, on both sides', () => {
    const lines = requests(8_000, (i) => (i < 4_000 ? ['begin', 'query', 'done'] : ['begin', 'denied']));
    const onsetAtMs = lines.find(({ message }) => message.startsWith('denied'))?.atMs ?? NaN;
    const found = oddStep(lines, onsetAtMs);
    expect(found?.after[1]).toBeGreaterThan(500);
    expect((found?.before[1] ?? 0) + (found?.after[1] ?? 0)).toBeLessThan(2_500);
  });

  test.each<[string, ReturnType<typeof requests>]>([
    ['the course is as before', requests(80, () => ['begin', 'query', 'done'])],
    [
      'lines carry no request id',
      requests(80, (i) => (i < 40 ? ['a'] : ['b'])).map((line) => ({ ...line, message: 'x' })),
    ],
    ['no line', []],
  ])('%s: nothing is said', (_, lines) => {
    expect(oddStep(lines, ONSET)).toBeUndefined();
  });
});
