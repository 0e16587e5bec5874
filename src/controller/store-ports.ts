import type { Incident } from '../detection/incident.ts';
import type { ActionRecord } from '../policy/ledger.ts';

export interface HistoryRow {
  readonly id: string;
  readonly atMs: number;
  readonly kind: 'effect' | 'alert' | 'decision' | 'hold' | 'incident' | 'undo' | 'dry-run' | 'reset';
  readonly incidentId?: string;
  readonly decisionId?: string;
  readonly actionName?: string;
  readonly namespace: string;
  readonly workload: string;
  readonly action?: string;
  readonly reason?: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** What `completeHistory` added; set by the store alone. */
  readonly outcome?: HistoryOutcome;
}

/** How the thing that a history row announced went. */
export interface HistoryOutcome {
  readonly atMs: number;
  readonly reason?: string;
  readonly message: string;
}

export interface Prediction {
  readonly id: string;
  readonly atMs: number;
  readonly modelType: 'anomaly' | 'failure';
  readonly severityScore: number;
  readonly recommendedAction: string;
  readonly anomalous: boolean;
  /** The answer as it was sent, JSON: many may wait, and the text is much smaller than what it was made from. */
  readonly body: string;
}

/** A stored or waiting prediction, and the place in the list from which a reader goes on after it. */
export interface ListedPrediction extends Prediction {
  readonly cursor: string;
}

export interface PredictionStats {
  readonly total: number;
  readonly last24h: number;
  readonly anomalies: number;
  readonly failures: number;
}

/** Durable memory. Healing rows are awaited before an effect; predictions are batched and may be dropped, counted. */
export interface Store {
  /** Resolves once the rows are committed; rejects if they cannot be. */
  appendHistory(rows: readonly HistoryRow[]): Promise<void>;
  completeHistory(id: string, outcome: HistoryOutcome): Promise<void>;
  history(query: {
    readonly limit: number;
    readonly namespace?: string;
    readonly workload?: string;
    readonly incidentId?: string;
    /** The one row of this id; that of a decision to wait is the decision's. */
    readonly id?: string;
  }): Promise<readonly HistoryRow[]>;
  /** Inserts or replaces by name. */
  saveAction(record: ActionRecord): Promise<void>;
  actionsSince(sinceMs: number): Promise<readonly ActionRecord[]>;
  saveIncident(incident: Incident): Promise<void>;
  openIncidents(): Promise<readonly Incident[]>;
  /** Newest first, resolved ones included. */
  incidents(limit: number): Promise<readonly Incident[]>;
  /** Takes a named lease row until `untilMs`; false: another holder has it. */
  takeTargetLease(target: string, holder: string, nowMs: number, untilMs: number): Promise<boolean>;
  releaseTargetLease(target: string, holder: string): Promise<void>;
  saveBlob(key: string, bytes: Uint8Array): Promise<void>;
  loadBlob(key: string): Promise<Uint8Array | undefined>;
  /** Never waits and never throws: dropped rows are counted. */
  recordPrediction(prediction: Prediction): void;
  /**
   * Newest first, at most `limit`; after the row whose `cursor` is given. Rows that come meanwhile are before the first
   * page, so that a reader who goes on sees none twice and leaves none out.
   */
  predictions(limit: number, after?: string): Promise<readonly ListedPrediction[]>;
  predictionStats(nowMs: number): Promise<PredictionStats>;
  healthy(): boolean;
  close(): Promise<void>;
}
