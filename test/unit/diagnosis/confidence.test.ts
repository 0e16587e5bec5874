import { describe, expect, test } from '@jest/globals';
import { rankTypes } from '../../../src/diagnosis/confidence.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';

type Weights = readonly number[];

function ranked(of: Partial<Record<FailureType, Weights>>): (readonly [FailureType, number, number])[] {
  const assessed = Object.entries(of).map(([name, weights]) => ({
    failureType: name as FailureType,
    assessment: {
      findings: weights.map((weight) => ({ source: 'metric' as const, what: 'w', weight })),
      contradictions: [],
    },
  }));
  return rankTypes(assessed).map(({ failureType, confidence, logOdds }) => [failureType, confidence, logOdds]);
}

describe('the share of a type', () => {
  // exp((weight - 2.5) / 0.7) against 1 for `unknown`: exp(2.5 / 0.7) = 35.5674, exp(0.5 / 0.7) = 2.0427, exp(0) = 1.
  test.each<readonly [string, Partial<Record<FailureType, Weights>>, readonly (readonly [FailureType, number, number])[]]>([
    ['of one with decisive evidence', { oom_kill: [5] }, [['oom_kill', 35.5674 / 36.5674, 2.5]]],
    ['of one whose evidence adds up to as much', { oom_kill: [3, 1.5, 0.5] }, [['oom_kill', 35.5674 / 36.5674, 2.5]]],
    ['is a half where it is as likely as `unknown`', { oom_kill: [2.5] }, [['oom_kill', 0.5, 0]]],
    ['of two: the likelier one first', { oom_kill: [3], crash_loop: [5] }, [['crash_loop', 35.5674 / 38.6101, 2.5], ['oom_kill', 2.0427 / 38.6101, 0.5]]],
    ['what speaks against it counts', { oom_kill: [5, -2] }, [['oom_kill', 2.0427 / 3.0427, 0.5]]],
    ['what is no number counts for nothing', { oom_kill: [5, NaN, -Infinity] }, [['oom_kill', 35.5674 / 36.5674, 2.5]]],
    ['is none where more speaks against it', { oom_kill: [2, -2], crash_loop: [2.5] }, [['crash_loop', 0.5, 0]]],
    ['is none without any evidence', { oom_kill: [], crash_loop: [0] }, []],
    ['equal ones are in the order of their names', { oom_kill: [2.5], crash_loop: [2.5] }, [['crash_loop', 1 / 3, 0], ['oom_kill', 1 / 3, 0]]],
  ])('%s', (_, of, expected) => {
    expect(ranked(of)).toEqual(expected.map(([name, share, odds]) => [name, expect.closeTo(share, 5), expect.closeTo(odds, 9)]));
  }); // prettier-ignore
});
