import type { Leadership } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import { type Result, err, ok } from '../lib/result.ts';
import type { KubeClient } from './client.ts';
import { type CallFault, refusedHere } from './errors.ts';
import { type Json, at, count, metaOf, record, text } from './json.ts';
import { microTime } from './micro-time.ts';
import { RESOURCES } from './resources.ts';

export interface LeaseTiming {
  /** Others wait this long after the last change that they saw. */
  readonly durationMs: number;
  /** A holder that could not renew for this long steps down by itself. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  /** An effect is begun only this shortly after a renewal: its own 10 s deadline then ends inside the lease. */
  readonly effectWindowMs: number;
}

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process: a pod that starts again is another holder. */
  readonly identity: string;
  readonly timing?: Partial<LeaseTiming>;
}

/** Longest wait for each of the two requests of a release. */
const RELEASE_MS = 2_000;
const TOLD_AGAIN_MS = 60_000;
const TIMING: LeaseTiming = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, effectWindowMs: 4_000 };

/**
 *      not holder --- lease free, or unchanged for its duration (own clock) ---> holder
 *          ^                                                                       |
 *          +---- no renewal for 10 s (timer), lost to another, stop (released) ----+
 *
 * Times in the Lease are for people: no decision compares them with a local clock. What counts is how long ago, on
 * this process's monotonic clock, its resourceVersion was last seen to change; and a renewal counts from the moment
 * at which it was sent, not answered.
 */
export class LeaseLeadership implements Leadership {
  readonly #options: LeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #listeners: ((leader: boolean) => void)[] = [];
  #holding = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #seenVersion = '';
  #changedAtMs = 0;
  #stopped = false;
  #toldKind: string | undefined;
  #toldAtMs = 0;
  /** The lease as this replica last wrote it; `undefined`: it must be read first. */
  #own: Json | undefined;
  #cancelTick: () => void = () => undefined;
  #cancelStepDown: () => void = () => undefined;
  #ticking: Promise<void> | undefined;
  readonly #round = new AbortController();

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
  }

  isLeader(): boolean {
    return this.#holding && this.#renewedWithin(this.#timing.renewDeadlineMs);
  }

  mayBeginEffect(): boolean {
    return this.#holding && this.#renewedWithin(this.#timing.effectWindowMs);
  }

  mayWrite(): boolean {
    return this.#holding && this.#renewedWithin(this.#timing.renewDeadlineMs);
  }

  onChange(listener: (leader: boolean) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    if (this.#ticking === undefined && !this.#stopped) this.#tick();
  }

  /** Stands down and releases the lease, so that the next replica need not wait. Never throws. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#setHolding(false);
    this.#cancelTick();
    this.#round.abort();
    await this.#ticking;
    if (Number.isFinite(this.#renewedAtMs)) await this.#release();
  }

  // ------------------------------------------------------------------ the loop

  #tick(): void {
    this.#ticking = this.#try()
      .catch((fault: unknown) => this.#options.log.error('lease round failed', { error: messageOf(fault) }))
      .then(() => {
        if (this.#stopped) return;
        const jitter = 1 + 0.2 * this.#options.random();
        this.#cancelTick = this.#options.clock.after(this.#timing.retryMs * jitter, () => this.#tick());
      });
  }

  async #try(): Promise<void> {
    if (await this.#renewedUnread()) return;
    const read = await this.#read();
    if (!read.ok) {
      if (read.error.kind !== 'NotFound') {
        this.#failed(read.error);
        return;
      }
      const created = await this.#create();
      // Deleted, and made anew by somebody else: whoever held the old one holds nothing.
      if (!created.ok && created.error.kind === 'Conflict' && this.#holding)
        this.#lost('unknown: the lease was made anew');
      this.#took(created);
      return;
    }
    this.#observe(read.value);
    const holder = text(at(read.value, 'spec').holderIdentity);
    const mine = holder === this.#options.identity;
    if (!mine && this.#holding) this.#lost(holder);
    if (mine || holder === '' || this.#ranOut(read.value)) this.#took(await this.#write(read.value));
  }

  /**
   * A holder renews what the server last answered, without reading it: whoever wrote since made that version stale, and
   * the conflict says so. Any doubt about the answer, and the next round reads.
   */
  async #renewedUnread(): Promise<boolean> {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined || !this.#holding) return false;
    const renewed = await this.#write(own);
    if (!renewed.ok && (renewed.error.kind === 'Conflict' || renewed.error.kind === 'NotFound')) return false;
    this.#took(renewed);
    return true;
  }

  /** `sentAtMs` is when the winning request was sent: the lease may be counted from there, not from its answer. */
  #took(result: Result<{ readonly lease: Json; readonly sentAtMs: number }, CallFault>): void {
    if (!result.ok) {
      this.#failed(result.error);
      return;
    }
    this.#observe(result.value.lease);
    this.#own = result.value.lease;
    this.#renewedAtMs = result.value.sentAtMs;
    if (this.#stopped) return;
    this.#armStepDown();
    if (this.#renewedWithin(this.#timing.renewDeadlineMs)) this.#setHolding(true);
  }

  #failed(fault: CallFault): void {
    // A conflict is somebody else's write: the next round reads it.
    if (fault.kind === 'Conflict') return;
    // A round every two seconds would fill the log with one and the same sentence.
    const now = this.#options.clock.monotonicMs();
    if (fault.kind === this.#toldKind && now - this.#toldAtMs < TOLD_AGAIN_MS) return;
    this.#toldKind = fault.kind;
    this.#toldAtMs = now;
    this.#options.log.warn('the lease could not be read or renewed', { kind: fault.kind, error: fault.message });
  }

  #lost(holder: string): void {
    this.#options.log.warn('another replica holds the lease', { holder });
    this.#setHolding(false);
  }

  /** The holder must not wait for an answer to learn that its time is up. */
  #armStepDown(): void {
    this.#cancelStepDown();
    const left = this.#renewedAtMs + this.#timing.renewDeadlineMs - this.#options.clock.monotonicMs();
    this.#cancelStepDown = this.#options.clock.after(Math.max(left, 0), () => {
      if (!this.#renewedWithin(this.#timing.renewDeadlineMs)) this.#setHolding(false);
    });
  }

  #setHolding(holding: boolean): void {
    if (!holding) this.#cancelStepDown();
    if (this.#holding === holding) return;
    this.#holding = holding;
    this.#options.log.info(holding ? 'leading' : 'not leading', { identity: this.#options.identity });
    for (const listener of this.#listeners) {
      try {
        listener(holding);
      } catch (fault) {
        this.#options.log.error('a listener failed on a change of leader', { error: messageOf(fault) });
      }
    }
  }

  // ------------------------------------------------------------------ what is known of the lease

  #observe(lease: Json): void {
    const version = metaOf(lease).resourceVersion;
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    this.#changedAtMs = this.#options.clock.monotonicMs();
  }

  /** Unchanged for the duration that its holder promised. Seen for the first time, it counts from now. */
  #ranOut(lease: Json): boolean {
    const seconds = count(at(lease, 'spec').leaseDurationSeconds, this.#timing.durationMs / 1000);
    return this.#options.clock.monotonicMs() - this.#changedAtMs > seconds * 1000;
  }

  #renewedWithin(ms: number): boolean {
    return this.#options.clock.monotonicMs() - this.#renewedAtMs < ms;
  }

  // ------------------------------------------------------------------ requests

  #read(): Promise<Result<Json, CallFault>> {
    return this.#options.client.call({ method: 'GET', target: this.#target(), ...this.#manner() });
  }

  async #create(): Promise<Result<{ lease: Json; sentAtMs: number }, CallFault>> {
    const { namespace, name, client } = this.#options;
    const sentAtMs = this.#options.clock.monotonicMs();
    const target = { resource: RESOURCES.leases, namespace };
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: this.#spec({}),
    };
    const reply = await client.call({ method: 'POST', target, body, ...this.#manner() });
    return reply.ok ? ok({ lease: reply.value, sentAtMs }) : reply;
  }

  /** Replaces the lease that was read: its resourceVersion is the precondition, so one of two candidates wins. */
  async #write(lease: Json): Promise<Result<{ lease: Json; sentAtMs: number }, CallFault>> {
    if (this.#stopped) return err(refusedHere('stopping'));
    const sentAtMs = this.#options.clock.monotonicMs();
    const body = { ...lease, spec: this.#spec(at(lease, 'spec')) };
    const target = this.#target();
    const reply = await this.#options.client.call({ method: 'PUT', target, body, ...this.#manner() });
    return reply.ok ? ok({ lease: reply.value, sentAtMs }) : reply;
  }

  async #release(): Promise<void> {
    const read = await this.#read();
    if (!read.ok || text(at(read.value, 'spec').holderIdentity) !== this.#options.identity) return;
    const spec = { ...at(read.value, 'spec'), holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#stamp() };
    const body = { ...read.value, spec };
    await this.#options.client.call({ method: 'PUT', target: this.#target(), body, ...this.#manner() });
  }

  #spec(before: Json): Json {
    const taken = text(before.holderIdentity) !== this.#options.identity;
    const now = this.#stamp();
    return {
      ...record(before),
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.ceil(this.#timing.durationMs / 1000),
      acquireTime: taken ? now : (before.acquireTime ?? now),
      renewTime: now,
      leaseTransitions: count(before.leaseTransitions) + (taken && before.holderIdentity !== undefined ? 1 : 0),
    };
  }

  #stamp(): string {
    return microTime(this.#options.clock.nowMs());
  }

  /** One request must not eat the whole renew deadline; when stopping, the others wait for the release. */
  #manner(): { urgent: true; deadlineMs: number; signal?: AbortSignal } {
    if (this.#stopped) return { urgent: true, deadlineMs: RELEASE_MS };
    return { urgent: true, deadlineMs: this.#timing.renewDeadlineMs / 2, signal: this.#round.signal };
  }

  #target() {
    const { namespace, name } = this.#options;
    return { resource: RESOURCES.leases, namespace, name };
  }
}
