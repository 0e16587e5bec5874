import type { ActionRecord } from '../../policy/ledger.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { jsonReply, refusalReply, type Reply } from '../reply.ts';
import { route, type Route } from '../route.ts';
import { predictionsQuery } from '../schemas/requests.ts';
import { performanceAnswer, predictionsAnswer, statsAnswer } from '../schemas/responses.ts';
import type { Latencies } from './detection.ts';

const DEFAULT_LIMIT = 100;
/** Incidents of this time count for the precision. */
const PRECISION_WINDOW_MS = 30 * 86_400_000;

/** What was predicted, and how well. */
export function statisticsRoutes(deps: HttpDependencies, latencies: Latencies): readonly Route[] {
  const { store, service, log } = deps;

  /** Reading may fail while the store is down; detection goes on. */
  const fromStore = async (read: () => Promise<unknown>): Promise<Reply> => {
    try {
      return jsonReply(await read());
    } catch (error) {
      log.warn('store cannot be read', { error });
      return refusalReply('storeUnavailable');
    }
  };

  return [
    route({
      method: 'GET',
      path: '/api/v1/metrics/stats',
      access: 'read',
      tag: 'metrics',
      summary: 'How many predictions, anomalies and failures',
      answer: { schema: statsAnswer, description: 'Totals since the store was made.' },
      refusals: ['storeUnavailable'],
      handle: (call) =>
        fromStore(async () => {
          const stats = await store.predictionStats(call.nowMs);
          return {
            total_predictions: stats.total,
            predictions_last_24h: stats.last24h,
            total_anomalies_detected: stats.anomalies,
            total_failures_detected: stats.failures,
          };
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/metrics/predictions',
      access: 'read',
      tag: 'metrics',
      summary: 'The latest predictions, newest first, page by page',
      query: predictionsQuery,
      answer: { schema: predictionsAnswer, description: 'At most `limit`.' },
      refusals: ['storeUnavailable'],
      handle: (call) =>
        fromStore(async () => {
          const { limit = DEFAULT_LIMIT, cursor } = call.query;
          const found = await store.predictions(limit + 1, cursor);
          const page = found.slice(0, limit);
          return {
            predictions: page.map((p) => ({
              id: p.id,
              timestamp: new Date(p.atMs).toISOString(),
              model_type: p.modelType,
              severity_score: p.severityScore,
              recommended_action: p.recommendedAction,
              prediction: JSON.parse(p.body) as unknown,
            })),
            next_cursor: found.length > limit ? (page.at(-1)?.cursor ?? null) : null,
          };
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/metrics/model-performance',
      access: 'read',
      tag: 'metrics',
      summary: 'What the models know about themselves',
      answer: { schema: performanceAnswer, description: 'Latencies over the last 1,024 calls of this process.' },
      refusals: ['storeUnavailable'],
      handle: (call) =>
        fromStore(async () => {
          const { series, samples, trainedAtMs } = service.facts();
          return {
            models: {
              series,
              samples,
              trained_at: trainedAtMs === undefined ? null : new Date(trainedAtMs).toISOString(),
              ...precisionOf(await store.actionsSince(call.nowMs - PRECISION_WINDOW_MS)),
            },
            latency: { anomaly: latencies.anomaly.facts(), failure: latencies.failure.facts() },
          };
        }),
    }),
  ];
}

/** Verified actions that settle whether an incident was what it was taken for. */
const SETTLED: ReadonlySet<string> = new Set(['Healed', 'Ineffective', 'RolledBack']);

/**
 * Of the incidents that were acted upon and verified, the share in which the remedy of the diagnosis helped: an
 * incident is confirmed by one healed action.
 */
function precisionOf(actions: readonly ActionRecord[]): {
  readonly precision_on_confirmed_incidents: number | null;
  readonly confirmed_incidents: number;
} {
  const settled = actions.filter((one) => !one.dryRun && SETTLED.has(one.state));
  const incidents = new Set(settled.map((one) => one.incidentId));
  const confirmed = new Set(settled.filter((one) => one.state === 'Healed').map((one) => one.incidentId));
  return {
    precision_on_confirmed_incidents: incidents.size === 0 ? null : confirmed.size / incidents.size,
    confirmed_incidents: confirmed.size,
  };
}
