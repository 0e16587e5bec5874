import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classify, rankingOf } from '../../../src/diagnosis/classify.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import { gatherFacts } from '../../../src/diagnosis/facts.ts';
import { isQuiet } from '../../../src/diagnosis/quiet.ts';
import { PRESET_NAMES } from '../../../src/detection/presets.ts';
import { aCase, NOW, type Behaviour, type PodSpec } from '../../support/builders/diagnosis.ts';

/** Metrics beside the presets that failure types look at, and one that none does. */
const OTHER_NAMES = [
  ...['connection_pool_usage', 'calls_per_request', 'lock_waits', 'network_retransmits', 'retry_rate'],
  ...['user_request_rate', 'queue_depth'],
];

/** What a request of the REST API becomes: metrics and lines, no object of a cluster. */
function aRequest(over: Parameters<typeof aCase>[0], more: Partial<DiagnosisInput> = {}): DiagnosisInput {
  const { nowMs, onsetAtMs, verdict, logs } = aCase(over);
  return { nowMs, onsetAtMs, ...(verdict && { verdict }), logs, events: [], nodes: [], ...more };
}

const quiet = (input: DiagnosisInput): boolean => isQuiet(gatherFacts(input));
const CALM: Readonly<Record<string, Behaviour>> = { cpu_usage: ['flat', 40, 40], request_rate: ['flat', 100, 98] };

describe('facts are quiet when nothing in them could speak for a failure', () => {
  test.each<[string, DiagnosisInput]>([
    [
      'metrics as expected and lines that tell of nothing',
      aRequest({ pods: [{ metrics: CALM }], logs: ['GET / 200'] }),
    ],
    ['nothing at all', { nowMs: NOW, onsetAtMs: NOW, logs: [], events: [], nodes: [] }],
  ])('%s: quiet', (_, input) => {
    expect(quiet(input)).toBe(true);
    expect(classify(input)).toMatchObject({ failureType: 'unknown', confidence: 0, candidates: [] });
  });

  test.each<[string, DiagnosisInput]>([
    ['a metric that rose', aRequest({ pods: [{ metrics: { ...CALM, cpu_usage: ['up', 95, 40] } }] })],
    ['a metric that fell', aRequest({ pods: [{ metrics: { ...CALM, request_rate: ['down', 1, 98] } }] })],
    ['a line with the signature of a failure', aRequest({ pods: [{ metrics: CALM }], logs: ['panic: nil map'] })],
    [
      'a line of a kind never seen before',
      aRequest(
        { pods: [{ metrics: CALM }] },
        {
          logs: ['all is well', 'the flux is out of phase'].map((message, i) => ({
            atMs: NOW - 3_600_000 * (1 - i),
            level: 'error' as const,
            message,
            service: 'checkout',
          })),
        },
      ),
    ],
    ['a snapshot of the workload', aCase({ pods: [{ metrics: CALM }] })],
    [
      'a change',
      aRequest({ pods: [{ metrics: CALM }] }, { changes: [{ kind: 'config', name: 'app', atMs: NOW - 1000 }] }),
    ],
    [
      'a full volume',
      aRequest({ pods: [{ metrics: CALM }] }, { volumes: [{ claim: 'data', freeRatio: 0.01, holdsCache: false }] }),
    ],
    [
      'a service without endpoints',
      aRequest({ pods: [{ metrics: CALM }] }, { endpoints: [{ service: 'api', readyEndpoints: 0 }] }),
    ],
  ])('%s: not quiet', (_, input) => {
    expect(quiet(input)).toBe(false);
  });

  test('where they are quiet, no type finds evidence for itself, so none need be asked', () => {
    const rarely = fc.nat(15).map((roll) => roll === 0);
    const number = fc.oneof(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.constantFrom(0, -1, 0.3, 1, 20, 60, 95, 1e308),
    );
    const way = fc.constantFrom('flat' as const, 'up' as const, 'down' as const);
    const detectors = fc.subarray(['own-history', 'trend', 'seasonal', 'saturation', 'limit', 'peers'] as const, {
      minLength: 1,
    });
    const asExpected: fc.Arbitrary<Behaviour> = fc
      .tuple(
        number,
        fc.double({ min: 0.9, max: 1.1, noNaN: true }),
        fc.subarray(['own-history', 'limit', 'peers'] as const, { minLength: 1 }),
      )
      .map(([expected, share, by]) => ['flat', expected * share, expected, by]);
    const anyhow: fc.Arbitrary<Behaviour> = fc.tuple(way, number, number, detectors);
    const behaviour = fc.oneof({ weight: 9, arbitrary: asExpected }, { weight: 1, arbitrary: anyhow });
    const pod: fc.Arbitrary<PodSpec> = fc.record({
      metrics: fc.dictionary(fc.constantFrom(...PRESET_NAMES, ...OTHER_NAMES), behaviour),
      unhealthy: rarely,
    });
    const line = fc.constantFrom(
      'hello 17',
      'GET /cart 200 14ms',
      'all is well',
      'the queue is long',
      'slow-ish',
      'panic: x',
      'request_id=abcdefgh done',
    );
    const extra: fc.Arbitrary<Partial<DiagnosisInput>> = fc.record(
      {
        subject: fc.constant({ kind: 'Deployment', namespace: 'shop', name: 'checkout' }),
        missing: fc.constant(['logs could not be read']),
        moved: fc.constant([]),
        changes: fc.constantFrom([], [{ kind: 'image' as const, name: 'app', atMs: NOW - 1000 }]),
        recentActions: fc.constantFrom([], [{ action: 'scale_up' as const, executedAtMs: NOW - 1000 }]),
      },
      { requiredKeys: [] },
    );
    let seen = 0;
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 4 }), fc.array(line, { maxLength: 5 }), extra, (pods, logs, more) => {
        const facts = gatherFacts(aRequest({ pods, logs }, more));
        if (!isQuiet(facts)) return;
        seen += 1;
        expect(rankingOf(facts)).toEqual([]);
      }),
      { seed: 31, numRuns: 5000 },
    );
    expect(seen).toBeGreaterThan(200);
  });
});
