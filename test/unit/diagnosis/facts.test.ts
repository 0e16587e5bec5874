import { describe, expect, test } from '@jest/globals';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { gatherFacts, podsCarrying } from '../../../src/diagnosis/facts.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import { aCase, aNode, anEvent, logLines, MINUTE, ONSET, podName } from '../../support/builders/diagnosis.ts';
import type { PodSpec } from '../../support/builders/diagnosis.ts';

const up: PodSpec = { metrics: { memory_usage: ['up', 90, 40] } };
const calm: PodSpec = { metrics: { memory_usage: ['flat', 40, 40] } };
const facts = (input: Partial<DiagnosisInput> = {}, pods: readonly PodSpec[] = [up, calm]) =>
  gatherFacts({ ...aCase({ pods }), ...input });

describe('events that are about this workload', () => {
  test.each<readonly [string, Parameters<typeof anEvent>[2], boolean]>([
    ['of its pod', {}, true],
    ['of a pod that is gone, of one of its revisions', { name: 'checkout-old-x1' }, true],
    ['of another’s pod, though its name begins alike', { name: 'checkoutabc-1' }, false],
    ['of itself', { kind: 'Deployment', name: 'checkout' }, true],
    ['of another of its kind', { kind: 'Deployment', name: 'cart' }, false],
    ['of its revision', { kind: 'ReplicaSet', name: 'checkout-old' }, true],
    ['of another revision', { kind: 'ReplicaSet', name: 'cart-old' }, false],
    ['of the same names elsewhere', { namespace: 'staging' }, false],
    ['a quarter of an hour before the onset', { lastAtMs: ONSET - 15 * MINUTE }, true],
    ['earlier', { lastAtMs: ONSET - 15 * MINUTE - 1 }, false],
  ])('%s', (_, over, expected) => {
    expect(facts({ events: [anEvent('BackOff', 'm', over)] }).events).toHaveLength(expected ? 1 : 0);
  });

  test('of a workload that is not known all are', () => {
    const { workload: _, ...rest } = aCase({ pods: [up] });
    const events = [anEvent('BackOff', 'm', { namespace: 'x', name: 'y' }), anEvent('Old', 'm', { lastAtMs: 0 })];
    expect(gatherFacts({ ...rest, events }).events.map(({ reason }) => reason)).toEqual(['BackOff']);
  });
});

describe('what there is', () => {
  test('pods that are unhealthy, and how many should run', () => {
    const found = facts();
    expect(found.unhealthy.map(({ pod }) => pod.name)).toEqual([podName(1)]);
    expect([found.pods.length, found.total]).toEqual([2, 2]);
    const { workload: _, ...rest } = aCase({ pods: [up, calm, calm] });
    expect(gatherFacts(rest).total).toBe(3);
  });

  test('nodes that carry its pods, by name', () => {
    const nodes = ['node-2', 'node-9', 'node-1'].map((name) => aNode(name));
    expect(facts({ nodes }).nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2']);
  });

  test('its name: of the workload, else of the verdict, else of the request, else a paraphrase', () => {
    const { workload: _, verdict, ...rest } = aCase({ pods: [up] });
    const subject = { kind: 'StatefulSet', namespace: 'n', name: 'j' } as const;
    const names = [facts({ subject }), gatherFacts({ ...rest, ...(verdict && { verdict }), subject }), gatherFacts({ ...rest, subject }), gatherFacts(rest)];
    expect(names.map((found) => found.subject.name)).toEqual(['checkout', 'checkout', 'j', 'this workload']);
  }); // prettier-ignore

  test('the shape of a metric, of one that nobody measured as well', () => {
    expect([facts().metric('memory_usage').direction, facts().metric('cpu_usage').direction]).toEqual([
      'up',
      'unknown',
    ]);
  });

  test('pods that carry a metric, the worst first', () => {
    const found = facts({}, [calm, up]);
    expect(podsCarrying(found, found.metric('memory_usage')).map(({ pod }) => pod.name)).toEqual([podName(2)]);
  });
});

describe('kinds of lines that were never seen before', () => {
  const before = logLines(['ready to serve', 'ready to serve']).map((line) => ({ ...line, atMs: ONSET - 5 * MINUTE }));
  const lines = (message: string, count: number, level: LogLine['level'] = 'error') =>
    logLines(Array<string>(count).fill(message), level);
  const told = (...logs: (readonly LogLine[])[]) =>
    facts({ logs: logs.flat() }).newTemplates().map(({ template, alarming }) => `${alarming} ${template}`);

  test('warnings and errors, the most frequent kind first, then by name', () => {
    expect(told(before, lines('b is jammed', 1), lines('a is jammed', 1, 'warn'), lines('c broke now', 3))).toEqual([
      '3 c broke now',
      '1 a is jammed',
      '1 b is jammed',
    ]);
  });

  test('not those of other levels, nor those that were seen before', () => {
    expect(told(before, lines('all is well', 3, 'info'), lines('ready to serve', 3))).toEqual([]);
  });

  test('a minute before the onset belongs to it', () => {
    const early = (agoMs: number) => lines('it broke', 1).map((line) => ({ ...line, atMs: ONSET - agoMs }));
    expect(told(before, early(MINUTE))).toEqual(['1 it broke']);
    expect(told(before, early(MINUTE + 1))).toEqual([]);
  });

  test('nothing is new without a time before', () => {
    expect(told(lines('it broke', 3))).toEqual([]);
  });
}); // prettier-ignore
