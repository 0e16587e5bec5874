import { readDeclared } from '../diagnosis/declared.ts';
import type { DependencyState, DiagnosisInput, VolumeState } from '../diagnosis/evidence.ts';
import { MINUTE, SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { workloadKey } from '../lib/workload.ts';
import type { GuardInput } from '../policy/guard.ts';
import { neighbourhoodOf, type Neighbourhood } from './call-neighbourhood.ts';
import type {
  CallEdge,
  ClaimRoom,
  ClusterEvidence,
  ClusterEvidenceSource,
  DnsSource,
  MetricEvidenceSource,
  ServiceState,
} from './evidence-ports.ts';
import type { IncidentBook } from './incident-book.ts';
import type { ClusterReader } from './ports.ts';

/** What an incident rests on is looked at again after so long. */
const LOOK_EVERY_MS = 25 * SECOND;
/** Who calls whom changes with releases. */
const CALLS_EVERY_MS = MINUTE;
/** Many incidents at once take turns: a storm must not become one of requests. */
const LOOKS_AT_ONCE = 8;
/** A poll waits no longer: what comes later serves the next one. */
const PATIENCE_MS = 3 * SECOND;

export interface EvidenceAdapters {
  readonly cluster: ClusterEvidenceSource;
  readonly metrics: MetricEvidenceSource;
  readonly dns: DnsSource;
}

export interface EvidenceDeskDeps extends EvidenceAdapters {
  readonly reader: Pick<ClusterReader, 'workloads' | 'nodes'>;
  readonly book: Pick<IncidentBook, 'tracks' | 'openIncidents'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last look at one workload. */
interface Look {
  readonly namespace: string;
  readonly atMs: number;
  /** Absent: the first look is under way. */
  readonly found?: Omit<ClusterEvidence, 'services'>;
  /** Absent: it mounts no claim, or their room could not be asked for. */
  readonly rooms?: readonly ClaimRoom[];
  readonly missing: readonly string[];
}

/** What the last question about calls brought. */
interface Calls {
  readonly atMs: number;
  readonly namespaces: ReadonlySet<string>;
  readonly edges: readonly CallEdge[] | undefined;
  readonly why?: string;
}

type Gathered = Pick<
  DiagnosisInput,
  'changes' | 'credentials' | 'endpoints' | 'volumes' | 'dependencies' | 'calls' | 'missing'
>;

/**
 * Gathers what a diagnosis needs besides pods and metrics. It asks only for workloads with an open incident, so that an
 * operator with nothing to do sends nothing; it never makes a poll wait for long; and what it could not look at it says.
 */
export class EvidenceDesk {
  readonly #deps: EvidenceDeskDeps;
  readonly #looks = new Map<string, Look>();
  /** By namespace, not by look: many incidents of a large namespace would each hold all of its Services. */
  readonly #services = new Map<string, readonly ServiceState[]>();
  readonly #running = new Set<string>();
  #calls: Calls | undefined;

  constructor(deps: EvidenceDeskDeps) {
    this.#deps = deps;
  }

  /** Looks at these workloads where that is due, a few at a time, the longest unseen first. Never rejects. */
  async refresh(workloads: readonly WorkloadSnapshot[]): Promise<void> {
    const open = this.#deps.book.openIncidents();
    this.#forget(new Set(open.map(({ workload }) => workload.uid)));
    if (workloads.length === 0) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const dueAtMs = ({ ref }: WorkloadSnapshot): number =>
      (this.#looks.get(ref.uid)?.atMs ?? -Infinity) + LOOK_EVERY_MS;
    // Two policies may watch one workload.
    const distinct = [...new Map(workloads.map((workload) => [workload.ref.uid, workload])).values()];
    const due = distinct
      .filter((workload) => dueAtMs(workload) <= nowMs && !this.#running.has(workload.ref.uid))
      .toSorted((a, b) => dueAtMs(a) - dueAtMs(b))
      .slice(0, Math.max(0, LOOKS_AT_ONCE - this.#running.size));
    const looks = due.map((workload) => this.#look(workload));
    const namespaces = new Set(open.map(({ workload }) => workload.namespace));
    await this.#patiently(Promise.all([...looks, this.#askForCalls(namespaces)]));
  }

  /** What is known now of what the workload stands on, for the diagnosis. */
  gathered(workload: WorkloadSnapshot, nowMs: number): Gathered {
    const look = this.#looks.get(workload.ref.uid);
    const { found, rooms } = look ?? {};
    const around = this.#around(workload, nowMs);
    const dns = this.#dns();
    const dependencies = [...(around.dependencies ?? []), ...dns];
    return {
      changes: found?.changes ?? [],
      ...(found?.credentials !== undefined && { credentials: found.credentials }),
      ...(found?.endpoints !== undefined && { endpoints: found.endpoints }),
      ...(rooms !== undefined && { volumes: volumesOf(workload, found, rooms) }),
      ...(dependencies.length > 0 && { dependencies }),
      ...(around.calls !== undefined && { calls: around.calls }),
      missing: [...missingOf(look), ...around.problems, ...this.#unseen(around, dns)],
    };
  }

  /**
   * What stands behind the workload's cache: the store that its owner names, whatever is known of it. Where none is
   * named, a callee that is ill might be it; that all are well proves it of each; anything else says nothing.
   */
  backingStore(workload: WorkloadSnapshot, nowMs: number): GuardInput['backingStore'] {
    const { dependencies: callees = [], cacheStore } = this.#around(workload, nowMs);
    if (readDeclared(workload).cacheStore !== undefined) {
      const state = callees.find(({ name }) => name === cacheStore)?.state ?? 'unknown';
      return state === 'unhealthy' ? 'anomalous' : state;
    }
    if (callees.some(({ state }) => state === 'unhealthy')) return 'anomalous';
    return callees.length > 0 && callees.every(({ state }) => state === 'healthy') ? 'healthy' : undefined;
  }

  #around(workload: WorkloadSnapshot, nowMs: number): Neighbourhood {
    return neighbourhoodOf(workload, { edges: this.#calls?.edges, services: this.#services }, this.#deps, nowMs);
  }

  #unseen(around: Neighbourhood, dns: readonly DependencyState[]): readonly string[] {
    const why = this.#calls?.why ?? 'no metric counts calls, and none are declared';
    return [
      ...(around.dependencies === undefined ? [`call graph: ${why}`] : []),
      ...(this.#deps.reader.nodes().length === 0 ? ['nodes: none can be seen'] : []),
      ...(dns.length === 0 ? ['DNS: its pods cannot be seen'] : []),
    ];
  }

  #dns(): readonly DependencyState[] {
    const pods = this.#deps.dns.dnsPods();
    if (pods === undefined) return [];
    const state = pods.ready === 0 ? 'unhealthy' : pods.ready >= pods.total ? 'healthy' : 'unknown';
    return [{ name: pods.name, kind: 'dns', state, anomalousCallees: [] }];
  }

  async #look(workload: WorkloadSnapshot): Promise<void> {
    const { uid, namespace } = workload.ref;
    this.#running.add(uid);
    try {
      const { services, ...found } = await this.#deps.cluster.look(workload);
      if (services === undefined) this.#services.delete(namespace);
      else this.#services.set(namespace, services);
      const { rooms, missing } = await this.#rooms(namespace, found);
      const atMs = this.#deps.clock.monotonicMs();
      this.#looks.set(uid, { namespace, atMs, found, missing, ...(rooms !== undefined && { rooms }) });
    } catch (error) {
      // The ports never reject: a fault of the program itself must not stop the poll either.
      this.#deps.log.error('the evidence cannot be gathered', { workload: workloadKey(workload.ref), err: error });
      const missing = ['what it stands on: a fault of Aegis itself, see its log'];
      this.#looks.set(uid, { namespace, missing, atMs: this.#deps.clock.monotonicMs() });
    } finally {
      this.#running.delete(uid);
    }
  }

  async #rooms(namespace: string, { claims }: ClusterEvidence): Promise<Pick<Look, 'rooms' | 'missing'>> {
    if (claims === undefined || claims.length === 0) return { missing: [] };
    const names = [...new Set(claims.map(({ claim }) => claim))];
    const reply = await this.#deps.metrics.claims(namespace, names);
    if (!reply.ok) return { missing: [`room on volumes: ${reply.error.message}`] };
    const silent = names.filter((name) => reply.value.every(({ claim }) => claim !== name));
    const missing = silent.length === 0 ? [] : [`room on volumes: no figures of ${silent.slice(0, 3).join(', ')}`];
    return { rooms: reply.value, missing };
  }

  async #askForCalls(namespaces: ReadonlySet<string>): Promise<void> {
    const atMs = this.#deps.clock.monotonicMs();
    const last = this.#calls;
    const isKnown = last !== undefined && [...namespaces].every((namespace) => last.namespaces.has(namespace));
    if (isKnown && atMs - last.atMs < CALLS_EVERY_MS) return;
    // Marked before it is asked: a slow answer is not asked for a second time.
    this.#calls = { atMs, namespaces, edges: last?.edges, why: 'not read yet' };
    const reply = await this.#deps.metrics.calls([...namespaces].sort());
    this.#calls = reply.ok
      ? { atMs, namespaces, edges: reply.value }
      : { atMs, namespaces, edges: last?.edges, why: reply.error.message };
  }

  /** Waits for what is under way, but not for long. */
  async #patiently(work: Promise<unknown>): Promise<void> {
    let cancel = (): void => undefined;
    const enough = new Promise<void>((resolve) => {
      cancel = this.#deps.clock.after(PATIENCE_MS, resolve);
    });
    await Promise.race([work, enough]);
    cancel();
  }

  #forget(open: ReadonlySet<string>): void {
    for (const uid of this.#looks.keys()) if (!open.has(uid)) this.#looks.delete(uid);
    const namespaces = new Set([...this.#looks.values()].map(({ namespace }) => namespace));
    for (const namespace of this.#services.keys()) if (!namespaces.has(namespace)) this.#services.delete(namespace);
    if (open.size === 0) this.#calls = undefined;
  }
}

const missingOf = (look: Look | undefined): readonly string[] => [
  ...(look?.missing ?? ['what it stands on: not read yet']),
  ...(look?.found?.missing ?? []),
];

/** A claim is full when its free bytes are gone at the slope of the last hours; one that does not fill never is. */
function volumesOf(
  workload: WorkloadSnapshot,
  found: Look['found'],
  rooms: readonly ClaimRoom[],
): readonly VolumeState[] {
  const { cacheVolumes } = readDeclared(workload);
  return (found?.claims ?? []).flatMap(({ claim, pod, volume }): readonly VolumeState[] => {
    const room = rooms.find((each) => each.claim === claim);
    if (room === undefined) return [];
    const { freeRatio, freeBytes, slopeBytesPerSecond: slope = 0 } = room;
    const holdsCache = cacheVolumes.includes(volume);
    const full = slope < 0 ? { timeToFullMs: (SECOND * freeBytes) / -slope } : {};
    return [{ claim, freeRatio, holdsCache, ...full, ...(pod !== undefined && { pod }) }];
  });
}
