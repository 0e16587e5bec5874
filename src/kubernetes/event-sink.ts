import type { EventNote, EventSink } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { KubeClient } from './client.ts';
import { microTime } from './micro-time.ts';
import { RESOURCES } from './resources.ts';

export interface EventSinkOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this pod or process: `reportingInstance`. */
  readonly instance: string;
  /** Makes names unique between processes and restarts. */
  readonly newId: () => string;
  /** Called for each event that is given up. */
  readonly onDropped?: () => void;
}

/** One event a second in the long run; a burst waits in a queue that has an end. */
const EVERY_MS = 1_000;
const BURST = 10;
const LARGEST_QUEUE = 200;
/** The same event within this time is a series. */
const SERIES_MS = 360_000;
const LARGEST_MEMORY = 1_000;

interface Written {
  readonly namespace: string;
  readonly name: string;
  readonly note: EventNote;
  readonly atMs: number;
  readonly count: number;
  readonly exists: boolean;
}

/**
 * Writes Kubernetes Events (events.k8s.io/v1) beside the healing path: `emit` only queues. Repetitions become one
 * series; what finds no room is dropped and counted, and a failed write is not repeated: an Event is a courtesy.
 */
export class KubernetesEventSink implements EventSink {
  readonly #options: EventSinkOptions;
  /** Waiting events by identity: a repetition of one that waits only raises its count. */
  readonly #queue = new Map<string, EventNote>();
  readonly #written = new Map<string, Written>();
  readonly #repeats = new Map<string, number>();
  #tokens = BURST;
  #refilledAtMs: number;
  #draining = false;
  #dropped = 0;
  #stopped = false;

  constructor(options: EventSinkOptions) {
    this.#options = options;
    this.#refilledAtMs = options.clock.monotonicMs();
  }

  emit(note: EventNote): void {
    if (this.#stopped) return;
    const identity = identityOf(note);
    this.#repeats.set(identity, (this.#repeats.get(identity) ?? 0) + 1);
    if (!this.#queue.has(identity) && this.#queue.size >= LARGEST_QUEUE) {
      this.#repeats.delete(identity);
      this.#drop();
      return;
    }
    this.#queue.set(identity, note);
    if (!this.#draining) void this.#drain();
  }

  /** Events given up since the start. */
  dropped(): number {
    return this.#dropped;
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.clear();
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (!this.#stopped) {
      const next = this.#queue.entries().next();
      if (next.done === true) break;
      if (!this.#takeToken()) {
        this.#options.clock.after(EVERY_MS, () => void this.#drain());
        return;
      }
      const [identity, note] = next.value;
      this.#queue.delete(identity);
      const times = this.#repeats.get(identity) ?? 1;
      this.#repeats.delete(identity);
      await this.#write(identity, note, times);
    }
    this.#draining = false;
  }

  #takeToken(): boolean {
    const now = this.#options.clock.monotonicMs();
    const refill = Math.floor((now - this.#refilledAtMs) / EVERY_MS);
    if (refill > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + refill);
      this.#refilledAtMs += refill * EVERY_MS;
    }
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  async #write(identity: string, note: EventNote, times: number): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    const known = this.#written.get(identity);
    const isSeries = known !== undefined && known.exists && now - known.atMs < SERIES_MS;
    const written: Written = isSeries
      ? { ...known, note, atMs: now, count: known.count + times }
      : {
          namespace: note.regarding.namespace || 'default',
          name: this.#newName(note),
          note,
          atMs: now,
          count: times,
          exists: false,
        };
    const reply = isSeries ? await this.#extend(written) : await this.#create(written);
    this.#remember(identity, { ...written, exists: reply.ok });
    if (reply.ok) return;
    this.#drop();
    this.#options.log.debug('an event was not written', { kind: reply.error.kind, error: reply.error.message });
  }

  #create(written: Written) {
    const { client, clock, instance } = this.#options;
    const { note, namespace, name } = written;
    const now = microTime(clock.nowMs());
    return client.call({
      method: 'POST',
      target: { resource: RESOURCES.events, namespace },
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name, namespace },
        eventTime: now,
        reportingController: 'healing.aegis.dev/aegis',
        reportingInstance: clip(instance, 128),
        regarding: note.regarding,
        type: note.type,
        reason: clip(note.reason, 128),
        action: clip(note.action, 128),
        note: clip(note.note, 1_024),
        ...(written.count > 1 ? { series: { count: written.count, lastObservedTime: now } } : {}),
      },
    });
  }

  /** A series needs a count of at least 2: the first event and this one. */
  #extend(written: Written) {
    const { client, clock } = this.#options;
    return client.call({
      method: 'PATCH',
      patch: 'merge',
      target: { resource: RESOURCES.events, namespace: written.namespace, name: written.name },
      body: {
        series: { count: written.count, lastObservedTime: microTime(clock.nowMs()) },
      },
    });
  }

  #newName(note: EventNote): string {
    const subject = note.regarding.name.slice(0, 180).replace(/[^a-z0-9]+$/, '');
    return `${subject}.${this.#options.newId()}`;
  }

  #remember(identity: string, written: Written): void {
    this.#written.delete(identity);
    this.#written.set(identity, written);
    if (this.#written.size <= LARGEST_MEMORY) return;
    for (const oldest of this.#written.keys()) {
      this.#written.delete(oldest);
      return;
    }
  }

  #drop(): void {
    this.#dropped += 1;
    this.#options.onDropped?.();
  }
}

/** With the note: it cannot be changed once written, and two actions on one workload are two events. */
const identityOf = ({ regarding, type, reason, action, note }: EventNote): string =>
  [regarding.uid, regarding.namespace, regarding.kind, regarding.name, type, reason, action, note].join('\n');

/** At most `bytes` bytes of UTF-8, cut between characters. */
function clip(value: string, bytes: number): string {
  if (Buffer.byteLength(value) <= bytes) return value;
  let cut = Buffer.from(value)
    .subarray(0, bytes - 3)
    .toString('utf8');
  if (cut.endsWith('\uFFFD')) cut = cut.slice(0, -1);
  return `${cut}...`;
}
