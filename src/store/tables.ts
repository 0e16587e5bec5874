import type { Generated } from 'kysely';

/**
 * The tables as kysely sees them. Only types that SQLite and PostgreSQL share: integers (times as epoch milliseconds,
 * truth as 0/1), text (JSON as text) and bytes.
 */
export interface Tables {
  history: HistoryTable;
  history_anchor: AnchorTable;
  prediction: PredictionTable;
  prediction_minute: { minute: number; n: number };
  counter: { name: string; value: number };
  action: ActionTable;
  incident: IncidentTable;
  target_lease: { target: string; holder: string; until_ms: number };
  blob: { key: string; bytes: Uint8Array; at_ms: number };
  schema_version: { version: number; name: string; applied_at_ms: number };
}

/** Append-only and hash-chained. An outcome is an entry of its own, so that no row is ever changed. */
export interface HistoryTable {
  seq: number;
  entry: 'row' | 'outcome';
  /** Id of the row, also on its outcomes. */
  row_id: string;
  at_ms: number;
  kind: string;
  incident_id: string | null;
  decision_id: string | null;
  action_name: string | null;
  namespace: string;
  workload: string;
  action: string | null;
  reason: string | null;
  message: string;
  facts: string;
  previous_hash: string;
  hash: string;
}

/** Where the chain begins (after retention) and where it ends: a cut-off tail does not verify. */
interface AnchorTable {
  place: 'start' | 'head';
  seq: number;
  hash: string;
}

export interface PredictionTable {
  seq: Generated<number>;
  id: string;
  at_ms: number;
  model_type: string;
  severity_score: number;
  recommended_action: string;
  anomalous: number;
  body: string;
}

interface ActionTable {
  namespace: string;
  name: string;
  last_at_ms: number;
  open: number;
  body: string;
}

interface IncidentTable {
  id: string;
  updated_at_ms: number;
  open: number;
  body: string;
}
