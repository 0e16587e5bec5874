import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { actingPolicy, byPrecedence } from '../../../src/policy/precedence.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { NOW } from '../../support/builders/workload.ts';

const young = { createdAtMs: NOW, uid: 'b' };
test.each([
  ['the higher priority acts', aPolicy({ uid: 'a', priority: 200, createdAtMs: NOW }), aPolicy({ uid: 'b', createdAtMs: 0 })],
  ['then the older', aPolicy({ uid: 'z', createdAtMs: NOW - 1 }), aPolicy(young)],
  ['then the smaller UID', aPolicy({ ...young, uid: 'a' }), aPolicy(young)],
])('%s', (_sentence, first, second) => {
  expect(actingPolicy([first, second])).toBe(first);
  expect(actingPolicy([second, first])).toBe(first);
}); // prettier-ignore

test('no policy, none acts', () => expect(actingPolicy([])).toBeUndefined());

test('it is a total order: whatever the order of the list, the same policy acts (I18)', () => {
  const policy = fc.record({ priority: fc.nat(3), createdAtMs: fc.nat(3), uid: fc.uuid() });
  const policies = fc.uniqueArray(policy, { minLength: 1, maxLength: 6, selector: ({ uid }) => uid });
  fc.assert(
    fc.property(policies, (list) => {
      expect(actingPolicy([...list].reverse())).toEqual(actingPolicy(list));
      expect([...list].sort(byPrecedence)[0]).toEqual(actingPolicy(list));
    }),
  );
});
