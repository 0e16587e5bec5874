import type { MetricsSink } from '../controller/ports.ts';
import type { Prediction } from '../controller/store-ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { StoreFault } from './backend.ts';

export interface PredictionQueueSetting {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsSink;
  /**
   * Writes a batch in one transaction and calls `onWritten` as its last act in there; throws `StoreFault`. `isRepeated`:
   * it was tried before, and may have been written all the same.
   */
  readonly write: (rows: readonly Prediction[], onWritten: () => void, isRepeated: boolean) => Promise<void>;
  /** Rows of a transaction. */
  readonly batchRows: number;
  /** Rows that may wait; the next ones are dropped and counted. */
  readonly capacity?: number;
}

/** Predictions between the request that made them and the disk. */
export interface PredictionQueue {
  /** Never waits, never throws. */
  push(prediction: Prediction): void;
  /** Rows that are not in the database yet, oldest first. */
  waiting(): readonly Prediction[];
  /** Writes what waits; gives up at the first batch that cannot be written. */
  drain(): Promise<void>;
  stop(): void;
}

const CAPACITY = 10_000;
/** Characters of the bodies that may wait. */
const CAPACITY_CHARS = 64 * 1024 * 1024;
const LINGER_MS = 100;
const RETRY_STEPS_MS = [100, 250, 500, 1_000, 2_000];
/** Faults that waiting does not mend: the rows are given up, since healing rows need the room or the attempt more. */
const HOPELESS = new Set(['full', 'constraint', 'other']);

export function createPredictionQueue(setting: PredictionQueueSetting): PredictionQueue {
  const { clock, log, metrics, batchRows } = setting;
  const capacity = setting.capacity ?? CAPACITY;
  const rows: Prediction[] = [];
  let chars = 0;
  /** Rows at the front whose transaction has written them, though it may not have told us yet. */
  let written = 0;
  let flushing: Promise<boolean> | undefined;
  let cancelTimer: (() => void) | undefined;
  let failures = 0;
  let dropping = false;
  let stopped = false;

  const drop = (n: number, cause: string): void => {
    metrics.count('aegis_store_predictions_dropped_total', { cause }, n);
    if (!dropping) log.warn('predictions are dropped', { cause });
    dropping = true;
  };

  const forget = (n: number): void => {
    for (const { body } of rows.splice(0, n)) chars -= body.length;
  };

  const arm = (delayMs: number): void => {
    if (stopped || cancelTimer !== undefined || flushing !== undefined || rows.length === 0) return;
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = undefined;
      void flush();
    });
  };

  const writeBatch = async (): Promise<boolean> => {
    const batch = rows.slice(0, batchRows);
    try {
      await setting.write(batch, () => (written = batch.length), failures > 0);
      forget(batch.length);
      failures = 0;
      dropping = false;
      return true;
    } catch (fault) {
      const cause = fault instanceof StoreFault ? fault.cause : 'other';
      failures += 1;
      if (!HOPELESS.has(cause)) return false;
      forget(batch.length);
      drop(batch.length, cause === 'full' ? 'full' : 'other');
      return false;
    } finally {
      written = 0;
    }
  };

  const flush = async (): Promise<boolean> => {
    if (rows.length === 0) return true;
    flushing ??= writeBatch().finally(() => {
      flushing = undefined;
      metrics.gauge('aegis_store_queue_rows', rows.length);
      const retryMs = RETRY_STEPS_MS[Math.min(failures, RETRY_STEPS_MS.length) - 1];
      arm(retryMs ?? (rows.length >= batchRows ? 0 : LINGER_MS));
    });
    return flushing;
  };

  return {
    push: (prediction) => {
      if (stopped) return drop(1, 'closed');
      if (rows.length >= capacity || chars + prediction.body.length > CAPACITY_CHARS) return drop(1, 'queue-full');
      rows.push(prediction);
      chars += prediction.body.length;
      if (failures === 0 && rows.length === batchRows && flushing === undefined) {
        cancelTimer?.();
        cancelTimer = undefined;
        arm(0);
      } else {
        arm(LINGER_MS);
      }
    },
    waiting: () => (written === 0 ? rows : rows.slice(written)),
    drain: async () => {
      while (rows.length > 0) {
        if (!(await flush())) return;
      }
    },
    stop: () => {
      stopped = true;
      cancelTimer?.();
      if (rows.length > 0) drop(rows.length, 'closed');
      forget(rows.length);
    },
  };
}
