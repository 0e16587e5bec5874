import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { FAILURE_MODELS } from '../../../src/diagnosis/catalog.ts';
import { FAILURE_TYPES, type FailureType } from '../../../src/diagnosis/failure-type.ts';
import type { Situation } from '../../../src/diagnosis/failure-model.ts';
import type { Trait } from '../../../src/diagnosis/trait.ts';
import { EFFECTS, type EffectName } from '../../../src/policy/action.ts';
import { loadScenario, scenarioFiles, type LoadedScenario } from '../../../tools/scenarios/load.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'scenarios');
const ALL = scenarioFiles(FOLDER).flatMap((file) => {
  const loaded = loadScenario(file);
  return loaded.ok ? [loaded.value] : [];
});

/** Every trait on which a ladder or a refusal hangs. The compiler checks that none is forgotten. */
const TRAITS = Object.keys({
  ...{ 'memory-follows-requests': 0, 'throttling-alone': 0, 'mid-rollout': 0, 'renewal-proven': 0 },
  ...{ 'cache-volume': 0, 'one-node': 0, 'own-scale-up': 0 },
} satisfies Record<Trait, 0>) as readonly Trait[];

/** Everything that a ladder or a refusal may depend on. */
const SITUATIONS: readonly Situation[] = [[], ...TRAITS.map((trait) => [trait])].flatMap((traits) =>
  [0, 1, 3].flatMap((affectedPods) => [1, 2].map((attempt) => ({ affectedPods, totalPods: 3, attempt, traits }))),
);

interface Pair {
  readonly type: FailureType;
  readonly action: EffectName;
}

const pairs = (holds: (pair: Pair, situation: Situation) => boolean): readonly Pair[] =>
  FAILURE_TYPES.flatMap((type) => EFFECTS.map((action) => ({ type, action }))).filter((pair) =>
    SITUATIONS.some((situation) => holds(pair, situation)),
  );

/** What harms, in some situation of the type, by the catalogue of the program. */
const HARMFUL = pairs(({ type, action }, situation) => FAILURE_MODELS[type].refuses(action, situation) !== undefined);

/** What the type's own ladder does, in some situation. */
const REMEDIES = pairs(({ type, action }, situation) => {
  const model = FAILURE_MODELS[type];
  const isRung = model.ladder(situation).some((rung) => rung.action === action);
  return isRung && model.refuses(action, situation) === undefined;
});

/**
 * Types that stand for a diagnosis that abstains, and the one situation in which a type contradicts itself: there the
 * whole ladder is passed over, whatever it asks for.
 */
const isUnnamed = ({ type, action }: Pair): boolean =>
  SITUATIONS.filter((each) => FAILURE_MODELS[type].refuses(action, each) !== undefined).every(
    ({ traits }) => type === 'unknown' || traits.includes('throttling-alone'),
  );

/** The policy asks for the action on the type, and the scenario demands that it is refused for its harm. */
function isRefused({ scenario, policies }: LoadedScenario, pair: Pair): boolean {
  const { type, action } = pair;
  const asks = policies.some(({ remedies }) =>
    remedies.some(({ on, steps }) => on.includes(type) && steps.some((step) => step.action === action)),
  );
  const { held, failureType } = scenario.expect;
  if (!asks) return false;
  if (isUnnamed(pair) && held.includes('no_action LowConfidence')) return scenario.forbid.effects === 'any';
  return held.includes(`${action} HarmfulForType`) && failureType === type;
}

const VERBS: Readonly<Record<EffectName, readonly string[]>> = {
  restart_pod: ['evict', 'rollout'],
  scale_up: ['scale'],
  scale_down: ['scale'],
  throttle_api: ['limit', 'hook'],
  clear_cache: ['cache'],
};

/** The scenario demands that the type is named, that the action is done and that it ends as healed. */
function isHealed({ scenario: { expect: wanted } }: LoadedScenario, { type, action }: Pair): boolean {
  const isDone = wanted.effects?.some((effect) => VERBS[action].includes(effect.split(' ')[0] ?? '')) ?? false;
  const isProven = wanted.actions?.includes(`${action} Healed`) ?? false;
  return wanted.failureType === type && isProven && isDone;
}

const said = ({ type, action }: Pair): string => `${action} in ${type}`;

describe('the table of what harms, from the catalogue of the program', () => {
  test('is no empty one', () => {
    expect(HARMFUL.length).toBeGreaterThanOrEqual(55);
    expect(REMEDIES.length).toBeGreaterThanOrEqual(19);
  });

  test.each(HARMFUL.map((pair) => [said(pair), pair] as const))('%s is asked for, and refused', (_, pair) => {
    expect(ALL.filter((loaded) => isRefused(loaded, pair)).length).toBeGreaterThanOrEqual(1);
  });

  test('a scenario that asks for it and does not demand the refusal is none of the pair', () => {
    const pair = { type: 'oom_kill', action: 'scale_down' } as const;
    const refused = ALL.filter((loaded) => isRefused(loaded, pair));
    const lax = refused.map(({ scenario, ...rest }) => ({
      ...rest,
      scenario: { ...scenario, expect: { ...scenario.expect, held: [] } },
    }));
    expect(refused).not.toEqual([]);
    expect(lax.filter((loaded) => isRefused(loaded, pair))).toEqual([]);
  });
});

describe('the table of what helps, from the catalogue of the program', () => {
  test.each(REMEDIES.map((pair) => [said(pair), pair] as const))('%s is done, and verified', (_, pair) => {
    expect(ALL.filter((loaded) => isHealed(loaded, pair)).length).toBeGreaterThanOrEqual(1);
  });
});

describe('every failure type', () => {
  test.each(FAILURE_TYPES.filter((type) => type !== 'unknown'))('%s has a scenario that must name it', (type) => {
    expect(ALL.filter(({ scenario }) => scenario.expect.failureType === type).length).toBeGreaterThanOrEqual(1);
  });
});
