import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Db } from './backend.ts';
import { pruneHistory } from './history.ts';
import { pruneLedger } from './ledger.ts';
import { averageBytes, prunePredictions } from './predictions.ts';
import type { Supervisor } from './supervisor.ts';

/** How long what is kept. Predictions go by whichever bound is met first; the record of healing only by its age. */
export interface Retention {
  readonly predictionRows: number;
  readonly predictionAgeMs: number;
  /** Of the rows as they are stored, by an average: the file is somewhat larger. */
  readonly predictionBytes: number;
  /** History, ended actions, resolved incidents. */
  readonly historyAgeMs: number;
}

const DAY_MS = 24 * 3_600_000;
export const DEFAULT_RETENTION: Retention = {
  predictionRows: 1_000_000,
  predictionAgeMs: 30 * DAY_MS,
  predictionBytes: 512 * 1024 * 1024,
  historyAgeMs: 400 * DAY_MS,
};

const PRUNE_EVERY_MS = 60_000;
/** Rows removed in one transaction, so that no request waits long behind it. */
const PRUNE_STEP = 500;

/** Lets go what is too old or too much, once a minute and in small steps. */
export interface Pruner {
  start(): void;
  run(): Promise<number>;
  stop(): void;
}

export function createPruner(
  supervisor: Pick<Supervisor, 'batched'>,
  { clock, log, keepRoom }: { readonly clock: Clock; readonly log: Log; readonly keepRoom: () => void },
  retention: Retention,
): Pruner {
  let cancel: (() => void) | undefined;
  let stopped = false;

  const steps: readonly ((db: Db, nowMs: number) => Promise<number>)[] = [
    async (db, nowMs) => {
      const fitting = Math.floor(retention.predictionBytes / (await averageBytes(db)));
      const kept = { maxRows: Math.min(retention.predictionRows, fitting), maxAgeMs: retention.predictionAgeMs };
      return prunePredictions(db, kept, nowMs, PRUNE_STEP);
    },
    (db, nowMs) => pruneHistory(db, nowMs - retention.historyAgeMs, PRUNE_STEP),
    (db, nowMs) => pruneLedger(db, nowMs - retention.historyAgeMs),
  ];

  const run = async (): Promise<number> => {
    let removed = 0;
    for (const step of steps) {
      for (;;) {
        const n = await supervisor.batched((db) => step(db, clock.nowMs()));
        removed += n;
        if (n < PRUNE_STEP || stopped) break;
        await new Promise<void>((resolve) => void clock.after(1, resolve));
      }
    }
    keepRoom();
    return removed;
  };

  const arm = (): void => {
    cancel = clock.after(PRUNE_EVERY_MS, () => {
      run()
        .catch((error: unknown) => log.warn('retention did not run', { error }))
        .finally(() => {
          if (!stopped) arm();
        });
    });
  };

  return {
    start: arm,
    run,
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}
