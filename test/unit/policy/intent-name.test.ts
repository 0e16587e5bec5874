import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { intentName } from '../../../src/policy/intent-name.ts';

const IDENTITY = { policyUid: 'p', targetUid: 't', incidentId: 'i', step: 1, attempt: 2 };
const name = (over: Partial<typeof IDENTITY> = {}) => intentName({ ...IDENTITY, ...over }, 'checkout');

test('is the same for the same identity, so that a second creator finds the first (I8)', () => {
  expect(name()).toBe(name());
  expect(name()).toMatch(/^checkout-[0-9a-f]{20}$/);
});

test.each([
  ['policy', { policyUid: 'q' }],
  ['target', { targetUid: 'u' }],
  ['incident', { incidentId: 'j' }],
  ['step', { step: 2 }],
  ['attempt', { attempt: 3 }],
])('is another for another %s', (_part, over) => expect(name(over)).not.toBe(name()));

test('step 1, attempt 23 and step 12, attempt 3 are two', () => {
  expect(name({ step: 1, attempt: 23 })).not.toBe(name({ step: 12, attempt: 3 }));
});

test('is a DNS-1123 label with room for `aegis-`, whatever the workload is called', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (workload) => {
      expect(`aegis-${intentName(IDENTITY, workload)}`).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    }),
  );
});
