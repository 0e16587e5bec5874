import type { Incident } from '../../src/detection/incident.ts';
import type { AlertMessage } from '../../src/controller/ports.ts';

/** What was seen while a scenario ran, moment by moment. */
export interface Observations {
  /** Seconds since the beginning; absent: there was none. */
  firstEffectAt?: number;
  firstAlertAt?: number;
  /** Of each `WORKLOAD/METRIC`, the highest value on any pod when the first effect came. */
  readonly atFirstEffect: Map<string, number>;
  /** Most pods of one workload that Aegis's evictions kept from being ready at one moment. */
  mostEvictedAtOnce: number;
  /** Of each workload, how many pods are ready from which second on. */
  readonly readyPods: Map<string, { readonly at: number; readonly ready: number }[]>;
}

/** Keeps the count if it is another than before. */
export function noteReady({ readyPods }: Observations, workload: string, count: { at: number; ready: number }): void {
  const known = readyPods.get(workload) ?? [];
  if (known.at(-1)?.ready !== count.ready) known.push(count);
  readyPods.set(workload, known);
}

/** All that a scenario can be judged by, wherever it was played. */
export interface Outcome {
  readonly seen: Observations;
  /** Faults that Aegis logged of itself. */
  readonly faults: readonly string[];
  /** What was really done to workloads, in order: `evict checkout-1`. */
  readonly effects: readonly string[];
  /** The same, and what was tried and refused by the API server; dry runs are none. */
  readonly writes: readonly string[];
  /** Every AegisHealingAction with its last state, the oldest first: `restart_pod Healed`. */
  readonly actions: readonly string[];
  /** `restart_pod HarmfulForType`: what every hold, every skipped rung and every action that came to nothing gave as its reason. */
  readonly held: readonly string[];
  readonly failureTypes: ReadonlySet<string>;
  /** Messages that sinks took, in order. */
  readonly sent: readonly Pick<AlertMessage, 'key' | 'status' | 'title' | 'summary' | 'advice' | 'evidence'>[];
  readonly incidents: readonly Incident[];
  /** By the workload's name, and by `NAMESPACE/NAME`; a workload that is gone is missing. */
  readonly replicas: ReadonlyMap<string, { readonly desired: number; readonly ready: number }>;
  /** `True Healthy` of the condition of a policy, or of `NAMESPACE/POLICY`; `none`: it has no such condition. */
  condition(policy: string, type: string): string;
}
