import type { ActionView, DecisionView, IncidentView, PolicyQuestionView } from '../../controller/operator-view.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { jsonReply, refusalReply } from '../reply.ts';
import { route, type Route } from '../route.ts';
import { listQuery, policyQuestion, type PolicyQuestionBody } from '../schemas/requests.ts';
import { actionsAnswer, decisionAnswer, incidentsAnswer, policiesAnswer, policyAnswer } from '../schemas/responses.ts';

const DEFAULT_LIMIT = 100;

/** What the operator sees, did and would allow. Reading only: nothing here has an effect. */
export function operatorRoutes({ view, log }: HttpDependencies): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/v1/policy/evaluate',
      access: 'evaluate',
      tag: 'policy',
      summary: 'Would the policies allow this action on this resource now?',
      body: policyQuestion,
      answer: { schema: policyAnswer, description: 'No policy covers it: not allowed.' },
      handle: async (call) => {
        const { allowed, reason, appliedPolicies, because } = await view.evaluate(toQuestion(call.body));
        return jsonReply({ allowed, reason, appliedPolicies, ...(because !== undefined && { because }) });
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/incidents',
      access: 'read',
      tag: 'operator',
      summary: 'Incidents, newest first',
      query: listQuery,
      answer: { schema: incidentsAnswer, description: 'Empty without a cluster.' },
      handle: async (call) => {
        const { incidents, isComplete } = await view.incidents(call.query.limit ?? DEFAULT_LIMIT);
        return jsonReply({ incidents: incidents.map(incident), complete: isComplete });
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/actions',
      access: 'read',
      tag: 'operator',
      summary: 'Actions, newest first',
      query: listQuery,
      answer: { schema: actionsAnswer, description: 'Empty without a cluster.' },
      handle: async (call) =>
        jsonReply({ actions: (await view.actions(call.query.limit ?? DEFAULT_LIMIT)).map(action) }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/decisions/{id}',
      access: 'read',
      tag: 'operator',
      summary: 'One decision: why, and why not something else',
      parameters: { id: 'The `decision_id` of an incident, or the name of an action.' },
      answer: { schema: decisionAnswer, description: '`why` is the evidence, `why_not` the rungs passed over.' },
      refusals: ['decisionNotFound', 'storeUnavailable'],
      handle: async (call) => {
        try {
          const found = await view.decision(call.parameters['id'] ?? '');
          return found === undefined ? refusalReply('decisionNotFound') : jsonReply(decision(found));
        } catch (error) {
          log.warn('store cannot be read', { error });
          return refusalReply('storeUnavailable');
        }
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/policies',
      access: 'read',
      tag: 'operator',
      summary: 'Policies with their conditions',
      query: listQuery,
      answer: { schema: policiesAnswer, description: 'Empty without a cluster.' },
      handle: async (call) => jsonReply({ policies: await view.policies(call.query.limit ?? DEFAULT_LIMIT) }),
    }),
  ];
}

/** `deployment:api`, `deployment:shop/api`, or the first with `context.metadata.namespace`. */
function toQuestion(body: PolicyQuestionBody): PolicyQuestionView {
  const colon = body.resource.indexOf(':');
  const rest = body.resource.slice(colon + 1);
  const slash = rest.indexOf('/');
  const told = body.context?.metadata?.['namespace'];
  const namespace = slash >= 0 ? rest.slice(0, slash) : typeof told === 'string' && told !== '' ? told : undefined;
  return {
    action: body.action,
    kind: body.resource.slice(0, colon),
    name: slash >= 0 ? rest.slice(slash + 1) : rest,
    ...(namespace === undefined ? {} : { namespace }),
    context: { ...body.context },
  };
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
const isoOrNull = (atMs: number | undefined): string | null => (atMs === undefined ? null : iso(atMs));

const incident = (one: IncidentView): unknown => ({
  id: one.id,
  namespace: one.namespace,
  workload: one.workload,
  policy: one.policy,
  failure_type: one.failureType,
  severity: one.severity,
  score: one.score,
  metrics: one.metrics,
  pods: one.pods,
  opened_at: iso(one.openedAtMs),
  updated_at: iso(one.updatedAtMs),
  resolved_at: isoOrNull(one.resolvedAtMs),
  decision: one.decision,
  reason: one.reason,
  decision_id: one.decisionId ?? null,
});

const action = (one: ActionView): unknown => ({
  name: one.name,
  namespace: one.namespace,
  workload: one.workload,
  policy: one.policy,
  action: one.action,
  failure_type: one.failureType,
  state: one.state,
  reason: one.reason,
  message: one.message,
  decided_at: iso(one.decidedAtMs),
  expires_at: iso(one.expiresAtMs),
  policy_hash: one.policyHash,
  executed_at: isoOrNull(one.executedAtMs),
  ended_at: isoOrNull(one.endedAtMs),
  dry_run: one.dryRun,
});

const decision = (one: DecisionView): unknown => ({
  id: one.id,
  kind: one.kind,
  decided_at: iso(one.decidedAtMs),
  incident_id: one.incidentId ?? null,
  namespace: one.namespace,
  workload: one.workload,
  policy: one.policy,
  action: one.action,
  step: one.step ?? null,
  attempt: one.attempt ?? null,
  failure_type: one.failureType ?? null,
  confidence: one.confidence ?? null,
  reason: one.reason ?? null,
  message: one.message,
  why: one.evidence,
  why_not: one.whyNot,
  outcome: one.outcome.map(({ atMs, what, message }) => ({ at: iso(atMs), what, message })),
  state: one.state ?? null,
});
