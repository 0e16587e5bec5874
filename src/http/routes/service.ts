import type { HttpDependencies } from '../dependencies.ts';
import { jsonReply } from '../reply.ts';
import { route, type Route } from '../route.ts';
import { healthAnswer, pingAnswer } from '../schemas/responses.ts';

/** Liveness, readiness and the metrics page. None needs a key, and the probes are never limited. */
export function serviceRoutes(deps: HttpDependencies): readonly Route[] {
  const { store, clock, metricsPage } = deps;
  const startMs = clock.monotonicMs();
  return [
    route({
      method: 'GET',
      path: '/health',
      access: 'open',
      unlimited: true,
      tag: 'service',
      summary: 'Readiness: healthy or degraded, both ready; detection answers either way',
      answer: { schema: healthAnswer, description: '`problems` says what makes it degraded.' },
      handle: (call) => {
        const isStoreUp = store.healthy();
        const problems = [...(isStoreUp ? [] : ['the store cannot be written']), ...deps.problems()];
        return jsonReply({
          status: problems.length === 0 ? 'healthy' : 'degraded',
          timestamp: new Date(call.nowMs).toISOString(),
          uptime: Math.round(clock.monotonicMs() - startMs) / 1000,
          // The engine is code in this process: it is there once the process answers.
          models_loaded: deps.service.facts().series >= 0,
          database_connected: isStoreUp,
          problems,
        });
      },
    }),
    route({
      method: 'GET',
      path: '/ping',
      access: 'open',
      unlimited: true,
      tag: 'service',
      summary: 'Liveness',
      answer: { schema: pingAnswer, description: 'The process answers.' },
      handle: () => jsonReply({ ping: 'pong' }),
    }),
    route({
      method: 'GET',
      path: '/metrics',
      access: 'open',
      tag: 'service',
      summary: 'Prometheus metrics',
      answer: { contentType: metricsPage.contentType, description: 'Prometheus text format.' },
      handle: async () => ({ status: 200, contentType: metricsPage.contentType, body: await metricsPage.page() }),
    }),
  ];
}
