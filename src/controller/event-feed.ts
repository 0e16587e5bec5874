import type { Clock } from '../lib/clock.ts';
import type { EventNote, EventSink } from './ports.ts';

/** One thing that happened, for readers who follow along. */
export interface FedEvent {
  /** Unique over restarts; see `since`. */
  readonly id: string;
  readonly atMs: number;
  /** An Event's reason (`IncidentOpened`, `Healed`, ...) or `Prediction`. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a reader who saw everything up to some event has missed. */
export interface Missed {
  readonly events: readonly FedEvent[];
  /** Some of it is forgotten, or is of another process: the reader must read the state anew. */
  readonly hasGap: boolean;
}

/** Events remembered for readers who come back. */
const CAPACITY = 1_000;

/**
 * Passes on what happens as it happens and remembers the last of it. Hears of the operator's Events as one more sink of
 * them, so nothing is told here before it is written.
 */
export class EventFeed implements EventSink {
  readonly #clock: Clock;
  readonly #process: string;
  readonly #capacity: number;
  readonly #recent: FedEvent[] = [];
  readonly #listeners = new Set<(event: FedEvent) => void>();
  #last = 0;

  /** `process` tells the ids of this process from those of the one before it. */
  constructor(setting: { readonly clock: Clock; readonly process: string; readonly capacity?: number }) {
    this.#clock = setting.clock;
    this.#process = setting.process;
    this.#capacity = setting.capacity ?? CAPACITY;
  }

  emit({ regarding: { kind, namespace, name }, type, reason, action, note }: EventNote): void {
    this.publish(reason, { kind, namespace, name, type, action, note });
  }

  publish(type: string, data: FedEvent['data']): void {
    this.#last += 1;
    const event = { id: `${this.#process}-${this.#last}`, atMs: this.#clock.nowMs(), type, data };
    this.#recent.push(event);
    if (this.#recent.length > this.#capacity) this.#recent.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** The events after the one with this id. */
  since(id: string): Missed {
    const [, process, number] = /^(.+)-(\d{1,15})$/.exec(id) ?? [];
    const seen = Number(number);
    if (process !== this.#process || !(seen <= this.#last)) return { events: [], hasGap: true };
    const missed = this.#last - seen;
    const events = missed === 0 ? [] : this.#recent.slice(-missed);
    return { events, hasGap: events.length < missed };
  }

  /** Id of the newest event, with which a reader who comes back shows what it has seen. */
  position(): string {
    return `${this.#process}-${this.#last}`;
  }

  /** Calls the listener for every event from now on, until the returned function is called. It must not throw. */
  subscribe(listener: (event: FedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
