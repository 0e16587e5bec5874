import type { Intent } from '../policy/action.ts';
import type { ActionStatus } from './decision.ts';

/** An AegisHealingAction as read. */
export interface StoredAction {
  readonly intent: Intent;
  readonly status: ActionStatus;
  /** False: the object shows no state yet, or one that somebody else put there; absent: it shows the right one. */
  readonly isStatusShown?: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAtMs: number;
  readonly deletedAtMs?: number;
  readonly finalizers: readonly string[];
  readonly approval?: {
    readonly decision: 'Approved' | 'Denied';
    readonly by: string;
    readonly reason: string;
    readonly atMs: number;
  };
}
