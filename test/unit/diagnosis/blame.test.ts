/** Who is blamed for what moved, number by number; `root-cause.test.ts` tells the cases. */
import { describe, expect, test } from '@jest/globals';
import { blameEdges, findRootCause } from '../../../src/diagnosis/root-cause.ts';
import type { RootCauseInput, SuspectEvidence } from '../../../src/diagnosis/root-cause.ts';
import type { RememberedSeries } from '../../../src/diagnosis/series-memory.ts';
import { isOwnMeasured, movedMost, OWN_METRICS, suspectOf } from '../../../src/diagnosis/suspects.ts';
import { ONSET } from '../../support/builders/diagnosis.ts';

const suspect = (entity: string, inheritedScore: number, over: Partial<SuspectEvidence> = {}): SuspectEvidence => ({
  entity,
  ownScore: 0,
  inheritedScore,
  ...over,
});
const own = (entity: string, ownScore: number, over: Partial<SuspectEvidence> = {}): SuspectEvidence =>
  suspect(entity, 0, { ownScore, ...over });
/** `a>b b>c` as a graph. */
const calls = (text: string): NonNullable<RootCauseInput['graph']> => ({
  edges: text.split(' ').map((edge) => {
    const [caller = '', callee = ''] = edge.split('>');
    return { caller, callee };
  }),
});
/** The ranking as `entity because score`. */
const blamed = (input: RootCauseInput): string[] =>
  findRootCause(input).ranking.map(({ entity, because, score }) => `${entity} ${because} ${Number(score.toFixed(3))}`);

describe('the ranking of causes', () => {
  test.each<readonly [string, RootCauseInput, readonly string[]]>([
    ['the highest score first', { suspects: [own('a', 2), own('b', 5), own('c', 3)] }, ['b own 5', 'c own 3', 'a own 2']],
    ['of equal ones the earlier, then by name', { suspects: [own('d', 3), own('c', 3), own('b', 3, { onsetAtMs: 9 }), own('a', 3, { onsetAtMs: 10 })] }, ['b own 3', 'a own 3', 'c own 3', 'd own 3']],
    ['two spreads are anomalous, less is not', { suspects: [own('a', Math.log1p(2)), own('b', 1.09)] }, ['a own 1.099']],
    ['a threshold may be set', { suspects: [own('a', 2), own('b', 3)], threshold: 3 }, ['b own 3']],
    ['each by its best explanation', { suspects: [own('a', 2, { inheritedScore: 9 }), own('b', 5, { inheritedScore: 4 })], graph: calls('x>a x>b') }, ['a deepest 9', 'b own 5']],
    ['what is inherited counts half without a graph', { suspects: [suspect('a', 4), suspect('b', 2.1)] }, ['a inherited 2']],
    ['a proxy is never blamed', { suspects: [own('p', 9, { isProxy: true, inheritedScore: 9 }), own('a', 2)] }, ['a own 2']],
    ['nor is it, without a graph, by what it inherits', { suspects: [suspect('p', 9, { isProxy: true })] }, []],
    ['a chain: the end of it, and its callers by half of it', { suspects: [suspect('a', 9), suspect('b', 4)], graph: calls('a>b') }, ['b deepest 4', 'a inherited 2']],
    ['one that is well ends the chain', { suspects: [suspect('a', 3), suspect('b', 0), suspect('c', 4)], graph: calls('a>b b>c') }, ['c deepest 4', 'a deepest 3']],
    ['a proxy between does not', { suspects: [suspect('a', 3), suspect('b', 0, { isProxy: true }), suspect('c', 4)], graph: calls('a>b b>c') }, ['c deepest 4', 'a inherited 1.5']],
    ['late edges', { suspects: [], edges: [{ caller: 'a', callee: 'b', shift: 9 }] }, [`b edges ${Number(Math.log1p(9).toFixed(3))}`]],
    ['edges that became faster', { suspects: [], edges: [{ caller: 'a', callee: 'b', shift: -9 }], threshold: 0 }, ['a edges 0', 'b edges 0']],
  ])('%s', (_, input, expected) => {
    expect(blamed(input)).toEqual(expected);
  });

  // 0.1 less for each place, of the highest score; five places at most.
  test('by harm, where the harm of all culprits is known', () => {
    const harm = (entity: string, score: number, impact: number) => suspect(entity, score, { impact });
    const graph = calls('x>a x>b x>c');
    const ordered = [harm('a', 2, 10), harm('b', 4, 30), harm('c', 3, 20)];
    expect(blamed({ suspects: ordered, graph })).toEqual(['b deepest 4', 'c deepest 3.6', 'a deepest 3.2']);
    expect(blamed({ suspects: [harm('a', 4, 10), harm('b', 2, 30)], graph })).toEqual(['b deepest 4', 'a deepest 3.6']);
    expect(blamed({ suspects: [harm('a', 4, 10), suspect('b', 2)], graph })).toEqual(['a deepest 4', 'b deepest 2']);
  });

  const target = suspect('x', 3, { calls: 100 });
  test.each<readonly [string, SuspectEvidence, string]>([
    ['takes part in a twentieth of the requests', suspect('a', 3, { calls: 5 }), 'a deepest 3'],
    ['takes part in fewer', suspect('a', 3, { calls: 4.9 }), 'a inherited 1.5'],
    ['in how many is not known', suspect('a', 3), 'a deepest 3'],
  ])('one that %s', (_, other, expected) => {
    expect(blamed({ suspects: [target, other], graph: calls('x>a'), target: 'x' })).toContain(expected);
  });

  test.each<readonly [string, readonly SuspectEvidence[], string | undefined]>([
    ['equal for the same reason', [own('a', 3), own('b', 3)], 'a and b explain it equally well'],
    ['within a twentieth', [own('a', 4), own('b', 3.8)], 'a and b explain it equally well'],
    ['farther apart', [own('a', 4), own('b', 3.79)], undefined],
    ['for different reasons', [own('a', 4), suspect('b', 8)], undefined],
    ['one alone', [own('a', 4)], undefined],
  ])('a contradiction or not: %s', (_, suspects, expected) => {
    expect(findRootCause({ suspects }).contradiction).toBe(expected);
  });

  test.each<readonly [string, RootCauseInput, readonly string[]]>([
    ['a graph, of several services', { suspects: [own('a', 3), own('b', 2)] }, ['call graph']],
    ['nothing, of one', { suspects: [own('a', 3)] }, []],
    ['nothing, with a graph', { suspects: [own('a', 3), own('b', 2)], graph: calls('a>b') }, []],
  ])('missing is %s', (_, input, expected) => {
    expect(findRootCause(input).missing).toEqual(expected);
  });

  test('of an even number of edges the lower middle decides; a single outgoing one says nothing', () => {
    const shifts = (callee: string, ...all: number[]) => all.map((shift, i) => ({ caller: `${callee}${i}`, callee, shift }));
    const found = blameEdges([...shifts('b', 9, 1, NaN), ...shifts('a', 1, 1), ...shifts('c', 5, 7, 6)]);
    expect(found.slice(0, 3)).toEqual([{ entity: 'c', shift: 6 }, { entity: 'a', shift: 1 }, { entity: 'b', shift: 1 }]);
    expect(found.filter(({ shift }) => shift === 0)).toHaveLength(8);
    const out = blameEdges([{ caller: 'x', callee: 'y', shift: 4 }, { caller: 'x', callee: 'z', shift: 6 }]);
    expect(out.find(({ entity }) => entity === 'x')?.shift).toBe(4);
  });
}); // prettier-ignore

/** Twenty polls before the alarm and ten after it. */
const moved = (metric: string, before: number, after: number, pod?: string): RememberedSeries => ({
  metric,
  ...(pod !== undefined && { pod }),
  points: Array.from({ length: 30 }, (_, i) => {
    const atMs = ONSET + (i - 20) * 15_000;
    return { atMs, value: atMs < ONSET ? before : after };
  }),
});

describe('one service', () => {
  const of = (state: 'healthy' | 'unhealthy' | 'unknown', ...series: RememberedSeries[]) =>
    suspectOf({ entity: 'x', state, series, alarmAtMs: ONSET });

  test.each<readonly [string, RememberedSeries, 'own' | 'inherited', number]>([
    ['utilisation in half points or twentieths', moved('cpu_usage', 40, 50), 'own', 5],
    ['memory as well', moved('memory_usage', 40, 50), 'own', 5],
    ['and volumes', moved('volume_usage', 40, 50), 'own', 5],
    ['throttling in tenths', moved('cpu_throttling', 0.5, 1), 'own', 10],
    ['disk in tenths', moved('disk_io', 100, 150), 'own', 5],
    ['restarts in whole ones', moved('restarts', 0, 3), 'own', 3],
    ['errors in tenths', moved('error_rate', 0.5, 1), 'inherited', 10],
    ['latency in tenths', moved('response_time', 100, 200), 'inherited', 10],
  ])('%s', (_, series, whose, spreads) => {
    const { ownScore, inheritedScore } = of('unhealthy', series);
    const expected = Math.log1p(spreads);
    // Ill counts for four spreads at least.
    expect([ownScore, inheritedScore]).toEqual(whose === 'own' ? [expect.closeTo(expected, 9), Math.log1p(4)] : [0, expect.closeTo(expected, 9)]);
    expect(OWN_METRICS.includes(series.metric)).toBe(whose === 'own');
  });

  test('counts the metric that moved most, and none that fell', () => {
    const all = [moved('cpu_usage', 40, 50), moved('memory_usage', 40, 80), moved('disk_io', 100, 0)];
    expect(of('unhealthy', ...all).ownScore).toBeCloseTo(Math.log1p(20), 9);
  });

  test('that is well or unknown has nothing; unknown is a proxy', () => {
    expect(of('healthy', moved('cpu_usage', 40, 50))).toEqual({ entity: 'x', ownScore: 0, inheritedScore: 0 });
    expect(of('unknown', moved('cpu_usage', 40, 50))).toEqual({ entity: 'x', ownScore: 0, inheritedScore: 0, isProxy: true });
  });

  test('tells its onset where it is known', () => {
    expect(suspectOf({ entity: 'x', state: 'healthy', series: [], alarmAtMs: ONSET, onsetAtMs: 7 }).onsetAtMs).toBe(7);
  });
}); // prettier-ignore

describe('what moved most', () => {
  test('three metrics at most, that moved by three spreads, up or down', () => {
    const series = [
      moved('restarts', 0, 3, 'a'),
      moved('restarts', 0, 2.9, 'b'),
      moved('cpu_usage', 40, 20),
      moved('request_rate', 100, 400),
      moved('response_time', 100, 160),
    ];
    const found = movedMost(series, ONSET).map(({ metric, entity, shift }) => [metric, entity, Math.round(shift)]);
    expect(found).toEqual([['request_rate', '', 30], ['cpu_usage', '', -10], ['response_time', '', 6]]);
    expect(movedMost(series.slice(0, 2), ONSET).map(({ entity }) => entity)).toEqual(['a']);
  });

  test.each([
    ['its cpu', [moved('cpu_usage', 40, 40)], true],
    ['its latency alone, which others move as well', [moved('response_time', 100, 200)], false],
    ['its cpu, which was not seen before', [{ ...moved('cpu_usage', 40, 40), points: moved('cpu_usage', 40, 40).points.slice(25) }], false],
    ['a metric that nobody knows', [moved('queue', 1, 2)], false],
    ['nothing', [], false],
  ] as const)('how far its own metrics moved can be told by %s: %p', (_, series, expected) => {
    expect(isOwnMeasured(series, ONSET)).toBe(expected);
  });
}); // prettier-ignore
