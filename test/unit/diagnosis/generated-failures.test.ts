import { describe, expect, test } from '@jest/globals';
import { DEVELOPMENT_SEED, runKubernetesFailures } from '../../../bench/sets/kubernetes-failures.ts';

describe('the generated failure set, development seed', () => {
  const figures = runKubernetesFailures(DEVELOPMENT_SEED, 15);

  test('names the types', () => {
    expect(figures.macroF1).toBeGreaterThanOrEqual(0.95);
  });

  test('never proposes an effect that does harm in the true type', () => {
    expect(figures.harmfulRemedyRate).toBeLessThanOrEqual(0.005);
  });

  test('abstains outside the taxonomy', () => {
    expect(figures.abstention).toBeGreaterThanOrEqual(0.9);
  });

  test('its confidence is calibrated', () => {
    expect(figures.calibrationError).toBeLessThanOrEqual(0.1);
  });

  test('the same seed gives the same set', () => {
    expect(runKubernetesFailures(DEVELOPMENT_SEED, 2)).toEqual(runKubernetesFailures(DEVELOPMENT_SEED, 2));
  });
});
