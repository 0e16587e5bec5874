import { describe, expect, test } from '@jest/globals';
import type { Diagnosis } from '../../../src/diagnosis/diagnosis.ts';
import { stormReport, type StormCase } from '../../../src/healing/storm-report.ts';
import type { StormState } from '../../../src/policy/guard.ts';

const state = (over: Partial<StormState> = {}): StormState => ({
  ...{ active: true, scope: 'cluster', anomalous: 3, watched: 5 },
  ...over,
});
const self = { kind: 'self' } as const;
const ill = (
  name: string,
  failureType: Diagnosis['failureType'],
  cause: Diagnosis['cause'] = self,
  advice = `look at ${name}`,
): StormCase => ({
  workload: `Deployment shop/${name}`,
  diagnosis: { failureType, cause, advice, summary: '' },
});
const node = { kind: 'node', name: 'n-7' } as const;
const rollout = (name: string) => ({ kind: 'rollout', name }) as const;
const EVENTS = 'kubectl get events -A --field-selector type=Warning --sort-by=.lastTimestamp';

describe('what is told of a storm', () => {
  test.each<[string, readonly StormCase[], string]>([
    ['one node that is blamed by most', [ill('a', 'node_pressure', node), ill('b', 'node_pressure', node), ill('c', 'crash_loop')], 'suspected common cause: the node n-7 (2 of 3)'],
    ['rollouts that bear names of their own', [ill('a', 'bad_deploy', rollout('a-2')), ill('b', 'bad_deploy', rollout('b-9')), ill('c', 'crash_loop')], 'suspected common cause: rollouts at the same time (2 of 3)'],
    ['what most show, where nothing is blamed', [ill('a', 'image_error'), ill('b', 'image_error'), ill('c', 'crash_loop')], '2 of 3 show image_error: look for what they share'],
    ['that nothing is known, where all differ', [ill('a', 'image_error'), ill('b', 'oom_kill'), ill('c', 'crash_loop')], 'no common cause is known'],
    ['a cause that one of three blames is none of all', [ill('a', 'node_pressure', node), ill('b', 'oom_kill'), ill('c', 'crash_loop')], 'no common cause is known'],
    ['what Aegis did itself is no common cause', [ill('a', 'oom_kill', { kind: 'aegis', name: 'x' }), ill('b', 'cpu_saturation', { kind: 'aegis', name: 'x' }), ill('c', 'crash_loop')], 'no common cause is known'],
    ['workloads without a name count among all', [ill('a', 'image_error'), { workload: 'Deployment shop/b' }, ill('c', 'unknown')], 'no common cause is known'],
  ])('%s', (_, cases, expected) => {
    const { summary } = stormReport(state(), cases);
    const named = cases.map(({ workload }) => workload).join(', ');
    expect(summary).toBe(`3 of 5 workloads turned anomalous within five minutes (cluster): ${named}; ${expected}`);
  }); // prettier-ignore

  test('which suffer from what, the most frequent first', () => {
    const cases = [ill('a', 'crash_loop'), ill('b', 'bad_deploy'), ill('c', 'bad_deploy')];
    expect(stormReport(state(), cases).evidence).toEqual([
      'bad_deploy: Deployment shop/b, Deployment shop/c',
      'crash_loop: Deployment shop/a',
    ]);
  });

  test('commands that show it, and what each failure asks people to do', () => {
    const cases = [ill('a', 'node_pressure', node), ill('b', 'dns_failure', { kind: 'dns', name: 'kube-dns' }), ill('c', 'bad_deploy', rollout('c-2'), 'kubectl rollout undo deployment/c')];
    expect(stormReport(state(), cases).advice.split('\n').slice(1)).toEqual([
      'kubectl describe node n-7',
      'kubectl -n kube-system get pods -o wide',
      EVENTS,
      'Deployment shop/a: look at a',
      'Deployment shop/b: look at b',
      'Deployment shop/c: kubectl rollout undo deployment/c',
    ]);
  }); // prettier-ignore

  test('in one namespace, that namespace', () => {
    expect(stormReport(state({ scope: 'shop' }), []).advice).toContain('kubectl get events -n shop --field-selector');
  });

  test('of a thousand workloads ten are named, the others counted, and five are advised on', () => {
    const cases = Array.from({ length: 1_000 }, (_, i) => ill(`w-${1_000 + i}`, 'crash_loop'));
    const { summary, evidence, advice } = stormReport(state({ anomalous: 1_000, watched: 2_000 }), cases);
    expect(summary).toContain('w-1009 and 990 more; 1000 of 1000 show crash_loop');
    expect(evidence).toHaveLength(1);
    expect(advice.split('\n')).toHaveLength(7);
    expect(summary.length + evidence.join().length + advice.length).toBeLessThan(2_000);
  });

  test('before any was looked at: the names that the storm itself knows', () => {
    const { summary, isNamed } = stormReport(state({ workloads: ['Deployment shop/a'] }), []);
    expect(summary).toBe(
      '3 of 5 workloads turned anomalous within five minutes (cluster): Deployment shop/a and 2 more',
    );
    expect(isNamed).toBe(false);
  });

  test.each<[string, readonly StormCase[], boolean]>([
    ['all have names', [ill('a', 'crash_loop')], true],
    ['one has none', [ill('a', 'crash_loop'), ill('b', 'unknown')], false],
    ['one was not looked at', [ill('a', 'crash_loop'), { workload: 'b' }], false],
  ])('%s', (_, cases, isNamed) => expect(stormReport(state(), cases).isNamed).toBe(isNamed));
});
