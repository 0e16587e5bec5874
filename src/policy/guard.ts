import type { Incident } from '../detection/incident.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { Reason } from '../lib/reasons.ts';
import type { NodeSnapshot, PodRef, WorkloadSnapshot } from '../lib/workload.ts';
import type { ActionName, ActionParameters, Step } from './action.ts';
import type { EnabledEffects, Guardrail, HealingPolicy } from './healing-policy.ts';
import type { ActionRecord } from './ledger.ts';

/** An action that is about to be decided or written: what the guards judge. */
export interface Proposal {
  readonly action: ActionName;
  readonly step: Step;
  readonly stepIndex: number;
  readonly attempt: number;
  readonly pods: readonly PodRef[];
  readonly parameters: ActionParameters;
}

/**
 * Everything a guard may look at, gathered before by the shell. `undefined` where a source could not be read:
 * a guard that cannot see holds.
 */
export interface GuardInput {
  readonly nowMs: number;
  readonly proposal: Proposal;
  readonly policy: HealingPolicy;
  /** Guardrails that select the policy's namespace; `undefined`: unreadable. */
  readonly guardrails: readonly Guardrail[] | undefined;
  readonly workload: WorkloadSnapshot;
  readonly incident: Incident;
  readonly verdict: WorkloadVerdict;
  readonly diagnosis: Diagnosis;
  /** All actions that the ledger remembers for the last 24 h, cluster-wide; `undefined`: the store is not available. */
  readonly ledger: readonly ActionRecord[] | undefined;
  readonly enabledEffects: EnabledEffects;
  readonly leader: boolean;
  /** Age of the caches since they were last confirmed. */
  readonly cacheAgeMs: number;
  readonly scrapeIntervalMs: number;
  /** Longest look-back of the policy's queries. */
  readonly lookBackMs: number;
  readonly storm: StormState;
  readonly nodes: readonly NodeSnapshot[];
  /** Names of alerts firing now; `undefined`: could not be read. */
  readonly firingAlerts: readonly string[] | undefined;
  /** UID of the policy that acts on this workload when several select it. */
  readonly actingPolicyUid: string;
  /** Answer of the external engine, where one is configured and was asked. */
  readonly engineAnswer?: EngineAnswer;
}

export type EngineAnswer =
  | { readonly kind: 'allowed'; readonly policies: readonly string[] }
  | { readonly kind: 'denied'; readonly reason: string; readonly policies: readonly string[] }
  | { readonly kind: 'unavailable'; readonly message: string; readonly failurePolicy: 'Deny' | 'Allow' };

/** Share of watched workloads that turned anomalous lately, for one namespace or the cluster. */
export interface StormState {
  readonly active: boolean;
  readonly scope: string;
  readonly anomalous: number;
  readonly watched: number;
  /** When the share last fell under the limit; the brake stays on for the cooldown after it. */
  readonly endsAtMs?: number;
}

export interface Hold {
  readonly reason: Reason;
  /** A sentence with the numbers. */
  readonly message: string;
  /** When it is worth looking again; absent: at the next poll. */
  readonly retryAtMs?: number;
}

/** A guard says what it forbids. `undefined` lets pass. */
export interface Guard {
  readonly name: string;
  check(input: GuardInput): Hold | undefined;
}
