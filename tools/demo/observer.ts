import type { Kubectl } from '../rig/kubectl.ts';

/** An AegisHealingAction, as much of it as the demo shows. */
export interface SeenAction {
  readonly name: string;
  readonly workload: string;
  readonly action: string;
  readonly failureType: string;
  readonly incidentId: string;
  readonly state: string;
  readonly reason: string;
  readonly decidedMs: number;
  readonly executedMs?: number;
  readonly verifiedMs?: number;
  readonly verdict: string;
  readonly dryRun: boolean;
}

export interface SeenIncident {
  readonly workload: string;
  readonly failureType: string;
  readonly sinceMs: number;
  readonly reason: string;
}

export interface Seen {
  readonly actions: readonly SeenAction[];
  readonly incidents: readonly SeenIncident[];
  readonly ready: Readonly<Record<string, string>>;
  readonly learned: Readonly<Record<string, boolean>>;
}

interface List<T> {
  readonly items: readonly T[];
}

interface ActionObject {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly action: string;
    readonly incidentId: string;
    readonly execution: string;
    readonly decidedTime: string;
    readonly reason: string;
    readonly target: { readonly name: string };
    readonly diagnosis: { readonly failureType: string };
  };
  readonly status?: {
    readonly state?: string;
    readonly executed?: { readonly time: string; readonly outcome: string };
    readonly verification?: { readonly time: string; readonly verdict: string; readonly message: string };
    readonly closed?: { readonly message: string };
  };
}

interface PolicyObject {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly incidents?: readonly {
      readonly workload: string;
      readonly failureType: string;
      readonly sinceTime: string;
      readonly reason: string;
    }[];
  };
}

interface DeploymentObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas: number };
  readonly status: { readonly readyReplicas?: number };
}

/** Everything that the demo judges by is read with kubectl, as a user would. */
export async function observe(kubectl: Kubectl, namespace: string): Promise<Seen> {
  const get = async <T>(kind: string): Promise<readonly T[]> =>
    (JSON.parse(await kubectl(['get', kind, '-n', namespace, '-o', 'json'])) as List<T>).items;
  const [actions, policies, deployments] = await Promise.all([
    get<ActionObject>('aegishealingactions'),
    get<PolicyObject>('aegishealingpolicies'),
    get<DeploymentObject>('deployments'),
  ]);
  return {
    actions: actions.map(seenAction),
    incidents: policies.flatMap(({ status }) =>
      (status?.incidents ?? []).map((incident) => ({ ...incident, sinceMs: Date.parse(incident.sinceTime) })),
    ),
    ready: Object.fromEntries(
      deployments.map(({ metadata, spec, status }) => [metadata.name, `${status.readyReplicas ?? 0}/${spec.replicas}`]),
    ),
    learned: Object.fromEntries(
      policies.map(({ metadata, status }) => [
        metadata.name,
        status?.conditions?.some(({ type, status: value }) => type === 'Learned' && value === 'True') ?? false,
      ]),
    ),
  };
}

function seenAction({ metadata, spec, status }: ActionObject): SeenAction {
  const { executed, verification, closed } = status ?? {};
  return {
    ...{ name: metadata.name, workload: spec.target.name, action: spec.action, incidentId: spec.incidentId },
    ...{ failureType: spec.diagnosis.failureType, state: status?.state ?? 'Pending', reason: spec.reason },
    ...{ decidedMs: Date.parse(spec.decidedTime), dryRun: spec.execution === 'DryRun' },
    verdict: verification?.message ?? closed?.message ?? '',
    ...(executed !== undefined && { executedMs: Date.parse(executed.time) }),
    ...(verification !== undefined && { verifiedMs: Date.parse(verification.time) }),
  };
}
