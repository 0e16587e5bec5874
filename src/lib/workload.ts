/**
 * What Aegis knows of a workload and its pods: immutable, JSON-serialisable, read from the Kubernetes API by one
 * adapter and judged by pure functions. An absent optional field means "not known", never "zero" or "no".
 */
export const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface WorkloadRef {
  readonly apiVersion: string;
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface PodRef {
  readonly name: string;
  readonly uid: string;
}

export interface TerminationSnapshot {
  readonly reason: string;
  readonly exitCode: number;
  readonly message?: string;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
}

export interface ContainerSnapshot {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: 'running' | 'waiting' | 'terminated' | 'unknown';
  /** Reason of a waiting state, e.g. `CrashLoopBackOff`, `ImagePullBackOff`. */
  readonly waitingReason?: string;
  readonly waitingMessage?: string;
  readonly startedAtMs?: number;
  readonly termination?: TerminationSnapshot;
  readonly lastTermination?: TerminationSnapshot;
  /** Cores. */
  readonly cpuRequest?: number;
  readonly cpuLimit?: number;
  /** Bytes. */
  readonly memoryRequest?: number;
  readonly memoryLimit?: number;
}

export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly changedAtMs?: number;
}

export interface PodSnapshot extends PodRef {
  readonly namespace: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly reason?: string;
  readonly ready: boolean;
  readonly createdAtMs: number;
  readonly deletedAtMs?: number;
  readonly nodeName?: string;
  readonly podIP?: string;
  readonly hostNetwork: boolean;
  /** `pod-template-hash` or `controller-revision-hash`: replicas of one template are peers. */
  readonly templateHash?: string;
  /** Kind of the controlling owner; absent: nobody would replace the pod. */
  readonly controllerKind?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly conditions: readonly PodCondition[];
  readonly containers: readonly ContainerSnapshot[];
  readonly terminationGracePeriodSeconds?: number;
}

export interface AutoscalerSnapshot {
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject' | 'VerticalPodAutoscaler';
  readonly name: string;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly currentReplicas?: number;
}

export interface DisruptionBudgetSnapshot {
  readonly name: string;
  readonly disruptionsAllowed: number;
  readonly unhealthyPodEvictionPolicy?: string;
}

/** A revision of the pod template: a ReplicaSet or a ControllerRevision. */
export interface RevisionSnapshot {
  readonly name: string;
  readonly templateHash?: string;
  readonly revision?: number;
  readonly createdAtMs: number;
  readonly replicas: number;
  readonly readyReplicas: number;
}

export interface WorkloadSnapshot {
  readonly ref: WorkloadRef;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Annotations of the pod template that tell of restarts: `restartedAt` and the id of the action that wrote it. */
  readonly templateAnnotations?: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly namespaceAnnotations: Readonly<Record<string, string>>;
  readonly replicas: {
    readonly desired: number;
    readonly current: number;
    readonly updated: number;
    readonly ready: number;
    readonly available: number;
  };
  readonly paused: boolean;
  readonly strategy: 'RollingUpdate' | 'Recreate' | 'OnDelete' | 'Canary' | 'BlueGreen';
  /** Pods that the strategy may add above desired while it replaces some; 0 if none. */
  readonly maxSurge: number;
  readonly conditions: readonly PodCondition[];
  readonly revisions: readonly RevisionSnapshot[];
  readonly autoscalers: readonly AutoscalerSnapshot[];
  /** False: autoscalers could not be read, so who owns the replicas is not known. */
  readonly autoscalersKnown: boolean;
  /** Field managers that own `spec.replicas` (managedFields). */
  readonly replicasManagers: readonly string[];
  readonly disruptionBudgets: readonly DisruptionBudgetSnapshot[];
  readonly pods: readonly PodSnapshot[];
  /** Free replicas under ResourceQuota, the smallest; absent: no quota. */
  readonly quotaPodsLeft?: number;
}

export interface NodeSnapshot {
  readonly name: string;
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly pressures: readonly string[];
  readonly unschedulable: boolean;
  readonly readyChangedAtMs?: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Kubernetes Event about a pod or a workload. */
export interface ClusterEvent {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly lastAtMs: number;
  readonly count: number;
}

/** Stable identity of a workload in maps and logs: `Deployment shop/checkout`. */
export function workloadKey(ref: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>): string {
  return `${ref.kind} ${ref.namespace}/${ref.name}`;
}
