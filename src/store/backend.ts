import type { Kysely } from 'kysely';
import type { InsertRows } from './predictions.ts';
import type { Tables } from './tables.ts';

/** Why the database did not do it. `locked` passes by itself, `full` is eased by dropping what matters least. */
export type FaultCause = 'locked' | 'full' | 'read-only' | 'damaged' | 'unreachable' | 'constraint' | 'other';

/** A write or read that the database refused. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  override readonly cause: FaultCause;

  constructor(cause: FaultCause, message: string) {
    super(message);
    this.cause = cause;
  }
}

export type Db = Kysely<Tables>;

/** What the store needs of a database, and no more: SQLite and PostgreSQL stand behind it. All SQL above it goes through kysely. */
export interface Backend {
  /** Opens the database and brings its schema up to date; throws `StoreFault`. Called again after `reset`. */
  open(): Promise<void>;
  /** One transaction. `durable`: it has reached the disk when the promise resolves. Throws `StoreFault`. */
  write<T>(durability: 'durable' | 'batched', run: (db: Db) => Promise<T>): Promise<T>;
  /** What is read in one call is of one moment. */
  read<T>(run: (db: Db) => Promise<T>): Promise<T>;
  /** Calls the listener when the database goes away between two uses, where that can be noticed. */
  onLost?(listener: (fault: StoreFault) => void): void;
  /** The database is full, and rows are about to be removed: makes that possible, where it needs room itself. */
  makeWay?(): Promise<void>;
  /** Called now and then: holds room for `makeWay`. */
  keepRoom?(): void;
  /** Writes the rows of a batch; absent: statements of several rows are as good as anything. */
  readonly insertPredictions?: InsertRows;
  /** Rows of a batch that are written together. */
  readonly batchRows: number;
  /** Gives up the connection; the next `open` starts afresh. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
