import { describe, expect, test } from '@jest/globals';
import { abstention, metricBasis, sameRemedy, supporting } from '../../../src/diagnosis/abstain.ts';
import type { Ranked } from '../../../src/diagnosis/confidence.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { gatherFacts } from '../../../src/diagnosis/facts.ts';
import type { Finding, Situation } from '../../../src/diagnosis/failure-model.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { aCase, aMetric, aScore, aVerdict, MINUTE, NOW } from '../../support/builders/diagnosis.ts';

const aFinding = (source: Finding['source'], over: Partial<Finding> = {}): Finding => ({
  source,
  what: 'w',
  weight: 3,
  ...over,
});
const ofMetrics = (...metrics: string[]): Finding => aFinding('metric', { metrics });
const aRanked = (
  failureType: FailureType,
  findings: readonly Finding[],
  contradictions: readonly string[] = [],
): Ranked => ({ failureType, assessment: { findings, contradictions }, logOdds: 1, confidence: 0.9 });

/** One pod with memory up, measured five seconds ago; `over` moves the time or the settings. */
const facts = (over: Partial<DiagnosisInput> = {}) =>
  gatherFacts({
    ...aCase({ pods: [{ metrics: { memory_usage: ['up', 90, 40], cpu_usage: ['flat', 40, 40] } }] }),
    ...over,
  });
const SURE = { confidence: 0.9, lead: 0.5 };

describe('no finer type is named', () => {
  const leak = aRanked('memory_leak', [ofMetrics('memory_usage')]);
  const surge = aRanked('traffic_surge', [ofMetrics('request_rate')]);

  test.each<readonly [string, readonly Ranked[], { confidence: number; lead: number }, string | undefined]>([
    ['where nothing is known', [], SURE, 'no known signature in the evidence'],
    ['of text alone', [aRanked('memory_leak', [aFinding('log')])], SURE, 'the only evidence is text that the workload wrote'],
    ['of text alone, whatever numbers speak against it', [aRanked('memory_leak', [aFinding('log'), { ...ofMetrics('cpu_usage'), weight: -1 }])], SURE, 'the only evidence is text that the workload wrote'],
    ['of contradicted evidence', [aRanked('memory_leak', [ofMetrics('memory_usage')], ['a', 'b'])], SURE, 'memory_leak is contradicted: a; b'],
    ['below a confidence of 0.6', [leak], { confidence: 0.59, lead: 0.5 }, 'memory_leak is the best explanation, but with a confidence of 0.59 only'],
    ['below a lead of 0.2', [leak, surge], { confidence: 0.9, lead: 0.19 }, 'memory_leak leads traffic_surge by 0.19 only'],
  ])('%s', (_, ranking, standing, expected) => {
    expect(abstention(facts(), ranking, standing)).toBe(expected);
  }); // prettier-ignore

  test.each<readonly [string, readonly Ranked[], { confidence: number; lead: number }]>([
    ['of text and numbers', [aRanked('memory_leak', [aFinding('log'), ofMetrics('memory_usage')])], SURE],
    ['at a confidence of 0.6', [leak], { confidence: 0.6, lead: 0.5 }],
    ['at a lead of 0.2', [leak, surge], { confidence: 0.9, lead: 0.2 }],
    ['with a short lead over nobody', [leak], { confidence: 0.9, lead: 0.1 }],
  ])('else it stands: %s', (_, ranking, standing) => {
    expect(abstention(facts(), ranking, standing)).toBeUndefined();
  });

  // Measured five seconds before NOW.
  test.each([
    ['five minutes old: not yet', 5 * MINUTE - 5000, [], undefined],
    ['older', 5 * MINUTE - 4999, [], 'the deciding evidence is 5 min old'],
    ['older, beside the status of Kubernetes objects', 9 * MINUTE, [aFinding('kubernetes')], undefined],
    ['older, beside text', 9 * MINUTE, [aFinding('log')], 'the deciding evidence is 9 min old'],
  ] as const)('by the age of its numbers: %s', (_, laterMs, more, expected) => {
    const top = aRanked('memory_leak', [ofMetrics('memory_usage'), ...more]);
    expect(abstention(facts({ nowMs: NOW + laterMs }), [top], SURE)).toBe(expected);
  });

  test('the age that is too old may be set', () => {
    const late = facts({ nowMs: NOW + 10 * MINUTE, settings: { maxEvidenceAgeMs: 20 * MINUTE } });
    expect(abstention(late, [leak], SURE)).toBeUndefined();
  });

  /** A pod whose memory is anomalous by a detector that expected nothing. */
  function neverWell(): DiagnosisInput {
    const { expected: _expected, band: _band, ...bare } = aScore('shape', { observed: 95 });
    const input = aCase({ pods: [{ metrics: {} }] });
    const verdict = aVerdict([{ metrics: {} }]);
    const metric = { ...aMetric('memory_usage', ['up', 95, 40]), verdict: bare, detectors: [bare] };
    return { ...input, verdict: { ...verdict, pods: verdict.pods.map((pod) => ({ ...pod, metrics: [metric] })) } };
  }
  test.each<readonly [string, readonly Finding[], string | undefined]>([
    ['by numbers alone', [ofMetrics('memory_usage')], 'it was never observed healthy and no limit speaks'],
    [
      'by numbers and text',
      [ofMetrics('memory_usage'), aFinding('log')],
      'it was never observed healthy and no limit speaks',
    ],
    ['beside a change', [ofMetrics('memory_usage'), aFinding('change')], undefined],
    ['beside status', [ofMetrics('memory_usage'), aFinding('kubernetes')], undefined],
    ['by a change alone, without numbers', [aFinding('change')], undefined],
  ])('of a pod that was never seen healthy: %s', (_, findings, expected) => {
    expect(abstention(gatherFacts(neverWell()), [aRanked('memory_leak', findings)], SURE)).toBe(expected);
  });
});

describe('what the numbers of a type rest on', () => {
  test('the oldest of the samples that go its way, and whether anything healthy was known', () => {
    const { verdict } = aCase({ pods: [{ metrics: { memory_usage: ['up', 90, 40] } }, { metrics: { memory_usage: ['flat', 40, 40] } }] });
    const aged = (i: number, agoMs: number) =>
      verdict?.pods.slice(i, i + 1).map((pod) => ({ ...pod, metrics: pod.metrics.map((each) => ({ ...each, atMs: NOW - agoMs })) })) ?? [];
    const of = (...pods: NonNullable<typeof verdict>['pods']) =>
      metricBasis(
        gatherFacts({ ...aCase({ pods: [{}] }), ...(verdict && { verdict: { ...verdict, pods } }) }),
        aRanked('memory_leak', [ofMetrics('memory_usage', 'cpu_usage'), { ...ofMetrics('disk_io'), weight: -1 }]),
      );
    expect(of(...aged(0, 7000), ...aged(1, 90_000))).toEqual({ oldestAtMs: NOW - 7000, hasBaseline: true });
    expect(of(...aged(0, 7000), ...aged(0, 9000))).toEqual({ oldestAtMs: NOW - 9000, hasBaseline: true });
    expect(of()).toEqual({ hasBaseline: false });
  }); // prettier-ignore

  test('only what speaks for it', () => {
    const [yes, no] = [aFinding('log'), aFinding('metric', { weight: -1 })];
    expect(supporting(aRanked('memory_leak', [yes, no, aFinding('metric', { weight: 0 })]))).toEqual([yes]);
  });
});

describe('two types are answered alike', () => {
  const situation = (over: Partial<Situation> = {}) => (): Situation => ({ affectedPods: 3, totalPods: 3, attempt: 1, traits: [], ...over });
  const alike = (first: FailureType, second: FailureType, of = situation()): boolean =>
    sameRemedy(aRanked(first, []), aRanked(second, []), of);

  test.each<readonly [string, FailureType, FailureType, boolean]>([
    ['both by people', 'image_error', 'bad_config', true],
    ['one by more replicas, one by people', 'traffic_surge', 'image_error', false],
    ['both by more replicas', 'traffic_surge', 'cpu_saturation', true],
    ['one by clearing a cache, one by more replicas', 'memory_leak', 'traffic_surge', false],
    ['one by fewer requests, one by more replicas', 'retry_storm', 'traffic_surge', false],
  ])('%s', (_, first, second, expected) => {
    expect([alike(first, second), alike(second, first)]).toEqual([expected, expected]);
  });

  test('a rung that a type refuses is not its answer: one hot pod is restarted, a surge is not', () => {
    const one = situation({ affectedPods: 1 });
    expect(alike('cpu_saturation', 'traffic_surge', one)).toBe(false);
    expect(alike('cpu_saturation', 'image_error', situation({ traits: ['throttling-alone'] }))).toBe(true);
  });
}); // prettier-ignore
