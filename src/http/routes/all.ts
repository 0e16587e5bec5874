import type { HttpDependencies } from '../dependencies.ts';
import { createLatencyWindow } from '../latency.ts';
import type { AnyRoute, StreamRoute } from '../route.ts';
import { approvalRoutes } from './approvals.ts';
import type { Batches } from './batch.ts';
import { detectionRoutes } from './detection.ts';
import { withDocuments } from './documents.ts';
import { effectivenessRoutes } from './effectiveness.ts';
import { operatorRoutes } from './operator.ts';
import { serviceRoutes } from './service.ts';
import { statisticsRoutes } from './statistics.ts';

/** Routes whose answers are streams, which the server ends when it stops. */
export interface Streams {
  readonly events: StreamRoute;
  readonly batches: Batches;
}

/** Every route that is served. */
export function createRoutes(deps: HttpDependencies, { events, batches }: Streams): readonly AnyRoute[] {
  const latencies = { anomaly: createLatencyWindow(), failure: createLatencyWindow() };
  return withDocuments([
    ...detectionRoutes(deps, latencies, batches),
    ...statisticsRoutes(deps, latencies),
    ...operatorRoutes(deps),
    ...approvalRoutes(deps),
    ...effectivenessRoutes(deps),
    events,
    ...serviceRoutes(deps),
  ]);
}
