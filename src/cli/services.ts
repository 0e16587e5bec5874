import type { MetricSource } from '../controller/ports.ts';
import type { Result } from '../lib/result.ts';

/** How a command ended: 0 done, 1 it could not be done, 2 it was asked wrongly. */
export type ExitCode = 0 | 1 | 2;

/** What reaches people and files. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** The error is a sentence that names the file. */
  readFile(path: string): Promise<Result<string, string>>;
  nowMs(): number;
}

/** How the cluster is reached; absent fields: as kubectl would. */
export interface ClusterLogin {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Read-only: the objects of Aegis as the API server has them. */
export interface ClusterObjects {
  /** Namespace of the login, where it names one. */
  readonly namespace: string | undefined;
  list(kind: 'policies' | 'actions', namespace: string): Promise<Result<readonly unknown[], string>>;
  close(): void;
}

/** The REST API of a running Aegis. */
export interface RestApi {
  /** The answer as parsed JSON; the error is a sentence. */
  get(path: string): Promise<Result<unknown, string>>;
  /** One request that acts, under a key of its own. */
  post(path: string, body: object): Promise<Result<unknown, string>>;
}

/** What a backup holds, found by reading all of it. */
export interface CopyReport {
  readonly schema: number;
  readonly historyEntries: number;
  /** Hash of the newest history entry. */
  readonly chainHead: string;
  readonly predictions: number;
}

/** Copies of the database that the settings name. The errors are sentences. */
export interface DatabaseCopies {
  /** The database, as people may be shown it. */
  readonly where: string;
  backup(file: string): Promise<Result<CopyReport, string>>;
  /** `replaces`: a database that holds something gives it up. */
  restore(file: string, replaces: boolean): Promise<Result<CopyReport, string>>;
}

/** The settings in force, without secrets, and what is wrong with them. */
export interface Configuration {
  readonly text: string;
  readonly problems: readonly string[];
}

/**
 * Everything a command may reach, opened only when it is needed. `main.ts` makes it of the real adapters, tests of
 * fakes; a command that needs another thing of the world gets another field here.
 */
export interface Services {
  readonly terminal: Terminal;
  openCluster(login: ClusterLogin): Promise<Result<ClusterObjects, string>>;
  openRest(address: { readonly url: string; readonly apiKey?: string }): RestApi;
  /** Settings other than the address come from the environment, as for the operator. */
  openMetrics(url: string | undefined): Promise<Result<MetricSource, string>>;
  /** Settings come from the environment, as for the operator; the folder of the SQLite file may be given instead. */
  openDatabase(where: { readonly dataDir?: string }): Promise<Result<DatabaseCopies, string>>;
  /** Of the environment and the file `.env`. */
  readConfiguration(): Promise<Configuration>;
}
