import { describe, expect, test } from '@jest/globals';
import { PodAges } from '../../../src/controller/pod-ages.ts';
import { PolicyAcceptance } from '../../../src/controller/policy-acceptance.ts';
import type { Parsed } from '../../../src/lib/parsed.ts';
import { QueryRefusals } from '../../../src/controller/query-refusals.ts';
import { Surroundings, type SurroundingsDeps } from '../../../src/controller/surroundings.ts';
import type { Guardrail, HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { aDiagnosis, anIncident, aVerdict } from '../../support/builders/incident.ts';
import { aGuardrail, aPolicy } from '../../support/builders/policy.ts';
import { aWorkload, NOW } from '../../support/builders/workload.ts';

const valid = <T>(value: T): Parsed<T> => ({ kind: 'valid', value });
const invalid = { kind: 'invalid', name: 'x', namespace: '', uid: 'x', generation: 1, problems: [] } as const;

interface Around {
  readonly policies?: readonly Parsed<HealingPolicy>[];
  readonly guardrails?: readonly Parsed<Guardrail>[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly alerts?: readonly string[] | undefined;
}

function around(given: Around) {
  const { policies = [valid(aPolicy())] } = given;
  const guardrails = 'guardrails' in given ? given.guardrails : [];
  const labels = 'labels' in given ? given.labels : { team: 'shop' };
  const alerts = 'alerts' in given ? given.alerts : [];
  let asked = 0;
  const source = {
    lookBackMs: () => 60_000,
    checkQueries: () => [],
    firingAlerts: () => {
      asked += 1;
      return Promise.resolve(alerts === undefined ? { ok: false, error: {} } : { ok: true, value: alerts });
    },
  };
  const notifier = { sinks: () => [], send: () => Promise.resolve({ delivered: [], failed: [] }) };
  const deps = {
    reader: {
      policies: () => policies,
      guardrails: () => guardrails,
      namespaceLabels: () => labels,
      nodes: () => [],
      workloads: () => [],
      ageMs: () => 1_000,
      policyStatus: () => undefined,
    },
    source,
    ledger: { records: () => undefined },
    experience: { effectiveness: () => undefined },
    storms: { for: (scope: string) => ({ active: false, scope, anomalous: 0, watched: 1 }) },
    book: { find: () => undefined, openOn: () => [] },
    podAges: new PodAges(fakeClock(NOW)),
    leadership: { isLeader: () => true },
    acceptance: new PolicyAcceptance({ source: source, notifier }),
    refusals: new QueryRefusals(),
    enabledEffects: new Set(['restart_pod']),
    scrapeIntervalMs: 30_000,
    policyEngineConfigured: false,
  } as unknown as SurroundingsDeps;
  const surroundings = new Surroundings(deps);
  const findings = {
    ...{ policy: aPolicy(), workload: aWorkload(), incident: anIncident() },
    ...{ verdict: aVerdict(), diagnosis: aDiagnosis() },
  };
  return { surroundings, input: () => surroundings.decisionInput(findings, NOW), asked: () => asked };
}

describe('guardrails', () => {
  const bank = aGuardrail({ name: 'bank', namespaceSelector: { matchLabels: { team: 'bank' }, matchExpressions: [] } });

  test.each<[string, Around, readonly string[] | undefined]>([
    ['none', {}, []],
    ['one that selects all', { guardrails: [valid(aGuardrail())] }, ['cluster']],
    ['one that selects others', { guardrails: [valid(bank)] }, []],
    [
      'one that selects others, where the labels are not known',
      { guardrails: [valid(bank)], labels: undefined },
      ['bank'],
    ],
    ['unreadable ones', { guardrails: undefined }, undefined],
    [
      'one broken among sound ones: a brake that is broken holds',
      { guardrails: [valid(aGuardrail()), invalid] },
      undefined,
    ],
  ])('%s', (_, given, names) => {
    expect(
      around(given)
        .input()
        .guardrails?.map(({ name }) => name),
    ).toEqual(names);
  });
});

describe('alerts that hold actions', () => {
  const waiting = valid(aPolicy({ holdWhileAlertsFiring: ['DatabaseDown'] }));

  test('nobody waits for any: not asked', async () => {
    const { surroundings, input, asked } = around({ alerts: ['DatabaseDown'] });
    await surroundings.readAlerts();
    expect([asked(), input().firingAlerts]).toEqual([0, []]);
  });

  test.each<[string, readonly string[] | undefined]>([
    ['one fires', ['DatabaseDown']],
    ['none fires', []],
    ['they cannot be read: not known, which is not none', undefined],
  ])('%s', async (_, alerts) => {
    const { surroundings, input } = around({ policies: [waiting], alerts });
    await surroundings.readAlerts();
    expect(input().firingAlerts).toEqual(alerts);
  });
});

describe('which policy acts', () => {
  test.each<[string, Partial<HealingPolicy>, string]>([
    ['alone', { target: { kind: 'Deployment', name: 'other' } }, 'p-checkout'],
    ['a higher priority goes first', { priority: 200 }, 'p-second'],
    ['a lower one does not', { priority: 50 }, 'p-checkout'],
    ['the older of two equals', { createdAtMs: 1 }, 'p-second'],
    [
      'one that is not accepted stands in nobody’s way',
      { priority: 200, notifications: [{ sink: 'fax', minSeverity: 'low' }] },
      'p-checkout',
    ],
    ['one of another namespace as little', { priority: 200, namespace: 'bank' }, 'p-checkout'],
  ])('%s', (_, over, acting) => {
    const second = valid(aPolicy({ name: 'second', uid: 'p-second', ...over }));
    expect(around({ policies: [valid(aPolicy()), second] }).input().actingPolicyUid).toBe(acting);
  });
});

test('what is not known stays unknown in the input', () => {
  const input = around({}).input();
  expect(input.ledger).toBeUndefined();
  expect(input).not.toHaveProperty('completeSinceMs');
  expect(input).not.toHaveProperty('heldSinceMs');
});
