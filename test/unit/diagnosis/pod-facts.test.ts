import { describe, expect, test } from '@jest/globals';
import { podFacts, podNames } from '../../../src/diagnosis/pod-facts.ts';
import type { PodFacts } from '../../../src/diagnosis/pod-facts.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import type { PodSnapshot, TerminationSnapshot } from '../../../src/lib/workload.ts';
import { factsOf } from '../../support/assessment.ts';
import { aCase, aNode, anEvent, MINUTE, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

/** The input of one pod, whose snapshot is changed. */
function withPod(spec: PodSpec, change: (pod: PodSnapshot) => PodSnapshot): DiagnosisInput {
  const input = aCase({ pods: [spec] });
  return input.workload === undefined
    ? input
    : { ...input, workload: { ...input.workload, pods: input.workload.pods.map(change) } };
}
const one = (spec: PodSpec, change: (pod: PodSnapshot) => PodSnapshot = (pod) => pod): PodFacts | undefined =>
  podFacts(withPod(spec, change))[0];
const end = (exitCode: number, finishedAtMs?: number): TerminationSnapshot => ({
  reason: 'Error',
  exitCode,
  ...(finishedAtMs === undefined ? {} : { finishedAtMs }),
});
const withEnds = (...ends: readonly (TerminationSnapshot | undefined)[]) =>
  one({}, (pod) => ({
    ...pod,
    containers: ends.flatMap((each) =>
      pod.containers.map((container) => (each === undefined ? container : { ...container, lastTermination: each })),
    ),
  }));

describe('one pod as the rules see it', () => {
  test('a pod that is well', () => {
    expect(one({})).toEqual({
      pod: { name: 'checkout-abc-1', uid: 'p-1' },
      running: true,
      ready: true,
      pending: false,
      evicted: false,
      unhealthy: false,
      reasons: [],
      restarts: 0,
      templateHash: 'abc',
      nodeName: 'node-1',
      createdAtMs: NOW - 86_400_000,
    });
  });

  test.each<[string, PodSpec, Partial<PodFacts>]>([
    ['pending', { phase: 'Pending', node: null }, { running: false, pending: true, ready: false }],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, { running: false, evicted: true }],
    ['failed for another reason', { phase: 'Failed', reason: 'Error' }, { evicted: false }],
    ['called evicted while it runs', { phase: 'Running', reason: 'Evicted' }, { evicted: false }],
    ['unhealthy by the verdict', { unhealthy: true }, { unhealthy: true }],
    ['waiting', { waiting: 'CrashLoopBackOff', restarts: 4 }, { reasons: ['CrashLoopBackOff'], restarts: 4 }],
    ['no node takes it', { unschedulable: 'no cpu', phase: 'Pending' }, { unschedulable: 'no cpu' }],
  ])('%s', (_, spec, expected) => {
    expect(one(spec)).toMatchObject(expected);
  });

  test('reasons of status and verdict are told once, by name', () => {
    const found = one({ waiting: 'ImagePullBackOff', reason: 'Alarming' });
    expect(found?.reasons).toEqual(['Alarming', 'ImagePullBackOff']);
  });

  test('a waiting reason of a container that runs again is history', () => {
    const found = one({ waiting: 'X', unhealthy: false }, (pod) => ({
      ...pod,
      containers: pod.containers.map((each) => ({ ...each, state: 'running', waitingReason: 'CrashLoopBackOff' })),
    }));
    expect(found?.reasons).toEqual(['X']); // of the verdict
  });

  test('a mild finding of the verdict is history, a grave one is not', () => {
    const graded = (severity: number) => {
      const input = aCase({ pods: [{}] });
      const pods = (input.verdict?.pods ?? []).map((pod) => ({
        ...pod,
        status: [{ reason: 'Restarted', message: '', severity }],
      }));
      return podFacts({ ...input, ...(input.verdict === undefined ? {} : { verdict: { ...input.verdict, pods } }) })[0];
    };
    expect(graded(0.84)?.reasons).toEqual([]);
    expect(graded(0.85)?.reasons).toEqual(['Restarted']);
  });

  test('restarts of all containers', () => {
    const found = one({ restarts: 2 }, (pod) => ({ ...pod, containers: [...pod.containers, ...pod.containers] }));
    expect(found?.restarts).toBe(4);
  });

  test('other conditions of scheduling', () => {
    const scheduled = (status: 'True' | 'False', reason?: string, message?: string) =>
      one({}, (pod) => ({
        ...pod,
        conditions: [
          { type: 'PodScheduled', status, ...(reason && { reason }), ...(message && { message }) },
          { type: 'Ready', status: 'False', reason: 'Unschedulable', message: 'not this' },
        ],
      }))?.unschedulable;
    expect(scheduled('False', 'Unschedulable')).toBe('no node fits');
    expect(scheduled('False', 'SchedulingGated', 'x')).toBeUndefined();
    expect(scheduled('True', 'Unschedulable', 'x')).toBeUndefined();
  });

  const SINCE = ONSET - 15 * MINUTE;
  test.each<[string, readonly (TerminationSnapshot | undefined)[], number | undefined]>([
    ['none', [undefined], undefined],
    ['of a quarter of an hour before the onset', [end(1, SINCE)], 1],
    ['an older one is no evidence of today', [end(1, SINCE - 1)], undefined],
    ['one without a date', [end(1)], 1],
    ['the newest of several', [end(1, NOW - 2), end(2, NOW - 1), end(3, NOW - 3)], 2],
    ['one without a date before dated ones', [end(1, NOW - 2), end(2)], 2],
    ['at one moment the lower code', [end(5, NOW), end(2, NOW), end(3, NOW)], 2],
    ['old ones leave the newer', [end(1, SINCE - 1), end(2, NOW)], 2],
  ])('the last end: %s', (_, ends, code) => {
    expect(withEnds(...ends)?.lastEnd?.exitCode).toBe(code);
  });

  test('an end of the container as it stands counts too', () => {
    const found = one({}, (pod) => ({
      ...pod,
      containers: pod.containers.map((each) => ({ ...each, termination: end(7, NOW) })),
    }));
    expect(found?.lastEnd?.exitCode).toBe(7);
  });
});

describe('the pods of a workload', () => {
  test('by name, without those on their way out', () => {
    const input = aCase({ pods: [{}, {}, {}] });
    const pods = (input.workload?.pods ?? []).toReversed().map((pod, i) => (i === 1 ? { ...pod, deletedAtMs: NOW } : pod)); // prettier-ignore
    const found = podFacts({ ...input, ...(input.workload && { workload: { ...input.workload, pods } }) });
    expect(found.map(({ pod }) => pod.name)).toEqual(['checkout-abc-1', 'checkout-abc-3']);
  });

  test('found in the verdict by name where the UID differs, and by UID', () => {
    const by = (change: Partial<PodSnapshot>) =>
      podFacts(withPod({ unhealthy: true }, (pod) => ({ ...pod, ...change })))[0]?.unhealthy;
    expect(by({ uid: 'other' })).toBe(true);
    expect(by({ name: 'other' })).toBe(true);
    expect(by({ name: 'other', uid: 'other' })).toBe(false);
  });

  test('without a snapshot those of the verdict', () => {
    const { workload: _left, ...input } = aCase({ pods: [{ unhealthy: true }, { reason: 'OOMKilled' }, {}] });
    const verdict = input.verdict && { ...input.verdict, pods: input.verdict.pods.toReversed() };
    const found = podFacts({ ...input, ...(verdict && { verdict }) });
    expect(found.map(({ pod, ready, unhealthy, reasons }) => [pod.name, ready, unhealthy, reasons])).toEqual([
      ['checkout-abc-1', true, true, []],
      ['checkout-abc-2', false, true, ['OOMKilled']],
      ['checkout-abc-3', true, false, []],
    ]);
    expect(found[0]).toMatchObject({ running: true, pending: false, evicted: false, restarts: 0 });
    expect(podFacts({ ...input, ...(verdict && { verdict: { ...verdict, pods: [] } }) })).toEqual([]);
  });

  test.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and 1 more'],
    [['a', 'b', 'c', 'd', 'e'], 'a, b and 3 more'],
  ])('the names of %j', (names, expected) => {
    const [plain] = podFacts(aCase({ pods: [{}] }));
    const pods = names.flatMap((name) => (plain === undefined ? [] : [{ ...plain, pod: { name, uid: name } }]));
    expect(podNames(pods)).toBe(expected);
  });
});

describe('facts of the workload', () => {
  const eventsOf = (over: Parameters<typeof anEvent>[2], spec: Partial<CaseSpec> = {}) =>
    factsOf({ pods: [{}], ...spec, input: { events: [anEvent('R', 'm', over)] } }).events.length;

  test.each<[string, Parameters<typeof anEvent>[2], number]>([
    ['of one of its pods', {}, 1],
    ['of a pod of its revision that is gone', { name: 'checkout-abc-zzz' }, 1],
    ['of a pod that is named like its revision without the dash', { name: 'checkout-abcd' }, 0],
    ['of another pod', { name: 'cart-1' }, 0],
    ['of the workload itself', { kind: 'Deployment', name: 'checkout' }, 1],
    ['of another workload of its kind', { kind: 'Deployment', name: 'cart' }, 0],
    ['of its revision', { kind: 'ReplicaSet', name: 'checkout-abc' }, 1],
    ['of another revision', { kind: 'ReplicaSet', name: 'cart-abc' }, 0],
    ['of another namespace', { namespace: 'other' }, 0],
    ['of a quarter of an hour before the onset', { lastAtMs: ONSET - 15 * MINUTE }, 1],
    ['older', { lastAtMs: ONSET - 15 * MINUTE - 1 }, 0],
  ])('an event %s', (_, over, expected) => {
    expect(eventsOf(over)).toBe(expected);
  });

  test('without a snapshot every event that is fresh', () => {
    const events = [anEvent('R', 'm', { name: 'cart-1', namespace: 'x' }), anEvent('R', 'm', { lastAtMs: 0 })];
    expect(factsOf({ pods: [{}], without: ['workload'], input: { events } }).events).toHaveLength(1);
  });

  test('nodes that carry its pods, by name', () => {
    const nodes = ['c', 'a', 'd', 'b'].map((name) => aNode(name));
    const found = factsOf({ pods: [{ node: 'c' }, { node: 'a' }, { node: 'b' }, { node: null }], input: { nodes } });
    expect(found.nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('pods that should run, and those that are ill', () => {
    const replicas = { desired: 5, current: 2, updated: 2, ready: 1, available: 1 };
    expect(factsOf({ pods: [{}, { unhealthy: true }], workload: { replicas } })).toMatchObject({
      total: 5,
      unhealthy: [{ pod: { name: 'checkout-abc-2' } }],
    });
    expect(factsOf({ pods: [{}, {}], without: ['workload'] }).total).toBe(2);
  });

  test('its name: of the snapshot, of the verdict, of what was said, else a paraphrase', () => {
    const subject = { kind: 'StatefulSet', namespace: 'data', name: 'db' } as const;
    const named = (...without: ('workload' | 'verdict')[]) => factsOf({ pods: [{}], without, input: { subject } }).subject; // prettier-ignore
    expect(named()).toMatchObject({ kind: 'Deployment', name: 'checkout' });
    expect(named('workload')).toMatchObject({ kind: 'Deployment', name: 'checkout' });
    expect(named('workload', 'verdict')).toEqual(subject);
    expect(factsOf({ pods: [{}], without: ['workload', 'verdict'] }).subject.name).toBe('this workload');
  });
});
