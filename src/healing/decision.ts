import type { Reason } from '../lib/reasons.ts';
import type { Intent } from '../policy/action.ts';

/** What was decided, "nothing" included; a hold leaves a row and a reason, an act makes an object. */
export type Decision =
  | { readonly kind: 'act'; readonly id: string; readonly intent: Intent; readonly skipped: readonly SkippedRung[] }
  | {
      readonly kind: 'hold';
      readonly id: string;
      readonly reason: Reason;
      readonly message: string;
      readonly action: string;
      readonly step: number;
      readonly retryAtMs?: number;
      readonly skipped: readonly SkippedRung[];
    }
  | { readonly kind: 'ignore'; readonly id: string; readonly message: string };

/** A rung that could not be used, and why: the answer to "why not". */
export interface SkippedRung {
  readonly step: number;
  readonly action: string;
  readonly reason: Reason;
  readonly message: string;
}

/** Answer of an executor: what happened in the cluster. */
export type Outcome =
  | { readonly kind: 'applied'; readonly detail: string }
  | { readonly kind: 'already'; readonly detail: string }
  | { readonly kind: 'blocked'; readonly reason: Reason; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'ambiguous'; readonly message: string };

/** What an unfinished effect left behind, found by looking; `unseen`: it could not be looked at now. */
export type Settlement = 'done' | 'absent' | 'foreign' | 'unprovable' | 'unseen';

/** Whether a limit is in force: `pending` nobody has said so yet, `unseen` it could not be looked at. */
export interface LimitStanding {
  readonly kind: 'holds' | 'pending' | 'refused' | 'gone' | 'unseen';
  /** A sentence. */
  readonly message: string;
}

export interface Verification {
  readonly verdict: 'Effective' | 'Ineffective' | 'Inconclusive' | 'Waiting';
  readonly message: string;
  readonly reason?:
    | 'RecoveredWithPeers'
    | 'Recovered'
    | 'StillAnomalous'
    | 'NotReady'
    | 'NoFreshData'
    | 'NotAccepted'
    | 'Reverted'
    | 'RolloutUnderWay'
    | 'SurgeGoesOn';
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, number>>;
  /** Consecutive polls in band so far, and the time of the last poll counted: to be kept in the status. */
  readonly goodPolls?: number;
  readonly pollAtMs?: number;
}

/** Times and conditions of an action: all that its state is computed from. */
export interface ActionStatus {
  readonly approved?: { readonly value: boolean; readonly by: string; readonly reason: string; readonly atMs: number };
  readonly blocked?: {
    readonly reason: Reason;
    readonly message: string;
    readonly atMs: number;
    readonly nextLookMs: number;
  };
  /** The write is about to be sent: durable before it. */
  readonly executingAtMs?: number;
  readonly executed?: { readonly outcome: Outcome['kind']; readonly message: string; readonly atMs: number };
  readonly verified?: { readonly result: Verification; readonly atMs: number };
  readonly rollback?: {
    readonly dueAtMs?: number;
    readonly done: boolean;
    readonly readBack?: string;
    readonly atMs?: number;
    readonly abandoned?: string;
    /** How often the time of a limit was prolonged. */
    readonly renewals?: number;
  };
  readonly closed?: {
    readonly state: 'Denied' | 'Expired' | 'Superseded' | 'Failed';
    readonly reason: Reason | 'Expired' | 'PolicyChanged' | 'IncidentClosed' | 'NotDelivered';
    readonly message: string;
    readonly atMs: number;
  };
  readonly delivered?: { readonly atMs: number; readonly sinks: readonly string[] };
  readonly attempts: readonly { readonly atMs: number; readonly answer: string; readonly pod?: string }[];
  readonly effectiveGoodPolls?: number;
  /** Time of the last poll that was counted, so that none counts twice. */
  readonly effectivePollAtMs?: number;
}
