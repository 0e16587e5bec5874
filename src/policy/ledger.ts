import type { FailureType } from '../diagnosis/failure-type.ts';
import type { ActionName } from './action.ts';

export const ACTION_STATES = [
  'Pending',
  'Blocked',
  'AwaitingApproval',
  'Executing',
  'Verifying',
  'Healed',
  'Ineffective',
  'RolledBack',
  'Failed',
  'Denied',
  'Expired',
  'Superseded',
] as const;
export type ActionState = (typeof ACTION_STATES)[number];

export const END_STATES: ReadonlySet<ActionState> = new Set<ActionState>([
  'Healed',
  'Ineffective',
  'RolledBack',
  'Failed',
  'Denied',
  'Expired',
  'Superseded',
]);

/** What the brakes must remember of an action: one row per AegisHealingAction, from its object or from the store. */
export interface ActionRecord {
  readonly name: string;
  readonly namespace: string;
  readonly policyUid: string;
  readonly workloadUid: string;
  readonly workload: string;
  readonly incidentId: string;
  readonly failureType: FailureType;
  readonly step: number;
  readonly attempt: number;
  readonly action: ActionName;
  readonly podUids: readonly string[];
  readonly decidedAtMs: number;
  readonly state: ActionState;
  readonly dryRun: boolean;
  /** When the write was sent; absent: it never was. */
  readonly executedAtMs?: number;
  /** The write was sent and not answered 429: it counts as an attempt. */
  readonly spent: boolean;
  readonly endedAtMs?: number;
  readonly reason?: string;
  /** Replicas before and after, for scale actions. */
  readonly from?: number;
  readonly to?: number;
}
