import type { MetricWish, PollReply, SourceError } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { err, type Result } from '../lib/result.ts';
import { assemble, type SharedReadings } from './assemble.ts';
import { failedCells, hasTimes, toCells, type Cell } from './cells.ts';
import { createChunkSizes } from './chunks.ts';
import { createDiscovery } from './discovery.ts';
import { createMerging, mergedQuery, splitReply } from './merge.ts';
import { maxSampleAgeMs, rateWindowMs, youngWindowMs, type Settings } from './options.ts';
import { planPart, planPoll, type PlanContext, type PlannedQuery, type Subject } from './plan.ts';
import type { QueryWindows } from './preset-source.ts';
import type { InstantQuery, InstantReply } from './query-api.ts';
import { createServerClock, type Disbelief, type ServerClock } from './server-clock.ts';
import { sourceError } from './source-error.ts';

/** After so many failures in a row the server is taken as gone for the rest of the poll. */
const GIVE_UP_AFTER = 3;

/** The windows of all preset queries. */
const windowsOf = (scrapeIntervalMs: number): QueryWindows => ({
  rateMs: rateWindowMs(scrapeIntervalMs),
  youngMs: youngWindowMs(scrapeIntervalMs),
  freshMs: maxSampleAgeMs(scrapeIntervalMs),
});

/** Ours, which the server's is compared with. */
export type OwnClock = Pick<Clock, 'nowMs' | 'monotonicMs'>;

/** Polls for all policies at once; holds what was learnt of the server between polls. */
export interface Poller {
  poll(wishes: readonly MetricWish[], nowMs: number): Promise<PollReply>;
  /** Finds out, where that is due, which sources exist in these namespaces besides those of the polls. */
  discover(namespaces: ReadonlySet<string>, nowMs: number): Promise<void>;
  /** The planner's knowledge, for back-fill. */
  context(): PlanContext;
  /** By how much the server's clock is ahead of our wall clock; negative: behind; 0: they agree. */
  aheadMs(): number;
}

/** A poller over one server. */
export function createPoller(
  ask: InstantQuery,
  scope: PlanContext['scope'],
  settings: Settings & { readonly clock: OwnClock },
): Poller {
  const serverClock = createServerClock();
  const { clock } = settings;
  const timed = timedQuery(ask, serverClock, clock);
  const discovery = createDiscovery(timed, settings.scrapeIntervalMs);
  const chunkSizes = createChunkSizes();
  const merging = createMerging();
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

  const cellsOf = (subject: Subject, reply: TimedReply, { nowMs }: Round): ReadonlyMap<string, Cell> => {
    givesTimes ||= hasTimes(reply);
    const { answeredMs = nowMs, disbelief } = reply;
    const maxAgeMs = maxSampleAgeMs(settings.scrapeIntervalMs);
    return toCells(subject, reply, { nowMs: answeredMs, maxAgeMs, givesTimes, ...(disbelief && { disbelief }) });
  };

  /** The cells of one query; the halves of one that was too large are left over. */
  const runOne = async (planned: PlannedQuery, round: Round): Promise<Asked> => {
    const reply = await round.ask(planned);
    const { subject } = planned;
    if (reply.ok) return { cells: [...cellsOf(subject, reply.value, round)], left: [] };
    const failed = { cells: [...failedCells(subject, reply.error)], left: [] };
    if (reply.error.kind !== 'QueryTooLarge' || subject.kind === 'author') return failed;
    chunkSizes.tooLarge(subject.sourceKey, subject.namespaces);
    if (subject.namespaces.length === 1) return failed;
    const half = Math.ceil(subject.namespaces.length / 2);
    const parts = [subject.namespaces.slice(0, half), subject.namespaces.slice(half)];
    return { cells: [], left: parts.map((part) => planPart(subject.sourceKey, subject.source, part, windows)) };
  };

  /** The cells of several queries by one exchange; those that are to be asked one by one are left over. */
  const run = async (group: readonly PlannedQuery[], round: Round): Promise<Asked> => {
    const [first] = group;
    if (first === undefined) return { cells: [], left: [] };
    if (group.length === 1) return runOne(first, round);
    const whole = await round.ask({ ...first, promql: mergedQuery(group) }, group.length);
    if (!whole.ok && isNobodys(whole.error)) {
      if (whole.error.kind === 'Timeout') merging.failed(round.nowMs);
      const { error } = whole;
      return { cells: group.flatMap(({ subject }) => [...failedCells(subject, error)]), left: [] };
    }
    const parts = whole.ok && whole.value.partial === undefined ? splitReply(whole.value, group.length) : undefined;
    if (!whole.ok || parts === undefined) {
      merging.failed(round.nowMs);
      return { cells: [], left: group };
    }
    merging.seen(whole.value.rows.length, round.nowMs);
    const { rows: _merged, ...reply } = whole.value;
    const cells = group.flatMap(({ subject }, i) => [
      ...cellsOf(subject, { ...reply, rows: parts[i]?.rows ?? [] }, round),
    ]);
    return { cells, left: [] };
  };

  return {
    context,
    aheadMs: () => serverClock.aheadMs(),
    async discover(namespaces, nowMs) {
      discoveryError = (await discovery.refresh(namespaces, nowMs)).error;
    },
    async poll(wishes, nowMs) {
      const namespaces = new Set(wishes.map((wish) => wish.namespace));
      const found = await discovery.refresh(namespaces, nowMs);
      discoveryError = found.error;
      const plan = planPoll(wishes, context());
      const round = createRound(timed, nowMs, found.error);
      const cells = new Map<string, Cell>();
      await inParallel(merging.groups(plan.queries, nowMs), settings.limits.concurrency, async (group) => {
        const { cells: found, left } = await run(group, round);
        for (const [key, cell] of found) cells.set(key, cell);
        return left.map((planned) => [planned]);
      });
      const shared: SharedReadings = new Map();
      const policies = wishes.map((wish, i) => assemble(wish, plan.wants[i] ?? [], cells, shared));
      const atMs = serverClock.nowMs(clock.monotonicMs()) ?? clock.nowMs();
      return { atMs, policies, queries: found.queries + round.sent() };
    },
  };
}

/** A reply, and why its time is not believed. */
interface TimedReply extends InstantReply {
  readonly disbelief?: Disbelief;
}
type TimedQuery = (promql: string) => Promise<Result<TimedReply, SourceError>>;

/** Each reply tells of the server's clock. */
function timedQuery(ask: InstantQuery, serverClock: ServerClock, clock: OwnClock): TimedQuery {
  return async (promql) => {
    const sentMs = clock.monotonicMs();
    const reply = await ask(promql);
    if (!reply.ok || reply.value.answeredMs === undefined) return reply;
    const exchange = { sentMs, receivedMs: clock.monotonicMs(), wallMs: clock.nowMs() };
    const disbelief = serverClock.hear(reply.value.answeredMs, exchange);
    return disbelief === undefined ? reply : { ok: true, value: { ...reply.value, disbelief } };
  };
}

/** One poll's way to the server. */
interface Round {
  readonly nowMs: number;
  /** `queries`: how many stand in it; one deadline for six of them is six failures. */
  ask(planned: PlannedQuery, queries?: number): Promise<Result<TimedReply, SourceError>>;
  sent(): number;
}

interface Asked {
  readonly cells: readonly (readonly [key: string, cell: Cell])[];
  /** What is to be asked by itself, since it could not be had this way. */
  readonly left: readonly PlannedQuery[];
}

/** A failure that says nothing about any one query. */
const isNobodys = ({ kind }: SourceError): boolean =>
  kind === 'Timeout' || kind === 'Unreachable' || kind === 'Unauthorized';

const isOutage = (error: SourceError | undefined): boolean =>
  error?.kind === 'Timeout' || error?.kind === 'Unreachable';

/**
 * Without it a hundred queries to a server that hangs would take a hundred deadlines. Authors' queries may be slow by
 * themselves and say nothing about the server. Where discovery failed already, one more failure is enough.
 */
function createRound(ask: TimedQuery, nowMs: number, discoveryError: SourceError | undefined): Round {
  let sent = 0;
  let failures = isOutage(discoveryError) ? GIVE_UP_AFTER - 1 : 0;
  let last: SourceError | undefined;
  return {
    nowMs,
    sent: () => sent,
    async ask({ promql, subject }, queries = 1) {
      if (failures >= GIVE_UP_AFTER && last !== undefined) {
        return err(sourceError(last.kind, `not asked, the server does not answer: ${last.message}`));
      }
      sent++;
      const reply = await ask(promql);
      if (reply.ok) failures = 0;
      else if (subject.kind === 'preset' && isOutage(reply.error)) {
        failures += queries;
        last = reply.error;
      }
      return reply;
    },
  };
}
