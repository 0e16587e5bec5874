import type { Clock } from '../lib/clock.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { SNAPSHOT_VERSION } from '../detection/state/snapshot.ts';
import type { ModelMemory } from './request-memory.ts';
import { modelKey, storedModels } from './stored-models.ts';
import type { Store } from './store-ports.ts';

export interface ModelKeeperSetting {
  readonly engine: ModelMemory;
  readonly store: Pick<Store, 'saveBlob' | 'loadBlob'>;
  /** Name of the models in the store; each version of the snapshot is kept under its own. */
  readonly key: string;
  /** Of the snapshots that this program writes, and the newest that it reads; default that of the engine. */
  readonly version?: number;
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
  const version = setting.version ?? SNAPSHOT_VERSION;
  /** Stored models are never written over before they were read: a database that is away at the start comes back. */
  let isLoaded = false;
  let savedAt: number | undefined = 0;
  let cancel: () => void = () => undefined;
  let isStopped = false;

  const load = async (): Promise<void> => {
    const { bytes, newer } = await storedModels(store, key, version);
    isLoaded = true;
    if (newer !== undefined) {
      log.warn('models of a newer release are stored; they are left as they are, for its return', {
        ...{ models: key, version: newer, own: version },
      });
    }
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
    await store.saveBlob(modelKey(key, version), bytes);
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
