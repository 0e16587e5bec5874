import { describe, expect, test } from '@jest/globals';
import type { Reason } from '../../../../src/lib/reasons.ts';
import { EFFECTS } from '../../../../src/policy/action.ts';
import type { EffectName } from '../../../../src/policy/action.ts';
import { GUARDS, runChain } from '../../../../src/policy/chain.ts';
import type { GuardInput } from '../../../../src/policy/guard.ts';
import { aDiagnosis, aModel, anIncident, aVerdict } from '../../../support/builders/incident.ts';
import { inputFor } from '../../../support/builders/effects.ts';
import { aGuardrail, aPolicy, aRecord, withLimits } from '../../../support/builders/policy.ts';
import { aPod, HOUR, MINUTE, NOW, somePods, withReplicas, aWorkload } from '../../../support/builders/workload.ts';

interface Row {
  readonly reason: Reason;
  /** Changes one thing of a world in which the effect would pass. */
  readonly given: (input: GuardInput, effect: EffectName) => GuardInput;
  /** Effects that the guard cannot refuse, with the reason why. */
  readonly exempt?: Partial<Record<EffectName, string>>;
}

const overGuardrail = (over: Parameters<typeof aGuardrail>[0]) => (input: GuardInput) => ({
  ...input,
  guardrails: [aGuardrail(over)],
});
const overWorkload =
  (change: (workload: GuardInput['workload']) => Partial<GuardInput['workload']>) => (input: GuardInput) => ({
    ...input,
    workload: { ...input.workload, ...change(input.workload) },
  });
const overLedger = (ledger: GuardInput['ledger']) => (input: GuardInput) => ({ ...input, ledger });

/** A type that refuses the effect, and why the ladder would still come to it: a policy's own remedy. */
const HARMED: Record<EffectName, Parameters<typeof aDiagnosis>[0]> = {
  restart_pod: { failureType: 'oom_kill' },
  scale_up: { failureType: 'memory_leak' },
  scale_down: { failureType: 'traffic_surge' },
  throttle_api: { failureType: 'image_error' },
  clear_cache: { failureType: 'dependency_down' },
};

const ineffective = (minutesAgo: number) =>
  aRecord({ state: 'Ineffective', decidedAtMs: NOW - minutesAgo * MINUTE, incidentId: `incident-${minutesAgo}` });

/** The same verdict, but the past does not find odd what the young model does. */
const doubted = (verdict: GuardInput['verdict']): GuardInput['verdict'] => ({
  ...verdict,
  pods: verdict.pods.map((pod) => ({
    ...pod,
    metrics: pod.metrics.map((metric) => ({ ...metric, models: [aModel('recent', true), aModel('past', false)] })),
  })),
});

const ROWS: Record<string, Row> = {
  notLeader: { reason: 'NotLeader', given: (input) => ({ ...input, leader: false }) },
  suspended: { reason: 'Suspended', given: overGuardrail({ suspended: true }) },
  paused: {
    reason: 'Paused',
    given: (input) => ({ ...input, policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'migration' }] }) }),
  },
  decisionOutdated: {
    reason: 'IncidentClosed',
    given: (input) => ({ ...input, incident: { ...input.incident, resolvedAtMs: NOW - MINUTE } }),
  },
  protectedTarget: {
    reason: 'Protected',
    given: overWorkload(({ ref }) => ({ ref: { ...ref, namespace: 'kube-system' } })),
  },
  excluded: {
    reason: 'Excluded',
    given: overWorkload(() => ({ annotations: { 'healing.aegis.dev/exclude': 'true' } })),
  },
  actionNotAllowed: { reason: 'ActionNotAllowed', given: (input) => ({ ...input, enabledEffects: new Set() }) },
  staleEvidence: { reason: 'StaleData', given: (input) => ({ ...input, cacheAgeMs: 61_000 }) },
  insufficientEvidence: {
    reason: 'InsufficientData',
    given: (input) => ({ ...input, verdict: { ...input.verdict, state: 'unknown' } }),
  },
  youngModel: {
    reason: 'YoungModel',
    given: (input) => ({ ...input, verdict: doubted(input.verdict) }),
  },
  harmfulForType: {
    reason: 'HarmfulForType',
    given: (input, effect) => ({ ...input, diagnosis: aDiagnosis(HARMED[effect]) }),
  },
  lowConfidence: {
    reason: 'LowConfidence',
    given: (input) => ({
      ...input,
      proposal: { ...input.proposal, basis: 'diagnosis' },
      diagnosis: { ...input.diagnosis, confidence: 0.59 },
    }),
  },
  stormActive: {
    reason: 'StormActive',
    given: (input) => ({ ...input, storm: { active: true, scope: 'shop', anomalous: 5, watched: 10 } }),
  },
  correlatedCause: {
    reason: 'CauseElsewhere',
    given: (input) => ({ ...input, diagnosis: { ...input.diagnosis, cause: { kind: 'node', name: 'node-a' } } }),
  },
  rolloutInProgress: { reason: 'RolloutInProgress', given: overWorkload(() => ({ generation: 4 })) },
  tooYoung: {
    reason: 'TooYoung',
    given: overWorkload(() => ({ pods: somePods(4, { createdAtMs: NOW - 119_000 }) })),
  },
  outsideWindow: {
    reason: 'OutsideWindow',
    given: (input) => ({
      ...input,
      policy: aPolicy({
        windows: [{ schedule: '0 3 * * *', durationSeconds: 3600, timeZone: 'UTC', effect: 'Allow' }],
      }),
    }),
  },
  alertFiring: {
    reason: 'AlertFiring',
    given: (input) => ({
      ...input,
      policy: aPolicy({ holdWhileAlertsFiring: ['DatabaseMigration'] }),
      firingAlerts: ['DatabaseMigration'],
    }),
  },
  preconditionFails: {
    reason: 'SwitchedOff',
    given: (input, effect) => {
      const off = { ...input, workload: withReplicas(input.workload, { desired: 0 }) };
      if (effect === 'throttle_api') return { ...input, throttlePaths: [] };
      return effect === 'clear_cache' ? { ...input, backingStore: 'anomalous' } : off;
    },
  },
  policyConflict: { reason: 'Conflict', given: (input) => ({ ...input, actingPolicyUid: 'p-other' }) },
  historyUnavailable: {
    reason: 'HistoryUnavailable',
    given: ({ ledger: _left, ...input }) => ({ ...input, ledger: undefined }),
  },
  inFlight: { reason: 'InFlight', given: overLedger([aRecord({ state: 'Verifying' })]) },
  reverted: {
    reason: 'Reverted',
    given: overLedger([60, 120].map((ago) => ({ ...ineffective(ago), reason: 'Reverted' }))),
  },
  ineffectiveChain: { reason: 'IneffectiveChain', given: overLedger([60, 120, 180].map(ineffective)) },
  flapping: {
    reason: 'Flapping',
    given: overLedger([10, 25, 50].map((ago) => aRecord({ decidedAtMs: NOW - ago * MINUTE, incidentId: `i-${ago}` }))),
  },
  attemptsSpent: {
    reason: 'AttemptsSpent',
    given: overLedger(
      [1, 2, 3, 4, 5].map((attempt) => aRecord({ incidentId: 'incident-1', attempt, decidedAtMs: NOW - 2 * HOUR })),
    ),
  },
  cooldown: { reason: 'Cooldown', given: overLedger([aRecord({ decidedAtMs: NOW - 299_000 })]) },
  backoff: {
    reason: 'Backoff',
    given: overLedger([
      aRecord({ state: 'Failed', reason: 'Rejected', decidedAtMs: NOW - 20 * MINUTE }),
      aRecord({ state: 'Ineffective', decidedAtMs: NOW - 10 * MINUTE, endedAtMs: NOW - MINUTE }),
    ]),
  },
  oppositeScaling: {
    reason: 'OppositeScaling',
    given: (input, effect) => ({
      ...input,
      ledger: [aRecord({ action: effect === 'scale_up' ? 'scale_down' : 'scale_up', decidedAtMs: NOW - 299_000 })],
    }),
    exempt: {
      restart_pod: 'it changes no number of replicas',
      throttle_api: 'it changes no number of replicas',
      clear_cache: 'it changes no number of replicas',
    },
  },
  blastRadius: {
    reason: 'BlastRadius',
    given: overWorkload(() => ({ pods: [aPod(0), aPod(1), aPod(2, { ready: false }), aPod(3, { ready: false })] })),
    exempt: {
      scale_up: 'it takes no pod down, and pods that are down are what it is for',
      throttle_api: 'it takes no pod down, and takes load from those that are left',
    },
  },
  disruptionBudget: {
    reason: 'DisruptionBudget',
    given: overWorkload(() => ({ disruptionBudgets: [{ name: 'checkout', disruptionsAllowed: 0 }] })),
    exempt: {
      scale_up: 'it takes no pod down',
      throttle_api: 'it takes no pod down',
      clear_cache: 'the pod stays; no budget speaks of its cache',
    },
  },
  budgetSpent: {
    reason: 'BudgetSpent',
    given: overLedger(
      [1, 2, 3, 4, 5, 6].map((n) => aRecord({ workloadUid: `w-${n}`, decidedAtMs: NOW - n * 5 * MINUTE })),
    ),
  },
  ruleDenies: {
    reason: 'DeniedByPolicy',
    given: (input) => ({
      ...input,
      policy: aPolicy({ rules: [{ name: 'never', expression: 'target.name == "checkout"', effect: 'Deny' }] }),
    }),
  },
  policyEngine: {
    reason: 'DeniedByPolicy',
    given: (input) => ({
      ...input,
      engineAnswer: { kind: 'denied', reason: 'Denied by policy: freeze', policies: ['freeze'] },
    }),
  },
};

/** preconditionFails has a reason for each effect. */
const PRECONDITIONS: Partial<Record<EffectName, Reason>> = {
  throttle_api: 'UnsupportedByCluster',
  clear_cache: 'DependencyUnhealthy',
};

const CELLS = GUARDS.flatMap((guard) =>
  EFFECTS.map((effect) => ({ guard, effect, cell: `${guard.name} × ${effect}` })),
);

describe('guards × actions', () => {
  test('every guard of the chain has a row, and every row a guard', () => {
    expect(Object.keys(ROWS).sort()).toEqual(GUARDS.map(({ name }) => name).sort());
  });

  test.each(EFFECTS)('%s passes where nothing speaks against it', (effect) => {
    expect(runChain(inputFor(effect)).all).toEqual([]);
  });

  test.each(CELLS)('$cell', ({ guard, effect }) => {
    const row = ROWS[guard.name];
    const input = row?.given(inputFor(effect), effect);
    if (row === undefined || input === undefined) throw new Error(`${guard.name} has no row`);
    const held = guard.check(input);
    if (row.exempt?.[effect] !== undefined) {
      expect(guard.appliesTo).not.toContain(effect);
      expect(held).toBeUndefined();
      return;
    }
    expect(guard.appliesTo ?? EFFECTS).toContain(effect);
    const reason = guard.name === 'preconditionFails' ? (PRECONDITIONS[effect] ?? row.reason) : row.reason;
    expect(held?.reason).toBe(reason);
    expect(held?.message).toMatch(/\S+ \S+/);
    expect(runChain(input).all).toContainEqual(held);
  });

  test('what a guard does not apply to is explained in the table', () => {
    for (const { name, appliesTo } of GUARDS) {
      const exempt = EFFECTS.filter((effect) => appliesTo !== undefined && !appliesTo.includes(effect));
      expect([name, Object.keys(ROWS[name]?.exempt ?? {}).sort()]).toEqual([name, [...exempt].sort()]);
    }
  });

  test.each(EFFECTS)('nothing is spent and nothing is changed by asking: %s', (effect) => {
    const freeze = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
      Object.freeze(value);
      Object.values(value).forEach(freeze);
    };
    const input = { ...inputFor(effect), ledger: [aRecord()], guardrails: [aGuardrail()] };
    freeze(input);
    expect(() => runChain(input)).not.toThrow();
  });
});

describe('the order of the chain', () => {
  test('shows the first blocker in the order of the gate, and all of them', () => {
    const input = aWorldOfTrouble();
    const { first, all } = runChain(input);
    expect(first?.reason).toBe('Suspended');
    expect(all.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Suspended', 'Paused', 'StaleData', 'StormActive', 'DeniedByPolicy']),
    );
  });

  test.each(['alert_admin', 'no_action'] as const)('%s is held by nothing', (action) => {
    const input = aWorldOfTrouble();
    expect(runChain({ ...input, proposal: { ...input.proposal, action } })).toEqual({ all: [] });
  });
});

function aWorldOfTrouble(): GuardInput {
  return {
    ...inputFor('restart_pod'),
    guardrails: [aGuardrail({ suspended: true })],
    policy: withLimits(aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }), {}),
    cacheAgeMs: Number.NaN,
    storm: { active: true, scope: 'cluster', anomalous: 9, watched: 10, endsAtMs: NOW + MINUTE },
    engineAnswer: { kind: 'denied', reason: 'Denied by policy: x', policies: ['x'] },
    incident: anIncident(),
    verdict: aVerdict(),
    workload: aWorkload(),
  };
}
