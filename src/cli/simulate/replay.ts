import { composeOperator } from '../../controller/compose.ts';
import type { AlertMessage, EventNote, Leadership, Notifier } from '../../controller/ports.ts';
import type { HistoryRow } from '../../controller/store-ports.ts';
import type { Incident } from '../../detection/incident.ts';
import { toRecord } from '../../healing/record.ts';
import type { StoredAction } from '../../healing/stored-action.ts';
import { SECOND } from '../../lib/duration.ts';
import type { Log } from '../../lib/log.ts';
import { EFFECTS } from '../../policy/action.ts';
import type { Effectiveness } from '../../policy/effectiveness.ts';
import type { Guardrail, HealingPolicy } from '../../policy/healing-policy.ts';
import { END_STATES } from '../../policy/ledger.ts';
import { MemoryStore } from './memory-store.ts';
import { RecordedCluster } from './recorded-cluster.ts';
import { recordedExecutors, RecordedIo } from './recorded-io.ts';
import type { RecordedSeries } from './recorded-series.ts';
import { RecordedSource } from './recorded-source.ts';
import { ReplayClock } from './replay-clock.ts';

export interface ReplayInput {
  readonly policies: readonly HealingPolicy[];
  readonly guardrails: readonly Guardrail[];
  readonly series: readonly RecordedSeries[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Distance of the polls; that of the policies' own `intervalSeconds` gives way to it. */
  readonly stepMs: number;
  /** Usual distance of the record's samples. */
  readonly sampleIntervalMs: number;
  /** What a live operator has learnt of the effects; absent: nothing. */
  readonly earlierEffectiveness?: readonly Effectiveness[];
}

/** A message that people would have got. */
export interface ReplayedAlert {
  readonly atMs: number;
  readonly message: AlertMessage;
}

export interface ReplayedEvent {
  readonly atMs: number;
  readonly note: EventNote;
}

/** All that the operator said and did in the replay. */
export interface ReplayOutcome {
  readonly incidents: readonly Incident[];
  readonly actions: readonly StoredAction[];
  readonly rows: readonly HistoryRow[];
  readonly events: readonly ReplayedEvent[];
  readonly alerts: readonly ReplayedAlert[];
  readonly polls: number;
  readonly pods: number;
  readonly workloads: readonly string[];
  /** What the operator logged as a fault of its own; not empty: the replay cannot be trusted. */
  readonly faults: readonly string[];
}

/** The engine's random choices, as in the program: the same record gives the same report. */
const SEED = 0x5eed;
/** How far back Prometheus looks for the newest sample. */
const LOOK_BACK_MS = 300_000;
const LEAST_STALENESS_MS = 10 * SECOND;

/**
 * Runs the whole operator over a record, from poll to poll. While something is under way its own timers set the pace; in
 * between the clock jumps. Nothing of it reaches a cluster or a person.
 */
export async function replay(input: ReplayInput): Promise<ReplayOutcome> {
  const { fromMs, toMs, stepMs, guardrails, series, sampleIntervalMs } = input;
  const policies = input.policies.map((policy) => ({
    ...policy,
    detection: { ...policy.detection, intervalSeconds: stepMs / SECOND },
  }));
  // The first second is for the back-fill: the first poll is at the very beginning of the range, as all others keep its rhythm.
  const clock = new ReplayClock(fromMs - SECOND);
  const stalenessMs = Math.max(2 * sampleIntervalMs, LEAST_STALENESS_MS);
  const cluster = new RecordedCluster({ policies, series, startMs: firstOf(series), sampleIntervalMs });
  const source = new RecordedSource({
    ...{
      series,
      lookBackMs: Math.max(LOOK_BACK_MS, stalenessMs),
      rateWindowMs: Math.max(4 * sampleIntervalMs, 20_000),
    },
  });
  const io = new RecordedIo({ cluster, policies, guardrails, clock });
  const store = new MemoryStore();
  const leadership = new OnlyLeader();
  const heard: { events: ReplayedEvent[]; alerts: ReplayedAlert[]; faults: string[] } = {
    events: [],
    alerts: [],
    faults: [],
  };
  const { operator } = composeOperator(
    {
      ...{ reader: io, writer: io, leadership, executors: recordedExecutors(cluster), source, store, clock },
      notifier: notifierFor(policies, (message) => heard.alerts.push({ atMs: clock.nowMs(), message })),
      policyEngine: { ask: () => Promise.resolve({ kind: 'allowed', policies: [] }) },
      events: { emit: (note) => void heard.events.push({ atMs: clock.nowMs(), note }) },
      metrics: { count: nothing, gauge: nothing, observe: nothing },
      random: () => 0.5,
      log: faultLog((fault) => heard.faults.push(fault)),
    },
    {
      ...{ identity: 'replay', seed: SEED, stalenessMs, missingRights: () => [] },
      ...(input.earlierEffectiveness && { earlierEffectiveness: input.earlierEffectiveness }),
      ...{ enabledEffects: new Set(EFFECTS), finishedTtlMs: Infinity, storesModels: false, reportsPolicies: false },
    },
  );
  await operator.start();
  leadership.begin();
  await settled();
  while (clock.nowMs() < toMs) {
    const { polledAtMs } = source;
    const isExact = polledAtMs === undefined || io.actions().some(isUnderWay);
    const nextMs = isExact ? clock.nextDueMs() : polledAtMs + stepMs;
    clock.moveTo(Math.min(nextMs, toMs));
    await settled();
  }
  await operator.stop();
  return {
    ...heard,
    ...{
      actions: io.actions(),
      rows: store.rows,
      polls: source.polls,
      pods: cluster.podCount,
      workloads: cluster.names,
    },
    incidents: await store.incidents(Infinity),
  };
}

const nothing = (): void => undefined;

function firstOf(series: readonly RecordedSeries[]): number {
  return series.reduce((first, { timesMs }) => Math.min(first, timesMs[0] ?? Infinity), Infinity);
}

/** Its timers must be kept to the second: something is sent, watched or due to go back. */
function isUnderWay(action: StoredAction): boolean {
  const { rollback } = action.status;
  return !END_STATES.has(toRecord(action).state) || (rollback?.dueAtMs !== undefined && !rollback.done);
}

/** All that follows from a moment happens within the process: no turn of the event loop brings anything from outside. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The one process of a replay leads from the first moment to the last. */
class OnlyLeader implements Leadership {
  readonly #listeners: ((leader: boolean) => void)[] = [];
  #leads = false;

  isLeader(): boolean {
    return this.#leads;
  }

  mayBeginEffect(): boolean {
    return this.#leads;
  }

  mayWrite(): boolean {
    return this.#leads;
  }

  onChange(listener: (leader: boolean) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    // `begin` says when.
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  begin(): void {
    this.#leads = true;
    for (const listener of this.#listeners) listener(true);
  }
}

/** Has every sink that a policy names, and hears every message. */
function notifierFor(policies: readonly HealingPolicy[], hear: (message: AlertMessage) => void): Notifier {
  const named = policies.flatMap(({ notifications, remedies }) => [
    ...notifications.map(({ sink }) => sink),
    ...remedies.flatMap(({ steps }) => steps.flatMap(({ notify }) => notify?.sinks ?? [])),
  ]);
  const sinks = named.length === 0 ? ['people'] : [...new Set(named)];
  return {
    sinks: () => sinks,
    send(to, message, how) {
      if (how?.isRepeat !== true) hear(message);
      return Promise.resolve({ delivered: to.length === 0 ? sinks : to, failed: [] });
    },
  };
}

/** Only what the operator calls a fault of its own is of interest. */
function faultLog(tell: (fault: string) => void): Log {
  const log: Log = {
    ...{ debug: nothing, info: nothing, warn: nothing },
    error(message, facts = {}) {
      const error = facts['err'] ?? facts['error'];
      tell(error instanceof Error ? `${message}: ${error.message}` : message);
    },
    child: () => log,
  };
  return log;
}
