import type { PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import type { LogBook } from './log-book.ts';
import type { MetricBook } from './metric-book.ts';
import type { ScenarioEvent } from './schema.ts';

export type PodChoice = 'all' | 'new' | readonly number[];
export type EventOf<K extends ScenarioEvent['do']> = Extract<ScenarioEvent, { readonly do: K }>;

export interface Where {
  readonly workload: string;
  readonly namespace: string;
  readonly pods: PodChoice;
}

/** Where a scenario is played: on fakes, or on the rig. Namespaces are those of the scenario. */
export interface Place {
  readonly nowMs: number;
  readonly metrics: MetricBook;
  readonly logs: LogBook;
  /** Names of the pods whose cache was cleared. */
  readonly clearedCaches: ReadonlySet<string>;
  find(workload: string, namespace: string): WorkloadSnapshot;
}

/** The pods that an event names, as they are now. */
export function chosenPods(place: Pick<Place, 'find'>, { workload, namespace, pods }: Where): readonly PodSnapshot[] {
  const all = place.find(workload, namespace).pods;
  if (pods === 'new') return [];
  return pods === 'all' ? all : pods.flatMap((index) => all[index] ?? []);
}

/** What pods show and write is the same wherever they run. */
export const SHARED = {
  metric(place: Place, event: EventOf<'metric'>): void {
    const { metric, forSeconds = Infinity, andNewPods, course, inCache } = event;
    const isWork = course.shape === 'shared' || course.shape === 'admitted';
    const touches = touching(place, event, andNewPods || isWork || event.pods === 'new');
    place.metrics.departures.push({
      ...{ metric, course, sinceMs: place.nowMs, untilMs: place.nowMs + forSeconds * 1000 },
      usualPods: place.find(event.workload, event.namespace).replicas.desired,
      touches: inCache ? (pod, each) => touches(pod, each) && !place.clearedCaches.has(pod.name) : touches,
    });
  },
  'no-series'(place: Place, event: EventOf<'no-series'>): void {
    const { metric, forSeconds = Infinity } = event;
    place.metrics.silences.push({
      ...{ sinceMs: place.nowMs, untilMs: place.nowMs + forSeconds * 1000, ...(metric !== undefined && { metric }) },
      touches: touching(place, event, event.pods === 'all'),
    });
  },
  log(place: Place, event: EventOf<'log'>): void {
    const { message, level, everySeconds, forSeconds } = event;
    place.logs.specs.push({
      ...{ message, level, everyMs: everySeconds * 1000 },
      pods: chosenPods(place, event).map(({ name }) => name),
      ...{ sinceMs: place.nowMs, untilMs: place.nowMs + forSeconds * 1000 },
    });
  },
};

/** Those pods, by UID: what replaces them is another. Or the whole workload, whatever pods it has. */
function touching(
  place: Place,
  where: Where,
  andNewPods: boolean,
): (pod: PodSnapshot, workload: Pick<WorkloadSnapshot, 'ref'>) => boolean {
  const { ref, pods } = place.find(where.workload, where.namespace);
  const isOf = (each: WorkloadSnapshot['ref']): boolean => each.name === ref.name && each.namespace === ref.namespace;
  if (andNewPods && where.pods === 'all') return (_, each) => isOf(each.ref);
  const uids = new Set(chosenPods(place, where).map(({ uid }) => uid));
  const known = new Set(pods.map(({ uid }) => uid));
  return (pod, each) => isOf(each.ref) && (uids.has(pod.uid) || (andNewPods && !known.has(pod.uid)));
}
