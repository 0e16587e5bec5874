import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classify } from '../../../src/diagnosis/classify.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { aCase, aMetric, aScore, logLines, MINUTE, NOW } from '../../support/builders/diagnosis.ts';
import type { Behaviour, PodSpec } from '../../support/builders/diagnosis.ts';

const leak: PodSpec = {
  metrics: { memory_usage: ['up', 88, 50, ['own-history', 'trend', 'peers']], request_rate: ['flat', 100, 100] },
};
const calm: PodSpec = { metrics: { memory_usage: ['flat', 50, 50], request_rate: ['flat', 100, 100] } };

describe('abstention', () => {
  test('stale evidence', () => {
    const input = aCase({ pods: [leak, calm, calm] });
    const found = classify({ ...input, nowMs: NOW + 10 * MINUTE });
    expect(found.failureType).toBe('unknown');
    expect(found.abstained).toContain('old');
  });

  test('never observed healthy', () => {
    const { expected: _expected, band: _band, ...bare } = aScore('shape', { observed: 95 });
    const verdict = { ...aMetric('cpu_usage', ['up', 95, 40]), verdict: bare, detectors: [bare] };
    const input = aCase({ pods: [{ metrics: {} }] });
    const pods = (input.verdict?.pods ?? []).map((pod) => ({
      ...pod,
      state: 'unhealthy' as const,
      metrics: [verdict, aMetric('request_rate', ['flat', 100, 100])],
    }));
    const found = classify({
      ...input,
      ...(input.verdict === undefined ? {} : { verdict: { ...input.verdict, pods } }),
    });
    expect(found.failureType).toBe('unknown');
  });

  test('of what it abstained, people get the evidence', () => {
    const found = classify(
      aCase({ pods: [calm], logs: ['x509: certificate has expired', 'x509: certificate has expired'] }),
    );
    expect(found.summary).toContain('certificate');
    expect(found.candidates[0]?.failureType).toBe('certificate_expired');
    expect(found.confidence).toBeLessThanOrEqual(0.5);
  });

  test('two types with the same answer act together, and both are named', () => {
    const pods: readonly PodSpec[] = [
      { waiting: 'ErrImagePull', phase: 'Pending' },
      { waiting: 'CreateContainerConfigError', phase: 'Pending' },
    ];
    const found = classify(aCase({ pods }));
    expect(found.confidence).toBeGreaterThan(0.9);
    expect(found.summary).toContain('answered alike');
    expect(found.abstained).toBeUndefined();
  });
});

describe('cause', () => {
  test('an effect of Aegis within the look-back mixes old and new', () => {
    const recent = (ago: number) => ({ recentActions: [{ action: 'scale_up' as const, executedAtMs: NOW - ago }] });
    expect(classify(aCase({ pods: [leak, calm], input: recent(2 * MINUTE) })).cause).toEqual({
      kind: 'aegis',
      name: 'scale_up',
    });
    expect(classify(aCase({ pods: [leak, calm], input: recent(6 * MINUTE) })).cause).toEqual({ kind: 'self' });
  });

  test('mid-rollout is a cause and a trait', () => {
    const found = classify(aCase({ pods: [leak, calm], workload: { generation: 4, observedGeneration: 3 } }));
    expect(found.cause.kind).toBe('rollout');
    expect(found.traits).toContain('mid-rollout');
  });
});

describe('severity does not follow confidence', () => {
  test('it is that of the worst metric in the evidence', () => {
    expect(classify(aCase({ pods: [leak, calm, calm] })).severityScore).toBeCloseTo(0.95, 5);
  });
  test('text alone is 0.5', () => {
    const input: DiagnosisInput = {
      nowMs: NOW,
      onsetAtMs: NOW - MINUTE,
      logs: logLines(['no space left on device']),
      events: [],
      nodes: [],
    };
    expect(classify({ ...input, onsetAtMs: NOW - 3 * MINUTE })).toMatchObject({
      failureType: 'unknown',
      severityScore: 0.5,
    });
  });
});

describe('laws', () => {
  const way = fc.constantFrom('up' as const, 'down' as const, 'flat' as const);
  const number = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constantFrom(0, NaN, Infinity, -1, 1e308));
  const behaviour: fc.Arbitrary<Behaviour> = fc.tuple(way, number, number);
  const names = [
    'cpu_usage',
    'memory_usage',
    'request_rate',
    'error_rate',
    'response_time',
    'volume_usage',
    'queue_depth',
  ];
  const pod: fc.Arbitrary<PodSpec> = fc.record({
    metrics: fc.dictionary(fc.constantFrom(...names), behaviour),
    restarts: fc.nat(9),
    ready: fc.boolean(),
    phase: fc.constantFrom('Running' as const, 'Pending' as const, 'Failed' as const),
  });
  const lines = fc.array(
    fc.constantFrom('panic: x', 'no such host', 'ENOSPC', 'deadlock', 'hello 17', '401 unauthorized', '\u202e\u0000'),
    { maxLength: 6 },
  );

  test('every answer is finite and bounded, whatever is sent', () => {
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 5 }), lines, (pods, logs) => {
        const found = classify(aCase({ pods, logs }));
        for (const share of [
          found.confidence,
          found.lead,
          found.severityScore,
          ...found.candidates.map((each) => each.confidence),
        ]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(Number.isFinite(found.evidenceAtMs)).toBe(true);
        expect(JSON.stringify(found)).not.toMatch(/NaN|undefined|Infinity/);
      }),
      { seed: 11, numRuns: 150 },
    );
  });

  test('the order of pods, lines, events and nodes does not matter', () => {
    fc.assert(
      fc.property(fc.array(pod, { minLength: 1, maxLength: 5 }), lines, (pods, logs) => {
        const input = aCase({ pods, logs });
        const { verdict, workload } = input;
        const turned: DiagnosisInput = {
          ...input,
          ...(verdict === undefined ? {} : { verdict: { ...verdict, pods: [...verdict.pods].reverse() } }),
          ...(workload === undefined
            ? {}
            : {
                workload: {
                  ...workload,
                  pods: [...workload.pods].reverse(),
                  revisions: [...workload.revisions].reverse(),
                },
              }),
          logs: [...input.logs].reverse(),
          nodes: [...input.nodes].reverse(),
        };
        expect(classify(turned)).toEqual(classify(input));
      }),
      { seed: 12, numRuns: 100 },
    );
  });

  test('an empty input is unknown', () => {
    const found = classify({ nowMs: NOW, onsetAtMs: NOW, logs: [], events: [], nodes: [] });
    expect(found).toMatchObject({ failureType: 'unknown', confidence: 0, candidates: [], cause: { kind: 'self' } });
  });
});
