import type { DetectionService } from '../controller/detection-api.ts';
import type { OperatorView } from '../controller/operator-view.ts';
import type { MetricsSink, Store } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** What the API stands on. */
export interface HttpDependencies {
  readonly service: DetectionService;
  readonly store: Store;
  /** The operator's side; `EMPTY_VIEW` without a cluster. */
  readonly view: OperatorView;
  readonly metrics: MetricsSink;
  /** The page of `/metrics`. */
  readonly metricsPage: { page(): Promise<string>; readonly contentType: string };
  /** Sentences about what does not work now (cluster lost, metrics source silent); each makes the health `degraded`. */
  readonly problems: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}
