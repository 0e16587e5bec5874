import { describe, expect, test } from '@jest/globals';
import {
  changesBeforeOnset,
  isMidRollout,
  neverWorked,
  newestRevision,
  previousRevision,
} from '../../../src/diagnosis/changes.ts';
import type { Change } from '../../../src/diagnosis/evidence.ts';
import type { RevisionSnapshot } from '../../../src/lib/workload.ts';
import { aCase, MINUTE, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { CaseSpec } from '../../support/builders/diagnosis.ts'; // prettier-ignore

const revision = (name: string, atMs: number, number?: number): RevisionSnapshot => ({
  name,
  templateHash: name,
  ...(number === undefined ? {} : { revision: number }),
  createdAtMs: atMs,
  replicas: 1,
  readyReplicas: 1,
});
const workloadOf = (spec: Partial<CaseSpec>) => aCase({ pods: [{}], ...spec }).workload;
const revisions = (...all: readonly RevisionSnapshot[]) => workloadOf({ workload: { revisions: all } });

describe('revisions', () => {
  test.each<[string, readonly RevisionSnapshot[], string | undefined]>([
    ['the youngest', [revision('a', 1, 1), revision('c', 3, 3), revision('b', 2, 2)], 'c'],
    ['of equally old ones the higher number', [revision('a', 1, 1), revision('b', 1, 2)], 'b'],
    ['a number before none', [revision('a', 1), revision('b', 1, 1)], 'b'],
    ['else the first by name', [revision('c', 1), revision('a', 1), revision('b', 1)], 'a'],
    ['none', [], undefined],
  ])('the newest: %s', (_, all, name) => {
    expect(newestRevision(revisions(...all))?.name).toBe(name);
  });

  test.each<[string, readonly RevisionSnapshot[], string | undefined]>([
    ['the one before it by number', [revision('a', 1, 1), revision('c', 3, 3), revision('b', 2, 2)], 'b'],
    ['the number counts, not the age', [revision('new', 9, 9), revision('a', 5, 3), revision('b', 1, 4)], 'b'],
    ['without numbers the younger', [revision('new', 9), revision('a', 5), revision('b', 1)], 'a'],
    ['a single one has none before', [revision('a', 1, 1)], undefined],
  ])('to roll back to: %s', (_, all, name) => {
    expect(previousRevision(revisions(...all))?.name).toBe(name);
  });

  test('of no workload there are none', () => {
    expect(newestRevision(undefined)).toBeUndefined();
    expect(previousRevision(undefined)).toBeUndefined();
  });
});

const BEFORE = ONSET - 5 * MINUTE;
const twoRevisions = (atMs: number) => ({ workload: { revisions: [revision('old', 0), revision('new', atMs)] } });

describe('what changed before the onset, or since', () => {
  const found = (spec: Partial<CaseSpec>) =>
    changesBeforeOnset(aCase({ pods: [{}], ...spec })).map(({ kind, name }) => `${kind} ${name}`);
  const known = (...changes: readonly Change[]) => ({ input: { changes } });
  const config = (name: string, atMs: number, kind: Change['kind'] = 'config'): Change => ({ kind, name, atMs });

  test.each<[string, Partial<CaseSpec>, readonly string[]]>([
    ['a template of a quarter of an hour ago', twoRevisions(ONSET - 15 * MINUTE), ['template new']],
    ['an older one', twoRevisions(ONSET - 15 * MINUTE - 1), []],
    ['one since the onset', twoRevisions(NOW), ['template new']],
    ['one of a clock ahead', twoRevisions(NOW + 1), []],
    ['the first revision comes with the workload', { workload: { createdAtMs: BEFORE, revisions: [revision('new', BEFORE + MINUTE)] } }, []],
    ['a single revision that came later is a change', { workload: { createdAtMs: BEFORE, revisions: [revision('new', BEFORE + MINUTE + 1)] } }, ['template new']],
    ['two revisions of a new workload are a change', { workload: { createdAtMs: BEFORE, revisions: [revision('old', BEFORE), revision('new', BEFORE + 1)] } }, ['template new']],
    ['a restart by Aegis is nobody’s deploy', { ...twoRevisions(BEFORE + 2 * MINUTE), input: { recentActions: [{ action: 'restart_pod', executedAtMs: BEFORE }] } }, ['aegis new']],
    ['two minutes and more after a restart it is', { ...twoRevisions(BEFORE + 2 * MINUTE + 1), input: { recentActions: [{ action: 'restart_pod', executedAtMs: BEFORE }] } }, ['template new']],
    ['in the moment of the restart', { ...twoRevisions(BEFORE), input: { recentActions: [{ action: 'restart_pod', executedAtMs: BEFORE }] } }, ['aegis new']],
    ['before the restart it is', { ...twoRevisions(BEFORE), input: { recentActions: [{ action: 'restart_pod', executedAtMs: BEFORE + 1 }] } }, ['template new']],
    ['one of several actions is enough', { ...twoRevisions(BEFORE), input: { recentActions: [{ action: 'scale_up', executedAtMs: BEFORE }, { action: 'restart_pod', executedAtMs: BEFORE }] } }, ['aegis new']],
    ['another action makes no revision', { ...twoRevisions(BEFORE), input: { recentActions: [{ action: 'scale_up', executedAtMs: BEFORE }] } }, ['template new']],
    ['the newest first', known(config('a', BEFORE), config('b', BEFORE + 2), config('c', BEFORE + 1)), ['config b', 'config c', 'config a']],
    ['at one moment by kind, then by name', known(config('b', BEFORE, 'secret'), config('z', BEFORE), config('a', BEFORE, 'secret'), config('y', BEFORE, 'image')), ['config z', 'image y', 'secret a', 'secret b']],
    ['each once, with its newest time', known(config('a', BEFORE), config('a', BEFORE + 2), config('b', BEFORE + 1)), ['config a', 'config b']],
    ['one name of two kinds is two', known(config('a', BEFORE), config('a', BEFORE, 'secret')), ['config a', 'secret a']],
    ['known ones beside that of the template', { ...twoRevisions(BEFORE), ...known(config('a', BEFORE + 1)) }, ['config a', 'template new']],
    ['none', {}, []],
  ])('%s', (_, spec, expected) => {
    expect(found(spec)).toEqual(expected);
  }); // prettier-ignore

  test('without a snapshot only what is known', () => {
    const { workload: _left, ...input } = aCase({ pods: [{}], ...twoRevisions(BEFORE), ...known(config('a', BEFORE)) });
    expect(changesBeforeOnset(input)).toEqual([config('a', BEFORE)]);
  });
});

describe('a rollout under way', () => {
  const replicas = (desired: number, current: number, updated: number) => ({
    replicas: { desired, current, updated, ready: current, available: current },
  });
  test.each<[string, CaseSpec['workload'], boolean]>([
    ['nothing is', {}, false],
    ['the controller has not yet seen the spec', { generation: 4 }, true],
    ['it has seen more than was read', { observedGeneration: 4 }, false],
    ['pods of two templates live', { revisions: [revision('a', 1), revision('b', 2)] }, true],
    ['the old template has none', { revisions: [{ ...revision('a', 1), replicas: 0 }, revision('b', 2)] }, false],
    ['not all are updated', replicas(3, 3, 2), true],
    ['all that are there are updated, one is missing', replicas(3, 2, 2), false],
    ['all that are wanted are updated, one is over', replicas(2, 3, 2), false],
  ])('%s: %s', (_, workload, expected) => {
    expect(isMidRollout(workloadOf({ workload: workload ?? {} }))).toBe(expected);
  });

  test('of no workload none', () => {
    expect(isMidRollout(undefined)).toBe(false);
  });
});

describe('it has never worked', () => {
  const born = (agoMs: number, count = 1) => ({
    createdAtMs: ONSET - agoMs,
    revisions: Array.from({ length: count }, (_, i) => revision(`r${i}`, ONSET - agoMs)),
  });
  const unready = [{ ready: false }, { ready: false }];
  test.each<[string, CaseSpec, boolean]>([
    ['young, one revision, no pod ready', { pods: unready, workload: born(15 * MINUTE) }, true],
    ['not young any more', { pods: unready, workload: born(15 * MINUTE + 1) }, false],
    ['a second revision', { pods: unready, workload: born(MINUTE, 2) }, false],
    ['one pod is ready', { pods: [{ ready: false }, {}], workload: born(MINUTE) }, false],
    ['it counts one ready, whichever', { pods: unready, workload: { ...born(MINUTE), replicas: { desired: 2, current: 2, updated: 2, ready: 1, available: 1 } } }, false],
    ['a pod is ready that it does not count', { pods: [{}, { ready: false }], workload: { ...born(MINUTE), replicas: { desired: 2, current: 2, updated: 2, ready: 0, available: 0 } } }, false],
    ['no pods at all', { pods: [], workload: born(MINUTE) }, false],
  ])('%s: %s', (_, spec, expected) => {
    expect(neverWorked(aCase(spec))).toBe(expected);
  }); // prettier-ignore

  test('without a snapshot it cannot be said', () => {
    const { workload: _left, ...input } = aCase({ pods: unready, workload: born(MINUTE) });
    expect(neverWorked(input)).toBe(false);
  });
});
