import type { PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import { departed, usualAt, WEB_SERVICE } from './curves.ts';
import type { Scenario, Shape, Usual } from './schema.ts';

type Touches = (pod: PodSnapshot, workload: WorkloadSnapshot) => boolean;

/** A metric that is not as usual, since a moment. */
interface Departure {
  readonly metric: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly course: Shape;
  /** Pods that were there when it began. */
  readonly usualPods: number;
  readonly touches: Touches;
}

/** Series that end. */
interface Silence {
  /** Absent: every metric. */
  readonly metric?: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly touches: Touches;
}

/** What the pods of a scenario show at each moment, wherever they run: the usual, and what departs from it. */
export class MetricBook {
  readonly departures: Departure[] = [];
  readonly silences: Silence[] = [];
  /** Requests a second that limits let in to the workload; absent: nothing limits it. */
  admittedPerSecond: (workload: WorkloadSnapshot) => number | undefined = () => undefined;
  readonly #seed: number;
  readonly #usual: ReadonlyMap<string, Readonly<Record<string, Usual>> | undefined>;
  readonly #nameInScenario: (namespace: string) => string;

  /** `nameInScenario`: what the scenario calls a namespace, where it is played in namespaces of other names. */
  constructor({ seed, cluster, events }: Scenario, nameInScenario = (namespace: string): string => namespace) {
    this.#seed = seed;
    this.#nameInScenario = nameInScenario;
    const added = events.flatMap((event) => (event.do === 'add-workload' ? [event.workload] : []));
    this.#usual = new Map(
      [...cluster.workloads, ...added].map(({ name, namespace, metrics }) => [`${namespace}/${name}`, metrics]),
    );
  }

  /** Metrics that pods of the workload have. */
  namesOf({ ref }: WorkloadSnapshot): readonly string[] {
    return Object.keys(this.#usualOf(ref));
  }

  isSilent(metric: string, pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number): boolean {
    return this.silences.some(
      (each) =>
        (each.metric ?? metric) === metric &&
        each.sinceMs <= atMs &&
        atMs < each.untilMs &&
        each.touches(pod, workload),
    );
  }

  /** In the metric's own unit: cpu and memory as per cent of the limit. */
  valueOf(metric: string, pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number): number {
    const usuals = this.#usualOf(workload.ref);
    const usual = usuals[metric];
    const series = `${this.#seed}/${pod.uid}/${metric}`;
    let value = usual === undefined ? 0 : usualAt(usual, series, atMs / 1000);
    for (const each of this.departures) {
      if (each.metric !== metric || atMs < each.sinceMs || atMs >= each.untilMs || !each.touches(pod, workload))
        continue;
      const moment = {
        ...{ t: (atMs - each.sinceMs) / 1000, series, usualPods: each.usualPods, readyPods: workload.replicas.ready },
        usualPerSecond: usuals['request_rate']?.level ?? 0,
        admittedPerSecond: this.admittedPerSecond(workload),
      };
      value = departed(each.course, value, moment);
    }
    return Math.max(value, 0);
  }

  /** All is as usual again on these pods. */
  forget(pods: readonly PodSnapshot[], workload: WorkloadSnapshot): void {
    for (const list of [this.departures, this.silences]) {
      for (const [i, each] of [...list.entries()].reverse()) {
        if (pods.some((pod) => each.touches(pod, workload))) list.splice(i, 1);
      }
    }
  }

  #usualOf({ namespace, name }: WorkloadSnapshot['ref']): Readonly<Record<string, Usual>> {
    return this.#usual.get(`${this.#nameInScenario(namespace)}/${name}`) ?? WEB_SERVICE;
  }
}
