/**
 * What a diagnosis needs besides pods and metrics, asked for only while an incident is open: nothing of this is watched,
 * so an operator that has nothing to do pays nothing for it. No port here ever rejects; what cannot be read is a
 * sentence in `missing`, and nothing is concluded from it.
 */
import type { Change, CredentialState, EndpointState } from '../diagnosis/evidence.ts';
import type { Result } from '../lib/result.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { SourceError } from './ports.ts';

/** A claim that the workload's pods mount. */
export interface MountedClaim {
  readonly claim: string;
  /** Absent: all pods share it. */
  readonly pod?: string;
  /** Name of the volume in the pod template. */
  readonly volume: string;
}

/** A Service of the workload's namespace and what stands behind it now. */
export interface ServiceState {
  readonly name: string;
  readonly readyEndpoints: number;
  /** Names of the pods behind it, ready or not. */
  readonly pods: readonly string[];
}

export interface ClusterEvidence {
  /** Of the last hour at most: the diagnosis chooses by its own window. */
  readonly changes: readonly Change[];
  /** Of the Secrets that the pod template names; absent: neither kind could be read. */
  readonly credentials?: readonly CredentialState[];
  /** Of the Services that select the workload, or are named like it; absent: could not be read. */
  readonly endpoints?: readonly EndpointState[];
  /** All Services of the namespace; absent: could not be read. */
  readonly services?: readonly ServiceState[];
  /** Absent: the pod template could not be read. */
  readonly claims?: readonly MountedClaim[];
  readonly missing: readonly string[];
}

export interface ClusterEvidenceSource {
  look(workload: WorkloadSnapshot): Promise<ClusterEvidence>;
}

/** Room on a claim, from the kubelet's own figures. */
export interface ClaimRoom {
  readonly claim: string;
  /** Share of bytes free, 0-1. */
  readonly freeRatio: number;
  readonly freeBytes: number;
  /** Bytes a second, negative while it fills; absent: watched for less than an hour. */
  readonly slopeBytesPerSecond?: number;
}

/** Who called whom lately, as one kind of instrumentation tells it. */
export interface CallEdge {
  readonly caller: { readonly namespace: string; readonly workload?: string; readonly pod?: string };
  /** A workload where the mesh knows it, else a Service or a host name. */
  readonly callee: {
    readonly namespace?: string;
    readonly workload?: string;
    readonly service?: string;
    readonly host?: string;
  };
}

export interface MetricEvidenceSource {
  /** Claims of which no series exists are left out. */
  claims(namespace: string, claims: readonly string[]): Promise<Result<readonly ClaimRoom[], SourceError>>;
  /** Calls that went out of these namespaces; `undefined`: nothing there counts them. */
  calls(namespaces: readonly string[]): Promise<Result<readonly CallEdge[] | undefined, SourceError>>;
}

/** The pods that resolve names for the whole cluster, as the watched caches show them. */
export interface DnsPods {
  readonly name: string;
  readonly ready: number;
  readonly total: number;
}

export interface DnsSource {
  /** `undefined`: none can be seen, which says nothing about DNS. */
  dnsPods(): DnsPods | undefined;
}
