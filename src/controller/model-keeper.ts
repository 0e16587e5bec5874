import type { Clock } from '../lib/clock.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import type { ModelMemory } from './request-memory.ts';
import type { Store } from './store-ports.ts';

export interface ModelKeeperSetting {
  readonly engine: ModelMemory;
  readonly store: Pick<Store, 'saveBlob' | 'loadBlob'>;
  /** Name of the models in the store. */
  readonly key: string;
  /** Grows with everything learnt: as long as it stands still there is nothing to save. Absent: there always is. */
  readonly learnt?: () => number;
  /** Whether this process is the one that writes now; absent: it is the only one. */
  readonly maySave?: () => boolean;
  /** Larger models are not stored; absent: all are. */
  readonly mostBytes?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps what an engine has learnt over restarts: reads it once, saves it now and then and at the end. */
export interface ModelKeeper {
  /** Reads the stored models and begins to save. Never rejects: without them the engine learns anew. */
  start(): Promise<void>;
  /** Saves what was learnt since the last time. */
  stop(): Promise<void>;
}

/** A crash loses this much. Saving 10,000 series takes a tenth of a second, so it is done seldom. */
const SAVE_EVERY_MS = 5 * MINUTE;

export function createModelKeeper(setting: ModelKeeperSetting): ModelKeeper {
  const { engine, store, key, learnt, maySave = () => true, mostBytes = Infinity, clock, log } = setting;
  /** Stored models are never written over before they were read: a database that is away at the start comes back. */
  let isLoaded = false;
  let savedAt: number | undefined = 0;
  let cancel: () => void = () => undefined;
  let isStopped = false;

  const load = async (): Promise<void> => {
    const bytes = await store.loadBlob(key);
    isLoaded = true;
    if (bytes === undefined) return;
    try {
      // Read late, the stored models meet what was learnt meanwhile.
      if (engine.seriesCount() === 0) engine.restore(bytes);
      else engine.merge(bytes);
      log.info('the models are as they were', { models: key, series: engine.seriesCount() });
    } catch (error) {
      log.warn('the stored models cannot be used; they are learnt anew', { models: key, error });
    }
  };

  const save = async (): Promise<void> => {
    if (!isLoaded) await load();
    const now = learnt?.();
    if (!maySave() || (now !== undefined && now === savedAt)) return;
    const bytes = engine.snapshot();
    if (bytes.length > mostBytes) {
      log.warn('the models are too large to be stored', { models: key, bytes: bytes.length });
      return;
    }
    await store.saveBlob(key, bytes);
    savedAt = now;
  };

  const saved = (): Promise<void> =>
    save().catch((error: unknown) => {
      log.warn('the models cannot be stored; a restart would learn anew', { models: key, error });
    });

  const arm = (): void => {
    cancel = clock.after(SAVE_EVERY_MS, () => {
      void saved().finally(() => {
        if (!isStopped) arm();
      });
    });
  };

  return {
    async start() {
      await load().catch((error: unknown) => {
        log.warn('the stored models cannot be read now; it is tried again', { models: key, error });
      });
      arm();
    },
    async stop() {
      isStopped = true;
      cancel();
      await saved();
    },
  };
}
