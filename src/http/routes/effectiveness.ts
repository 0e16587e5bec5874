import type { Effectiveness, EffectivenessReset } from '../../policy/effectiveness.ts';
import { usableEstimate } from '../../policy/effectiveness.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { jsonReply, refusalReply } from '../reply.ts';
import { route, type Route } from '../route.ts';
import { resetBody } from '../schemas/requests.ts';
import { effectivenessAnswer, resetAnswer } from '../schemas/responses.ts';

/** How often each effect helped, and the way to forget it. Neither touches the cluster: only orders of equals follow. */
export function effectivenessRoutes({ effectiveness, log }: HttpDependencies): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/effectiveness',
      access: 'read',
      tag: 'operator',
      summary: 'How often each effect helped, by failure type and kind of workload',
      answer: { schema: effectivenessAnswer, description: 'Of the last 90 days, since it was reset.' },
      refusals: ['storeUnavailable'],
      handle: async () => {
        try {
          const { effectiveness: all, resets } = await effectiveness.read();
          return jsonReply({ effectiveness: all.map(shown), resets: resets.map(shownReset) });
        } catch (error) {
          log.warn('store cannot be read', { error });
          return refusalReply('storeUnavailable');
        }
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/effectiveness/reset',
      access: 'admin',
      tag: 'operator',
      summary: 'Forget what was learnt of effects until now',
      isKeyed: true,
      body: resetBody,
      answer: { schema: resetAnswer, description: 'It stands in the history, under the name of the key.' },
      refusals: ['idempotencyKeyMissing', 'idempotencyKeyReused', 'storeUnavailable'],
      handle: async ({ body, caller, idempotencyKey }) => {
        if (idempotencyKey === undefined) return refusalReply('idempotencyKeyMissing');
        const { reason, failure_type: failureType, action, workload_kind: workloadKind } = body;
        const of = {
          ...(failureType !== undefined && { failureType }),
          ...(action !== undefined && { action }),
          ...(workloadKind !== undefined && { workloadKind }),
        };
        try {
          const reset = await effectiveness.reset({ of, reason, idempotencyKey, by: `key:${caller?.name ?? ''}` });
          return reset === 'reused' ? refusalReply('idempotencyKeyReused') : jsonReply(shownReset(reset));
        } catch (error) {
          log.warn('a reset cannot be stored', { error });
          return refusalReply('storeUnavailable');
        }
      },
    }),
  ];
}

const shown = (of: Effectiveness) => ({
  ...{ failure_type: of.failureType, action: of.action, workload_kind: of.workloadKind },
  ...{ incidents: of.incidents, helped: of.helped, estimate: of.estimate, used: usableEstimate(of) },
});

const shownReset = ({ atMs, by, reason, failureType, action, workloadKind }: EffectivenessReset) => ({
  ...{ at: new Date(atMs).toISOString(), by, reason },
  ...{ failure_type: failureType ?? null, action: action ?? null, workload_kind: workloadKind ?? null },
});
