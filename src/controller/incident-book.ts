import { mayReturnUntilMs, type Incident } from '../detection/incident.ts';
import type { IncidentHistory } from '../detection/incident-step.ts';
import { movedHistory, movedIncident, movedVerdict } from '../detection/moved-times.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import { SeriesMemory } from '../diagnosis/series-memory.ts';
import type { Decision } from '../healing/decision.ts';
import type { Clock } from '../lib/clock.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadRef } from '../lib/workload.ts';
import { workloadKey } from '../lib/workload.ts';
import type { WatchedWorkload } from '../policy/storm.ts';
import { jumpSince, wallLead } from './steady-times.ts';
import type { Store } from './store-ports.ts';

/** What was found of a workload holds for so long, for the storm brake alone, while nothing newer is known. */
const STAYS_KNOWN_MS = MINUTE;

/** All that is remembered of one workload under one policy between polls. */
export interface Track {
  readonly policyUid: string;
  readonly workload: WorkloadRef;
  history: IncidentHistory;
  /** That of the last poll. */
  verdict?: WorkloadVerdict;
  /** When that was, by the clock that never jumps. */
  judgedMonotonicMs?: number;
  /** What the polls before it showed. */
  readonly memory: SeriesMemory;
  /** The last incident that was resolved. */
  resolved?: Incident;
  diagnosis?: Diagnosis;
  decision?: Decision;
  /** Since when every metric of every pod was present and fresh. */
  completeSinceMs?: number;
  lastAnomalousMs?: number;
  /** Since when pods that are wanted have not existed. */
  podsMissingSinceMs?: number;
  /** Since when it has been healthy without a break. */
  healthySinceMs?: number;
  /** Since when the present hold has stood, and for which rung. */
  hold?: { readonly key: string; readonly sinceMs: number };
}

/**
 * The incidents that Aegis holds open. Opening and closing are stored before anything follows from them, so that the
 * next process knows the same incidents by the same ids.
 */
export class IncidentBook {
  readonly #store: Store;
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** By how much the wall clock led when the tracks' times were last brought in line with it. */
  #lead: number;
  readonly #tracks = new Map<string, Track>();
  readonly #restored = new Map<string, Incident>();
  /** Ended lately under an earlier leader: each may come back. */
  readonly #ended = new Map<string, Incident>();
  /** Newest form of the incidents that the store did not take yet. */
  readonly #unsaved = new Map<string, Incident>();
  /** When each workload was last found healthy or unhealthy, by uid and the clock that never jumps: it outlives a change of leadership. */
  readonly #knownMonotonicMs = new Map<string, number>();
  #isLoaded = false;

  constructor(store: Store, log: Log, clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
    this.#lead = wallLead(clock);
  }

  /** Whether it is known which incidents are open. */
  isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Another process may hold the incidents now: which are open is not known until they are read again. */
  unload(): void {
    this.#isLoaded = false;
    this.#unsaved.clear();
  }

  /** Takes up the incidents that the last leader held open; what this replica noted as a bystander is dropped. */
  async load(): Promise<boolean> {
    try {
      const open = await this.#store.openIncidents();
      this.#tracks.clear();
      this.#restored.clear();
      for (const incident of open) this.#restored.set(keyOf(incident.policyUid, incident.workload.uid), incident);
      this.#isLoaded = true;
    } catch (error) {
      this.#log.warn('open incidents cannot be read; nothing is decided until they can', { err: error });
    }
    return this.#isLoaded;
  }

  /** Takes up the incidents that ended lately under an earlier leader: what comes back is the same one. */
  recall(resolved: readonly Incident[]): void {
    this.#ended.clear();
    const nowMs = this.#clock.nowMs();
    for (const incident of resolved) {
      const key = keyOf(incident.policyUid, incident.workload.uid);
      const untilMs = mayReturnUntilMs(incident) ?? 0;
      const known = this.#ended.get(key)?.resolvedAtMs ?? 0;
      if (untilMs > nowMs && (incident.resolvedAtMs ?? 0) > known) this.#ended.set(key, incident);
    }
  }

  /** The track of a workload under a policy; a restored incident is taken up where its predecessor left it. */
  track(policyUid: string, workload: WorkloadRef): Track {
    this.#followJumps();
    const key = keyOf(policyUid, workload.uid);
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const restored = this.#restored.get(key);
    this.#restored.delete(key);
    // A stored time in the future counts as now, or it would be recent until the clock has caught up.
    const aheadMs = Math.max((restored?.updatedAtMs ?? 0) - this.#clock.nowMs(), 0);
    const incident = restored === undefined || aheadMs === 0 ? restored : movedIncident(restored, -aheadMs);
    const ended = this.#ended.get(key);
    this.#ended.delete(key);
    const history: IncidentHistory =
      incident === undefined ? { polls: [], ...(ended !== undefined && { ended }) } : { polls: [], incident };
    const track: Track = { policyUid, workload, history, memory: new SeriesMemory() };
    if (incident !== undefined) track.lastAnomalousMs = incident.updatedAtMs;
    this.#tracks.set(key, track);
    return track;
  }

  find(policyUid: string, workloadUid: string): Track | undefined {
    this.#followJumps();
    return this.#tracks.get(keyOf(policyUid, workloadUid));
  }

  remember(track: Track, verdict: WorkloadVerdict): void {
    track.verdict = verdict;
    track.judgedMonotonicMs = this.#clock.monotonicMs();
    track.memory.remember(verdict);
    if (verdict.state !== 'unknown') this.#knownMonotonicMs.set(track.workload.uid, track.judgedMonotonicMs);
    if (verdict.state === 'unhealthy') track.lastAnomalousMs = verdict.atMs;
    // Unknown is not healthy: whoever counts on health must see it without a break.
    if (verdict.state === 'healthy') track.healthySinceMs ??= verdict.atMs;
    else delete track.healthySinceMs;
  }

  /** True once the incident is durable; until then it is kept for `saveOwed` and nothing may be decided on it. */
  async save(incident: Incident): Promise<boolean> {
    this.#unsaved.set(incident.id, incident);
    try {
      await this.#store.saveIncident(incident);
      this.#unsaved.delete(incident.id);
      return true;
    } catch (error) {
      this.#log.warn('an incident cannot be stored', { incidentId: incident.id, err: error });
      return false;
    }
  }

  /** Tries again what the store did not take, until the first failure. */
  async saveOwed(): Promise<void> {
    for (const incident of [...this.#unsaved.values()]) if (!(await this.save(incident))) return;
  }

  /**
   * Two processes that both lead for a moment open an incident each on the same workload. The older one stands for
   * both, so that what they do bears one name and is done once; the other is closed.
   */
  async agree(): Promise<void> {
    const open = this.openIncidents();
    if (open.length === 0) return;
    let stored: readonly Incident[];
    try {
      stored = await this.#store.openIncidents();
    } catch (error) {
      this.#log.warn('open incidents cannot be compared', { err: error });
      return;
    }
    const byKey = Map.groupBy(stored, ({ policyUid, workload }) => keyOf(policyUid, workload.uid));
    for (const own of open) {
      const key = keyOf(own.policyUid, own.workload.uid);
      const eldest = [own, ...(byKey.get(key) ?? [])].reduce((a, b) => (isElder(b, a) ? b : a));
      const track = this.#tracks.get(key);
      if (eldest.id === own.id || track === undefined) continue;
      const { id, openedAtMs, onsetAtMs } = eldest;
      track.history = { ...track.history, incident: { ...own, id, openedAtMs, onsetAtMs } };
      await this.save({ ...own, resolvedAtMs: own.updatedAtMs });
    }
  }

  tracks(): readonly Track[] {
    this.#followJumps();
    return [...this.#tracks.values()];
  }

  openIncidents(): readonly Incident[] {
    return this.tracks().flatMap(({ history }) => (history.incident === undefined ? [] : [history.incident]));
  }

  /** Ids of the incidents open on this workload, by whatever policy, and those not yet taken up again. */
  openOn(workloadUid: string): readonly string[] {
    const restored = [...this.#restored.values()].filter((incident) => incident.workload.uid === workloadUid);
    const open = this.openIncidents().filter((incident) => incident.workload.uid === workloadUid);
    return [...open, ...restored].map(({ id }) => id);
  }

  /** An incident is known to be open, or not yet looked at again since the start. */
  isOpen(incidentId: string): boolean {
    const restored = [...this.#restored.values()].some(({ id }) => id === incidentId);
    return restored || this.openIncidents().some(({ id }) => id === incidentId);
  }

  /**
   * For the storm brake: one entry a workload, those of unknown state left out. A poll or two that could not judge do not
   * make one unknown: else the ill ones, which the cluster shows, would be the only ones left, and every gap a storm.
   */
  watched(): readonly WatchedWorkload[] {
    const byWorkload = new Map<string, WatchedWorkload>();
    for (const { workload, judgedMonotonicMs, lastAnomalousMs } of this.tracks()) {
      const knownMs = this.#knownMonotonicMs.get(workload.uid);
      if (judgedMonotonicMs === undefined || knownMs === undefined || judgedMonotonicMs - knownMs > STAYS_KNOWN_MS)
        continue;
      const before = byWorkload.get(workload.uid)?.lastAnomalousMs;
      const latest = Math.max(before ?? 0, lastAnomalousMs ?? 0);
      byWorkload.set(workload.uid, {
        workload: workloadKey(workload),
        namespace: workload.namespace,
        ...(latest > 0 && { lastAnomalousMs: latest }),
      });
    }
    return [...byWorkload.values()];
  }

  /** How long ago something was stays what it was, whatever the wall clock says meanwhile (I31). */
  #followJumps(): void {
    const lead = wallLead(this.#clock);
    const jumped = jumpSince(this.#lead, lead);
    if (jumped === 0) return;
    this.#lead = lead;
    for (const track of this.#tracks.values()) moveTimes(track, jumped);
    for (const known of [this.#restored, this.#ended]) {
      for (const [key, incident] of known) known.set(key, movedIncident(incident, jumped));
    }
  }

  /** Drops tracks of workloads and policies that are gone; returns the incidents that were still open on them. */
  forget(isWatched: (policyUid: string, workloadUid: string) => boolean): readonly Incident[] {
    const orphans: Incident[] = [];
    for (const [key, track] of this.#tracks) {
      if (isWatched(track.policyUid, track.workload.uid)) continue;
      if (track.history.incident !== undefined) orphans.push(track.history.incident);
      this.#tracks.delete(key);
      this.#knownMonotonicMs.delete(track.workload.uid);
    }
    for (const [key, incident] of this.#restored) {
      if (isWatched(incident.policyUid, incident.workload.uid)) continue;
      orphans.push(incident);
      this.#restored.delete(key);
    }
    return orphans;
  }
}

/** Since when, or when last, by the wall clock. */
const TIMES = ['completeSinceMs', 'lastAnomalousMs', 'podsMissingSinceMs', 'healthySinceMs'] as const;

function moveTimes(track: Track, jumpedMs: number): void {
  for (const time of TIMES) {
    const atMs = track[time];
    if (atMs !== undefined) track[time] = atMs + jumpedMs;
  }
  if (track.hold !== undefined) track.hold = { ...track.hold, sinceMs: track.hold.sinceMs + jumpedMs };
  track.history = movedHistory(track.history, jumpedMs);
  track.memory.move(jumpedMs);
  if (track.verdict !== undefined) track.verdict = movedVerdict(track.verdict, jumpedMs);
  if (track.resolved !== undefined) track.resolved = movedIncident(track.resolved, jumpedMs);
}

const isElder = (a: Incident, b: Incident): boolean =>
  a.openedAtMs === b.openedAtMs ? a.id < b.id : a.openedAtMs < b.openedAtMs;

function keyOf(policyUid: string, workloadUid: string): string {
  return `${policyUid}/${workloadUid}`;
}
