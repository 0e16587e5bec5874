import { describe, expect, test } from '@jest/globals';
import type { Reading } from '../../../src/detection/sample.ts';
import { assemble } from '../../../src/prometheus/assemble.ts';
import type { EntityKind } from '../../../src/prometheus/preset-source.ts';
import { aWish } from '../../support/builders/prometheus.ts';

const value = (n: number): Reading => ({ kind: 'value', value: n, atMs: 1 });
const gone: Reading = { kind: 'unknown', reason: 'Stale' };

const share = (kind: EntityKind, found: Readonly<Record<string, Reading>>, targetName?: string): string[] => {
  const { targetName: _, ...wish } = aWish();
  const cells = new Map([['c', { kind, readings: new Map(Object.entries(found)) }]]);
  const wants = [{ metric: 'm', unit: 'u', cell: 'c' }];
  const { readings } = assemble(targetName === undefined ? wish : { ...wish, targetName }, wants, cells);
  return readings.map(
    ({ pod, reading }) => `${pod ?? 'workload'} ${reading.kind === 'value' ? reading.value : reading.reason}`,
  );
};

describe('services of an ingress', () => {
  test.each<[string, Record<string, Reading>, string | undefined, string[]]>([
    ['the one named like the workload', { checkout: value(1), cart: value(2) }, 'checkout', ['workload 1']],
    ['the only one', { web: value(3) }, 'checkout', ['workload 3']],
    ['the only one, for a policy with a selector', { web: value(3) }, undefined, ['workload 3']],
    ['among strangers none is guessed', { web: value(1), cart: value(2) }, 'checkout', ['workload Absent']],
    ['none', {}, 'checkout', ['workload Absent']],
  ])('%s', (_, found, targetName, expected) => {
    expect(share('service', found, targetName)).toEqual(expected);
  });

  test('for a policy with a selector each names the workload that it may belong to', () => {
    const cells = new Map([
      [
        'c',
        {
          kind: 'service' as const,
          readings: new Map([
            ['web', value(1)],
            ['cart', value(2)],
          ]),
        },
      ],
    ]);
    const { targetName: _, ...wish } = aWish();
    const { readings } = assemble(wish, [{ metric: 'm', unit: 'u', cell: 'c' }], cells);
    expect(readings.map(({ workload }) => workload?.name)).toEqual(['web', 'cart']);
  });
});

describe('volume claims', () => {
  test.each<[string, Record<string, Reading>, string | undefined, string[]]>([
    [
      'of a StatefulSet go to their pods',
      { 'data-db-0': value(1), 'data-db-1': value(2), other: value(9) },
      'db',
      ['db-0 1', 'db-1 2'],
    ],
    [
      'that carry the workload’s name: the fullest',
      { 'checkout-cache': value(1), 'checkout-data': value(2) },
      'checkout',
      ['workload 2'],
    ],
    [
      'of another workload with a longer name are not ours',
      { 'checkouts-data': value(1) },
      'checkout',
      ['workload Absent'],
    ],
    [
      'one of ours unknown: the fullest is not known',
      { 'checkout-a': value(1), 'checkout-b': gone },
      'checkout',
      ['workload Stale'],
    ],
    ['cannot be matched without a name', { 'checkout-data': value(1) }, undefined, ['workload Absent']],
    ['of another StatefulSet are not ours', { 'data-db-0': value(1) }, 'cache', ['workload Absent']],
  ])('%s', (_, found, targetName, expected) => {
    expect(share('claim', found, targetName)).toEqual(expected);
  });
});

test('pods, and series without a pod for the workload', () => {
  expect(share('pod', { 'p-1': value(1), '': value(2) })).toEqual(['p-1 1', 'workload 2']);
});
