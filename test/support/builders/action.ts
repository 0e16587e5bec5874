import type { ActionStatus } from '../../../src/healing/decision.ts';
import type { StoredAction } from '../../../src/healing/stored-action.ts';
import type { Intent } from '../../../src/policy/action.ts';
import { MINUTE, NOW, podRef, REF } from './workload.ts';

/** Eviction of the first of four pods, decided now, for a leak. */
export function anIntent(over: Partial<Intent> = {}): Intent {
  return {
    name: 'checkout-0123456789abcdef0123',
    namespace: 'shop',
    policy: { name: 'checkout', uid: 'p-checkout', generation: 1 },
    incidentId: 'incident-1',
    step: 0,
    attempt: 1,
    action: 'restart_pod',
    target: REF,
    pods: [podRef(0)],
    parameters: { kind: 'restart', how: 'evict' },
    baseline: {
      podUids: ['uid-0', 'uid-1', 'uid-2', 'uid-3'],
      desiredReplicas: 4,
      readyReplicas: 4,
      metrics: { memory_usage: 93 },
      peerMetrics: { memory_usage: 50 },
      unhealthyPeerUids: [],
    },
    diagnosis: { failureType: 'memory_leak', confidence: 0.9, evidence: [], cause: { kind: 'self' }, advice: '' },
    severityScore: 0.95,
    metrics: ['memory_usage'],
    reason: 'memory_leak in pod pod-0: restart pod pod-0',
    decidedAtMs: NOW,
    expiresAtMs: NOW + 5 * MINUTE,
    execution: 'Enforce',
    policyHash: 'hash-1',
    approvalRequired: false,
    ...over,
  };
}

export const aScaleUp = (over: Partial<Intent> = {}): Intent =>
  anIntent({
    action: 'scale_up',
    pods: [],
    parameters: { kind: 'scale', from: 4, to: 6, returnAfterSeconds: 1800 },
    baseline: { ...anIntent().baseline, metrics: { cpu_usage: 90 }, peerMetrics: {} },
    metrics: ['cpu_usage'],
    ...over,
  });

export const aThrottle = (over: Partial<Intent> = {}): Intent =>
  anIntent({
    action: 'throttle_api',
    pods: [],
    parameters: {
      kind: 'throttle',
      throttle: { provider: 'EnvoyGateway', percentOfBaseline: 80, ttlSeconds: 900 },
      limitPerSecond: 80,
      routes: ['checkout'],
    },
    ...over,
  });

export const anAlertIntent = (over: Partial<Intent> = {}): Intent =>
  anIntent({ action: 'alert_admin', parameters: { kind: 'alert', sinks: [] }, ...over });

export const aStatus = (over: Partial<ActionStatus> = {}): ActionStatus => ({ attempts: [], ...over });

/** Sent and seen, now. */
export const executed = (over: Partial<ActionStatus> = {}): ActionStatus =>
  aStatus({ executingAtMs: NOW, executed: { outcome: 'applied', message: 'evicted', atMs: NOW }, ...over });

export function anAction(over: Partial<StoredAction> = {}): StoredAction {
  return {
    intent: anIntent(),
    status: aStatus(),
    uid: 'a-1',
    resourceVersion: '1',
    createdAtMs: NOW,
    finalizers: [],
    ...over,
  };
}
