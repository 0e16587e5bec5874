import { setImmediate as afterOthers } from 'node:timers/promises';
import type { z } from 'zod';
import type { AnomalyAnswer, FailureAnswer } from '../../controller/detection-api.ts';
import type { Prediction } from '../../controller/store-ports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { createLogFinder } from '../found-logs.ts';
import type { LatencyWindow } from '../latency.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import { route, type AnyRoute } from '../route.ts';
import { quickAnomalyBody, quickFailureBody, requestSchemas } from '../schemas/requests.ts';
import { anomalyAnswer, failureAnswer } from '../schemas/responses.ts';
import { storedAnswer } from '../stored-answer.ts';
import type { Batches } from './batch.ts';

export interface Latencies {
  readonly anomaly: LatencyWindow;
  readonly failure: LatencyWindow;
}

type ModelType = Prediction['modelType'];
type Schemas = ReturnType<typeof requestSchemas>;
type AnomalyBody = z.output<Schemas['detectAnomaly']>;
type FailureBody = z.output<Schemas['detectFailure']>;

/** The two questions of the engine's contract, one at a time and many. They teach and record, and have no other effect. */
export function detectionRoutes(deps: HttpDependencies, latencies: Latencies, batches: Batches): readonly AnyRoute[] {
  const schemas = requestSchemas(() => deps.clock.nowMs());
  const { anomaly, failure } = createDetector(deps, latencies);
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
      handle: async (call) => json(await anomaly(call.body, call.requestId, call.nowMs)),
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
      handle: async (call) => json(await failure(call.body, call.requestId, call.nowMs)),
    }),
    batches.route({
      path: '/api/v1/detect-anomaly/batch',
      summary: 'Judge many bodies of detect-anomaly, one a line',
      schema: schemas.detectAnomaly,
      quick: quickAnomalyBody,
      answerSchema: anomalyAnswer,
      answer: anomaly,
    }),
    batches.route({
      path: '/api/v1/detect-failure/batch',
      summary: 'Name the failures in many bodies of detect-failure, one a line',
      schema: schemas.detectFailure,
      quick: quickFailureBody,
      answerSchema: failureAnswer,
      answer: failure,
    }),
  ];
}

const json = (body: string): Reply => ({ status: 200, contentType: JSON_TYPE, body });

/** Answers, counts and records. */
function createDetector(deps: HttpDependencies, latencies: Latencies) {
  const { service, store, metrics, clock, feed } = deps;
  const withFoundLogs = createLogFinder(deps);

  const answer = async <T>(model: ModelType, steps: Generator<void, T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    // Nearly every request is one step.
    const first = steps.next();
    const value = first.done === true ? first.value : await finish(steps);
    const tookMs = clock.monotonicMs() - startMs;
    latencies[model].record(tookMs);
    metrics.observe('ai_engine_inference_duration_seconds', tookMs / 1000, { model_type: model });
    return value;
  };

  /** Returns the answer's JSON. */
  const record = (facts: Omit<Prediction, 'body'>, answer: AnomalyAnswer | FailureAnswer): string => {
    const json = JSON.stringify(answer);
    store.recordPrediction({ ...facts, body: storedAnswer(answer, json) });
    if (facts.anomalous) {
      const failureType = 'failure_type' in answer ? answer.failure_type : null;
      feed.publish('Prediction', { ...announced(facts), severity: answer.severity, failure_type: failureType });
    }
    return json;
  };

  return {
    anomaly: async (request: AnomalyBody, id: string, nowMs: number): Promise<string> => {
      const body = await answer('anomaly', service.anomalyInSteps(request, nowMs));
      metrics.count('ai_engine_anomaly_predictions_total', { severity: body.severity });
      return record(anomalyPrediction(body, id, nowMs), body);
    },
    failure: async ({ context, ...request }: FailureBody, id: string, nowMs: number): Promise<string> => {
      const kubernetes = context?.['kubernetes'];
      const asked = kubernetes === undefined ? request : { ...request, kubernetes };
      const found = await withFoundLogs(asked, nowMs);
      const judged = await answer('failure', service.failureInSteps(found.request, nowMs));
      const body = found.missing === undefined ? judged : withMissing(judged, found.missing);
      metrics.count('ai_engine_failure_predictions_total', { failure_type: body.failure_type ?? 'none' });
      return record(failurePrediction(body, id, nowMs), body);
    },
  };
}

/** Runs to the end; a large request lets others be served between its steps. */
async function finish<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    await afterOthers();
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const withMissing = (body: FailureAnswer, missing: string): FailureAnswer => ({
  ...body,
  details: { ...body.details, missing_evidence: [...body.details.missing_evidence, missing] },
});

const announced = ({ id, modelType, severityScore, recommendedAction }: Omit<Prediction, 'body'>) => ({
  id,
  model_type: modelType,
  severity_score: severityScore,
  recommended_action: recommendedAction,
});

const anomalyPrediction = (answer: AnomalyAnswer, id: string, atMs: number): Omit<Prediction, 'body'> => ({
  id,
  atMs,
  modelType: 'anomaly',
  severityScore: answer.anomaly_score,
  recommendedAction: answer.recommended_action,
  anomalous: answer.is_anomaly,
});

const failurePrediction = (answer: FailureAnswer, id: string, atMs: number): Omit<Prediction, 'body'> => ({
  id,
  atMs,
  modelType: 'failure',
  severityScore: answer.details.severity_score,
  recommendedAction: answer.recommended_actions[0] ?? 'no_action',
  anomalous: answer.failure_detected,
});
