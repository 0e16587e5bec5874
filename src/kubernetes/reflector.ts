import type { ApiFault, MetricsSink } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import type { ApiTarget } from './api-path.ts';
import { Backoff } from './backoff.ts';
import type { KubeClient, WatchEnd } from './client.ts';
import { type CallFault, answerFault } from './errors.ts';
import { at, count, list, metaOf, optionalText, record, text } from './json.ts';
import { type CacheChange, ObjectCache } from './object-cache.ts';
import type { Resource } from './resources.ts';

/**
 *            +--------- 410, gone silent, resync due, 404 ---------+
 *            v                                                     |
 *   start -> LIST (500 a page) -> WATCH (bookmarks, 40-50 s) ------+--- closed, cut, 429, 5xx -> WATCH from the
 *            ^   |                                                      last version, after a jittered backoff
 *            +---+ failed: again, at most one LIST in 10 s
 */
export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: MetricsSink;
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  /** The cluster need not define it: its absence is no news. */
  readonly optional?: boolean;
  /** Turns an object into what is kept of it; `undefined`: nothing. Raw objects are dropped at once. */
  readonly transform: (object: unknown) => T | undefined;
  readonly onChange: (change: CacheChange<T>) => void;
  /** A list is repeated this often even where the watch is well: an event may have been lost. */
  readonly resyncMs: number;
  readonly timing?: Partial<ReflectorTiming>;
}

export interface ReflectorTiming {
  readonly minListGapMs: number;
  readonly watchdogMs: number;
  readonly watchSeconds: readonly [least: number, most: number];
}

/** `missing`: the API server does not know the resource (CRD absent); `denied`: no right to read it. */
export type ReflectorState = 'starting' | 'synced' | 'missing' | 'denied' | 'failing';

const TIMING: ReflectorTiming = { minListGapMs: 10_000, watchdogMs: 60_000, watchSeconds: [40, 50] };
const PAGE_SIZE = 500;
/** A kind that the cluster need not have is looked for this often, and up to half as long again. */
const ABSENT_MS = 2 * MINUTE;
/** A session that held this long was a good one: the next wait starts anew. */
const GOOD_SESSION_MS = 1_000;

/** Keeps an `ObjectCache` equal to the API server, whatever happens to the connection. */
export class Reflector<T> {
  readonly cache: ObjectCache<T>;
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #version = '';
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #confirmedAtMs = Number.NEGATIVE_INFINITY;
  #state: ReflectorState = 'starting';
  #fault: ApiFault | undefined;
  #everSynced = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#backoff = new Backoff(options.random);
    this.cache = new ObjectCache((object) => this.#slim(object));
  }

  /** Starts once; a second call is the same run. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when no request of this reflector is open any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Monotonic time at which an event, a bookmark, a list or a clean close last confirmed the cache. */
  get confirmedAtMs(): number {
    return this.#confirmedAtMs;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** The last fault, while the state is not `synced`. */
  get fault(): ApiFault | undefined {
    return this.#state === 'synced' ? undefined : this.#fault;
  }

  /** True once a whole list was taken, also later while the connection fails. */
  get everSynced(): boolean {
    return this.#everSynced;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#version === '') await this.#list();
        else await this.#watchOnce();
      } catch (fault) {
        // Nothing below is expected to throw: if it does, start from nothing rather than die.
        this.#options.log.error('reflector failed', {
          resource: this.#options.resource.plural,
          error: messageOf(fault),
        });
        this.#version = '';
        await this.#sleep(this.#backoff.next());
      }
    }
  }

  // ------------------------------------------------------------------ list

  async #list(): Promise<void> {
    const gap = this.#listedAtMs + this.#timing.minListGapMs - this.#now();
    // The first relist after an outage comes soon, spread over a second; the next ones keep their distance.
    if (Number.isFinite(gap)) await this.#sleep(Math.max(gap, 0) + 1_000 * this.#options.random());
    if (this.#stopped) return;
    this.#listedAtMs = this.#now();
    const fault = await this.#takeAllPages();
    if (fault === undefined || this.#stopped) return;
    this.#failed(fault);
    const isAbsent = this.#state === 'missing' && this.#options.optional === true;
    const waitMs = isAbsent ? ABSENT_MS * (1 + this.#options.random() / 2) : this.#backoff.next();
    await this.#sleep(Math.max(waitMs, fault.retryAfterMs ?? 0));
  }

  /** Pages are taken as they come, so that no more than one is held; deletions only follow a whole list. */
  async #takeAllPages(): Promise<CallFault | undefined> {
    const seen = new Set<string>();
    let next = '';
    do {
      const reply = await this.#options.client.call({
        method: 'GET',
        target: this.#target({ limit: PAGE_SIZE, continue: next }),
        signal: this.#stopping.signal,
      });
      if (!reply.ok) return reply.error;
      this.#announce(this.cache.page(list(reply.value.items), seen));
      next = text(at(reply.value, 'metadata').continue);
      if (next === '') return this.#listTaken(text(at(reply.value, 'metadata').resourceVersion), seen);
    } while (!this.#stopped);
    return undefined;
  }

  #listTaken(version: string, seen: ReadonlySet<string>): CallFault | undefined {
    if (version === '') return answerFault(500, 'the list has no resourceVersion');
    this.#announce(this.cache.sweep(seen));
    this.#version = version;
    this.#state = 'synced';
    this.#everSynced = true;
    this.#confirmed();
    return undefined;
  }

  #failed(fault: CallFault): void {
    this.#fault = fault;
    const before = this.#state;
    this.#state = fault.kind === 'NotFound' ? 'missing' : fault.kind === 'Forbidden' ? 'denied' : 'failing';
    // Without its definition none of the objects exists any more. One such answer is not believed: an API server that
    // starts, or a proxy before it, may give one, and limits would be lifted and incidents closed for it.
    if (this.#state === 'missing' && before === 'missing') this.#announce(this.cache.sweep(new Set()));
    if (before === this.#state) return;
    const facts = { resource: this.#options.resource.plural, kind: fault.kind, error: fault.message };
    if (this.#state === 'missing' && this.#options.optional === true) this.#options.log.debug('not defined', facts);
    else this.#options.log.warn('a resource cannot be read', facts);
  }

  // ------------------------------------------------------------------ watch

  async #watchOnce(): Promise<void> {
    let openedAtMs = Number.POSITIVE_INFINITY;
    const session = new WatchSession(this.#options.clock, this.#timing.watchdogMs, this.#untilResync());
    const stop = (): void => session.end();
    this.#stopping.signal.addEventListener('abort', stop, { once: true });
    const end = await this.#options.client.watch(this.#watchTarget(), session.signal, {
      onOpen: () => (openedAtMs = this.#now()),
      onLine: (line) => {
        if (session.signal.aborted) return;
        session.alive();
        this.#takeLine(line, session);
      },
    });
    session.end();
    this.#stopping.signal.removeEventListener('abort', stop);
    const wasGood = this.#now() - openedAtMs > GOOD_SESSION_MS;
    if (wasGood) this.#backoff.reset();
    if (!this.#stopped) await this.#afterWatch(end, session, wasGood);
  }

  async #afterWatch(end: WatchEnd, session: WatchSession, wasGood: boolean): Promise<void> {
    const { metrics, resource } = this.#options;
    metrics.count('aegis_watch_restarts_total', { kind: resource.plural, reason: session.reason ?? end.kind });
    if (session.reason === 'resync') {
      this.#version = '';
      return;
    }
    const fault = session.fault ?? (end.kind === 'closed' ? undefined : end.fault);
    if (session.reason === 'silent' || (fault !== undefined && needsList(fault))) this.#version = '';
    const closedCleanly = end.kind === 'closed' && fault === undefined;
    if (closedCleanly) this.#confirmed();
    else this.#options.log.debug('watch ended', { resource: this.#options.resource.plural, ...(fault ?? {}) });
    // A list confirms a cache that fell silent, so it is not put off; its own distance is kept in `#list`.
    if (session.reason === 'silent' || (closedCleanly && wasGood)) return;
    await this.#sleep(Math.max(this.#backoff.next(), fault?.retryAfterMs ?? 0));
  }

  #takeLine(line: string, session: WatchSession): void {
    const event = parseEvent(line);
    if (event === undefined) {
      session.fail({ kind: 'Unknown', message: 'a line of the watch is not JSON', sent: true, causes: [] });
      return;
    }
    if (event.type === 'ERROR') {
      const status = record(event.object);
      session.fail(answerFault(count(status.code, 500), status));
      return;
    }
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#announce([this.cache.set(event.object)]);
    else if (event.type === 'DELETED') this.#announce([this.cache.remove(event.object)]);
    else if (event.type !== 'BOOKMARK') return;
    this.#version = optionalText(metaOf(event.object).resourceVersion) ?? this.#version;
    this.#confirmed();
  }

  #watchTarget(): ApiTarget {
    const [least, most] = this.#timing.watchSeconds;
    const timeoutSeconds = least + Math.floor((most - least + 1) * this.#options.random());
    return this.#target({ watch: true, allowWatchBookmarks: true, resourceVersion: this.#version, timeoutSeconds });
  }

  // ------------------------------------------------------------------ small parts

  #target(query: NonNullable<ApiTarget['query']>): ApiTarget {
    const { resource, namespace, fieldSelector } = this.#options;
    return {
      resource,
      ...(namespace === undefined ? {} : { namespace }),
      query: { ...query, ...(fieldSelector === undefined ? {} : { fieldSelector }) },
    };
  }

  #announce(changes: readonly (CacheChange<T> | undefined)[]): void {
    for (const change of changes) {
      if (change === undefined) continue;
      try {
        this.#options.onChange(change);
      } catch (fault) {
        const facts = { resource: this.#options.resource.plural, key: change.key, error: messageOf(fault) };
        this.#options.log.error('a listener failed on a change', facts);
      }
    }
  }

  /** A hostile object is left out and reported; the others go on. */
  #slim(object: unknown): T | undefined {
    try {
      return this.#options.transform(object);
    } catch (fault) {
      const facts = { resource: this.#options.resource.plural, name: metaOf(object).name, error: messageOf(fault) };
      this.#options.log.error('an object could not be read', facts);
      return undefined;
    }
  }

  #untilResync(): number {
    const spread = 0.9 + 0.2 * this.#options.random();
    return Math.max(this.#listedAtMs + this.#options.resyncMs * spread - this.#now(), 0);
  }

  #confirmed(): void {
    this.#confirmedAtMs = this.#now();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped) return resolve();
      const done = (): void => {
        cancel();
        this.#stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      this.#stopping.signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** One open watch: ended by the watchdog, by the time for a new list, by a bad line, or from outside. */
class WatchSession {
  reason: 'resync' | 'silent' | 'failed' | undefined;
  fault: CallFault | undefined;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #watchdogMs: number;
  readonly #cancelResync: () => void;
  #cancelWatchdog: () => void;

  constructor(clock: Clock, watchdogMs: number, resyncInMs: number) {
    this.#clock = clock;
    this.#watchdogMs = watchdogMs;
    this.#cancelResync = clock.after(resyncInMs, () => this.#endFor('resync'));
    this.#cancelWatchdog = this.#startWatchdog();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  alive(): void {
    this.#cancelWatchdog();
    this.#cancelWatchdog = this.#startWatchdog();
  }

  fail(fault: CallFault): void {
    this.fault ??= fault;
    this.#endFor('failed');
  }

  end(): void {
    this.#cancelWatchdog();
    this.#cancelResync();
    this.#controller.abort();
  }

  #startWatchdog(): () => void {
    return this.#clock.after(this.#watchdogMs, () => this.#endFor('silent'));
  }

  #endFor(reason: 'resync' | 'silent' | 'failed'): void {
    this.reason ??= reason;
    this.end();
  }
}

/** The version is unusable, or the resource itself may be gone: only a list can tell. */
const needsList = (fault: CallFault): boolean => ['Gone', 'NotFound', 'Rejected', 'Forbidden'].includes(fault.kind);

function parseEvent(line: string): { type: string; object: unknown } | undefined {
  try {
    const event = record(JSON.parse(line));
    return typeof event.type === 'string' ? { type: event.type, object: event.object } : undefined;
  } catch {
    return undefined;
  }
}
