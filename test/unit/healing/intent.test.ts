import { describe, expect, test } from '@jest/globals';
import type { Candidate, Diagnosis } from '../../../src/diagnosis/diagnosis.ts';
import { intentFor } from '../../../src/healing/intent.ts';
import { aDecisionInput } from '../../support/builders/decision.ts';
import type { MetricVerdict } from '../../../src/detection/verdict.ts';
import { aDiagnosis, aMetric, anIllPod, aVerdict } from '../../support/builders/incident.ts';
import { podRef } from '../../support/builders/workload.ts';
import { aProposal } from '../../support/builders/policy.ts';

const candidate = (failureType: Candidate['failureType'], ...evidence: readonly [string, number][]): Candidate => ({
  ...{ failureType, confidence: 0.4, contradictions: [] },
  evidence: evidence.map(([what, weight]) => ({ source: 'metric', what, weight })),
});

const told = (over: Partial<Diagnosis>) =>
  intentFor(aDecisionInput({ diagnosis: aDiagnosis(over) }), aProposal(), {
    execution: 'Enforce',
    approvalRequired: false,
  }).diagnosis;

/** Without what the models say of the metric: that adds nothing to any type. */
const speaksFor = (over: Partial<Diagnosis>): readonly string[] =>
  told(over)
    .evidence.filter(({ weight }) => weight > 0)
    .map(({ what }) => what);

describe('what people are told of a diagnosis', () => {
  const candidates = [
    candidate('crash_loop', ['it crashes', 3], ['it restarts', 1]),
    candidate('oom_kill', ['memory is full', 2]),
  ];

  test('a named type: what speaks for it', () => {
    expect(speaksFor({ failureType: 'crash_loop', candidates })).toEqual(['it crashes', 'it restarts']);
  });

  test('none is named: what speaks for each that was thought of, heaviest first', () => {
    expect(speaksFor({ failureType: 'unknown', candidates })).toEqual([
      'crash_loop: it crashes',
      'oom_kill: memory is full',
      'crash_loop: it restarts',
    ]);
  });

  test('what could not be looked at stands under the advice', () => {
    const { advice } = told({ advice: 'Do this.', missing: ['endpoints: no right', 'volumes: no reply'] });
    expect(advice).toBe('Do this.\nNot looked at: endpoints: no right; volumes: no reply.');
  });

  test('nothing is missing: the advice alone', () => {
    expect(told({ advice: 'Do this.' }).advice).toBe('Do this.');
  });

  test('models of several ages: what each said of the metric that triggered, of the pod where it is worst', () => {
    const views = (recent: boolean): Pick<MetricVerdict, 'models'> => ({
      models: [
        { model: 'recent', samples: 60, expected: 50, agrees: recent },
        { model: 'past', samples: 500, expected: 50, agrees: true },
      ],
    });
    const pod = (index: number, score: number, recent: boolean) => ({
      ...anIllPod(podRef(index)),
      metrics: [{ ...aMetric('memory_usage', 93, score), ...views(recent) }, aMetric('cpu_usage', 5, 0)],
    });
    const verdict = aVerdict({ pods: [pod(0, 0.9, false), pod(1, 0.99, true)] });
    const { evidence } = intentFor(aDecisionInput({ verdict, diagnosis: aDiagnosis({ candidates }) }), aProposal(), {
      ...{ execution: 'Enforce', approvalRequired: false },
    }).diagnosis;
    expect(evidence.at(-1)).toEqual({
      ...{ source: 'metric', weight: 0 },
      what: 'pod pod-1: memory_usage: recent (60 samples) objects, past (500 samples) objects',
    });
  });
});
