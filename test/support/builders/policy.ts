import { EFFECTS } from '../../../src/policy/action.ts';
import type { ActionName, Step } from '../../../src/policy/action.ts';
import type { GuardInput, Proposal } from '../../../src/policy/guard.ts';
import type { Guardrail, HealingPolicy } from '../../../src/policy/healing-policy.ts';
import type { ActionRecord } from '../../../src/policy/ledger.ts';
import type { ThrottlePath, ThrottleProvider } from '../../../src/policy/throttle-path.ts';
import { aDiagnosis, anIncident, aVerdict } from './incident.ts';
import { aNode, aWorkload, MINUTE, NOW, podRef, REF } from './workload.ts';

/** The shortest useful policy, with every default filled in. */
export function aPolicy(over: Partial<HealingPolicy> = {}): HealingPolicy {
  return {
    name: 'checkout',
    namespace: 'shop',
    uid: 'p-checkout',
    generation: 1,
    createdAtMs: NOW - 60 * MINUTE,
    hash: 'hash-1',
    mode: 'Auto',
    priority: 100,
    pauseRequests: [],
    target: { kind: 'Deployment', name: 'checkout' },
    detection: {
      intervalSeconds: 15,
      metrics: [],
      trafficSource: 'Auto',
      anomalyThreshold: 0.85,
      minSamples: 100,
      trigger: { breaches: 3, polls: 5 },
    },
    diagnosis: { windowSeconds: 300, logs: { source: 'Kubernetes', maxLinesPerPod: 2000 } },
    remedies: [],
    limits: {
      cooldownSeconds: 300,
      maxActionsPerHour: 6,
      maxDisrupted: { percent: 25 },
      minPodAgeSeconds: 120,
      progressive: 'OneThenRest',
    },
    windows: [],
    holdWhileAlertsFiring: [],
    rules: [],
    verification: { stabilizationSeconds: 60, timeoutSeconds: 300, onIneffective: 'RollBack' },
    approval: { timeoutSeconds: 900 },
    notifications: [],
    ...over,
  };
}

export const withLimits = (policy: HealingPolicy, limits: Partial<HealingPolicy['limits']>): HealingPolicy => ({
  ...policy,
  limits: { ...policy.limits, ...limits },
});

/** A guardrail that selects every namespace and changes no default. */
export function aGuardrail(over: Partial<Guardrail> = {}): Guardrail {
  return {
    name: 'cluster',
    uid: 'g-cluster',
    generation: 1,
    namespaceSelector: { matchLabels: {}, matchExpressions: [] },
    suspended: false,
    maxMode: 'Auto',
    allowedActions: [
      'restart_pod',
      'scale_up',
      'scale_down',
      'throttle_api',
      'clear_cache',
      'alert_admin',
      'no_action',
    ],
    budget: { maxActionsPerMinute: 5, maxActionsPerHour: 30, maxConcurrent: 3 },
    storm: { unhealthyPercent: 40, minTargets: 3, cooldownSeconds: 600 },
    windows: [],
    rules: [],
    holdWhileAlertsFiring: [],
    customQueries: 'Allow',
    execCommands: [],
    ...over,
  };
}

export const aStep = (action: ActionName, over: Partial<Step> = {}): Step => ({
  action,
  attempts: 1,
  timeoutSeconds: 300,
  ...over,
});

let serial = 0;

/** An effect on the workload that was sent half an hour ago and healed, in an earlier incident. */
export function aRecord(over: Partial<ActionRecord> = {}): ActionRecord {
  serial += 1;
  return {
    name: `action-${serial}`,
    namespace: REF.namespace,
    policyUid: 'p-checkout',
    workloadUid: REF.uid,
    workload: 'Deployment shop/checkout',
    incidentId: 'incident-0',
    failureType: 'memory_leak',
    step: 0,
    attempt: 1,
    action: 'restart_pod',
    podUids: [],
    decidedAtMs: NOW - 30 * MINUTE,
    state: 'Healed',
    dryRun: false,
    spent: true,
    executedAtMs: over.decidedAtMs ?? NOW - 30 * MINUTE,
    ...over,
  };
}

/** Eviction of the first pod. */
export function aProposal(over: Partial<Proposal> = {}): Proposal {
  return {
    action: 'restart_pod',
    step: aStep(over.action ?? 'restart_pod'),
    stepIndex: 0,
    attempt: 1,
    pods: [podRef(0)],
    parameters: { kind: 'restart', how: 'evict' },
    ...over,
  };
}

/** Everything well for acting: each test changes one thing. */
export function aGuardInput(over: Partial<GuardInput> = {}): GuardInput {
  const workload = over.workload ?? aWorkload();
  return {
    nowMs: NOW,
    proposal: aProposal(),
    policy: aPolicy(),
    guardrails: [],
    workload,
    incident: anIncident(),
    verdict: aVerdict(),
    diagnosis: aDiagnosis(),
    ledger: [],
    enabledEffects: new Set(EFFECTS),
    leader: true,
    cacheAgeMs: 1_000,
    scrapeIntervalMs: 30_000,
    lookBackMs: 60_000,
    storm: { active: false, scope: 'shop', anomalous: 1, watched: 10 },
    nodes: [aNode()],
    firingAlerts: [],
    actingPolicyUid: 'p-checkout',
    ...over,
  };
}

/** A way to limit the workload's traffic. */
export const aPath = (provider: ThrottleProvider, over: Partial<ThrottlePath> = {}): ThrottlePath => ({
  provider,
  routes: [],
  ...over,
});
