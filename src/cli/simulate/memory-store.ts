import type { HistoryRow, Store } from '../../controller/store-ports.ts';
import type { Incident } from '../../detection/incident.ts';
import type { ActionRecord } from '../../policy/ledger.ts';

/** What a replay remembers: as the live store, until the replay is over. */
export class MemoryStore implements Store {
  readonly rows: HistoryRow[] = [];
  readonly #incidents = new Map<string, Incident>();
  readonly #actions = new Map<string, ActionRecord>();
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #leases = new Map<string, { readonly holder: string; readonly untilMs: number }>();

  appendHistory(rows: readonly HistoryRow[]): Promise<void> {
    const known = new Set(this.rows.map(({ id }) => id));
    this.rows.push(...rows.filter(({ id }) => !known.has(id)));
    return Promise.resolve();
  }

  completeHistory(id: string, outcome: NonNullable<HistoryRow['outcome']>): Promise<void> {
    const at = this.rows.findIndex((row) => row.id === id);
    const row = this.rows[at];
    if (row !== undefined) this.rows[at] = { ...row, outcome };
    return Promise.resolve();
  }

  history({ limit, ...wanted }: Parameters<Store['history']>[0]): Promise<readonly HistoryRow[]> {
    const isWanted = (row: HistoryRow): boolean =>
      (['namespace', 'workload', 'incidentId', 'id'] as const).every(
        (field) => wanted[field] === undefined || row[field] === wanted[field],
      );
    return Promise.resolve(this.rows.filter(isWanted).reverse().slice(0, limit));
  }

  saveAction(record: ActionRecord): Promise<void> {
    this.#actions.set(record.name, record);
    return Promise.resolve();
  }

  actionsSince(sinceMs: number): Promise<readonly ActionRecord[]> {
    return Promise.resolve([...this.#actions.values()].filter(({ decidedAtMs }) => decidedAtMs >= sinceMs));
  }

  saveIncident(incident: Incident): Promise<void> {
    this.#incidents.set(incident.id, incident);
    return Promise.resolve();
  }

  openIncidents(): Promise<readonly Incident[]> {
    return Promise.resolve([...this.#incidents.values()].filter(({ resolvedAtMs }) => resolvedAtMs === undefined));
  }

  incidents(limit: number): Promise<readonly Incident[]> {
    return Promise.resolve([...this.#incidents.values()].sort((a, b) => b.openedAtMs - a.openedAtMs).slice(0, limit));
  }

  takeTargetLease(target: string, holder: string, nowMs: number, untilMs: number): Promise<boolean> {
    const held = this.#leases.get(target);
    if (held !== undefined && held.holder !== holder && held.untilMs > nowMs) return Promise.resolve(false);
    this.#leases.set(target, { holder, untilMs });
    return Promise.resolve(true);
  }

  releaseTargetLease(target: string, holder: string): Promise<void> {
    if (this.#leases.get(target)?.holder === holder) this.#leases.delete(target);
    return Promise.resolve();
  }

  saveBlob(key: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(key, bytes);
    return Promise.resolve();
  }

  loadBlob(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#blobs.get(key));
  }

  recordPrediction(): void {
    // Nobody asks the REST API of a replay.
  }

  predictions(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  predictionStats(): ReturnType<Store['predictionStats']> {
    return Promise.resolve({ total: 0, last24h: 0, anomalies: 0, failures: 0 });
  }

  healthy(): boolean {
    return true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
