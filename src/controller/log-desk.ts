import type { LogLine } from '../diagnosis/diagnosis.ts';
import type { Clock } from '../lib/clock.ts';
import { SECOND } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { LogSource } from './ports.ts';

/** Logs are read when an incident opens and then at most so often. */
const LOGS_EVERY_MS = 30 * SECOND;
/** So long a poll waits for them; what comes later is used by the next. */
const PATIENCE_MS = 2 * SECOND;
/** Of an incident that is open they are newer; those of others need not stay. */
const FORGOTTEN_MS = 10 * LOGS_EVERY_MS;
/** Reads under way at once: in a storm the API server has other things to do. */
const AT_ONCE = 8;

interface Known {
  readonly lines: readonly LogLine[];
  /** Of the last read that ended; by the clock that never jumps. */
  readonly atMs: number;
}

/** An open incident whose workload's logs may tell more. */
export interface Questioned {
  readonly policy: HealingPolicy;
  readonly workload: WorkloadSnapshot;
  readonly incidentId: string;
}

/**
 * Log lines by incident. They are evidence beside other evidence: a kubelet that hangs, or a slow Loki, holds up neither this
 * diagnosis for long nor the polls of all others.
 */
export class LogDesk {
  readonly #source: LogSource | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Set<string>();

  constructor({
    source,
    clock,
    log,
  }: {
    readonly source: LogSource | undefined;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to read what is due, all at once, and waits for it a little. */
  async refresh(open: readonly Questioned[]): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, { atMs }] of this.#known) if (nowMs - atMs > FORGOTTEN_MS) this.#known.delete(id);
    const due = open.filter(({ policy, incidentId }) => {
      const atMs = this.#known.get(incidentId)?.atMs ?? Number.NEGATIVE_INFINITY;
      const isWanted = this.#source !== undefined && policy.diagnosis.logs.source !== 'None';
      return isWanted && !this.#underWay.has(incidentId) && nowMs - atMs >= LOGS_EVERY_MS;
    });
    const reads = due.slice(0, Math.max(0, AT_ONCE - this.#underWay.size)).map((each) => this.#read(each));
    if (reads.length === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(PATIENCE_MS, resolve);
      void Promise.all(reads).then(() => {
        cancel();
        resolve();
      });
    });
  }

  linesOf(incidentId: string): readonly LogLine[] {
    return this.#known.get(incidentId)?.lines ?? [];
  }

  forget(incidentId: string): void {
    this.#known.delete(incidentId);
  }

  /** Never rejects. */
  async #read({ policy, workload, incidentId }: Questioned): Promise<void> {
    const { windowSeconds, logs } = policy.diagnosis;
    if (this.#source === undefined || logs.source === 'None') return;
    const beganAtMs = this.#clock.monotonicMs();
    const pods = workload.pods.map(({ name }) => name);
    this.#underWay.add(incidentId);
    try {
      const sinceMs = this.#clock.nowMs() - windowSeconds * SECOND;
      const reply = await this.#source.read(workload.ref.namespace, pods, sinceMs, logs.maxLinesPerPod, logs.source);
      const lines = reply.ok ? reply.value : this.linesOf(incidentId);
      this.#known.set(incidentId, { lines, atMs: beganAtMs });
    } catch (error) {
      this.#log.error('logs cannot be read', { incidentId, err: error });
      this.#known.set(incidentId, { lines: this.linesOf(incidentId), atMs: beganAtMs });
    } finally {
      this.#underWay.delete(incidentId);
    }
  }
}
