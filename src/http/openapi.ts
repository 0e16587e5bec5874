import { EventFeed } from '../controller/event-feed.ts';
import { EMPTY_VIEW } from '../controller/operator-view.ts';
import type { HttpDependencies } from './dependencies.ts';
import { describeRoutes, type OpenApiDocument } from './documents/openapi.ts';
import type { AnyRoute } from './route.ts';
import { createRoutes } from './routes/all.ts';
import { createBatches } from './routes/batch.ts';
import { createEventStreams } from './routes/events.ts';

/** The OpenAPI document of the API, without a server: for generated files and tests. */
export function openApiDocument(): OpenApiDocument {
  return describeRoutes(describedRoutes());
}

/** The routes themselves, with nothing behind them. */
export function describedRoutes(): readonly AnyRoute[] {
  return createRoutes(NOTHING_BEHIND, {
    events: createEventStreams(NOTHING_BEHIND, { holds: neverCalled }).route,
    batches: createBatches(NOTHING_BEHIND),
  });
}

const neverCalled = (): never => {
  throw new Error('routes that are only described have nothing behind them');
};
const STOPPED = { nowMs: () => 0, monotonicMs: () => 0, after: neverCalled };
const silent = { debug: neverCalled, info: neverCalled, warn: neverCalled, error: neverCalled, child: neverCalled };

const NOTHING_BEHIND: HttpDependencies = {
  approvals: { answer: neverCalled },
  effectiveness: { read: neverCalled, reset: neverCalled },
  service: {
    detectAnomaly: neverCalled,
    detectFailure: neverCalled,
    anomalyInSteps: neverCalled,
    failureInSteps: neverCalled,
    facts: neverCalled,
  },
  store: {
    appendHistory: neverCalled,
    completeHistory: neverCalled,
    history: neverCalled,
    saveAction: neverCalled,
    actionsSince: neverCalled,
    saveIncident: neverCalled,
    openIncidents: neverCalled,
    incidents: neverCalled,
    takeTargetLease: neverCalled,
    releaseTargetLease: neverCalled,
    saveBlob: neverCalled,
    loadBlob: neverCalled,
    recordPrediction: neverCalled,
    predictions: neverCalled,
    predictionStats: neverCalled,
    healthy: neverCalled,
    close: neverCalled,
  },
  view: EMPTY_VIEW,
  feed: new EventFeed({ clock: STOPPED, process: 'none' }),
  failureWindowMs: 0,
  metrics: { count: neverCalled, gauge: neverCalled, observe: neverCalled },
  metricsPage: { page: neverCalled, contentType: 'text/plain; version=0.0.4; charset=utf-8' },
  problems: neverCalled,
  clock: STOPPED,
  log: silent,
};
