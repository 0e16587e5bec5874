import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryRow, Prediction } from '../../../src/controller/store-ports.ts';
import type { Incident } from '../../../src/detection/incident.ts';
import type { ActionRecord } from '../../../src/policy/ledger.ts';

/** A path for a database that nobody else uses. */
export const aFile = (): string => join(mkdtempSync(join(tmpdir(), 'aegis-store-')), 'data', 'aegis.db');

export const aRow = (over: Partial<HistoryRow> = {}): HistoryRow => ({
  id: 'row-1',
  atMs: 1_000,
  kind: 'effect',
  incidentId: 'incident-1',
  namespace: 'shop',
  workload: 'Deployment shop/checkout',
  action: 'restart_pod',
  message: 'pod checkout-1 is evicted: memory 93 % of its limit',
  facts: { pods: ['checkout-1'], guards: { budget: 'passed' } },
  ...over,
});

export const aPrediction = (over: Partial<Prediction> = {}): Prediction => ({
  id: 'prediction-1',
  atMs: 1_000,
  modelType: 'anomaly',
  severityScore: 0.91,
  recommendedAction: 'scale_up',
  anomalous: true,
  body: '{"is_anomaly":true}',
  ...over,
});

export const anActionRecord = (over: Partial<ActionRecord> = {}): ActionRecord => ({
  name: 'heal-1',
  namespace: 'shop',
  policyUid: 'policy-1',
  workloadUid: 'workload-1',
  workload: 'Deployment shop/checkout',
  incidentId: 'incident-1',
  failureType: 'memory_leak',
  step: 0,
  attempt: 1,
  action: 'restart_pod',
  podUids: ['pod-1'],
  decidedAtMs: 1_000,
  state: 'Executing',
  dryRun: false,
  spent: true,
  ...over,
});

export const anIncident = (over: Partial<Incident> = {}): Incident => ({
  id: 'incident-1',
  policyUid: 'policy-1',
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: 'workload-1' },
  openedAtMs: 1_000,
  onsetAtMs: 900,
  updatedAtMs: 1_000,
  peakScore: 0.9,
  score: 0.9,
  pods: [],
  metrics: ['memory_usage'],
  goodPolls: 0,
  ...over,
});
