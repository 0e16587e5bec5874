import { describe, expect, test } from '@jest/globals';
import { guardrailsFor, isEmptySelector, selectsTarget } from '../../../src/policy/match.ts';
import type { LabelSelector } from '../../../src/policy/healing-policy.ts';
import { aGuardrail } from '../../support/builders/policy.ts';

const LABELS = { app: 'checkout', tier: 'web' };
const NOTHING: LabelSelector = { matchLabels: {}, matchExpressions: [] };
const labels = (matchLabels: Record<string, string>): LabelSelector => ({ ...NOTHING, matchLabels });
const expression = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', ...values: string[]) => ({
  ...NOTHING,
  matchExpressions: [{ key, operator, values }],
});

describe('selectsTarget', () => {
  test.each<readonly [string, LabelSelector, boolean]>([
    ['an empty selector selects nothing, never all', NOTHING, false],
    ['an equal label', labels({ app: 'checkout' }), true],
    ['another value', labels({ app: 'cart' }), false],
    ['a missing key', labels({ zone: 'a' }), false],
    ['all labels must match', labels({ app: 'checkout', tier: 'db' }), false],
    ['In', expression('app', 'In', 'cart', 'checkout'), true],
    ['In without values selects nothing', expression('app', 'In'), false],
    ['In on a missing key', expression('zone', 'In', 'a'), false],
    ['NotIn', expression('app', 'NotIn', 'cart'), true],
    ['NotIn on a missing key matches, as in Kubernetes', expression('zone', 'NotIn', 'a'), true],
    ['NotIn with the value', expression('app', 'NotIn', 'checkout'), false],
    ['Exists', expression('app', 'Exists'), true],
    ['Exists on a missing key', expression('zone', 'Exists'), false],
    ['DoesNotExist', expression('zone', 'DoesNotExist'), true],
    ['DoesNotExist on a present key', expression('app', 'DoesNotExist'), false],
    ['a key of the prototype is no label', expression('constructor', 'Exists'), false],
    ['labels and expressions together', { ...labels({ app: 'checkout' }), ...{ matchExpressions: expression('tier', 'In', 'db').matchExpressions } }, false],
  ])('%s', (_sentence, selector, expected) => expect(selectsTarget(selector, LABELS)).toBe(expected)); // prettier-ignore
});

test('only a selector without any requirement is empty', () => {
  expect([NOTHING, labels({ a: 'b' }), expression('a', 'Exists')].map(isEmptySelector)).toEqual([true, false, false]);
});

describe('guardrailsFor', () => {
  const all = aGuardrail({ name: 'all' });
  const shop = aGuardrail({ name: 'shop', namespaceSelector: labels({ team: 'shop' }) });
  const names = (found: readonly { name: string }[]) => found.map(({ name }) => name);

  test('an empty selector bounds every namespace', () => {
    expect(names(guardrailsFor([all, shop], { team: 'other' }))).toEqual(['all']);
  });
  test('a selector bounds the namespaces that it matches', () => {
    expect(names(guardrailsFor([all, shop], { team: 'shop' }))).toEqual(['all', 'shop']);
  });
  test('a namespace whose labels are not known is bound by all', () => {
    expect(names(guardrailsFor([all, shop], undefined))).toEqual(['all', 'shop']);
  });
});
