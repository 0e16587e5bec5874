import type { MetricsSink } from '../controller/ports.ts';
import type { Store } from '../controller/store-ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Backend } from './backend.ts';
import type { ChainCheck } from './history-chain.ts';
import { appendOutcome, appendRows, readHistory, verifyChain } from './history.ts';
import * as ledger from './ledger.ts';
import { createPredictionQueue, type PredictionQueue } from './prediction-queue.ts';
import {
  countPredictions,
  insertPredictions,
  isStored,
  listPredictions,
  predictionStats,
  prunePredictions,
} from './predictions.ts';
import { createPruner, DEFAULT_RETENTION, type Retention } from './retention.ts';
import { createSqliteBackend } from './sqlite-backend.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

/** The SQLite file's name in its folder. */
export const DATABASE_FILE = 'aegis.db';

export interface StoreDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsSink;
  readonly retention?: Partial<Retention>;
  /** Predictions that may wait for the database; the next ones are dropped and counted. */
  readonly queueCapacity?: number;
}

export interface SqliteStoreSetting extends StoreDependencies {
  /** Path of the database file, or `:memory:`. */
  readonly file: string;
  readonly maxBytes?: number;
}

/** The port and what only the process around it needs. */
export interface ManagedStore extends Store {
  /** Recomputes every hash of the history. */
  verifyHistory(): Promise<ChainCheck>;
  /** Removes what retention lets go, in small steps; returns how many rows went. Also runs by itself. */
  prune(): Promise<number>;
  /** Writes the predictions that wait. */
  flush(): Promise<void>;
}

/** Rows given up at once when the database is full. */
const ROOM_STEP = 1_000;

/**
 * A store on one SQLite file. Resolves with a store in any case: one that could not be opened is not healthy, refuses
 * healing rows, and opens by itself once it can.
 */
export function createSqliteStore(setting: SqliteStoreSetting): Promise<ManagedStore> {
  const { file, maxBytes, ...dependencies } = setting;
  const nowMs = (): number => setting.clock.nowMs();
  const size = maxBytes === undefined ? {} : { maxBytes };
  return createStore(createSqliteBackend({ file, nowMs, ...size }), dependencies);
}

export interface PostgresStoreSetting extends StoreDependencies {
  /** `postgres://…`; never logged. */
  readonly url: string;
}

/** The same over PostgreSQL. Its driver is loaded here and nowhere else: whoever uses SQLite does not pay for it. */
export async function createPostgresStore(setting: PostgresStoreSetting): Promise<ManagedStore> {
  const { url, ...dependencies } = setting;
  const { createPostgresBackend } = await import('./postgres-backend.ts');
  return createStore(createPostgresBackend({ url, nowMs: () => setting.clock.nowMs() }), dependencies);
}

/** The store over any backend. */
async function createStore(backend: Backend, dependencies: StoreDependencies): Promise<ManagedStore> {
  const { clock, log, metrics } = dependencies;
  const retention: Retention = { ...DEFAULT_RETENTION, ...dependencies.retention };
  const supervisor = createSupervisor({
    backend,
    clock,
    log,
    metrics,
    makeRoom: async (db) => void (await prunePredictions(db, NOTHING_KEPT, clock.nowMs(), ROOM_STEP)),
  });
  const queue = createPredictionQueue({
    clock,
    log,
    metrics,
    batchRows: backend.batchRows,
    ...(dependencies.queueCapacity === undefined ? {} : { capacity: dependencies.queueCapacity }),
    write: (rows, onWritten, isRepeated) => {
      let mayBeStored = isRepeated;
      return supervisor.batched(async (db) => {
        const isKnown = mayBeStored && (await isStored(db, rows));
        // From here on it may be: the supervisor tries once more where the connection was lost, perhaps with the answer.
        mayBeStored = true;
        if (!isKnown) await insertPredictions(db, rows, backend.insertPredictions);
        onWritten();
      });
    },
  });
  const pruner = createPruner(supervisor, { ...dependencies, keepRoom: () => backend.keepRoom?.() }, retention);
  await supervisor.start();
  backend.keepRoom?.();
  pruner.start();
  return {
    ...historyPart(supervisor, metrics),
    ...ledgerPart(supervisor, clock),
    ...predictionPart(supervisor, queue),
    healthy: () => supervisor.healthy(),
    prune: () => pruner.run(),
    flush: () => queue.drain(),
    close: async () => {
      pruner.stop();
      await queue.drain();
      queue.stop();
      await supervisor.close();
    },
  };
}

const NOTHING_KEPT = { maxRows: 0, maxAgeMs: 0 };

function historyPart(
  supervisor: Supervisor,
  metrics: MetricsSink,
): Pick<ManagedStore, 'appendHistory' | 'completeHistory' | 'history' | 'verifyHistory'> {
  return {
    appendHistory: async (rows) => {
      const fresh = await supervisor.durable((db) => appendRows(db, rows));
      for (const row of fresh) metrics.count('aegis_history_rows_total', { kind: row.kind });
    },
    completeHistory: async (id, outcome) => {
      await supervisor.durable((db) => appendOutcome(db, id, outcome));
      metrics.count('aegis_history_rows_total', { kind: 'outcome' });
    },
    history: (query) => supervisor.read((db) => readHistory(db, query)),
    verifyHistory: () => supervisor.read(verifyChain),
  };
}

type LedgerPart =
  | 'saveAction'
  | 'actionsSince'
  | 'saveIncident'
  | 'openIncidents'
  | 'incidents'
  | 'takeTargetLease'
  | 'releaseTargetLease'
  | 'saveBlob'
  | 'loadBlob';

function ledgerPart(supervisor: Supervisor, clock: Clock): Pick<ManagedStore, LedgerPart> {
  return {
    saveAction: (record) => supervisor.durable((db) => ledger.putAction(db, record)),
    actionsSince: (sinceMs) => supervisor.read((db) => ledger.listActions(db, sinceMs)),
    saveIncident: (incident) => supervisor.durable((db) => ledger.putIncident(db, incident)),
    openIncidents: () => supervisor.read(ledger.listOpenIncidents),
    incidents: (limit) => supervisor.read((db) => ledger.listIncidents(db, limit)),
    takeTargetLease: (target, holder, nowMs, untilMs) =>
      supervisor.durable((db) => ledger.takeLease(db, { target, holder, nowMs, untilMs })),
    releaseTargetLease: (target, holder) => supervisor.durable((db) => ledger.releaseLease(db, target, holder)),
    saveBlob: (key, bytes) => supervisor.durable((db) => ledger.putBlob(db, key, bytes, clock.nowMs())),
    loadBlob: (key) => supervisor.read((db) => ledger.getBlob(db, key)),
  };
}

/** What waits is already visible: a caller sees its own prediction at once. */
function predictionPart(
  supervisor: Supervisor,
  queue: PredictionQueue,
): Pick<ManagedStore, 'recordPrediction' | 'predictions' | 'predictionStats'> {
  return {
    recordPrediction: (prediction) => queue.push(prediction),
    predictions: (limit, after) => supervisor.read((db) => listPredictions(db, [...queue.waiting()], limit, after)),
    predictionStats: (nowMs) =>
      supervisor.read(async (db) => {
        const stored = await predictionStats(db, nowMs);
        const waiting = countPredictions(queue.waiting());
        return {
          total: stored.total + waiting.total,
          last24h: stored.last24h + waiting.total,
          anomalies: stored.anomalies + waiting.anomalies,
          failures: stored.failures + waiting.failures,
        };
      }),
  };
}
