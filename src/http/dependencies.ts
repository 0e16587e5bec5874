import type { Approvals } from '../controller/approvals.ts';
import type { DetectionService } from '../controller/detection-api.ts';
import type { EffectivenessDesk } from '../controller/effectiveness-desk.ts';
import type { EventFeed } from '../controller/event-feed.ts';
import type { OperatorView } from '../controller/operator-view.ts';
import type { LogSource, MetricsSink, RequestTracer } from '../controller/ports.ts';
import type { Store } from '../controller/store-ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** What the API stands on. */
export interface HttpDependencies {
  readonly service: DetectionService;
  readonly store: Store;
  /** The operator's side; `EMPTY_VIEW` without a cluster. */
  readonly view: OperatorView;
  /** Takes answers to actions that wait for one; `NO_APPROVALS` without a cluster. */
  readonly approvals: Approvals;
  /** How often each effect helped. */
  readonly effectiveness: EffectivenessDesk;
  /** What the event stream tells. */
  readonly feed: EventFeed;
  /** Log lines for requests of detect-failure that bring none; absent: there are none but theirs. */
  readonly logs?: LogSource;
  /** How far back from the newest sample lines are looked for: `FAILURE_DETECTION_WINDOW`. */
  readonly failureWindowMs: number;
  /** Absent: nothing is traced. */
  readonly tracer?: RequestTracer;
  readonly metrics: MetricsSink;
  /** The page of `/metrics`. */
  readonly metricsPage: { page(): Promise<string>; readonly contentType: string };
  /** Sentences about what does not work now (cluster lost, metrics source silent); each makes the health `degraded`. */
  readonly problems: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}
