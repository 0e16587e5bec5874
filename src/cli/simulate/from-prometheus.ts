import type { MetricSource, MetricWish, RangeSeries, SourceError } from '../../controller/ports.ts';
import { wishOf } from '../../controller/poller.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { HealingPolicy, WatchedMetric } from '../../policy/healing-policy.ts';
import { FACTS, identityOf, TERMINATED, WAITING, type RecordedSeries } from './recorded-series.ts';

export interface RangeWish {
  readonly policies: readonly HealingPolicy[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** Points of a series in one reply; servers refuse more than 11,000, and the source keeps to fewer. */
const POINTS = 9_000;
const LEAST_POINTS = 50;

const perPod = (name: string, query: string): WatchedMetric => ({
  ...{ name, unit: '', direction: 'Above' },
  query: `sum by (namespace, pod) (${query})`,
});

const waiting = (reason: string): WatchedMetric =>
  perPod(`${WAITING}${reason}`, `kube_pod_container_status_waiting_reason{reason="${reason}"} > 0`);

/** What kube-state-metrics tells of the pods, where it is there: without it restarts and readiness are not in the record. */
const FACT_QUERIES: readonly WatchedMetric[] = [
  perPod(FACTS.cpuLimit, 'kube_pod_container_resource_limits{resource="cpu"}'),
  perPod(FACTS.memoryLimit, 'kube_pod_container_resource_limits{resource="memory"}'),
  perPod(FACTS.ready, 'kube_pod_status_ready{condition="true"}'),
  perPod(FACTS.restarts, 'kube_pod_container_status_restarts_total'),
  perPod(FACTS.created, 'kube_pod_created'),
  ...['CrashLoopBackOff', 'ImagePullBackOff', 'ErrImagePull', 'CreateContainerConfigError'].map(waiting),
  ...['OOMKilled', 'Error'].map((reason) =>
    perPod(`${TERMINATED}${reason}`, `kube_pod_container_status_last_terminated_reason{reason="${reason}"} > 0`),
  ),
];

/** Reads what the policies watch, and what is known of the cluster, out of the server's past. */
export async function fromPrometheus(
  source: MetricSource,
  wish: RangeWish,
): Promise<Result<readonly RecordedSeries[], string>> {
  const found: RecordedSeries[] = [];
  const namespaces = new Set<string>();
  for (const policy of wish.policies) {
    const own = await inParts(source, wishOf(policy), policy.namespace, wish);
    if (!own.ok) return err(why(own.error));
    found.push(...own.value);
    if (namespaces.has(policy.namespace)) continue;
    namespaces.add(policy.namespace);
    const facts = await inParts(source, factsWish(policy), policy.namespace, wish);
    if (!facts.ok) return err(why(facts.error));
    found.push(...facts.value);
  }
  return ok(joined(found));
}

const factsWish = (policy: HealingPolicy): MetricWish => ({ ...wishOf(policy), metrics: FACT_QUERIES });

const why = ({ kind, message }: SourceError): string => `Prometheus: ${kind}: ${message}`;

/** A reply has room for so many points of all series together; where it is too small, the part is halved. */
async function inParts(
  source: MetricSource,
  wish: MetricWish,
  namespace: string,
  { fromMs, toMs, stepMs }: RangeWish,
): Promise<Result<readonly RecordedSeries[], SourceError>> {
  const found: RecordedSeries[] = [];
  let points = POINTS;
  for (let atMs = fromMs; atMs < toMs;) {
    const endMs = Math.min(atMs + points * stepMs, toMs);
    const reply = await source.backfill(wish, atMs, endMs, stepMs);
    if (!reply.ok) {
      if (reply.error.kind !== 'QueryTooLarge' || points / 2 < LEAST_POINTS) return reply;
      points = Math.floor(points / 2);
      continue;
    }
    found.push(...reply.value.map((series) => recorded(series, namespace)));
    atMs = endMs;
  }
  return ok(found);
}

/** A series without a pod keeps the workload that it names: under several it would otherwise be nobody's. */
function recorded({ workload, ...series }: RangeSeries, namespace: string): RecordedSeries {
  const { name, kind } = workload ?? {};
  return {
    ...{ ...series, namespace },
    ...(name !== undefined && { workload: name }),
    ...(kind !== undefined && { workloadKind: kind }),
  };
}

/** The parts of each series in one; several policies of a namespace read the same. */
function joined(parts: readonly RecordedSeries[]): readonly RecordedSeries[] {
  const byKey = Map.groupBy(parts, identityOf);
  return [...byKey.values()].flatMap((own): RecordedSeries[] => {
    const [first] = own;
    if (first === undefined) return [];
    const points = new Map<number, number>();
    for (const { timesMs, values } of own) timesMs.forEach((atMs, i) => points.set(atMs, values[i] ?? NaN));
    const timesMs = Float64Array.from(points.keys()).sort();
    return [{ ...first, timesMs, values: timesMs.map((atMs) => points.get(atMs) ?? NaN) }];
  });
}
