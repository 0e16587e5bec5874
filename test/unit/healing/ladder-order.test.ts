import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../../src/healing/decide.ts';
import { orderOf } from '../../../src/healing/ladder-order.ts';
import type { DecisionInput } from '../../../src/healing/decision-input.ts';
import { EFFECTS, type EffectName, type Step } from '../../../src/policy/action.ts';
import { estimateOf, type Effectiveness } from '../../../src/policy/effectiveness.ts';
import { aDecisionInput, inShort, intentOf } from '../../support/builders/decision.ts';
import { aDiagnosis, anIllPod, anIncident, aVerdict } from '../../support/builders/incident.ts';
import { aGuardrail, aPath, aPolicy, aRecord, aStep } from '../../support/builders/policy.ts';
import { aWorkload, MINUTE, NOW, podRef, SECOND } from '../../support/builders/workload.ts';

const known = (action: EffectName, helped: number, incidents: number, over: Partial<Effectiveness> = {}) => ({
  ...{ failureType: 'traffic_surge' as const, workloadKind: 'Deployment' as const, action, helped, incidents },
  estimate: estimateOf(helped, incidents),
  ...over,
});
const step = (action: Step['action'], group?: string): Step => ({
  ...aStep(action),
  ...(group !== undefined && { group }),
});
const inOrder = (steps: readonly Step[], effectiveness?: readonly Effectiveness[]): string =>
  orderOf(steps, { failureType: 'traffic_surge', workloadKind: 'Deployment', effectiveness })
    .order.map((index) => steps[index]?.action)
    .join(', ');

const GOOD_LIMIT = [known('scale_up', 1, 6), known('throttle_api', 5, 6)];
const PAIR = [step('scale_up', 'capacity'), step('throttle_api', 'capacity')];

describe('the order of a ladder', () => {
  test.each<[what: string, steps: readonly Step[], known: readonly Effectiveness[] | undefined, order: string]>([
    ['alternatives: what helped more comes first', PAIR, GOOD_LIMIT, 'throttle_api, scale_up'],
    ['nothing is known: as written', PAIR, undefined, 'scale_up, throttle_api'],
    [
      'both helped alike: as written',
      PAIR,
      [known('scale_up', 4, 8), known('throttle_api', 4, 8)],
      'scale_up, throttle_api',
    ],
    [
      'too few incidents of either: as written',
      PAIR,
      [known('scale_up', 0, 4), known('throttle_api', 4, 4)],
      'scale_up, throttle_api',
    ],
    [
      'the first is known to help little, the other was never tried: that one is',
      PAIR,
      [known('scale_up', 1, 6)],
      'throttle_api, scale_up',
    ],
    [
      'the first is known to help, the other was never tried: as written',
      PAIR,
      [known('scale_up', 5, 6)],
      'scale_up, throttle_api',
    ],
    ['a sequence is never changed', [step('scale_up'), step('throttle_api')], GOOD_LIMIT, 'scale_up, throttle_api'],
    [
      'nor are alternatives of different groups',
      [step('scale_up', 'a'), step('throttle_api', 'b')],
      GOOD_LIMIT,
      'scale_up, throttle_api',
    ],
    [
      'what stands before and behind alternatives stays there',
      [step('clear_cache'), ...PAIR, step('restart_pod'), step('alert_admin')],
      GOOD_LIMIT,
      'clear_cache, throttle_api, scale_up, restart_pod, alert_admin',
    ],
    [
      'people are told last, whatever a ladder says',
      [...PAIR, step('alert_admin', 'capacity')],
      GOOD_LIMIT,
      'throttle_api, scale_up, alert_admin',
    ],
    [
      'another kind of workload teaches nothing of this one',
      PAIR,
      GOOD_LIMIT.map((each) => ({ ...each, workloadKind: 'StatefulSet' })),
      'scale_up, throttle_api',
    ],
    [
      'another failure teaches nothing of this one',
      PAIR,
      GOOD_LIMIT.map((each) => ({ ...each, failureType: 'retry_storm' })),
      'scale_up, throttle_api',
    ],
  ])('%s', (_what, steps, effectiveness, order) => {
    expect(inOrder(steps, effectiveness)).toBe(order);
  });

  test('whatever is known, it is a permutation in which only alternatives change places, and what helped less never goes first', () => {
    const ladder = fc.shuffledSubarray([...EFFECTS], { minLength: 1 }).chain((actions) =>
      fc.tuple(
        fc.constant(actions),
        fc.array(fc.option(fc.constantFrom('a', 'b'), { nil: undefined }), {
          ...{ minLength: actions.length, maxLength: actions.length },
        }),
      ),
    );
    const facts = fc.array(fc.tuple(fc.constantFrom(...EFFECTS), fc.nat(30), fc.nat(30)), { maxLength: 5 });
    fc.assert(
      fc.property(ladder, facts, ([actions, groups], drawn) => {
        const steps = actions.map((action, i) => step(action, groups[i]));
        const effectiveness = drawn.map(([action, a, b]) => known(action, Math.min(a, b), Math.max(a, b)));
        const { order } = orderOf(steps, { failureType: 'traffic_surge', workloadKind: 'Deployment', effectiveness });
        expect(order.toSorted((a, b) => a - b)).toEqual(steps.map((_, index) => index));
        order.forEach((index, place) => {
          if (index === place) return;
          const [low, high] = [Math.min(index, place), Math.max(index, place)];
          const between = steps.slice(low, high + 1).map(({ group }) => group);
          expect(new Set(between).size).toBe(1);
          expect(between[0]).toBeDefined();
        });
      }),
    );
  });
});

describe('a decision by what helped', () => {
  const ALL = [0, 1, 2, 3].map(podRef);
  const surge = (over: Partial<DecisionInput> = {}): DecisionInput =>
    aDecisionInput({
      diagnosis: aDiagnosis({ failureType: 'traffic_surge', pods: ALL }),
      incident: anIncident({ pods: ALL, metrics: ['request_rate'] }),
      verdict: aVerdict({ pods: ALL.map(anIllPod) }),
      policy: aPolicy({ remedies: [{ on: ['any'], minSeverity: 'low', steps: PAIR }] }),
      throttlePaths: [aPath('Istio')],
      healthyRequestRate: 50,
      effectiveness: GOOD_LIMIT,
      ...over,
    });

  test('the alternative that helped more is taken, under the number of its rung, and says why', () => {
    const intent = intentOf(decide(surge()));
    expect([intent.action, intent.step]).toEqual(['throttle_api', 1]);
    expect(intent.reason).toMatch(
      /, before scale_up, since throttle_api helped in 5 of 6 incidents, scale_up helped in 1 of 6 incidents$/,
    );
  });

  test('where nothing was changed nothing is said of it', () => {
    expect(intentOf(decide(surge({ effectiveness: [] }))).reason).not.toContain('before');
  });

  const storm = { active: true, scope: 'cluster', anomalous: 5, watched: 6 } as const;
  const aLimit = (over: Parameters<typeof aRecord>[0]) =>
    aRecord({
      ...{ incidentId: 'incident-1', step: 1, action: 'throttle_api', failureType: 'traffic_surge' },
      ...over,
    });
  const DAY_AGO = NOW - 20 * MINUTE;
  test.each<[what: string, over: Partial<DecisionInput>, decision: string]>([
    ['a brake holds it as it would hold any', { storm }, 'hold StormActive 1'],
    ['the kill switch holds it', { guardrails: [aGuardrail({ suspended: true })] }, 'hold Suspended 1'],
    [
      'what a guardrail does not allow is not taken, however much it helped',
      { guardrails: [aGuardrail({ allowedActions: ['scale_up', 'alert_admin'] })] },
      'act scale_up 0',
    ],
    [
      'what harms the failure at hand is not taken, however much it helped',
      {
        policy: aPolicy({
          remedies: [{ on: ['any'], minSeverity: 'low', steps: [step('scale_up', 'x'), step('restart_pod', 'x')] }],
        }),
        effectiveness: [known('scale_up', 0, 20), known('restart_pod', 20, 20)],
      },
      'act scale_up 0',
    ],
    ['a rung that this cluster cannot do is passed over', { throttlePaths: [] }, 'act scale_up 0'],
    [
      'it was tried in vain: its alternative',
      { ledger: [aLimit({ state: 'Ineffective', decidedAtMs: DAY_AGO })] },
      'act scale_up 0',
    ],
    [
      'both were tried in vain: people',
      {
        ledger: [
          aLimit({ state: 'Ineffective', decidedAtMs: DAY_AGO }),
          aLimit({ step: 0, action: 'scale_up', state: 'Ineffective', decidedAtMs: DAY_AGO }),
        ],
      },
      'act alert_admin 2',
    ],
    [
      'it returns after its cure: the alternative written before it',
      { ledger: [aLimit({ incidentId: 'i-0', decidedAtMs: DAY_AGO, endedAtMs: DAY_AGO })] },
      'act scale_up 0',
    ],
    [
      'it returns after both had cured it: people',
      {
        ledger: [
          aLimit({ incidentId: 'i-0', decidedAtMs: DAY_AGO, endedAtMs: DAY_AGO }),
          aLimit({ incidentId: 'i-9', step: 0, action: 'scale_up', decidedAtMs: DAY_AGO, endedAtMs: DAY_AGO + SECOND }),
        ],
      },
      'act alert_admin 2',
    ],
    [
      'another workload kind has its own experience',
      { workload: aWorkload({ ref: { ...aWorkload().ref, kind: 'StatefulSet' } }) },
      'act scale_up 0',
    ],
  ])('%s', (_what, over, decision) => {
    expect(inShort(decide(surge(over)))).toBe(decision);
  });
});
