import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import type { MetricsSink } from './ports.ts';

/** What a handler says: nothing, or when it wants to see the key again. */
export interface HandlerResult {
  readonly requeueAfterMs?: number;
  /** It could not be done now, for a reason that is nobody's fault in here: it is tried again after a doubling wait. */
  readonly failure?: string;
}

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: MetricsSink;
  readonly handle: (key: string) => Promise<HandlerResult | void>;
  /** Keys handled at once. */
  readonly concurrency: number;
  /** At least so long between two beginnings with one key, however often it is added. Default 0. */
  readonly minIntervalMs?: number;
  readonly backoff?: { readonly firstMs: number; readonly longestMs: number };
}

/** A key handled so recently that it may not be again yet; whether it was added meanwhile. */
interface Rest {
  isWanted: boolean;
  readonly cancel: () => void;
}

/** A key that is waiting for its time. */
interface Timer {
  readonly dueMs: number;
  readonly cancel: () => void;
}

/**
 * Keys waiting to be reconciled. A key stands in the queue once however often it is added; it is never handled twice
 * at the same time; added while it is being handled it runs once more afterwards. A handler that throws is reported
 * and its key comes back after a doubling wait, as does one that returns a failure, while all other keys go on.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #backoff: { readonly firstMs: number; readonly longestMs: number };
  readonly #ready = new Set<string>();
  readonly #active = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, Timer>();
  readonly #resting = new Map<string, Rest>();
  readonly #failures = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  #started = false;
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? { firstMs: 500, longestMs: 30_000 };
  }

  /** Keys added before are kept until now. */
  start(): void {
    this.#started = true;
    this.#pump();
  }

  /** Handles the key as soon as a worker is free; a time set for later is forgotten. */
  add(key: string): void {
    // A key in quarantine waits for its time: events must not turn its fault into a busy loop.
    if (this.#stopped || (this.#failures.has(key) && this.#timers.has(key))) return;
    this.#forgetTimer(key);
    const rest = this.#resting.get(key);
    if (this.#active.has(key)) this.#again.add(key);
    else if (rest !== undefined) rest.isWanted = true;
    else this.#ready.add(key);
    this.#pump();
  }

  /** Handles the key after `delayMs`, unless it is due sooner already. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped || this.#ready.has(key) || this.#again.has(key) || this.#resting.get(key)?.isWanted) return;
    if (!(delayMs > 0)) return this.add(key);
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    const known = this.#timers.get(key);
    if (known !== undefined && known.dueMs <= dueMs) return;
    known?.cancel();
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { dueMs, cancel });
  }

  /** The key's object is gone: nothing is remembered of it. One being handled ends as usual. */
  forget(key: string): void {
    this.#forgetTimer(key);
    const rest = this.#resting.get(key);
    if (rest !== undefined) rest.isWanted = false;
    this.#ready.delete(key);
    this.#again.delete(key);
    this.#failures.delete(key);
  }

  /** Takes no more keys and resolves when the handlers under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    for (const rest of this.#resting.values()) rest.cancel();
    this.#resting.clear();
    this.#ready.clear();
    this.#again.clear();
    if (this.#active.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  get name(): string {
    return this.#options.name;
  }

  /** Keys ready to be handled. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys being handled. */
  get active(): number {
    return this.#active.size;
  }

  /** Keys whose last handling threw. */
  get quarantined(): readonly string[] {
    return [...this.#failures.keys()];
  }

  #pump(): void {
    if (!this.#started || this.#stopped) return;
    for (const key of this.#ready) {
      if (this.#active.size >= this.#options.concurrency) return;
      this.#ready.delete(key);
      this.#active.add(key);
      this.#rest(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    let requeueAfterMs: number | undefined;
    try {
      const result = await this.#options.handle(key);
      requeueAfterMs = result?.failure === undefined ? result?.requeueAfterMs : this.#postpone(key, result.failure);
      if (result?.failure === undefined) this.#failures.delete(key);
    } catch (fault) {
      requeueAfterMs = this.#quarantine(key, fault);
    }
    this.#active.delete(key);
    this.#settle(key, requeueAfterMs);
    this.#pump();
    if (this.#active.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** From the beginning of a handling on: a handler that takes longer than the interval is not held up by it. */
  #rest(key: string): void {
    const { minIntervalMs = 0, clock } = this.#options;
    if (minIntervalMs <= 0) return;
    const cancel = clock.after(minIntervalMs, () => {
      const isWanted = this.#resting.get(key)?.isWanted ?? false;
      this.#resting.delete(key);
      if (isWanted) this.add(key);
    });
    this.#resting.set(key, { isWanted: false, cancel });
  }

  #settle(key: string, requeueAfterMs: number | undefined): void {
    const failed = this.#failures.has(key);
    const again = this.#again.delete(key);
    if (again && !failed) this.add(key);
    else if (requeueAfterMs !== undefined) this.addAfter(key, requeueAfterMs);
  }

  #quarantine(key: string, fault: unknown): number {
    const { failures, waitMs } = this.#backOff(key);
    const facts = { queue: this.#options.name, key, failures, waitMs: Math.round(waitMs), error: errorText(fault) };
    this.#options.log.error('a handler threw', facts);
    return waitMs;
  }

  /** An outage fails every key many times: each tells of its first, second, fourth, eighth failure and so on. */
  #postpone(key: string, failure: string): number {
    const { failures, waitMs } = this.#backOff(key);
    const facts = { queue: this.#options.name, key, failures, waitMs: Math.round(waitMs), error: failure };
    if (Number.isInteger(Math.log2(failures))) this.#options.log.warn('not possible now, tried again', facts);
    return waitMs;
  }

  #backOff(key: string): { readonly failures: number; readonly waitMs: number } {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#options.metrics.count('aegis_workqueue_retries_total', { queue: this.#options.name });
    const whole = Math.min(this.#backoff.firstMs * 2 ** Math.min(failures, 30), this.#backoff.longestMs);
    return { failures, waitMs: whole / 2 + (whole / 2) * this.#options.random() };
  }

  #forgetTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}

/** The stack, where there is one: a handler that throws is a fault in the program. */
const errorText = (fault: unknown): string => {
  const stack = typeof fault === 'object' && fault !== null && 'stack' in fault ? fault.stack : undefined;
  return typeof stack === 'string' ? stack : messageOf(fault);
};
