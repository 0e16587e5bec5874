import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DisruptionLimit } from '../../../../src/policy/healing-policy.ts';
import { roomFor } from '../../../../src/policy/guards/blast-radius.ts';
import { approvalRules } from '../../../../src/policy/guards/rule-denies.ts';
import { aGuardInput, aGuardrail, aPolicy, aRecord } from '../../../support/builders/policy.ts';
import { aWorkload, podRef, somePods, withReplicas } from '../../../support/builders/workload.ts';

const refs = (...indices: number[]) => indices.map(podRef);
const workload = (count: number, unready: readonly number[] = [], desired = count) =>
  withReplicas(aWorkload({ pods: somePods(count).map((pod, i) => ({ ...pod, ready: !unready.includes(i) })) }), {
    desired,
  });
const percent = (share: number): DisruptionLimit => ({ percent: share });

describe('how many pods may be treated now', () => {
  test.each<[string, ReturnType<typeof workload>, number[], DisruptionLimit, number]>([
    ['a quarter of eight', workload(8), [0, 1, 2, 3], percent(25), 2],
    ['a quarter of seven is rounded down', workload(7), [0, 1, 2, 3], percent(25), 1],
    ['of a few there is always room for one', workload(2), [0, 1], percent(25), 1],
    ['a count', workload(8), [0, 1, 2, 3], { count: 3 }, 3],
    ['no more than are asked for', workload(8), [0], percent(100), 1],
    ['others that are down take the room', workload(8, [6]), [0, 1, 2], percent(25), 1],
    ['all room is taken', workload(8, [6, 7]), [0, 1], percent(25), 0],
    ['those that are down already take no further room', workload(8, [0, 1]), [0, 1, 2], percent(25), 2],
    ['one that is down counts before one that is not', workload(8, [1, 7]), [1, 0], percent(25), 1],
    ['the first finds no room: those behind it wait too', workload(8, [1, 7]), [0, 1], percent(25), 0],
    ['a pod that is missing takes room', workload(7, [], 8), [0, 1, 2], percent(25), 1],
    ['more are down than may be: nothing goes, not even what is down', workload(8, [0, 1, 2]), [0], percent(25), 0],
  ])('%s', (_, snapshot, asked, limit, expected) => {
    expect(roomFor(refs(...asked), snapshot, limit, [])).toBe(expected);
  });

  test('a pod under an open action of this workload takes room, one of another does not', () => {
    const open = (workloadUid?: string) =>
      aRecord({ state: 'Executing', podUids: ['uid-5'], ...(workloadUid === undefined ? {} : { workloadUid }) });
    expect(roomFor(refs(0, 1), workload(8), percent(25), [open()])).toBe(1);
    expect(roomFor(refs(0, 1), workload(8), percent(25), [open('w-2')])).toBe(2);
  });

  test('treated with those that are down, it never goes beyond the allowance, and is the most that does not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.uniqueArray(fc.nat(19)),
        fc.uniqueArray(fc.nat(19)),
        fc.integer({ min: 0, max: 100 }),
        (count, down, asked, share) => {
          const unready = down.filter((index) => index < count);
          const wanted = asked.filter((index) => index < count);
          const allowed = Math.max(1, Math.floor((count * share) / 100));
          const after = (room: number) => new Set([...unready, ...wanted.slice(0, room)]).size;
          const room = roomFor(refs(...wanted), workload(count, unready), percent(share), []);
          if (room > 0) expect(after(room)).toBeLessThanOrEqual(allowed);
          if (room < wanted.length) expect(after(room + 1)).toBeGreaterThan(allowed);
        },
      ),
    );
  });
});

describe('rules that ask for a person', () => {
  const asking = (name: string, expression = 'true') => ({ name, expression, effect: 'RequireApproval' as const });
  test.each<[string, Parameters<typeof aGuardInput>[0], string[]]>([
    ['none', {}, []],
    ['one of the policy', { policy: aPolicy({ rules: [asking('p')] }) }, ['p']],
    ['those of the guardrails come first', { policy: aPolicy({ rules: [asking('p')] }), guardrails: [aGuardrail({ rules: [asking('g')] })] }, ['g', 'p']],
    ['one that does not apply', { policy: aPolicy({ rules: [asking('p', 'false')] }) }, []],
    ['one that cannot be judged asks too', { policy: aPolicy({ rules: [asking('p', 'metrics.nope > 1.0')] }) }, ['p']],
    ['one that denies asks for nobody', { policy: aPolicy({ rules: [{ ...asking('p'), effect: 'Deny' }] }) }, []],
    ['guardrails that cannot be read ask for nobody here', { policy: aPolicy({ rules: [asking('p')] }), guardrails: undefined }, ['p']],
  ])('%s', (_, over, expected) => {
    expect(approvalRules(aGuardInput(over)).map(({ rule }) => rule.name)).toEqual(expected);
  }); // prettier-ignore
});
