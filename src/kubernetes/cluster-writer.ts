import { actionObject, actionStatusObject, parseAction } from '../api/v1alpha1/convert-action.ts';
import { REVERSAL_FINALIZER } from '../api/v1alpha1/labels.ts';
import { guardrailStatusObject } from '../api/v1alpha1/guardrail-status.ts';
import { rfc3339 } from '../api/v1alpha1/wire-time.ts';
import { policyStatusObject } from '../api/v1alpha1/policy-status.ts';
import type { ApiFault, ClusterWriter } from '../controller/ports.ts';
import type { ActionStatus } from '../healing/decision.ts';
import type { GuardrailStatus } from '../healing/guardrail-status.ts';
import type { PolicyStatus } from '../healing/policy-status.ts';
import type { StoredAction } from '../healing/stored-action.ts';
import { type Result, err, ok } from '../lib/result.ts';
import type { WorkloadRef, WorkloadSnapshot } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import type { ApiTarget } from './api-path.ts';
import { FIELD_MANAGER, type KubeClient } from './client.ts';
import type { CallFault } from './errors.ts';
import { type Json, record } from './json.ts';
import { LiveWorkloads } from './live-workload.ts';
import { mergePatch } from './merge-patch.ts';
import { RESOURCES } from './resources.ts';

const MANAGED = { fieldManager: FIELD_MANAGER } as const;

/** Live reads, and the writes on Aegis's own kinds. Each write names the version that it replaces. */
export class LiveClusterWriter implements ClusterWriter {
  readonly #client: KubeClient;
  readonly #live: LiveWorkloads;

  constructor(client: KubeClient, options: { readonly namespaced?: boolean } = {}) {
    this.#client = client;
    this.#live = new LiveWorkloads(client, options.namespaced === true);
  }

  readWorkload(ref: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>): Promise<Result<WorkloadSnapshot, ApiFault>> {
    return this.#live.read(ref);
  }

  async readAction(namespace: string, name: string): Promise<Result<StoredAction, ApiFault>> {
    return parsed(await this.#client.call({ method: 'GET', target: actionTarget(namespace, name), urgent: true }));
  }

  async createAction(intent: Intent): Promise<Result<StoredAction, ApiFault>> {
    const target: ApiTarget = { resource: RESOURCES.actions, namespace: intent.namespace, query: MANAGED };
    return parsed(await this.#client.call({ method: 'POST', target, body: actionObject(intent) }));
  }

  async writeActionStatus(action: StoredAction, status: ActionStatus): Promise<Result<StoredAction, ApiFault>> {
    const before = action.isStatusShown === false ? {} : record(actionStatusObject(action.intent, action.status));
    const patch = mergePatch(before, record(actionStatusObject(action.intent, status)));
    if (patch === undefined) return ok(action);
    const { namespace, name } = action.intent;
    return parsed(
      await this.#merge({ ...actionTarget(namespace, name), subresource: 'status' }, action, { status: patch }),
    );
  }

  async answerApproval(
    action: StoredAction,
    { atMs, ...approval }: NonNullable<StoredAction['approval']>,
  ): Promise<Result<StoredAction, ApiFault>> {
    const { namespace, name } = action.intent;
    return parsed(
      await this.#merge(actionTarget(namespace, name), action, {
        spec: { approval: { ...approval, time: rfc3339(atMs) } },
      }),
    );
  }

  async setActionFinalizer(action: StoredAction, present: boolean): Promise<Result<StoredAction, ApiFault>> {
    if (action.finalizers.includes(REVERSAL_FINALIZER) === present) return ok(action);
    const others = action.finalizers.filter((finalizer) => finalizer !== REVERSAL_FINALIZER);
    const finalizers = present ? [...others, REVERSAL_FINALIZER] : others;
    const reply = await this.#merge(actionTarget(action.intent.namespace, action.intent.name), action, {
      metadata: { finalizers },
    });
    // Taking the last finalizer off an object that is being deleted ends it: the answer is its last state.
    return parsed(reply);
  }

  /** An object that is gone already is a success; one of the same name that was made since is not touched. */
  async deleteAction(action: StoredAction): Promise<Result<void, ApiFault>> {
    const reply = await this.#client.call({
      method: 'DELETE',
      target: actionTarget(action.intent.namespace, action.intent.name),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: action.uid } },
    });
    return reply.ok || reply.error.kind === 'NotFound' ? ok(undefined) : reply;
  }

  async writePolicyStatus(
    ref: { readonly namespace: string; readonly name: string },
    status: PolicyStatus,
  ): Promise<Result<void, ApiFault>> {
    const target: ApiTarget = { resource: RESOURCES.policies, ...ref, subresource: 'status', query: MANAGED };
    // The status is written whole, so a key that this one lacks must not stay behind from the last.
    const body = { status: { lastAction: null, ...policyStatusObject(status) } };
    const reply = await this.#client.call({ method: 'PATCH', patch: 'merge', target, body });
    return reply.ok ? ok(undefined) : reply;
  }

  async writeGuardrailStatus(name: string, status: GuardrailStatus): Promise<Result<void, ApiFault>> {
    const target: ApiTarget = { resource: RESOURCES.guardrails, name, subresource: 'status', query: MANAGED };
    const body = { status: { boundPolicies: null, ...guardrailStatusObject(status) } };
    const reply = await this.#client.call({ method: 'PATCH', patch: 'merge', target, body });
    return reply.ok ? ok(undefined) : reply;
  }

  #merge(target: ApiTarget, { resourceVersion, uid }: StoredAction, change: Json): Promise<Result<Json, CallFault>> {
    // The UID as well: a version alone says nothing about an object of the same name that was made since.
    const metadata = { ...record(change.metadata), resourceVersion, uid };
    const body = { ...change, metadata };
    return this.#client.call({ method: 'PATCH', patch: 'merge', target: { ...target, query: MANAGED }, body });
  }
}

const actionTarget = (namespace: string, name: string): ApiTarget => ({ resource: RESOURCES.actions, namespace, name });

function parsed(reply: Result<Json, CallFault>): Result<StoredAction, ApiFault> {
  if (!reply.ok) return reply;
  const action = parseAction(reply.value);
  if (action.ok) return action;
  const problems = action.error.map((problem) => `${problem.path}: ${problem.message}`).join('; ');
  return err({ kind: 'Unknown', message: `the action object cannot be read: ${problems}` });
}
