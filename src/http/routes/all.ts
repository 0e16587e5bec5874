import type { HttpDependencies } from '../dependencies.ts';
import { createLatencyWindow } from '../latency.ts';
import type { Route } from '../route.ts';
import { detectionRoutes } from './detection.ts';
import { withDocuments } from './documents.ts';
import { operatorRoutes } from './operator.ts';
import { serviceRoutes } from './service.ts';
import { statisticsRoutes } from './statistics.ts';

/** Every route that is served. */
export function createRoutes(deps: HttpDependencies): readonly Route[] {
  const latencies = { anomaly: createLatencyWindow(), failure: createLatencyWindow() };
  return withDocuments([
    ...detectionRoutes(deps, latencies),
    ...statisticsRoutes(deps, latencies),
    ...operatorRoutes(deps),
    ...serviceRoutes(deps),
  ]);
}
