import type { ApprovalOutcome } from '../../controller/approvals.ts';
import type { HttpDependencies } from '../dependencies.ts';
import type { Refusal } from '../errors.ts';
import { jsonReply, refusalReply } from '../reply.ts';
import { route, type Route } from '../route.ts';
import { approvalBody } from '../schemas/requests.ts';
import { approvalAnswer } from '../schemas/responses.ts';

/** Keys remembered; an older one may be used for something else again. */
const REMEMBERED = 1_000;

const REFUSAL_OF: Readonly<Record<Exclude<ApprovalOutcome, 'recorded'>, Refusal>> = {
  'not-found': 'actionNotFound',
  'not-awaited': 'approvalNotAwaited',
  answered: 'approvalAnswered',
  expired: 'approvalExpired',
  'other-policy': 'approvalOtherPolicy',
  changed: 'approvalChanged',
  'not-leading': 'notLeading',
  unavailable: 'clusterUnavailable',
};

/** The one route that acts: it answers an action that waits for a person. The gate decides all the same. */
export function approvalRoutes({ approvals }: HttpDependencies): readonly Route[] {
  const used = new Map<string, string>();
  /** False: the key was used for another request. */
  const remember = (key: string, content: string): boolean => {
    const before = used.get(key);
    if (before !== undefined) return before === content;
    used.set(key, content);
    const [oldest] = used.keys();
    if (used.size > REMEMBERED && oldest !== undefined) used.delete(oldest);
    return true;
  };
  return [
    route({
      method: 'POST',
      path: '/api/v1/actions/{namespace}/{name}/approval',
      access: 'approve',
      tag: 'operator',
      summary: 'Approve or deny an action that awaits it',
      parameters: { namespace: 'Namespace of the action.', name: 'Name of the action.' },
      isKeyed: true,
      body: approvalBody,
      answer: { schema: approvalAnswer, description: 'The answer stands in the action, under the name of the key.' },
      refusals: ['idempotencyKeyMissing', 'idempotencyKeyReused', ...Object.values(REFUSAL_OF)],
      handle: async ({ body, parameters, caller, idempotencyKey }) => {
        const { namespace = '', name = '' } = parameters;
        if (idempotencyKey === undefined) return refusalReply('idempotencyKeyMissing');
        const by = `key:${caller?.name ?? ''}`;
        const { decision, reason, policy_hash: policyHash } = body;
        const content = JSON.stringify([namespace, name, decision, reason, policyHash]);
        if (!remember(`${by} ${idempotencyKey}`, content)) return refusalReply('idempotencyKeyReused');
        const outcome = await approvals.answer({ namespace, name, decision, reason, policyHash, by });
        return outcome === 'recorded'
          ? jsonReply({ namespace, name, decision, by, reason })
          : refusalReply(REFUSAL_OF[outcome]);
      },
    }),
  ];
}
