import { describe, expect, test } from '@jest/globals';
import { attributedPast } from '../../../src/controller/attribution.ts';
import { BackFill } from '../../../src/controller/back-fill.ts';
import type { Incident } from '../../../src/detection/incident.ts';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Poller } from '../../../src/controller/poller.ts';
import type { ClusterReader, RangeSeries } from '../../../src/controller/ports.ts';
import type { WorkloadAssessor } from '../../../src/controller/workload-assessor.ts';
import { anIncident } from '../../support/builders/incident.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { aWorkload, HOUR, MINUTE, NOW } from '../../support/builders/workload.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { recordedLog } from '../../support/recorders.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Each asks something of its own. */
const policies = Array.from({ length: 6 }, (_, i) => aPolicy({ name: `p-${i}`, uid: `p-${i}`, namespace: `n-${i}` }));

function aBackFill() {
  const spans: number[] = [];
  const ends: number[] = [];
  const waiting: ((past: readonly []) => void)[] = [];
  const state: { fails: boolean; broken?: string; incidents: readonly Incident[] | undefined } = {
    fails: false,
    incidents: [],
  };
  const poller = {
    past: (_: unknown, spanMs: number, untilMs: number) => {
      spans.push(spanMs);
      ends.push(untilMs);
      return state.fails
        ? Promise.reject(new Error('no such host'))
        : new Promise<readonly []>((resolve) => waiting.push(resolve));
    },
  } as unknown as Poller;
  const log = recordedLog();
  const reader = { workloads: () => [aWorkload()] } as unknown as ClusterReader;
  const store = {
    openIncidents: () =>
      state.incidents === undefined
        ? Promise.reject(new Error('database is locked'))
        : Promise.resolve(state.incidents),
  };
  const taught: string[] = [];
  const teach = ({ name }: HealingPolicy): number => {
    if (name === state.broken) throw new Error('no such series');
    return taught.push(name);
  };
  const assessor = { teach } as unknown as WorkloadAssessor;
  const clock = { after: (_: number, run: () => void) => (setImmediate(run), () => undefined) };
  const backFill = new BackFill({ poller, assessor, reader, store, clock, log });
  const names = (of: readonly HealingPolicy[] = policies): readonly string[] =>
    backFill.ready(of, NOW).map(({ name }) => name);
  return { backFill, names, spans, ends, waiting, taught, state, log };
}

describe('whose the past is', () => {
  const series = (value: number, of: Partial<RangeSeries> = {}): RangeSeries => ({
    ...{ metric: 'lag', timesMs: Float64Array.of(1), values: Float64Array.of(value), ...of },
  });
  const { ref } = aWorkload();
  const own = { workload: { name: ref.name, kind: ref.kind } };

  test.each<readonly [string, readonly RangeSeries[], boolean, readonly number[]]>([
    ['series of pods are anybody’s who has the pod', [series(1, { pod: 'a' }), series(2, { pod: 'b' })], false, [1, 2]],
    ['one without a pod is the only workload’s', [series(1)], true, [1]],
    ['and nobody’s where several are selected', [series(1)], false, []],
    ['it is whose it names', [series(1, { workload: { name: 'other' } }), series(2, own)], false, [2]],
    ['of its kind', [series(1, { workload: { name: ref.name, kind: 'StatefulSet' } })], false, []],
    ['two that name it are not guessed', [series(1, own), series(2, own)], true, []],
    ['nor are two that name none', [series(1), series(2, { workload: { name: 'other' } })], true, []],
    ['metrics are taken one by one', [series(1), series(2, { ...own, metric: 'size' })], false, [2]],
  ])('%s', (_, past, isOnly, expected) =>
    expect(attributedPast(past, ref, isOnly).map(({ values }) => values[0])).toEqual(expected),
  );
});

describe('the back-fill', () => {
  test('a policy is polled once its past is learnt, four at once', async () => {
    const { names, waiting } = aBackFill();
    expect(names()).toEqual([]);
    await settled();
    expect(waiting).toHaveLength(4);
    for (const end of waiting.splice(0)) end([]);
    await settled();
    expect(waiting).toHaveLength(2);
    expect(names()).toEqual(['p-0', 'p-1', 'p-2', 'p-3']);
  });

  test('who ends lets the next begin, without waiting to be looked at', async () => {
    const { backFill, waiting, spans } = aBackFill();
    const many = Array.from({ length: 1_000 }, (_, i) =>
      aPolicy({ name: `p-${i}`, uid: `p-${i}`, namespace: `n-${i}` }),
    );
    expect(backFill.ready(many, NOW)).toEqual([]);
    while (spans.length < many.length || waiting.length > 0) {
      await settled();
      expect(waiting.length).toBeLessThanOrEqual(4);
      for (const end of waiting.splice(0)) end([]);
    }
    await settled();
    expect(backFill.ready(many, NOW)).toHaveLength(1_000);
    expect(spans).toHaveLength(1_000);
  });

  test('its past is asked for once', async () => {
    const { names, waiting, spans } = aBackFill();
    const one = policies.slice(0, 1);
    names(one);
    names(one);
    await settled();
    waiting[0]?.([]);
    await settled();
    expect(names(one)).toEqual(['p-0']);
    expect(spans).toEqual([62.5 * MINUTE]); // 200 samples of 15 s, which a second model needs, and a quarter more
  });

  test('a failure only means that it learns from now on', async () => {
    const { names, state, log } = aBackFill();
    state.fails = true;
    names(policies.slice(0, 1));
    await settled();
    expect(names(policies.slice(0, 1))).toEqual(['p-0']);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  test.each<[string, readonly Incident[] | undefined, number]>([
    ['a fault that began just now may not have opened an incident yet', [], NOW - MINUTE],
    [
      'the time since the oldest incident that an earlier process left open',
      [anIncident({ policyUid: 'p-0', onsetAtMs: NOW - HOUR }), anIncident({ policyUid: 'p-0', onsetAtMs: NOW })],
      NOW - HOUR - MINUTE,
    ],
    [
      'another policy’s incident bears on nothing',
      [anIncident({ policyUid: 'p-1', onsetAtMs: NOW - HOUR })],
      NOW - MINUTE,
    ],
    ['where the store does not answer, all but the newest is taken', undefined, NOW - MINUTE],
  ])('not learnt: %s', async (_, incidents, untilMs) => {
    const { names, ends, state } = aBackFill();
    state.incidents = incidents;
    names(policies.slice(0, 1));
    await settled();
    expect(ends).toEqual([untilMs]);
  });

  test('six hours are the most that is asked for', async () => {
    const { names, spans } = aBackFill();
    const { detection } = aPolicy();
    names([aPolicy({ detection: { ...detection, intervalSeconds: 300, minSamples: 5_000 } })]);
    await settled();
    expect(spans).toEqual([6 * HOUR]);
  });

  test('a policy that comes back is prepared anew', async () => {
    const { backFill, names, waiting } = aBackFill();
    names(policies.slice(0, 1));
    await settled();
    waiting[0]?.([]);
    await settled();
    backFill.forget(() => false);
    expect(names(policies.slice(0, 1))).toEqual([]);
    await settled();
    expect(waiting).toHaveLength(2);
  });

  test('a policy that cannot be taught keeps no other of its question back', async () => {
    const { names, waiting, state, log } = aBackFill();
    state.broken = 'p-1';
    names(alike(3));
    await settled();
    waiting[0]?.([]);
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(names(alike(3))).toEqual(['p-0', 'p-1', 'p-2']);
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ facts }) => facts['policy'])).toEqual(['p-1']);
  });
});

const { detection } = aPolicy();
/** Of one namespace, and one question. */
function alike(count: number): readonly HealingPolicy[] {
  return Array.from({ length: count }, (_, i) => aPolicy({ name: `p-${i}`, uid: `p-${i}` }));
}
const named = (name: string, over: Partial<HealingPolicy>): HealingPolicy => aPolicy({ name, uid: name, ...over });

describe('policies that ask the same', () => {
  test('a thousand in ten namespaces are ten questions, and each is taught', async () => {
    const { backFill, waiting, spans, taught } = aBackFill();
    const many = Array.from({ length: 1_000 }, (_, i) =>
      aPolicy({ name: `p-${i}`, uid: `p-${i}`, namespace: `n-${i % 10}` }),
    );
    backFill.ready(many, NOW);
    for (let turn = 0; turn < 600; turn++) {
      for (const end of waiting.splice(0)) end([]);
      await settled();
    }
    expect(spans).toHaveLength(10);
    expect(backFill.ready(many, NOW)).toHaveLength(1_000);
    expect(taught).toHaveLength(1_000);
  });

  test('whoever is taught may be polled, while the others of its question are still at it', async () => {
    const { names, waiting } = aBackFill();
    names(alike(3));
    await settled();
    waiting[0]?.([]);
    await settled();
    expect(names(alike(3))).toEqual(['p-0']);
  });

  test.each<[string, Partial<HealingPolicy>, number]>([
    ['nothing but the name', {}, 1],
    ['another target', { target: { kind: 'StatefulSet', name: 'db' } }, 1],
    ['another namespace', { namespace: 'mail' }, 2],
    ['another interval', { detection: { ...detection, intervalSeconds: 30 } }, 2],
    ['another number of samples', { detection: { ...detection, minSamples: 50 } }, 2],
    ['another source of traffic', { detection: { ...detection, trafficSource: 'Istio' } }, 2],
    ['other metrics', { detection: { ...detection, metrics: [PRESETS.cpu_usage] } }, 2],
  ])('they differ in %s: so many questions', async (_, over, questions) => {
    const { names, waiting } = aBackFill();
    names([named('a', {}), named('b', over)]);
    await settled();
    expect(waiting).toHaveLength(questions);
  });

  test('one of them has an incident that was left open: it learns until then, the others until now, in two questions', async () => {
    const { names, state, ends, waiting } = aBackFill();
    state.incidents = [anIncident({ policyUid: 'p-1', onsetAtMs: NOW - HOUR })];
    names(alike(3));
    for (let turn = 0; turn < 4; turn++) {
      await settled();
      for (const end of waiting.splice(0)) end([]);
    }
    expect(ends).toEqual([NOW - MINUTE, NOW - HOUR - MINUTE]);
    await settled();
    expect(names(alike(3))).toHaveLength(3);
  });

  test('the question fails: all of them learn from now on', async () => {
    const { names, state, log } = aBackFill();
    state.fails = true;
    names(alike(3));
    await settled();
    expect(names(alike(3))).toHaveLength(3);
    expect(log.lines.map(({ level, facts }) => [level, facts['policies']])).toEqual([['warn', ['p-0', 'p-1', 'p-2']]]);
  });
});
