import { z } from 'zod';
import { parseAction } from '../../api/v1alpha1/convert-action.ts';
import { parsePolicy } from '../../api/v1alpha1/convert-policy.ts';
import { parsePolicyStatus } from '../../api/v1alpha1/policy-status.ts';
import { decisionAnswer, incidentsAnswer } from '../../http/schemas/responses.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { ClusterObjects, RestApi } from '../services.ts';
import type { Known, ToldDecision } from './explanation.ts';

/** Objects that another hand has broken are left out, and named. */
export interface Gathered extends Known {
  readonly remarks: readonly string[];
}

/** Reads the policies and actions of a namespace. */
export async function fromCluster(cluster: ClusterObjects, namespace: string): Promise<Result<Gathered, string>> {
  const [policies, actions] = [await cluster.list('policies', namespace), await cluster.list('actions', namespace)];
  if (!policies.ok) return policies;
  if (!actions.ok) return actions;
  const remarks: string[] = [];
  const known = policies.value.flatMap((object) => {
    const parsed = parsePolicy(object);
    if (parsed.kind === 'valid') return [{ policy: parsed.value, status: parsePolicyStatus(object) }];
    remarks.push(
      `policy ${parsed.name} is not accepted: ${parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    );
    return [];
  });
  const stored = actions.value.flatMap((object) => {
    const parsed = parseAction(object);
    if (parsed.ok) return [parsed.value];
    remarks.push(
      `an action cannot be read: ${parsed.error.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    );
    return [];
  });
  return ok({ policies: known, actions: stored, decisions: [], remarks });
}

const MOST = 1_000;

/** The decisions of the incidents that the API knows of a namespace: what was passed over is told nowhere else. */
export async function decisionsOf(api: RestApi, namespace: string): Promise<Result<readonly ToldDecision[], string>> {
  const incidents = await answer(api, `/api/v1/incidents?limit=${MOST}`, incidentsAnswer);
  if (!incidents.ok) return incidents;
  const ids = incidents.value.incidents.flatMap((incident) =>
    incident.namespace === namespace && incident.decision_id !== null ? [incident.decision_id] : [],
  );
  const decisions: ToldDecision[] = [];
  for (const id of new Set(ids)) {
    const told = await answer(api, `/api/v1/decisions/${encodeURIComponent(id)}`, decisionAnswer);
    if (told.ok) decisions.push(toldDecision(told.value));
  }
  return ok(decisions);
}

async function answer<T extends z.ZodType>(
  api: RestApi,
  path: string,
  schema: T,
): Promise<Result<z.output<T>, string>> {
  const reply = await api.get(path);
  if (!reply.ok) return reply;
  const parsed = schema.safeParse(reply.value);
  return parsed.success
    ? ok(parsed.data)
    : err(`${path}: the answer is not this version's: ${z.prettifyError(parsed.error)}`);
}

function toldDecision(d: z.output<typeof decisionAnswer>): ToldDecision {
  return {
    ...{ id: d.id, kind: d.kind, atMs: Date.parse(d.decided_at), workload: d.workload, policy: d.policy },
    ...{ action: d.action, message: d.message, evidence: d.why.map(({ source, what }) => `${source}: ${what}`) },
    ...(d.reason !== null && { reason: d.reason }),
    passedOver: d.why_not.map(({ action, reason, message }) => ({ action, reason, message })),
  };
}
