import type { PodRef } from '../lib/workload.ts';
import type { FailureType } from './failure-type.ts';
import type { Trait } from './trait.ts';

/** Where a piece of evidence comes from, in falling weight; a log line alone never decides. */
export type EvidenceSource = 'kubernetes' | 'change' | 'log' | 'metric';

export interface Evidence {
  readonly source: EvidenceSource;
  /** A sentence with the numbers, fit for an alert: "pod a-1: memory 93 % of its limit, 4.1 MiB/min". */
  readonly what: string;
  /** Log-odds that it adds to its type; negative speaks against. */
  readonly weight: number;
  readonly atMs?: number;
}

export interface Candidate {
  readonly failureType: FailureType;
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
  readonly contradictions: readonly string[];
}

/** Whose fault it is: the workload's own, or something it shares with others (then acting on it cannot help). */
export type Cause =
  | { readonly kind: 'self' }
  | { readonly kind: 'node' | 'dependency' | 'dns' | 'rollout' | 'aegis'; readonly name: string };

export interface Diagnosis {
  readonly failureType: FailureType;
  readonly confidence: number;
  /** Lead over the second candidate, 0-1. */
  readonly lead: number;
  /** Score of the worst metric in the evidence, 0-1; 0.5 on text alone. */
  readonly severityScore: number;
  readonly cause: Cause;
  /** Pods that carry the failure, most affected first. */
  readonly pods: readonly PodRef[];
  readonly candidates: readonly Candidate[];
  /** Exact, copyable text for people: what Aegis may not do itself. */
  readonly advice: string;
  /** A sentence that names the evidence. */
  readonly summary: string;
  /** Why the finer type is `unknown`; absent when one is named. */
  readonly abstained?: string;
  /** Properties of the case on which rungs and refusals hang; see `situationOf` in `catalog.ts`. */
  readonly traits?: readonly Trait[];
  /** What could not be looked at, and why; absent: nothing is missing that anybody knows of. */
  readonly missing?: readonly string[];
  /** Age of the oldest evidence that decided. */
  readonly evidenceAtMs: number;
}

export interface LogLine {
  readonly atMs: number;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly service: string;
  readonly pod?: string;
}
