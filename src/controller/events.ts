import type { WorkloadRef } from '../lib/workload.ts';
import type { EventNote, StoredAction } from './ports.ts';

/**
 * Every Kubernetes Event that Aegis writes: reason -> type and machine-readable action. People filter by reason, so
 * the names are API. An Event follows the write that it tells of, never the other way round.
 */
const EVENTS = {
  IncidentOpened: ['Warning', 'Detect'],
  IncidentFlaps: ['Warning', 'Detect'],
  IncidentResolved: ['Normal', 'Detect'],
  Diagnosed: ['Warning', 'Diagnose'],
  ActionDecided: ['Normal', 'Decide'],
  ActionHeld: ['Warning', 'Decide'],
  ActionBlocked: ['Warning', 'Gate'],
  ActionExecuted: ['Normal', 'Heal'],
  ActionFailed: ['Warning', 'Heal'],
  ActionDenied: ['Warning', 'Gate'],
  ActionExpired: ['Warning', 'Gate'],
  ActionSuperseded: ['Normal', 'Gate'],
  AwaitingApproval: ['Normal', 'Gate'],
  DryRunOnly: ['Normal', 'Gate'],
  Healed: ['Normal', 'Verify'],
  Ineffective: ['Warning', 'Verify'],
  RolledBack: ['Warning', 'Undo'],
  RollbackFailed: ['Warning', 'Undo'],
  RollbackAbandoned: ['Warning', 'Undo'],
  AlertSent: ['Warning', 'Alert'],
  AlertNotDelivered: ['Warning', 'Alert'],
  StormStarted: ['Warning', 'Brake'],
  PolicyNotAccepted: ['Warning', 'Accept'],
  MetricsUnavailable: ['Warning', 'Measure'],
  MetricsAvailable: ['Normal', 'Measure'],
} as const satisfies Record<string, readonly ['Normal' | 'Warning', string]>;

export type EventReason = keyof typeof EVENTS;

/** An Event about a workload or one of Aegis's own objects. */
export function eventNote(regarding: EventNote['regarding'], reason: EventReason, note: string): EventNote {
  const [type, action] = EVENTS[reason];
  return { regarding, type, reason, action, note };
}

export const regardingWorkload = (ref: WorkloadRef): EventNote['regarding'] => ({
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  namespace: ref.namespace,
  name: ref.name,
  uid: ref.uid,
});

export const regardingPolicy = (policy: { namespace: string; name: string; uid: string }): EventNote['regarding'] => ({
  apiVersion: 'healing.aegis.dev/v1alpha1',
  kind: 'AegisHealingPolicy',
  ...{ namespace: policy.namespace, name: policy.name, uid: policy.uid },
});

export const regardingAction = (action: StoredAction): EventNote['regarding'] => ({
  apiVersion: 'healing.aegis.dev/v1alpha1',
  kind: 'AegisHealingAction',
  namespace: action.intent.namespace,
  name: action.intent.name,
  uid: action.uid,
});
