import type { HttpDependencies } from '../dependencies.ts';
import { createLatencyWindow } from '../latency.ts';
import type { AnyRoute, StreamRoute } from '../route.ts';
import { approvalRoutes } from './approvals.ts';
import { detectionRoutes } from './detection.ts';
import { withDocuments } from './documents.ts';
import { effectivenessRoutes } from './effectiveness.ts';
import { operatorRoutes } from './operator.ts';
import { serviceRoutes } from './service.ts';
import { statisticsRoutes } from './statistics.ts';

/** Every route that is served; `events` is the stream of them, which the server ends when it stops. */
export function createRoutes(deps: HttpDependencies, events: StreamRoute): readonly AnyRoute[] {
  const latencies = { anomaly: createLatencyWindow(), failure: createLatencyWindow() };
  return withDocuments([
    ...detectionRoutes(deps, latencies),
    ...statisticsRoutes(deps, latencies),
    ...operatorRoutes(deps),
    ...approvalRoutes(deps),
    ...effectivenessRoutes(deps),
    events,
    ...serviceRoutes(deps),
  ]);
}
