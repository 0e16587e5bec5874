import { STATUS_BREACH } from '../detection/detectors/status.ts';
import { isResting, type Incident } from '../detection/incident.ts';
import { statusFindings } from '../detection/pod-status.ts';
import type { CallGraph } from '../diagnosis/call-graph.ts';
import { readDeclared } from '../diagnosis/declared.ts';
import type { Neighbour } from '../diagnosis/dependencies.ts';
import { dependencyStates } from '../diagnosis/dependencies.ts';
import type { DependencyState, DiagnosisInput } from '../diagnosis/evidence.ts';
import { isOwnMeasured, suspectOf } from '../diagnosis/suspects.ts';
import { MINUTE } from '../lib/duration.ts';
import { WORKLOAD_KINDS } from '../lib/workload.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { CallEdge, ServiceState } from './evidence-ports.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { ClusterReader } from './ports.ts';

/** A verdict older than this tells of another moment. */
const VERDICT_AGE_MS = 2 * MINUTE;
/** Who stands further away than so many services explains nothing here. */
const MOST_NODES = 50;

export interface NeighbourhoodDeps {
  readonly reader: Pick<ClusterReader, 'workloads'>;
  readonly book: Pick<IncidentBook, 'tracks'>;
}

/** What was read lately, and is the same for every workload. */
export interface Seen {
  /** `undefined`: nothing counts calls, or it could not be asked. */
  readonly edges: readonly CallEdge[] | undefined;
  /** By namespace; a namespace that was not read is missing. */
  readonly services: ReadonlyMap<string, readonly ServiceState[]>;
}

/** Who stands around a workload in the call graph. */
export interface Neighbourhood {
  /** `undefined`: no call graph is known. */
  readonly dependencies: readonly DependencyState[] | undefined;
  readonly calls: DiagnosisInput['calls'];
  /** Name among the dependencies of what its owner declared as the store behind its cache. */
  readonly cacheStore?: string;
  /** What was declared and leads nowhere. */
  readonly problems: readonly string[];
}

/** A place in the graph: a workload, a Service that no known workload stands behind, or a host outside. */
interface Place {
  readonly key: string;
  readonly workload?: WorkloadSnapshot;
  /** Services through which it was reached. */
  readonly services: readonly ServiceState[];
  readonly kind: DependencyState['kind'];
}

type CalleeName = CallEdge['callee'];

/**
 * The call graph around one workload: what traffic metrics count, and what owners declare. Each service in it gets the
 * state that Aegis itself found, where a policy watches it, else what the cluster shows: no pod ready, no endpoint. That
 * its pods are ready does not make a service well: then nothing is known.
 */
export function neighbourhoodOf(
  workload: WorkloadSnapshot,
  seen: Seen,
  deps: NeighbourhoodDeps,
  nowMs: number,
): Neighbourhood {
  const walk = new Walk(workload, seen, deps);
  const { graph, places, problems, cacheStore } = walk.run();
  if (graph.edges.length === 0) return { dependencies: undefined, calls: undefined, problems };
  const self = shortName(keyOf(workload.ref), workload.ref.namespace);
  const tracks = deps.book.tracks();
  const own = tracks.find((track) => track.workload.uid === workload.ref.uid);
  const alarmAtMs = own?.history.incident?.onsetAtMs ?? nowMs;
  const neighbours = places.map((place) => neighbourOf(place, workload.ref.namespace, tracks, nowMs));
  const suspects = places.map((place, i) => {
    const { name, state, onsetAtMs } = neighbours[i] ?? { name: place.key, state: 'unknown' as const };
    const series = state === 'unhealthy' ? (trackOf(place, tracks)?.memory.all() ?? []) : [];
    const onset = onsetAtMs === undefined ? {} : { onsetAtMs };
    return suspectOf({ entity: name, state, series, alarmAtMs: onsetAtMs ?? alarmAtMs, ...onset });
  });
  const ownSeries = own?.memory.all() ?? [];
  return {
    problems,
    ...(cacheStore !== undefined && { cacheStore: shortName(cacheStore, workload.ref.namespace) }),
    dependencies: dependencyStates(graph, self, neighbours),
    calls: {
      ...{ self, graph, isOwnMeasured: isOwnMeasured(ownSeries, alarmAtMs) },
      suspects: [suspectOf({ entity: self, state: 'unhealthy', series: ownSeries, alarmAtMs }), ...suspects],
    },
  };
}

const keyOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

/** Names in the workload's own namespace go without it. */
const shortName = (key: string, namespace: string): string =>
  key.startsWith(`${namespace}/`) ? key.slice(namespace.length + 1) : key;

const trackOf = ({ workload }: Place, tracks: readonly Track[]): Track | undefined => {
  const own = tracks.filter((track) => track.workload.uid === workload?.ref.uid);
  return own.find((track) => illnessOf(track) !== undefined) ?? own[0];
};

/** Its open incident, unless that flaps and is in band at present. */
function illnessOf(track: Track | undefined): Incident | undefined {
  const incident = track?.history.incident;
  return incident === undefined || isResting(incident) ? undefined : incident;
}

function neighbourOf(place: Place, namespace: string, tracks: readonly Track[], nowMs: number): Neighbour {
  const name = shortName(place.key, namespace);
  const track = trackOf(place, tracks);
  const incident = illnessOf(track);
  const state = place.kind === 'external' ? 'unknown' : stateOf(place, track, nowMs);
  return { name, kind: place.kind, state, ...(incident !== undefined && { onsetAtMs: incident.onsetAtMs }) };
}

function stateOf({ workload, services }: Place, track: Track | undefined, nowMs: number): Neighbour['state'] {
  if (services.some(({ readyEndpoints }) => readyEndpoints === 0)) return 'unhealthy';
  if (illnessOf(track) !== undefined) return 'unhealthy';
  const { verdict } = track ?? {};
  const isFresh = verdict !== undefined && nowMs - verdict.atMs <= VERDICT_AGE_MS;
  if (isFresh && verdict.state !== 'unknown') return verdict.state;
  return workload !== undefined && isDown(workload, nowMs) ? 'unhealthy' : 'unknown';
}

/**
 * No pod is ready, or each is broken by its own status: one in a crash loop is ready for a moment again and again. Without
 * a wish for any pod it is off on purpose, unless somebody scales it to zero by itself.
 */
function isDown({ replicas, autoscalers, pods }: WorkloadSnapshot, nowMs: number): boolean {
  if (replicas.ready === 0) return replicas.desired > 0 || autoscalers.length === 0;
  return (
    pods.length > 0 && pods.every((pod) => statusFindings(pod, nowMs).some(({ severity }) => severity >= STATUS_BREACH))
  );
}

/** Follows the calls from one workload on. */
class Walk {
  readonly #start: WorkloadSnapshot;
  readonly #seen: Seen;
  readonly #deps: NeighbourhoodDeps;
  readonly #places = new Map<string, Place>();
  readonly #problems: string[] = [];
  /** Key of the place that was declared as the store behind the start's cache. */
  #cacheStore: string | undefined;

  constructor(start: WorkloadSnapshot, seen: Seen, deps: NeighbourhoodDeps) {
    this.#start = start;
    this.#seen = seen;
    this.#deps = deps;
  }

  run() {
    const { namespace } = this.#start.ref;
    const first: Place = { key: keyOf(this.#start.ref), workload: this.#start, services: [], kind: 'workload' };
    const open: Place[] = [first];
    const done = new Set<string>();
    const edges: { caller: string; callee: string }[] = [];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (done.has(at.key)) continue;
      done.add(at.key);
      for (const callee of this.#calleesOf(at)) {
        edges.push({ caller: shortName(at.key, namespace), callee: shortName(callee.key, namespace) });
        if (callee.key === first.key || (this.#places.size >= MOST_NODES && !this.#places.has(callee.key))) continue;
        this.#places.set(callee.key, merged(this.#places.get(callee.key), callee));
        open.push(callee);
      }
    }
    const graph: CallGraph = { edges };
    return { graph, places: [...this.#places.values()], problems: this.#problems, cacheStore: this.#cacheStore };
  }

  #calleesOf({ key, workload }: Place): readonly Place[] {
    if (workload === undefined) return [];
    const { namespace } = workload.ref;
    const observed = (this.#seen.edges ?? []).flatMap(({ caller, callee }) => {
      const isOurs =
        caller.namespace === namespace &&
        (caller.workload === workload.ref.name || workload.pods.some(({ name }) => name === caller.pod));
      return isOurs ? (this.#place(callee, namespace) ?? []) : [];
    });
    return [...observed, ...this.#declared(workload)].filter((place) => place.key !== key);
  }

  #declared(workload: WorkloadSnapshot): readonly Place[] {
    const { namespace } = workload.ref;
    const { dependsOn, cacheStore, problems } = readDeclared(workload);
    // Of others only what they call matters here.
    const isSelf = workload.ref.uid === this.#start.ref.uid;
    if (isSelf) this.#problems.push(...problems);
    return dependsOn.flatMap(({ name, isExternal }) => {
      const callee: CalleeName = isExternal ? { host: name } : { namespace, service: name };
      const place = this.#place(callee, namespace);
      if (isSelf && name === cacheStore) this.#cacheStore = place?.key;
      const isKnown = place?.workload !== undefined || (place?.services.length ?? 0) > 0;
      if (isSelf && !isExternal && !isKnown) {
        this.#problems.push(`${name}, which it depends on, is no workload and no known Service of ${namespace}`);
      }
      return place ?? [];
    });
  }

  #place({ namespace: named, workload: name, service, host }: CalleeName, from: string): Place | undefined {
    if (host !== undefined) return { key: host, services: [], kind: 'external' };
    const namespace = named ?? from;
    const services = (this.#seen.services.get(namespace) ?? []).filter((each) => each.name === service);
    const label = name ?? service;
    if (label === undefined) return undefined;
    const workload =
      (name === undefined ? this.#behind(namespace, services) : undefined) ?? this.#workload(namespace, label);
    const key = workload === undefined ? keyOf({ namespace, name: label }) : keyOf(workload.ref);
    return { key, services, kind: 'workload', ...(workload !== undefined && { workload }) };
  }

  #workload(namespace: string, name: string): WorkloadSnapshot | undefined {
    return WORKLOAD_KINDS.flatMap((kind) => this.#deps.reader.workloads(namespace, { kind, name }))[0];
  }

  /** The watched workload whose pods stand behind one of the Services. */
  #behind(namespace: string, services: readonly ServiceState[]): WorkloadSnapshot | undefined {
    const pods = new Set(services.flatMap((service) => service.pods));
    if (pods.size === 0) return undefined;
    return this.#deps.book
      .tracks()
      .filter((track) => track.workload.namespace === namespace)
      .flatMap(({ workload: { kind, name } }) => this.#deps.reader.workloads(namespace, { kind, name }))
      .find((workload) => workload.pods.some(({ name }) => pods.has(name)));
  }
}

function merged(known: Place | undefined, found: Place): Place {
  if (known === undefined) return found;
  return { ...known, ...found, services: [...new Set([...known.services, ...found.services])] };
}
