import type { MetricsSink } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import { StoreFault, type Backend, type Db, type FaultCause } from './backend.ts';

export interface SupervisorSetting {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsSink;
  /** Called when the database is full, before the write is tried once more: makes room. */
  readonly makeRoom: (db: Db) => Promise<void>;
}

/**
 * Keeps the database usable without a restart: opens it when it can be opened, waits for locks, makes room when it is
 * full, starts afresh when the file is gone, and knows whether the last attempt succeeded.
 */
export interface Supervisor {
  /** Tries to open; resolves either way. */
  start(): Promise<void>;
  /**
   * On the disk when it resolves. Rejects with `StoreFault`; where there is a lock, once it has lasted for 3 s.
   */
  durable<T>(run: (db: Db) => Promise<T>): Promise<T>;
  /** Tried once; the caller keeps what could not be written. */
  batched<T>(run: (db: Db) => Promise<T>): Promise<T>;
  read<T>(run: (db: Db) => Promise<T>): Promise<T>;
  healthy(): boolean;
  close(): Promise<void>;
}

const LOCK_PATIENCE_MS = 3_000;
/** Between two tries while a lock lasts longer than that. */
const LOCK_PAUSE_MS = 250;
const LOCK_STEPS_MS = [10, 25, 50, 100, 200];
const PROBE_STEPS_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

export function createSupervisor(setting: SupervisorSetting): Supervisor {
  const { backend, clock, log, metrics } = setting;
  let opening: Promise<void> | undefined;
  /** Grows with every new connection, so that a late failure does not throw away a good one. */
  let generation = 0;
  let down: FaultCause | 'not opened yet' | undefined = 'not opened yet';
  /** The lock that every try meets, from when on nobody waits for it any more, and when the last try was. */
  let lock: { readonly fault: StoreFault; readonly lastsFromMs: number; readonly triedAtMs: number } | undefined;
  let failedProbes = 0;
  let cancelProbe: (() => void) | undefined;
  let closed = false;
  /** Why it could not be opened: until the next probe nobody else waits for what does not answer. */
  let refusal: StoreFault | undefined;

  /** SQLite waits for a lock with the whole process: while one lasts, that is not done at each call. */
  const lastingLock = (): StoreFault | undefined => {
    const nowMs = clock.monotonicMs();
    if (lock === undefined || nowMs < lock.lastsFromMs) return undefined;
    if (nowMs - lock.triedAtMs < LOCK_PAUSE_MS) return lock.fault;
    lock = { ...lock, triedAtMs: nowMs };
    return undefined;
  };

  const opened = (): Promise<void> => {
    if (refusal !== undefined) return Promise.reject(refusal);
    opening ??= backend.open().then(
      () => {
        generation += 1;
      },
      (fault: unknown) => {
        opening = undefined;
        const known = toFault(fault);
        // Whatever it is, it is not the row that is wrong.
        refusal = known.cause === 'other' ? new StoreFault('unreachable', known.message) : known;
        throw refusal;
      },
    );
    return opening;
  };

  const wait = (delayMs: number) => new Promise<void>((resolve) => void clock.after(delayMs, resolve));

  const succeeded = (): void => {
    if (down === undefined) return;
    down = undefined;
    lock = undefined;
    failedProbes = 0;
    metrics.gauge('aegis_store_up', 1);
    log.info('store can be written');
  };

  const failed = async (fault: unknown, sawGeneration: number): Promise<StoreFault> => {
    const known = toFault(fault);
    const nowMs = clock.monotonicMs();
    metrics.count('aegis_store_failures_total', { cause: known.cause });
    if (known.cause === 'constraint') return known;
    if (down !== known.cause) log.error('store cannot be written', { cause: known.cause, error: known });
    down = known.cause;
    if (known.cause !== 'locked') lock = undefined;
    else if (known !== lock?.fault)
      lock = { fault: known, lastsFromMs: lock?.lastsFromMs ?? nowMs + LOCK_PATIENCE_MS, triedAtMs: nowMs };
    metrics.gauge('aegis_store_up', 0);
    const isOver = known.cause !== 'locked' && known.cause !== 'full' && known !== refusal;
    if (isOver && sawGeneration === generation && opening !== undefined) {
      generation += 1;
      opening = undefined;
      await backend.reset().catch((error: unknown) => log.warn('store connection did not close', { error }));
    }
    scheduleProbe();
    return known;
  };

  const once = async <T>(durability: 'durable' | 'batched', run: (db: Db) => Promise<T>): Promise<T> => {
    if (closed) throw new StoreFault('unreachable', 'the store is closed');
    let seen = generation;
    try {
      const locked = lastingLock();
      if (locked !== undefined) throw locked;
      await opened();
      seen = generation;
      const value = await backend.write(durability, run);
      succeeded();
      return value;
    } catch (fault) {
      throw await failed(fault, seen);
    }
  };

  const makeRoom = async (): Promise<void> => {
    await backend.makeWay?.();
    await once('batched', setting.makeRoom);
  };

  /** A full database gets room made, a lost file a new connection; each is tried once more. */
  const mended = async <T>(durability: 'durable' | 'batched', run: (db: Db) => Promise<T>): Promise<T> => {
    try {
      return await once(durability, run);
    } catch (fault) {
      if (!(fault instanceof StoreFault) || closed) throw fault;
      if (fault.cause === 'full') await makeRoom();
      else if (fault.cause !== 'unreachable') throw fault;
      return once(durability, run);
    }
  };

  const probe = async (): Promise<void> => {
    cancelProbe = undefined;
    if (closed || down === undefined) return;
    failedProbes += 1;
    refusal = undefined;
    // Moves nothing, but takes the write lock and touches the log.
    await mended('batched', async (db) => {
      await db
        .insertInto('counter')
        .values({ name: 'probes', value: 1 })
        .onConflict((c) => c.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', 1) })))
        .execute();
    }).catch(() => undefined);
  };

  const scheduleProbe = (): void => {
    if (cancelProbe !== undefined || closed) return;
    const delayMs = PROBE_STEPS_MS[Math.min(failedProbes, PROBE_STEPS_MS.length - 1)] ?? 1_000;
    cancelProbe = clock.after(delayMs, () => void probe());
  };

  backend.onLost?.((fault) => {
    if (!closed && down === undefined) void failed(fault, generation);
  });

  return {
    start: async () => {
      try {
        await opened();
        succeeded();
      } catch (fault) {
        await failed(fault, generation);
      }
    },
    durable: async (run) => {
      const deadlineMs = lock?.lastsFromMs ?? clock.monotonicMs() + LOCK_PATIENCE_MS;
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await mended('durable', run);
        } catch (fault) {
          const delayMs = LOCK_STEPS_MS[Math.min(attempt, LOCK_STEPS_MS.length - 1)] ?? 200;
          const isLocked = fault instanceof StoreFault && fault.cause === 'locked';
          if (!isLocked || closed) throw fault;
          if (clock.monotonicMs() + delayMs > deadlineMs) {
            if (lock !== undefined) lock = { ...lock, lastsFromMs: Math.min(lock.lastsFromMs, clock.monotonicMs()) };
            throw fault;
          }
          await wait(delayMs);
        }
      }
    },
    batched: (run) => mended('batched', run),
    read: async (run) => {
      if (closed) throw new StoreFault('unreachable', 'the store is closed');
      let seen = generation;
      try {
        await opened();
        seen = generation;
        return await backend.read(run);
      } catch (fault) {
        throw await failed(fault, seen);
      }
    },
    healthy: () => down === undefined && !closed,
    close: async () => {
      closed = true;
      cancelProbe?.();
      await opening?.catch(() => undefined);
      await backend.close();
    },
  };
}

function toFault(fault: unknown): StoreFault {
  return fault instanceof StoreFault ? fault : new StoreFault('other', messageOf(fault));
}
