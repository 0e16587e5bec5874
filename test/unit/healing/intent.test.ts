import { describe, expect, test } from '@jest/globals';
import type { Candidate, Diagnosis } from '../../../src/diagnosis/diagnosis.ts';
import { intentFor } from '../../../src/healing/intent.ts';
import { aDecisionInput } from '../../support/builders/decision.ts';
import { aDiagnosis } from '../../support/builders/incident.ts';
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

describe('what people are told of a diagnosis', () => {
  const candidates = [
    candidate('crash_loop', ['it crashes', 3], ['it restarts', 1]),
    candidate('oom_kill', ['memory is full', 2]),
  ];

  test('a named type: what speaks for it', () => {
    const { evidence } = told({ failureType: 'crash_loop', candidates });
    expect(evidence.map(({ what }) => what)).toEqual(['it crashes', 'it restarts']);
  });

  test('none is named: what speaks for each that was thought of, heaviest first', () => {
    const { evidence } = told({ failureType: 'unknown', candidates });
    expect(evidence.map(({ what }) => what)).toEqual([
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
});
