import { setImmediate as afterOthers } from 'node:timers/promises';
import type { AnomalyAnswer, FailureAnswer } from '../../controller/detection-api.ts';
import type { Prediction } from '../../controller/ports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import type { LatencyWindow } from '../latency.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import { route, type Call, type Route } from '../route.ts';
import { quickAnomalyBody, quickFailureBody, requestSchemas } from '../schemas/requests.ts';
import { anomalyAnswer, failureAnswer } from '../schemas/responses.ts';

export interface Latencies {
  readonly anomaly: LatencyWindow;
  readonly failure: LatencyWindow;
}

type ModelType = Prediction['modelType'];

/** The two questions of the engine's contract. They have no effect but what they teach and record. */
export function detectionRoutes(deps: HttpDependencies, latencies: Latencies): readonly Route[] {
  const { service, store, metrics, clock } = deps;
  const schemas = requestSchemas(() => clock.nowMs());

  const answer = async <T>(model: ModelType, steps: Generator<void, T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    const value = await finish(steps);
    const tookMs = clock.monotonicMs() - startMs;
    latencies[model].record(tookMs);
    metrics.observe('ai_engine_inference_duration_seconds', tookMs / 1000, { model_type: model });
    return value;
  };

  const record = (call: Call<unknown, unknown>, prediction: Omit<Prediction, 'id' | 'atMs'>): Reply => {
    const json = JSON.stringify(prediction.body);
    store.recordPrediction({ ...prediction, id: call.requestId, atMs: call.nowMs, json });
    return { status: 200, contentType: JSON_TYPE, body: json };
  };

  return [
    route({
      method: 'POST',
      path: '/api/v1/detect-anomaly',
      access: 'detect',
      tag: 'detection',
      summary: 'Judge metrics: is anything anomalous, how badly, and what to do about it',
      body: schemas.detectAnomaly,
      quick: quickAnomalyBody,
      answer: { schema: anomalyAnswer, description: 'The worst metric decides.' },
      handle: async (call) => {
        const body = await answer('anomaly', service.anomalyInSteps(call.body, call.nowMs));
        metrics.count('ai_engine_anomaly_predictions_total', { severity: body.severity });
        return record(call, anomalyPrediction(body));
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/detect-failure',
      access: 'detect',
      tag: 'detection',
      summary: 'Name the failure in metrics and logs, its cause and its remedies',
      body: schemas.detectFailure,
      quick: quickFailureBody,
      answer: { schema: failureAnswer, description: 'Nothing failed: `failure_type` is null.' },
      handle: async (call) => {
        const { context, ...request } = call.body;
        const kubernetes = context?.['kubernetes'];
        const question = kubernetes === undefined ? request : { ...request, kubernetes };
        const body = await answer('failure', service.failureInSteps(question, call.nowMs));
        metrics.count('ai_engine_failure_predictions_total', { failure_type: body.failure_type ?? 'none' });
        return record(call, failurePrediction(body));
      },
    }),
  ];
}

/** Runs to the end; a large request lets others be served between its steps. */
async function finish<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await afterOthers();
  }
}

const anomalyPrediction = (body: AnomalyAnswer): Omit<Prediction, 'id' | 'atMs'> => ({
  modelType: 'anomaly',
  severityScore: body.anomaly_score,
  recommendedAction: body.recommended_action,
  anomalous: body.is_anomaly,
  body: { ...body },
});

const failurePrediction = (body: FailureAnswer): Omit<Prediction, 'id' | 'atMs'> => ({
  modelType: 'failure',
  severityScore: body.details.severity_score,
  recommendedAction: body.recommended_actions[0] ?? 'no_action',
  anomalous: body.failure_detected,
  body: { ...body },
});
