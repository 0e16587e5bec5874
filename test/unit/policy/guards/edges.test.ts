import { describe, expect, test } from '@jest/globals';
import { GUARDS } from '../../../../src/policy/chain.ts';
import type { GuardInput, Hold } from '../../../../src/policy/guard.ts';
import { aDiagnosis, anIncident, aPodVerdict, aVerdict, anIllPod } from '../../../support/builders/incident.ts';
import { inputFor } from '../../../support/builders/effects.ts';
import { aGuardInput, aGuardrail, aPolicy, aProposal, aRecord, withLimits } from '../../../support/builders/policy.ts';
import {
  aPod,
  aWorkload,
  DAY,
  HOUR,
  MINUTE,
  NOW,
  podRef,
  REF,
  SECOND,
  somePods,
  withReplicas,
} from '../../../support/builders/workload.ts';

/** Guard, sentence, what differs from a world that lets pass, and when it is worth looking again (or that it passes). */
type Row = readonly [string, string, Partial<GuardInput>, 'passes' | 'holds' | number];

const check = (guard: string, input: GuardInput): Hold | undefined => {
  const found = GUARDS.find(({ name }) => name === guard);
  if (found === undefined) throw new Error(`no guard ${guard}`);
  return found.check(input);
};

const ended = (
  state: 'Healed' | 'Ineffective' | 'RolledBack' | 'Failed',
  minutesAgo: number,
  over: Parameters<typeof aRecord>[0] = {},
) => aRecord({ state, decidedAtMs: NOW - minutesAgo * MINUTE, endedAtMs: NOW - minutesAgo * MINUTE, ...over });
const pods = (...unready: number[]) =>
  somePods(12).map((each, index) => ({ ...each, ready: !unready.includes(index) }));
const twelve = (...unready: number[]) => ({ workload: aWorkload({ pods: pods(...unready) }) });
const labelled = (labels: Record<string, string>) => ({
  workload: aWorkload({ pods: [aPod(0, { labels }), aPod(1), aPod(2), aPod(3)] }),
});
const scaling = (action: 'scale_up' | 'scale_down', from: number, to: number) =>
  aProposal({ action, pods: [], parameters: { kind: 'scale', from, to, returnAfterSeconds: 0 } });

const ROWS: readonly Row[] = [
  ['paused', 'no request', {}, 'passes'],
  ['suspended', 'a guardrail that is not suspended', { guardrails: [aGuardrail()] }, 'passes'],
  ['suspended', 'unreadable', { guardrails: undefined }, 'holds'],
  ['decisionOutdated', 'the workload has another UID', { workload: aWorkload({ ref: { ...REF, uid: 'w-2' } }) }, 'holds'],
  ['decisionOutdated', 'the verdict is of another UID', { verdict: aVerdict({ workload: { ...REF, uid: 'w-2' } }) }, 'holds'],
  ['protectedTarget', 'a namespace that only begins alike', { workload: aWorkload({ ref: { ...REF, namespace: 'kubernetes-apps' } }) }, 'passes'],
  ['protectedTarget', 'kube-public', { workload: aWorkload({ ref: { ...REF, namespace: 'kube-public' } }) }, 'holds'],
  ['protectedTarget', 'Aegis itself', { workload: aWorkload({ labels: { 'app.kubernetes.io/name': 'aegis' } }) }, 'holds'],
  ['protectedTarget', 'a pod of Aegis', labelled({ 'app.kubernetes.io/name': 'aegis' }), 'holds'],
  ['protectedTarget', 'a control-plane pod', labelled({ tier: 'control-plane' }), 'holds'],
  ['protectedTarget', 'a control-plane workload', { workload: aWorkload({ labels: { tier: 'control-plane' } }) }, 'holds'],
  ['protectedTarget', 'a mirror pod', { workload: aWorkload({ pods: [aPod(0, { annotations: { 'kubernetes.io/config.mirror': 'x' } })] }) }, 'holds'],
  ['protectedTarget', 'another tier', labelled({ tier: 'web' }), 'passes'],
  ['protectedTarget', 'a treated pod without a controller', { workload: aWorkload({ pods: [(({ controllerKind: _left, ...each }) => each)(aPod(0)), aPod(1)] }) }, 'holds'],
  ['excluded', 'on the namespace, as an annotation', { workload: aWorkload({ namespaceAnnotations: { 'healing.aegis.dev/exclude': 'true' } }) }, 'holds'],
  ['excluded', 'on the namespace, as a label', { workload: aWorkload({ namespaceLabels: { 'healing.aegis.dev/exclude': 'true' } }) }, 'holds'],
  ['excluded', 'on the treated pod', labelled({ 'healing.aegis.dev/exclude': 'true' }), 'holds'],
  ['excluded', 'on a pod that is not treated', { ...labelled({ 'healing.aegis.dev/exclude': 'true' }), proposal: aProposal({ pods: [podRef(1)] }) }, 'passes'],
  ['excluded', 'on any pod, where the whole workload is reached', { ...labelled({ 'healing.aegis.dev/exclude': 'true' }), proposal: aProposal({ pods: [] }) }, 'holds'],
  ['excluded', 'not true', labelled({ 'healing.aegis.dev/exclude': 'false' }), 'passes'],
  ['actionNotAllowed', 'a guardrail does not allow it', { guardrails: [aGuardrail(), aGuardrail({ allowedActions: ['scale_up'] })] }, 'holds'],
  ['actionNotAllowed', 'unreadable', { guardrails: undefined }, 'holds'],
  ['staleEvidence', 'a sample of exactly two scrape intervals', { verdict: aVerdict({ oldestSampleMs: NOW - 60_000 }) }, 'passes'],
  ['staleEvidence', 'a moment older', { verdict: aVerdict({ oldestSampleMs: NOW - 60_001 }) }, 'holds'],
  ['staleEvidence', 'a minute ahead', { verdict: aVerdict({ oldestSampleMs: NOW + 60_000 }) }, 'passes'],
  ['staleEvidence', 'further ahead', { verdict: aVerdict({ oldestSampleMs: NOW + 60_001 }) }, 'holds'],
  ['staleEvidence', 'a cache of exactly a minute', { cacheAgeMs: 60_000 }, 'passes'],
  ['staleEvidence', 'a cache of no known age', { cacheAgeMs: Number.NaN }, 'holds'],
  ['staleEvidence', 'status alone needs no sample', { verdict: (({ oldestSampleMs: _left, ...rest }) => rest)(aVerdict()) }, 'passes'],
  ['staleEvidence', 'a judgement of two polls ago', { verdict: aVerdict({ atMs: NOW - 60_000 }) }, 'passes'],
  ['staleEvidence', 'an older judgement', { verdict: aVerdict({ atMs: NOW - 60_001 }) }, 'holds'],
  ['insufficientEvidence', 'well in the last poll', { verdict: aVerdict({ state: 'healthy' }) }, 'holds'],
  ['insufficientEvidence', 'the treated pod is not in the poll', { verdict: aVerdict({ pods: [anIllPod(podRef(1))] }) }, 'holds'],
  ['insufficientEvidence', 'the treated pod could not be judged', { verdict: aVerdict({ pods: [aPodVerdict(podRef(0), { state: 'unknown' })] }) }, 'holds'],
  ['insufficientEvidence', 'a peer could not be judged', { verdict: aVerdict({ pods: [anIllPod(podRef(0)), aPodVerdict(podRef(1), { state: 'unknown' })] }) }, 'passes'],
  ['lowConfidence', 'just sure enough', { diagnosis: aDiagnosis({ confidence: 0.6, lead: 0.2 }) }, 'passes'],
  ['lowConfidence', 'confidence is no number', { diagnosis: aDiagnosis({ confidence: Number.NaN }) }, 'holds'],
  ['lowConfidence', 'too small a lead', { diagnosis: aDiagnosis({ lead: 0.19 }) }, 'holds'],
  ['lowConfidence', 'too small a lead, but both want the same and none refuses', { diagnosis: aDiagnosis({ lead: 0.1, candidates: [...aDiagnosis().candidates, ...aDiagnosis({ failureType: 'connection_pool_exhaustion' }).candidates] }) }, 'passes'],
  ['lowConfidence', 'too small a lead, and the second refuses', { diagnosis: aDiagnosis({ lead: 0.1, candidates: [...aDiagnosis().candidates, ...aDiagnosis({ failureType: 'oom_kill' }).candidates] }) }, 'holds'],
  ['lowConfidence', 'abstained', { diagnosis: aDiagnosis({ abstained: 'a contradiction' }) }, 'holds'],
  ['harmfulForType', 'a second restart in a crash loop', { diagnosis: aDiagnosis({ failureType: 'crash_loop' }), ledger: [aRecord({ incidentId: 'incident-1' })] }, 'holds'],
  ['harmfulForType', 'the first', { diagnosis: aDiagnosis({ failureType: 'crash_loop' }), ledger: [aRecord()] }, 'passes'],
  ['harmfulForType', 'a named type refuses also what a rule for a metric asks', { diagnosis: aDiagnosis({ failureType: 'oom_kill' }), proposal: aProposal({ basis: 'anomaly-rule' }) }, 'holds'],
  ['stormActive', 'the brake runs on for a minute', { storm: { active: false, scope: 'shop', anomalous: 0, watched: 9, endsAtMs: NOW + MINUTE } }, NOW + MINUTE],
  ['stormActive', 'the brake has ended', { storm: { active: false, scope: 'shop', anomalous: 0, watched: 9, endsAtMs: NOW } }, 'passes'],
  ['correlatedCause', 'a slow dependency, throttled at its callers', { ...inputFor('throttle_api'), diagnosis: aDiagnosis({ failureType: 'dependency_down', cause: { kind: 'dependency', name: 'db' } }) }, 'passes'],
  ['correlatedCause', 'a slow dependency, its caller restarted', { diagnosis: aDiagnosis({ cause: { kind: 'dependency', name: 'db' } }) }, 'holds'],
  ['tooYoung', 'old enough to the second', { workload: aWorkload({ pods: [aPod(0, { createdAtMs: NOW - 120_000 })] }) }, 'passes'],
  ['tooYoung', 'a second younger', { workload: aWorkload({ pods: [aPod(0, { createdAtMs: NOW - 119_000 })] }) }, NOW + SECOND],
  ['tooYoung', 'one of two treated is young', { proposal: aProposal({ pods: [podRef(0), podRef(1)] }), workload: aWorkload({ pods: [aPod(0), aPod(1, { createdAtMs: NOW })] }) }, NOW + 120_000],
  ['tooYoung', 'the workload as a whole, one of its ill pods is old', { proposal: aProposal({ pods: [] }), incident: anIncident({ pods: [podRef(0), podRef(1)] }), workload: aWorkload({ pods: [aPod(0), aPod(1, { createdAtMs: NOW })] }) }, 'passes'],
  ['outsideWindow', 'unreadable', { guardrails: undefined }, 'holds'],
  ['outsideWindow', 'open for the policy, closed by a guardrail', { policy: aPolicy({ windows: [{ schedule: '0 * * * *', durationSeconds: 3600, timeZone: 'UTC', effect: 'Allow' }] }), guardrails: [aGuardrail({ windows: [{ schedule: '0 13 * * *', durationSeconds: 60, timeZone: 'UTC', effect: 'Allow' }] })] }, NOW + HOUR],
  ['alertFiring', 'no alert is named: whether any fires does not matter', { firingAlerts: undefined }, 'passes'],
  ['alertFiring', 'named and not readable', { policy: aPolicy({ holdWhileAlertsFiring: ['X'] }), firingAlerts: undefined }, 'holds'],
  ['alertFiring', 'another one fires', { policy: aPolicy({ holdWhileAlertsFiring: ['X'] }), firingAlerts: ['Y'] }, 'passes'],
  ['alertFiring', 'one of a guardrail fires', { guardrails: [aGuardrail({ holdWhileAlertsFiring: ['Y'] })], firingAlerts: ['Y'] }, 'holds'],
  ['inFlight', 'pending on the workload', { ledger: [aRecord({ state: 'Pending', spent: false })] }, 'holds'],
  ['inFlight', 'it is this action itself', { ledger: [aRecord({ name: 'me', state: 'Pending', spent: false })], selfName: 'me' }, 'passes'],
  ['inFlight', 'a dry run', { ledger: [aRecord({ state: 'Pending', dryRun: true })] }, 'passes'],
  ['inFlight', 'two elsewhere', { ledger: ['a', 'b'].map((workloadUid) => aRecord({ workloadUid, state: 'Verifying' })) }, 'passes'],
  ['inFlight', 'three elsewhere', { ledger: ['a', 'b', 'c'].map((workloadUid) => aRecord({ workloadUid, state: 'Executing' })) }, 'holds'],
  ['inFlight', 'many elsewhere that have not begun', { ledger: ['a', 'b', 'c'].map((workloadUid) => aRecord({ workloadUid, state: 'Blocked', spent: false })) }, 'passes'],
  ['cooldown', 'to the second', { ledger: [aRecord({ decidedAtMs: NOW - 300_000 })] }, 'passes'],
  ['cooldown', 'a second less', { ledger: [aRecord({ decidedAtMs: NOW - 299_000 })] }, NOW + SECOND],
  ['cooldown', 'an effect of another policy counts too', { ledger: [aRecord({ policyUid: 'p-2', decidedAtMs: NOW - MINUTE })] }, NOW + 4 * MINUTE],
  ['cooldown', 'an effect on another workload does not', { ledger: [aRecord({ workloadUid: 'w-2', decidedAtMs: NOW })] }, 'passes'],
  ['cooldown', 'a longer look-back counts', { lookBackMs: 600_000, ledger: [aRecord({ decidedAtMs: NOW - 9 * MINUTE })] }, NOW + MINUTE],
  ['cooldown', 'the look-back is over, the sample still sees the effect', { lookBackMs: 600_000, ledger: [aRecord({ decidedAtMs: NOW - 10 * MINUTE })] }, 'holds'],
  ['cooldown', 'all evidence is newer', { lookBackMs: 600_000, ledger: [aRecord({ decidedAtMs: NOW - 10 * MINUTE - 10 * SECOND })] }, 'passes'],
  ['cooldown', 'not judged since', { verdict: aVerdict({ atMs: NOW - 300_000 }), ledger: [aRecord({ decidedAtMs: NOW - 300_000 })] }, 'holds'],
  ['cooldown', 'a stored time ahead of the clock counts as now', { ledger: [aRecord({ decidedAtMs: NOW + DAY })] }, NOW + 5 * MINUTE],
  ['cooldown', 'an alert is no effect', { ledger: [aRecord({ action: 'alert_admin', decidedAtMs: NOW })] }, 'passes'],
  ['attemptsSpent', 'four', { ledger: [1, 2, 3, 4].map((n) => ended('Failed', n * 20, { incidentId: 'incident-1' })) }, 'passes'],
  ['attemptsSpent', 'five, one of them only blocked', { ledger: [1, 2, 3, 4, 5].map((n) => ended('Failed', n * 20, { incidentId: 'incident-1', spent: n < 5 })) }, 'passes'],
  ['attemptsSpent', 'five of another incident', { ledger: [1, 2, 3, 4, 5].map((n) => ended('Failed', n * 20)) }, 'passes'],
  ['backoff', 'one failure, a minute ago', { ledger: [ended('Ineffective', 1)] }, 'passes'],
  ['backoff', 'one failure, less than a minute ago', { ledger: [ended('Ineffective', 0.5)] }, NOW + 30 * SECOND],
  ['backoff', 'two failures wait two minutes', { ledger: [ended('Ineffective', 10), ended('RolledBack', 1)] }, NOW + MINUTE],
  ['backoff', 'three wait four', { ledger: [ended('Failed', 20), ended('Ineffective', 10), ended('Failed', 1)] }, NOW + 3 * MINUTE],
  ['backoff', 'four wait eight', { ledger: [30, 20, 10, 1].map((ago) => ended('Failed', ago)) }, NOW + 7 * MINUTE],
  ['backoff', 'five and more wait ten', { ledger: [50, 40, 30, 20, 10, 1].map((ago) => ended('Failed', ago)) }, NOW + 9 * MINUTE],
  ['backoff', 'one that helped ends the row', { ledger: [ended('Failed', 10), ended('Healed', 5), ended('Failed', 1)] }, 'passes'],
  ['ineffectiveChain', 'two', { ledger: [ended('Ineffective', 60), ended('RolledBack', 120)] }, 'passes'],
  ['ineffectiveChain', 'three', { ledger: [ended('Ineffective', 60), ended('RolledBack', 120), ended('Failed', 180, { reason: 'Ambiguous' })] }, 'holds'],
  ['ineffectiveChain', 'refused writes had no effect', { ledger: [60, 120, 180].map((ago) => ended('Failed', ago, { reason: 'Rejected' })) }, 'passes'],
  ['ineffectiveChain', 'the third was more than a day ago', { ledger: [60, 120, 24 * 60].map((ago) => ended('Ineffective', ago)) }, 'passes'],
  ['reverted', 'one change was undone', { ledger: [ended('Ineffective', 60, { reason: 'Reverted' })] }, 'passes'],
  ['reverted', 'two were, in whatever incidents', { ledger: [60, 600].map((ago) => ended('Ineffective', ago, { reason: 'Reverted', incidentId: `i-${ago}` })) }, 'holds'],
  ['reverted', 'what did not help is not undone', { ledger: [ended('Ineffective', 60, { reason: 'Reverted' }), ended('Ineffective', 30, { reason: 'StillAnomalous' })] }, 'passes'],
  ['reverted', 'the second was more than a day ago', { ledger: [60, 24 * 60].map((ago) => ended('Ineffective', ago, { reason: 'Reverted' })) }, 'passes'],
  ['reverted', 'another workload', { ledger: [60, 30].map((ago) => ended('Ineffective', ago, { reason: 'Reverted', workloadUid: 'other' })) }, 'passes'],
  ['flapping', 'two returns', { ledger: [10, 50].map((ago) => ended('Healed', ago, { incidentId: `i-${ago}` })) }, 'passes'],
  ['flapping', 'waves of one incident are one return', { ledger: [10, 30, 50].map((ago) => ended('Healed', ago)) }, 'passes'],
  ['flapping', 'waves of this incident are none', { ledger: [10, 30, 50].map((ago) => ended('Healed', ago, { incidentId: 'incident-1' })) }, 'passes'],
  ['flapping', 'the third was more than an hour ago', { ledger: [10, 30, 61].map((ago) => ended('Healed', ago, { incidentId: `i-${ago}` })) }, 'passes'],
  ['oppositeScaling', 'the same direction', { proposal: scaling('scale_up', 4, 6), ledger: [ended('Healed', 1, { action: 'scale_up' })] }, 'passes'],
  ['oppositeScaling', 'five minutes after the other', { proposal: scaling('scale_down', 10, 9), ledger: [ended('Healed', 5, { action: 'scale_up' })] }, 'passes'],
  ['oppositeScaling', 'within the dead band, whenever', { proposal: scaling('scale_down', 20, 19), ledger: [ended('Healed', 600, { action: 'scale_up' })] }, 'holds'],
  ['oppositeScaling', 'only the last scaling counts', { proposal: scaling('scale_down', 10, 5), ledger: [ended('Healed', 2, { action: 'scale_up' }), ended('Healed', 1, { action: 'scale_down' })] }, 'passes'],
  ['blastRadius', 'the third of twelve', twelve(10, 11), 'passes'],
  ['blastRadius', 'the fourth of twelve', twelve(9, 10, 11), 'holds'],
  ['blastRadius', 'the treated pod is down already', twelve(0, 10, 11), 'passes'],
  ['blastRadius', 'a pod that is missing is down', { workload: withReplicas(aWorkload({ pods: pods(11) }), { desired: 14 }) }, 'holds'],
  ['blastRadius', 'a pod that is terminating is down', { workload: aWorkload({ pods: pods(10, 11).map((each, i) => (i === 5 ? { ...each, deletedAtMs: NOW } : each)) }) }, 'holds'],
  ['blastRadius', 'a pod under another action is as good as down', { ...twelve(10, 11), ledger: [aRecord({ state: 'Executing', podUids: ['uid-5'] })] }, 'holds'],
  ['blastRadius', 'a pod that ended by itself is not there at all', { workload: withReplicas(aWorkload({ pods: [...pods(10, 11), aPod(12, { phase: 'Failed', ready: false })] }), { desired: 12 }) }, 'passes'],
  ['blastRadius', 'one of one', { workload: aWorkload({ pods: [aPod(0, { ready: false })] }) }, 'passes'],
  ['blastRadius', 'a count instead of a share', { ...twelve(10), policy: withLimits(aPolicy(), { maxDisrupted: { count: 1 } }) }, 'holds'],
  ['blastRadius', 'a share of 0 still allows one', { ...twelve(), policy: withLimits(aPolicy(), { maxDisrupted: { percent: 0 } }) }, 'passes'],
  ['blastRadius', 'a rollout keeps to the strategy of the workload', { ...twelve(8, 9, 10, 11), proposal: aProposal({ pods: [], parameters: { kind: 'restart', how: 'rollout' } }) }, 'passes'],
  ['disruptionBudget', 'one that allows one', { workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 1 }] }) }, 'passes'],
  ['disruptionBudget', 'one that allows none: asked again in half a minute', { workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 0 }] }) }, NOW + 30 * SECOND],
  ['disruptionBudget', 'a pod that is not ready: the API server decides', { workload: aWorkload({ pods: [aPod(0, { ready: false }), aPod(1)], disruptionBudgets: [{ name: 'a', disruptionsAllowed: 0 }] }) }, 'passes'],
  ['disruptionBudget', 'two budgets', { workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 1 }, { name: 'b', disruptionsAllowed: 1 }] }) }, 'holds'],
  ['disruptionBudget', 'two pods less, one allowed', { proposal: scaling('scale_down', 4, 2), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 1 }] }) }, NOW + 30 * SECOND],
  ['budgetSpent', 'five in a minute over the cluster', { ledger: [1, 2, 3, 4, 5].map((n) => aRecord({ policyUid: `p-${n}`, workloadUid: `w-${n}`, decidedAtMs: NOW - n * 10 * SECOND })) }, NOW + 10 * SECOND],
  ['budgetSpent', 'thirty in an hour over the cluster', { ledger: Array.from({ length: 30 }, (_, n) => aRecord({ policyUid: `p-${n}`, workloadUid: `w-${n}`, decidedAtMs: NOW - (n + 1) * MINUTE })) }, NOW + 30 * MINUTE],
  ['budgetSpent', 'six in an hour by the policy', { ledger: [1, 2, 3, 4, 5, 6].map((n) => aRecord({ workloadUid: `w-${n}`, decidedAtMs: NOW - n * 9 * MINUTE })) }, NOW + 6 * MINUTE],
  ['budgetSpent', 'five by the policy, and one more fits', { ledger: [1, 2, 3, 4, 5].map((n) => aRecord({ workloadUid: `w-${n}`, decidedAtMs: NOW - n * 9 * MINUTE })) }, 'passes'],
  ['budgetSpent', 'five by the policy, and two more do not', { proposal: aProposal({ pods: [podRef(0), podRef(1)] }), ledger: [1, 2, 3, 4, 5].map((n) => aRecord({ workloadUid: `w-${n}`, decidedAtMs: NOW - n * 9 * MINUTE })) }, NOW + 15 * MINUTE],
  ['budgetSpent', 'a tighter guardrail', { guardrails: [aGuardrail({ budget: { maxActionsPerMinute: 5, maxActionsPerHour: 1, maxConcurrent: 3 } })], ledger: [aRecord({ policyUid: 'p-2', workloadUid: 'w-2', decidedAtMs: NOW - 10 * MINUTE })] }, NOW + 50 * MINUTE],
  ['policyEngine', 'none configured', {}, 'passes'],
  ['policyEngine', 'configured by a guardrail and not asked', { guardrails: [aGuardrail({ policyEngine: { url: 'https://e', type: 'OPA', timeoutSeconds: 3, failurePolicy: 'Allow' } })] }, 'holds'],
  ['policyEngine', 'configured for the cluster and not asked', { policyEngineConfigured: true }, 'holds'],
  ['policyEngine', 'allowed', { policyEngineConfigured: true, engineAnswer: { kind: 'allowed', policies: [] } }, 'passes'],
  ['policyEngine', 'no answer denies', { engineAnswer: { kind: 'unavailable', message: 'x', failurePolicy: 'Deny' } }, 'holds'],
  ['policyEngine', 'no answer, and the guardrail lets that pass', { engineAnswer: { kind: 'unavailable', message: 'x', failurePolicy: 'Allow' } }, 'passes'],
  ['ruleDenies', 'a rule of a guardrail', { guardrails: [aGuardrail({ rules: [{ name: 'g', expression: 'true', effect: 'Deny' }] })] }, 'holds'],
  ['ruleDenies', 'a rule that asks for a person denies nothing', { policy: aPolicy({ rules: [{ name: 'g', expression: 'true', effect: 'RequireApproval' }] }) }, 'passes'],
  ['ruleDenies', 'a rule that cannot be judged denies', { policy: aPolicy({ rules: [{ name: 'g', expression: 'metrics.nope > 1.0', effect: 'Deny' }] }) }, 'holds'],
  ['blastRadius', 'pods under an action of another workload take no room', { ...twelve(10, 11), ledger: [aRecord({ state: 'Executing', workloadUid: 'w-2', podUids: ['uid-5'] })] }, 'passes'],
  ['blastRadius', 'a pod that is done takes no room either', { workload: withReplicas(aWorkload({ pods: [...pods(10, 11), aPod(12, { phase: 'Succeeded', ready: false })] }), { desired: 12 }) }, 'passes'],
  ['blastRadius', 'a cleared cache takes a pod down as a restart does', { ...inputFor('clear_cache'), ...twelve(9, 10, 11) }, 'holds'],
  ['disruptionBudget', 'two pods less, two allowed', { proposal: scaling('scale_down', 4, 2), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 2 }] }) }, 'passes'],
  ['disruptionBudget', 'a step down in two budgets, the second is the tight one', { proposal: scaling('scale_down', 4, 2), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 2 }, { name: 'b', disruptionsAllowed: 1 }] }) }, NOW + 30 * SECOND],
  ['disruptionBudget', 'a step down in two budgets that both allow it', { proposal: scaling('scale_down', 4, 2), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 2 }, { name: 'b', disruptionsAllowed: 2 }] }) }, 'passes'],
  ['disruptionBudget', 'two are treated, one is allowed', { proposal: aProposal({ pods: [podRef(0), podRef(1)] }), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 1 }] }) }, NOW + 30 * SECOND],
  ['disruptionBudget', 'a rollout is bounded by the strategy of the workload', { proposal: aProposal({ pods: [], parameters: { kind: 'restart', how: 'rollout' } }), workload: aWorkload({ disruptionBudgets: [{ name: 'a', disruptionsAllowed: 0 }, { name: 'b', disruptionsAllowed: 0 }] }) }, 'passes'],
  ['disruptionBudget', 'pods that are not treated are not asked for', { proposal: aProposal({ pods: [podRef(0)] }), workload: aWorkload({ pods: somePods(4), disruptionBudgets: [{ name: 'a', disruptionsAllowed: 1 }] }) }, 'passes'],
  ['excluded', 'on one of two treated pods', { ...labelled({ 'healing.aegis.dev/exclude': 'true' }), proposal: aProposal({ pods: [podRef(0), podRef(1)] }) }, 'holds'],
  ['protectedTarget', 'one of two treated pods has no controller', { proposal: aProposal({ pods: [podRef(0), podRef(1)] }), workload: aWorkload({ pods: [(({ controllerKind: _left, ...each }) => each)(aPod(0)), aPod(1)] }) }, 'holds'],
  ['protectedTarget', 'a pod without a controller that is not treated', { proposal: aProposal({ pods: [podRef(1)] }), workload: aWorkload({ pods: [(({ controllerKind: _left, ...each }) => each)(aPod(0)), aPod(1)] }) }, 'passes'],
  ['protectedTarget', 'a pod that a node owns', { workload: aWorkload({ pods: [aPod(0), aPod(1, { controllerKind: 'Node' })] }) }, 'holds'],
  ['tooYoung', 'young, but not among the treated', { workload: aWorkload({ pods: [aPod(0), aPod(1, { createdAtMs: NOW })] }) }, 'passes'],
  ['decisionOutdated', 'the workload was made anew, the poll saw the new one', { workload: aWorkload({ ref: { ...REF, uid: 'w-2' } }), verdict: aVerdict({ workload: { ...REF, uid: 'w-2' } }) }, 'holds'],
  ['alertFiring', 'the guardrails cannot be read', { guardrails: undefined, firingAlerts: [] }, 'holds'],
  ['budgetSpent', 'the guardrails cannot be read', { guardrails: undefined }, 'holds'],
  ['inFlight', 'the guardrails cannot be read', { guardrails: undefined }, 'holds'],
  ['policyEngine', 'the guardrails cannot be read', { guardrails: undefined }, 'holds'],
  ['ruleDenies', 'the guardrails cannot be read', { guardrails: undefined }, 'holds'],
  ['inFlight', 'two elsewhere, and two pods at once do not fit', { proposal: aProposal({ pods: [podRef(0), podRef(1)] }), ledger: ['a', 'b'].map((workloadUid) => aRecord({ workloadUid, state: 'Verifying' })) }, 'holds'],
  ['cooldown', 'it is this action itself', { selfName: 'me', ledger: [aRecord({ name: 'me', decidedAtMs: NOW })] }, 'passes'],
  ['cooldown', 'this action came after another one', { selfName: 'me', ledger: [aRecord({ decidedAtMs: NOW - MINUTE }), aRecord({ name: 'me', decidedAtMs: NOW })] }, NOW + 4 * MINUTE],
  ['cooldown', 'over, and the evidence is of status alone', { verdict: (({ oldestSampleMs: _left, ...rest }) => rest)(aVerdict()), ledger: [aRecord({ decidedAtMs: NOW - 300_000 })] }, 'passes'],
  ['backoff', 'this action itself failed', { selfName: 'me', ledger: [ended('Failed', 0.5, { name: 'me' })] }, 'passes'],
  ['attemptsSpent', 'five, one of them this action itself', { selfName: 'me', ledger: [1, 2, 3, 4, 5].map((n) => ended('Failed', n * 20, { incidentId: 'incident-1', name: n === 5 ? 'me' : `action-of-old-${n}` })) }, 'passes'],
  ['oppositeScaling', 'restarts since do not count', { proposal: scaling('scale_down', 10, 5), ledger: [ended('Healed', 2, { action: 'scale_up' }), ended('Healed', 1)] }, NOW + 3 * MINUTE],
  ['staleEvidence', 'a rare poll allows older judgements', { scrapeIntervalMs: 5_000, verdict: aVerdict({ atMs: NOW - 30_000, oldestSampleMs: NOW - 5_000 }) }, 'passes'],
  ['staleEvidence', 'older than two rare polls', { scrapeIntervalMs: 5_000, verdict: aVerdict({ atMs: NOW - 30_001, oldestSampleMs: NOW - 5_000 }) }, 'holds'],
  ['lowConfidence', 'too small a lead, and the second asks for something else', { diagnosis: aDiagnosis({ lead: 0.1, candidates: [...aDiagnosis().candidates, ...aDiagnosis({ failureType: 'traffic_surge' }).candidates] }) }, 'holds'],
  ['lowConfidence', 'too small a lead, and a policy’s own rule asks', { proposal: aProposal({ basis: 'anomaly-rule' }), diagnosis: aDiagnosis({ lead: 0.1 }) }, 'passes'],
  ['harmfulForType', 'unsure, and a policy’s own rule asks', { proposal: aProposal({ basis: 'anomaly-rule' }), diagnosis: aDiagnosis({ failureType: 'oom_kill', confidence: 0.3 }) }, 'holds'],
]; // prettier-ignore

describe('at the edge', () => {
  test.each(ROWS)('%s: %s', (guard, _sentence, over, expected) => {
    const held = check(guard, aGuardInput(over));
    if (expected === 'passes') expect(held).toBeUndefined();
    else if (expected === 'holds') expect(held).toBeDefined();
    else expect(held?.retryAtMs).toBe(expected);
  });
});

describe('a guard that cannot see the past holds', () => {
  const LEDGER_GUARDS = ['historyUnavailable', 'inFlight', 'reverted', 'ineffectiveChain', 'flapping', 'attemptsSpent', 'cooldown', 'backoff', 'blastRadius', 'budgetSpent']; // prettier-ignore
  test.each(LEDGER_GUARDS)('%s', (guard) => {
    expect(check(guard, aGuardInput({ ledger: undefined }))?.reason).toBe('HistoryUnavailable');
  });
});

test('messages carry the numbers', () => {
  const input = aGuardInput({ ledger: [aRecord({ decidedAtMs: NOW - 75_000 })], ...twelve(9, 10, 11) });
  expect(check('cooldown', input)?.message).toBe('restart_pod was 1 min 15 s ago, 5 min must pass');
  expect(check('blastRadius', input)?.message).toBe('3 of 12 pods are down and 1 more would go, at most 3 may');
});
