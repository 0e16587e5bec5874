import { describe, expect, test } from '@jest/globals';
import type { WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { classify } from '../../../src/diagnosis/classify.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { aCase, logLines, MINUTE, NOW, ONSET, podName } from '../../support/builders/diagnosis.ts';
import type { PodSpec } from '../../support/builders/diagnosis.ts';

const leak: PodSpec = {
  metrics: { memory_usage: ['up', 88, 50, ['own-history', 'trend', 'peers']], request_rate: ['flat', 100, 100] },
};
const calm: PodSpec = { metrics: { memory_usage: ['flat', 50, 50], request_rate: ['flat', 100, 100] } };
const noImage: PodSpec = { waiting: 'ImagePullBackOff', phase: 'Pending' };

/** The case with its verdict changed; `undefined`: there is none. */
function withVerdict(input: DiagnosisInput, change: (verdict: WorkloadVerdict) => WorkloadVerdict | undefined): DiagnosisInput {
  const { verdict, ...rest } = input;
  const changed = verdict === undefined ? undefined : change(verdict);
  return changed === undefined ? rest : { ...rest, verdict: changed };
} // prettier-ignore
const withoutFindings = (verdict: WorkloadVerdict, score: number): WorkloadVerdict => ({
  ...verdict,
  score,
  pods: verdict.pods.map((pod) => ({ ...pod, status: [] })),
});

describe('how severe it is', () => {
  const quiet = aCase({ pods: [calm] });
  test.each<readonly [string, DiagnosisInput, number]>([
    ['as its worst metric', aCase({ pods: [leak, calm] }), 0.95],
    ['as its status', aCase({ pods: [noImage] }), 0.95],
    ['as the worst of its status', withVerdict(aCase({ pods: [noImage, noImage] }), (verdict) => ({
      ...verdict,
      pods: verdict.pods.map((pod, i) => ({ ...pod, status: pod.status.map((each) => ({ ...each, severity: 0.9 - i / 10 })) })),
    })), 0.9],
    ['as the workload’s own status', withVerdict(aCase({ pods: [noImage] }), (verdict) => ({
      ...withoutFindings(verdict, 0.1),
      status: [{ reason: 'FailedCreate', message: '', severity: 0.7 }],
    })), 0.7],
    ['as the whole verdict, where no status tells', withVerdict(aCase({ pods: [noImage] }), (verdict) => withoutFindings(verdict, 0.8)), 0.8],
    ['0.9 by status, where there is no verdict', withVerdict(aCase({ pods: [noImage] }), () => undefined), 0.9],
    ['as the whole verdict, where nothing is known', withVerdict(quiet, (verdict) => ({ ...verdict, score: 0.3 })), 0.3],
    ['0.5 where there is not even a verdict', withVerdict(quiet, () => undefined), 0.5],
    ['0.5 on text alone', aCase({ pods: [calm], logs: ['no space left on device'] }), 0.5],
  ])('%s', (_, input, expected) => {
    expect(classify(input).severityScore).toBeCloseTo(expected, 9);
  }); // prettier-ignore
});

describe('whose fault it is', () => {
  const acted = (...recentActions: NonNullable<DiagnosisInput['recentActions']>) => classify(aCase({ pods: [leak, calm], input: { recentActions } })).cause;

  test('the newest effect of Aegis; of two at once the first by name', () => {
    expect(acted({ action: 'scale_up', executedAtMs: NOW - 2 * MINUTE }, { action: 'restart_pod', executedAtMs: NOW - MINUTE })).toEqual({ kind: 'aegis', name: 'restart_pod' });
    expect(acted({ action: 'restart_pod', executedAtMs: NOW - 2 * MINUTE }, { action: 'scale_up', executedAtMs: NOW - MINUTE })).toEqual({ kind: 'aegis', name: 'scale_up' });
    const atOnce = [{ action: 'scale_up', executedAtMs: NOW - MINUTE }, { action: 'restart_pod', executedAtMs: NOW - MINUTE }] as const;
    expect([acted(...atOnce), acted(...atOnce.toReversed())]).toEqual(Array(2).fill({ kind: 'aegis', name: 'restart_pod' }));
  });

  test.each([
    [5 * MINUTE - 1, undefined, 'aegis'],
    [5 * MINUTE, undefined, 'self'],
    [9 * MINUTE, 10 * MINUTE, 'aegis'],
  ])('an effect %p ms ago, with a look-back of %p: %s', (agoMs, lookBackMs, kind) => {
    const settings = lookBackMs === undefined ? {} : { settings: { lookBackMs } };
    const recentActions = [{ action: 'scale_up' as const, executedAtMs: NOW - agoMs }];
    expect(classify(aCase({ pods: [leak, calm], input: { recentActions, ...settings } })).cause.kind).toBe(kind);
  });

  test('a rollout is named by its newest revision', () => {
    const rolling = { generation: 4, observedGeneration: 3 };
    expect(classify(aCase({ pods: [leak, calm], workload: rolling })).cause).toEqual({ kind: 'rollout', name: 'checkout-abc' });
    expect(classify(aCase({ pods: [leak, calm], workload: { ...rolling, revisions: [] } })).cause).toEqual({ kind: 'rollout', name: 'checkout' });
  });

  const ill: Partial<DiagnosisInput> = { dependencies: [{ name: 'db', kind: 'workload', state: 'unhealthy', anomalousCallees: [] }] };
  test('what it calls, where that is ill and its own status does not speak', () => {
    expect(classify(aCase({ pods: [leak, calm], input: ill })).cause).toEqual({ kind: 'dependency', name: 'db' });
    expect(classify(aCase({ pods: [noImage], input: ill })).cause).toEqual({ kind: 'self' });
  });
}); // prettier-ignore

describe('what it rests on', () => {
  test('evidence with the time of its sample, the strongest first', () => {
    const [first] = classify(aCase({ pods: [leak, calm] })).candidates;
    const weights = first?.evidence.map(({ weight }) => weight) ?? [];
    expect(weights.length).toBeGreaterThan(1);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    expect(first?.evidence.find(({ source }) => source === 'metric')?.atMs).toBe(NOW - 5000);
    const [status] = classify(aCase({ pods: [noImage] })).candidates;
    expect(status?.evidence[0]).not.toHaveProperty('atMs');
  });

  test('three candidates at most, the likeliest first', () => {
    const logs = ['no space left on device', 'x509: certificate has expired', 'deadlock detected', 'no such host', '401 unauthorized'];
    const { candidates } = classify(aCase({ pods: [calm], logs }));
    const shares = candidates.map(({ confidence }) => confidence);
    expect(shares).toHaveLength(3);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  }); // prettier-ignore

  test.each<readonly [string, DiagnosisInput, number]>([
    ['as old as its oldest sample', aCase({ pods: [leak, calm] }), NOW - 5000],
    ['status is as old as its reading', aCase({ pods: [noImage] }), NOW],
    ['of nothing, as old as the verdict’s samples', aCase({ pods: [calm] }), NOW - 5000],
    ['of nothing and without a verdict, now', withVerdict(aCase({ pods: [calm] }), () => undefined), NOW],
  ])('%s', (_, input, expected) => {
    expect(classify(input).evidenceAtMs).toBe(expected);
  });

  test('what could not be looked at is told, unless the status itself names the failure', () => {
    const input = { missing: ['logs: forbidden'] };
    expect(classify(aCase({ pods: [leak, calm], input })).missing).toEqual(['logs: forbidden']);
    expect(classify(aCase({ pods: [calm], input })).missing).toEqual(['logs: forbidden']);
    expect(classify(aCase({ pods: [noImage], input }))).not.toHaveProperty('missing');
    expect(classify(aCase({ pods: [leak, calm], input: { missing: [] } }))).not.toHaveProperty('missing');
  });

  test('pods are those of the type, else those that are unhealthy', () => {
    const named = (pods: readonly PodSpec[]) => classify(aCase({ pods })).pods.map(({ name }) => name);
    expect(named([calm, leak, calm])).toEqual([podName(2)]);
    expect(named([calm, { ...calm, unhealthy: true }])).toEqual([podName(2)]);
    expect(named([calm])).toEqual([]);
  });
});

describe('the sentence', () => {
  test('names the type, how sure it is, and the three strongest pieces', () => {
    const { summary, candidates, confidence } = classify(aCase({ pods: [leak, calm] }));
    const told = candidates[0]?.evidence.filter(({ weight }) => weight > 0).slice(0, 3).map(({ what }) => what) ?? [];
    expect(summary).toBe(`memory_leak (confidence ${confidence.toFixed(2)}): ${told.join('; ')}`);
  });

  test('of an abstention says why, with all that is known', () => {
    const moved = [
      { entity: 'a', metric: 'response_time', kind: 'latency', shift: 9, score: 2, onsetAtMs: ONSET, before: 50, after: 900 },
      { entity: '', metric: 'request_rate', kind: 'rate', shift: 4, score: 1, onsetAtMs: ONSET, before: 10, after: 5 },
    ] as const;
    const old = logLines(['ready', 'ready']).map((line) => ({ ...line, atMs: ONSET - 10 * MINUTE }));
    const logs = [...old, ...logLines(['the frobnicator is jammed'])];
    expect(classify(aCase({ pods: [calm], input: { logs, moved } })).summary).toBe(
      'unknown: no known signature in the evidence. Evidence: 1 log lines of a kind never seen before: “the frobnicator is jammed”; moved most: response_time of pod a from 50 to 900, request_rate from 10 to 5',
    );
    expect(classify(aCase({ pods: [calm] })).summary).toBe('unknown: no known signature in the evidence');
  });

  test('an abstention is never surer than a half', () => {
    expect(classify(aCase({ pods: [calm], logs: ['x509: certificate has expired'] })).confidence).toBeLessThanOrEqual(0.5);
  });
}); // prettier-ignore
