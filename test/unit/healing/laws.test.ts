import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../../src/healing/decide.ts';
import { toRecord } from '../../../src/healing/record.ts';
import { markExecuting, markOutcome, markVerification } from '../../../src/healing/transitions.ts';
import type { PodSnapshot } from '../../../src/lib/workload.ts';
import { runChain } from '../../../src/policy/chain.ts';
import type { ActionRecord } from '../../../src/policy/ledger.ts';
import { aDecisionInput } from '../../support/builders/decision.ts';
import { aDiagnosis, anIllPod, anIncident, aVerdict } from '../../support/builders/incident.ts';
import { aGuardInput, aPolicy, aProposal, aRecord, withLimits } from '../../support/builders/policy.ts';
import { aPod, aWorkload, MINUTE, NOW, podRef, REF, SECOND, withReplicas } from '../../support/builders/workload.ts';

/** Pods in any condition, so many as wanted. */
const podsOf = (count: number): fc.Arbitrary<PodSnapshot[]> =>
  fc
    .array(fc.constantFrom('ready', 'unready', 'terminating'), { minLength: count, maxLength: count })
    .map((states) =>
      states.map((state, index) =>
        aPod(index, { ready: state === 'ready', ...(state === 'terminating' ? { deletedAtMs: NOW } : {}) }),
      ),
    );
const workloads = fc.integer({ min: 1, max: 60 }).chain(podsOf);
const verdictFor = (pods: readonly PodSnapshot[], atMs = NOW - SECOND) =>
  aVerdict({ atMs, oldestSampleMs: atMs, pods: pods.map(({ name, uid }) => anIllPod({ name, uid })) });

describe('I1: the blast radius', () => {
  test('what passes never takes more pods down than max(1, floor(25 %)), whatever their condition', () => {
    fc.assert(
      fc.property(workloads, fc.nat(10), fc.nat(3), (pods, wave, missing) => {
        const workload = withReplicas(aWorkload({ pods }), { desired: pods.length + missing });
        const treated = pods.slice(0, wave + 1);
        const proposal = aProposal({ pods: treated.map(({ name, uid }) => ({ name, uid })) });
        const { all } = runChain(aGuardInput({ workload, proposal, verdict: verdictFor(pods) }));
        const blocked = all.some(({ reason }) => reason === 'BlastRadius');
        const down = pods.filter((pod) => !pod.ready || pod.deletedAtMs !== undefined || treated.includes(pod));
        const allowed = Math.max(1, Math.floor((pods.length + missing) / 4));
        expect(blocked).toBe(down.length + missing > allowed);
      }),
    );
  });

  test('a wave that is proposed keeps to it by itself', () => {
    fc.assert(
      fc.property(workloads, (pods) => {
        const carriers = pods.slice(0, Math.floor(pods.length / 2));
        const refs = carriers.map(({ name, uid }) => ({ name, uid }));
        const input = aDecisionInput({
          workload: aWorkload({ pods }),
          verdict: verdictFor(pods),
          diagnosis: aDiagnosis({ pods: refs }),
          incident: anIncident({ pods: refs }),
          policy: withLimits(aPolicy(), { progressive: 'All', maxActionsPerHour: 60 }),
        });
        const decision = decide(input);
        if (decision.kind !== 'act' || decision.intent.action !== 'restart_pod') return;
        const treated = new Set(decision.intent.pods.map(({ uid }) => uid));
        const down = pods.filter(
          ({ ready, deletedAtMs, uid }) => !ready || deletedAtMs !== undefined || treated.has(uid),
        );
        expect(treated.size).toBeGreaterThan(0);
        expect(down.length).toBeLessThanOrEqual(Math.max(1, Math.floor(pods.length / 4)));
      }),
    );
  });
});

/** A failure that no action cures, or that each one cures and that comes back; polled every 15 s. Returns its ledger. */
function live(polls: number, helps: boolean, restartAt: number): ActionRecord[] {
  let ledger: ActionRecord[] = [];
  let incident = anIncident({ openedAtMs: NOW });
  for (let poll = 0; poll < polls; poll += 1) {
    const nowMs = NOW + poll * 15 * SECOND;
    // What survives a restart is the ledger alone; it is read back as JSON.
    if (poll === restartAt) ledger = JSON.parse(JSON.stringify(ledger)) as ActionRecord[];
    const generation = ledger.length;
    const pods = [0, 1, 2, 3].map((index) => aPod(index + 10 * generation, { createdAtMs: NOW - 60 * MINUTE }));
    const first = podRef(10 * generation);
    const decision = decide(
      aDecisionInput({
        nowMs,
        ledger,
        incident: { ...incident, pods: [first] },
        workload: aWorkload({ pods }),
        verdict: verdictFor(pods, nowMs - SECOND),
        diagnosis: aDiagnosis({ pods: [first] }),
      }),
    );
    if (decision.kind !== 'act') continue;
    const { intent } = decision;
    const delivered = { attempts: [], delivered: { atMs: nowMs, sinks: [] } };
    const sent = markOutcome(intent, markExecuting({ attempts: [] }, nowMs), { kind: 'applied', detail: '' }, nowMs);
    const result = {
      verdict: helps ? 'Effective' : 'Ineffective',
      message: '',
      before: {},
      after: {},
      peers: {},
    } as const;
    const status =
      intent.action === 'alert_admin' ? delivered : markVerification(intent, sent, result, aPolicy(), nowMs + MINUTE);
    ledger = [...ledger, toRecord({ intent, status })];
    // Cured and back: another incident. Not cured: the same one goes on.
    if (helps) incident = anIncident({ id: `incident-${ledger.length + 1}`, openedAtMs: nowMs + 2 * MINUTE });
  }
  return ledger;
}

const effects = (ledger: readonly ActionRecord[]) => ledger.filter(({ action }) => action !== 'alert_admin');
const alerts = (ledger: readonly ActionRecord[]) => ledger.filter(({ action }) => action === 'alert_admin');

describe('a failure that is polled for hours', () => {
  test('I15: an action that never helps is tried once a rung, then people are told once', () => {
    const ledger = live(400, false, -1);
    expect([effects(ledger).length, alerts(ledger).length]).toEqual([1, 1]);
  });

  test('a cure that does not last: the next rung, then people', () => {
    const ledger = live(400, true, -1);
    expect(effects(ledger).length).toBeLessThanOrEqual(3);
    expect(alerts(ledger).length).toBeGreaterThan(0);
  });

  test('I8: no name comes twice; I9: a restart at any moment changes nothing', () => {
    const reference = JSON.stringify(live(120, true, -1));
    fc.assert(
      fc.property(fc.nat(119), fc.boolean(), (restartAt, helps) => {
        const ledger = live(120, helps, restartAt);
        expect(new Set(ledger.map(({ name }) => name)).size).toBe(ledger.length);
        if (helps) expect(JSON.stringify(ledger)).toBe(reference);
      }),
      { numRuns: 20 },
    );
  });

  test('I16: no two effects on the workload within cooldown or look-back', () => {
    for (const helps of [true, false]) {
      const times = effects(live(400, helps, -1)).map(({ executedAtMs = 0 }) => executedAtMs);
      for (const [index, time] of times.entries()) {
        if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(5 * MINUTE);
      }
    }
  });
});

describe('I3: everything is anomalous at once', () => {
  /** Every workload of four policies asks at every second; an effect takes a minute to be verified. */
  function rush(seconds: number, workloadCount: number): ActionRecord[] {
    const ledger: ActionRecord[] = [];
    for (let second = 0; second < seconds; second += 7) {
      const nowMs = NOW + second * SECOND;
      const seen = ledger.map((record): ActionRecord =>
        nowMs - record.decidedAtMs >= MINUTE
          ? { ...record, state: 'Healed', endedAtMs: record.decidedAtMs + MINUTE }
          : record,
      );
      const index = (second * 31) % workloadCount;
      const policy = aPolicy({ uid: `p-${index % 4}` });
      const ref = { ...REF, uid: `w-${index}`, name: `w-${index}` };
      const input = aGuardInput({
        nowMs,
        policy,
        actingPolicyUid: policy.uid,
        ledger: seen,
        workload: aWorkload({ ref }),
        incident: anIncident({ id: `i-${index}`, workload: ref }),
        verdict: { ...verdictFor([aPod(0), aPod(1)], nowMs - SECOND), workload: ref },
      });
      if (runChain(input).first !== undefined) continue;
      ledger.push(
        aRecord({
          policyUid: policy.uid,
          workloadUid: ref.uid,
          incidentId: `i-${index}`,
          state: 'Executing',
          decidedAtMs: nowMs,
        }),
      );
    }
    return ledger;
  }

  const done = rush(3 * 3600, 500);
  const within = (records: readonly ActionRecord[], windowMs: number) =>
    Math.max(...records.map(({ decidedAtMs: from }) => records.filter(({ decidedAtMs: at }) => at >= from && at < from + windowMs).length)); // prettier-ignore

  test('five a minute, thirty an hour, three at once, six an hour for each policy, and they are used', () => {
    expect(within(done, MINUTE)).toBeLessThanOrEqual(3); // three at once, each for a minute
    expect(within(done, 60 * MINUTE)).toBeLessThanOrEqual(30);
    for (const policyUid of ['p-0', 'p-1', 'p-2', 'p-3']) {
      const own = done.filter((record) => record.policyUid === policyUid);
      expect(within(own, 60 * MINUTE)).toBe(6);
    }
  });
});

describe('I23 and I19: replicas', () => {
  const surge = { diagnosis: aDiagnosis({ failureType: 'traffic_surge' as const, pods: [] }) };
  test('a step up stays within twice, maxReplicas, quota, and never goes down or to 0', () => {
    const optional = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 1000 }), optional(60), optional(20), (now, percent, maxReplicas, quota) => {
        const pods = Array.from({ length: now }, (_, index) => aPod(index));
        const step = { action: 'scale_up', attempts: 1, timeoutSeconds: 300, scale: { percent, returnAfterSeconds: 1, autoscaler: 'Leave' } } as const;
        const decision = decide(
          aDecisionInput({
            ...surge,
            workload: aWorkload({ pods, ...(quota === undefined ? {} : { quotaPodsLeft: quota }) }),
            verdict: verdictFor(pods),
            policy: withLimits(
              aPolicy({ remedies: [{ on: ['traffic_surge'], minSeverity: 'low', steps: [step] }] }),
              maxReplicas === undefined ? {} : { maxReplicas },
            ),
          }),
        );
        if (decision.kind !== 'act' || decision.intent.parameters.kind !== 'scale') return;
        const { from, to } = decision.intent.parameters;
        expect(from).toBe(now);
        expect(to).toBeGreaterThan(from);
        expect(to).toBeLessThanOrEqual(Math.min(2 * now, maxReplicas ?? 2 * now, now + (quota ?? Infinity)));
      }),
    ); // prettier-ignore
  });

  test.each([
    [1, 50, 2],
    [2, 50, 3],
    [3, 50, 5],
    [4, 50, 6],
    [4, 100, 8],
    [4, 1000, 8],
    [10, 1, 11],
  ])('from %i by %i %% to %i', (now, percent, to) => {
    const pods = Array.from({ length: now }, (_, index) => aPod(index));
    const step = { action: 'scale_up', attempts: 1, timeoutSeconds: 300, scale: { percent, returnAfterSeconds: 1, autoscaler: 'Leave' } } as const; // prettier-ignore
    const policy = aPolicy({ remedies: [{ on: ['any'], minSeverity: 'low', steps: [step] }] });
    const decision = decide(
      aDecisionInput({ ...surge, workload: aWorkload({ pods }), verdict: verdictFor(pods), policy }),
    );
    expect(decision).toMatchObject({ kind: 'act', intent: { parameters: { from: now, to } } });
  });
});
