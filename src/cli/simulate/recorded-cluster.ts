import type { WorkloadKind, WorkloadRef, WorkloadSnapshot } from '../../lib/workload.ts';
import type { HealingPolicy } from '../../policy/healing-policy.ts';
import { RecordedPod, workloadOf } from './recorded-pods.ts';
import { Cursor, FACTS, type RecordedSeries } from './recorded-series.ts';

export interface RecordFacts {
  readonly policies: readonly HealingPolicy[];
  readonly series: readonly RecordedSeries[];
  readonly startMs: number;
  /** Usual distance of the samples. */
  readonly sampleIntervalMs: number;
}

interface RecordedWorkload {
  readonly ref: WorkloadRef;
  readonly pods: readonly RecordedPod[];
  readonly replicas: Cursor | undefined;
}

/**
 * The workloads of a record, at any moment of it. What a record does not tell is taken as harmless and stated in the report: a pod is Ready
 * unless it says otherwise, nothing rolls out, nobody else owns the replicas.
 */
export class RecordedCluster {
  readonly #workloads: readonly RecordedWorkload[];
  readonly #sampleIntervalMs: number;
  readonly #startMs: number;
  /** Replicas that the replay itself set, by workload UID. */
  readonly #scaled = new Map<string, number>();

  constructor(facts: RecordFacts) {
    this.#sampleIntervalMs = facts.sampleIntervalMs;
    this.#startMs = facts.startMs;
    this.#workloads = workloadsOf(facts);
  }

  get podCount(): number {
    return this.#workloads.reduce((sum, { pods }) => sum + pods.length, 0);
  }

  get names(): readonly string[] {
    return this.#workloads.map(({ ref }) => `${ref.kind} ${ref.namespace}/${ref.name}`);
  }

  scale(uid: string, replicas: number): void {
    this.#scaled.set(uid, replicas);
  }

  /** A selector selects every workload of its kind: a record shows no labels. */
  select(namespace: string, target: HealingPolicy['target'], nowMs: number): readonly WorkloadSnapshot[] {
    return this.#workloads
      .filter(
        ({ ref }) =>
          ref.namespace === namespace &&
          ref.kind === target.kind &&
          (target.name === undefined || ref.name === target.name),
      )
      .map((workload) => this.#at(workload, nowMs));
  }

  find(ref: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>, nowMs: number): WorkloadSnapshot | undefined {
    return this.select(ref.namespace, { kind: ref.kind, name: ref.name }, nowMs)[0];
  }

  #at({ ref, pods, replicas }: RecordedWorkload, nowMs: number): WorkloadSnapshot {
    const present = pods.filter((pod) => pod.isThere(nowMs, this.#sampleIntervalMs));
    const shown = present.map((pod) => pod.at(nowMs));
    const ready = shown.filter((pod) => pod.ready).length;
    const recorded = replicas?.valueAt(nowMs) ?? shown.length;
    const desired = this.#scaled.get(ref.uid) ?? recorded;
    // What a step of the replay added is not in the record; it is taken to have come up.
    const added = desired - recorded;
    return {
      ...{ ref, resourceVersion: '1', generation: 1, observedGeneration: 1, createdAtMs: this.#startMs - 1 },
      ...{ labels: {}, annotations: {}, namespaceLabels: {}, namespaceAnnotations: {}, paused: false },
      replicas: {
        desired,
        current: shown.length + added,
        updated: shown.length + added,
        ready: ready + added,
        available: ready + added,
      },
      ...{ strategy: ref.kind === 'Rollout' ? 'Canary' : 'RollingUpdate', maxSurge: 1, conditions: [], revisions: [] },
      ...{ autoscalers: [], autoscalersKnown: true, replicasManagers: [], disruptionBudgets: [], pods: shown },
    };
  }
}

function workloadsOf({ policies, series, startMs }: RecordFacts): readonly RecordedWorkload[] {
  const kinds = new Map<string, Set<WorkloadKind>>();
  for (const { namespace, target } of policies) {
    kinds.set(namespace, (kinds.get(namespace) ?? new Set()).add(target.kind));
  }
  return [...kinds].flatMap(([namespace, wanted]) =>
    [...wanted].flatMap((kind) => {
      const here = series.filter((each) => each.namespace === namespace);
      const names = policies.flatMap(({ target }) => (target.kind === kind ? (target.name ?? []) : []));
      return workloadsIn(here, { namespace, kind, startMs, names });
    }),
  );
}

interface Within {
  readonly namespace: string;
  readonly kind: WorkloadKind;
  readonly startMs: number;
  /** Names that policies give: they tell where a pod's name ends its workload's. */
  readonly names: readonly string[];
}

function workloadsIn(series: readonly RecordedSeries[], within: Within): readonly RecordedWorkload[] {
  const { namespace, kind, startMs, names } = within;
  const byPod = Map.groupBy(
    series.filter(({ pod }) => pod !== undefined),
    ({ pod }) => pod ?? '',
  );
  const pods = [...byPod].map(([pod, own]) => {
    const told = own.find(({ workload }) => workload !== undefined)?.workload;
    const workload = told ?? namedIn(pod, kind, names) ?? workloadOf(pod, kind);
    return new RecordedPod(pod, own, { namespace, workload, kind, recordStartMs: startMs });
  });
  const apiVersion = kind === 'Rollout' ? 'argoproj.io/v1alpha1' : 'apps/v1';
  return [...Map.groupBy(pods, ({ workload }) => workload)].map(([name, own]) => {
    const replicas = series.find(
      (s) => s.pod === undefined && s.metric === FACTS.replicas && (s.workload ?? name) === name,
    );
    const ref = { apiVersion, kind, namespace, name, uid: `${kind}/${namespace}/${name}` };
    return { ref, pods: own, replicas: replicas === undefined ? undefined : new Cursor(replicas) };
  });
}

/** The policy's own name for the workload, where the pod's name is that and as many further parts as its kind adds. */
function namedIn(pod: string, kind: WorkloadKind, names: readonly string[]): string | undefined {
  const most = kind === 'Deployment' || kind === 'Rollout' ? 2 : 1;
  return names.find((name) => pod.startsWith(`${name}-`) && pod.slice(name.length + 1).split('-').length <= most);
}
