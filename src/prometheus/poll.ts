import type { MetricWish, PollReply, SourceError } from '../controller/ports.ts';
import { err, type Result } from '../lib/result.ts';
import { assemble, type SharedReadings } from './assemble.ts';
import { failedCells, hasTimes, toCells, type Cell } from './cells.ts';
import { createChunkSizes } from './chunks.ts';
import { createDiscovery } from './discovery.ts';
import { maxSampleAgeMs, rateWindowMs, youngWindowMs, type Settings } from './options.ts';
import { planPart, planPoll, type PlanContext, type PlannedQuery } from './plan.ts';
import type { QueryWindows } from './preset-source.ts';
import type { InstantQuery, InstantReply } from './query-api.ts';
import { sourceError } from './source-error.ts';

/** After so many failures in a row the server is taken as gone for the rest of the poll. */
const GIVE_UP_AFTER = 3;

/** The windows of all preset queries. */
const windowsOf = (scrapeIntervalMs: number): QueryWindows => ({
  rateMs: rateWindowMs(scrapeIntervalMs),
  youngMs: youngWindowMs(scrapeIntervalMs),
  freshMs: maxSampleAgeMs(scrapeIntervalMs),
});

/** Polls for all policies at once; holds what was learnt of the server between polls. */
export interface Poller {
  poll(wishes: readonly MetricWish[], nowMs: number): Promise<PollReply>;
  /** Finds out, where that is due, which sources exist in these namespaces besides those of the polls. */
  discover(namespaces: ReadonlySet<string>, nowMs: number): Promise<void>;
  /** The planner's knowledge, for back-fill. */
  context(): PlanContext;
}

/** A poller over one server. */
export function createPoller(ask: InstantQuery, scope: PlanContext['scope'], settings: Settings): Poller {
  const discovery = createDiscovery(ask, settings.scrapeIntervalMs);
  const chunkSizes = createChunkSizes();
  const windows = windowsOf(settings.scrapeIntervalMs);
  let givesTimes = false;
  let discoveryError: SourceError | undefined;

  const context = (): PlanContext => ({
    windows,
    chunkSizes,
    scope,
    exists: (namespace, source) => discovery.has(namespace, source),
    isKnown: (namespace) => discovery.isKnown(namespace),
    ...(discoveryError === undefined ? {} : { discoveryError }),
  });

  const run = async (planned: PlannedQuery, round: Round): Promise<ReadonlyMap<string, Cell>> => {
    const reply = await round.ask(planned);
    const { subject } = planned;
    if (reply.ok) {
      givesTimes ||= hasTimes(reply.value);
      const maxAgeMs = maxSampleAgeMs(settings.scrapeIntervalMs);
      return toCells(subject, reply.value, { nowMs: round.nowMs, maxAgeMs, givesTimes });
    }
    if (reply.error.kind !== 'QueryTooLarge' || subject.kind === 'author') return failedCells(subject, reply.error);
    chunkSizes.tooLarge(subject.sourceKey, subject.namespaces);
    if (subject.namespaces.length === 1) return failedCells(subject, reply.error);
    const half = Math.ceil(subject.namespaces.length / 2);
    const parts = [subject.namespaces.slice(0, half), subject.namespaces.slice(half)];
    const cells = new Map<string, Cell>();
    for (const part of parts) {
      const found = await run(planPart(subject.sourceKey, subject.source, part, windows), round);
      for (const [key, cell] of found) cells.set(key, cell);
    }
    return cells;
  };

  return {
    context,
    async discover(namespaces, nowMs) {
      discoveryError = (await discovery.refresh(namespaces, nowMs)).error;
    },
    async poll(wishes, nowMs) {
      const namespaces = new Set(wishes.map((wish) => wish.namespace));
      const found = await discovery.refresh(namespaces, nowMs);
      discoveryError = found.error;
      const plan = planPoll(wishes, context());
      const round = createRound(ask, nowMs, found.error);
      const cells = new Map<string, Cell>();
      await inParallel(plan.queries, settings.limits.concurrency, async (planned) => {
        for (const [key, cell] of await run(planned, round)) cells.set(key, cell);
      });
      const shared: SharedReadings = new Map();
      const policies = wishes.map((wish, i) => assemble(wish, plan.wants[i] ?? [], cells, shared));
      return { atMs: nowMs, policies, queries: found.queries + round.sent() };
    },
  };
}

/** One poll's way to the server. */
interface Round {
  readonly nowMs: number;
  ask(planned: PlannedQuery): Promise<Result<InstantReply, SourceError>>;
  sent(): number;
}

const isOutage = (error: SourceError | undefined): boolean =>
  error?.kind === 'Timeout' || error?.kind === 'Unreachable';

/**
 * Without it a hundred queries to a server that hangs would take a hundred deadlines. Authors' queries may be slow by
 * themselves and say nothing about the server. Where discovery failed already, one more failure is enough.
 */
function createRound(ask: InstantQuery, nowMs: number, discoveryError: SourceError | undefined): Round {
  let sent = 0;
  let failures = isOutage(discoveryError) ? GIVE_UP_AFTER - 1 : 0;
  let last: SourceError | undefined;
  return {
    nowMs,
    sent: () => sent,
    async ask({ promql, subject }) {
      if (failures >= GIVE_UP_AFTER && last !== undefined) {
        return err(sourceError(last.kind, `not asked, the server does not answer: ${last.message}`));
      }
      sent++;
      const reply = await ask(promql, nowMs);
      if (reply.ok) failures = 0;
      else if (subject.kind === 'preset' && isOutage(reply.error)) {
        failures++;
        last = reply.error;
      }
      return reply;
    },
  };
}

async function inParallel<T>(items: readonly T[], width: number, run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
