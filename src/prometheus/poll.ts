import type { MetricWish, PollReply, SourceError } from '../controller/ports.ts';
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

  const cellsOf = (subject: Subject, reply: InstantReply, { nowMs }: Round): ReadonlyMap<string, Cell> => {
    givesTimes ||= hasTimes(reply);
    return toCells(subject, reply, { nowMs, maxAgeMs: maxSampleAgeMs(settings.scrapeIntervalMs), givesTimes });
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
    const reply = await round.ask({ ...first, promql: mergedQuery(group) }, group.length);
    if (!reply.ok && isNobodys(reply.error)) {
      if (reply.error.kind === 'Timeout') merging.failed(round.nowMs);
      const { error } = reply;
      return { cells: group.flatMap(({ subject }) => [...failedCells(subject, error)]), left: [] };
    }
    const parts = reply.ok && reply.value.partial === undefined ? splitReply(reply.value, group.length) : undefined;
    if (!reply.ok || parts === undefined) {
      merging.failed(round.nowMs);
      return { cells: [], left: group };
    }
    merging.seen(reply.value.rows.length, round.nowMs);
    const cells = group.flatMap(({ subject }, i) => [...cellsOf(subject, parts[i] ?? { rows: [] }, round)]);
    return { cells, left: [] };
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
      await inParallel(merging.groups(plan.queries, nowMs), settings.limits.concurrency, async (group) => {
        const { cells: found, left } = await run(group, round);
        for (const [key, cell] of found) cells.set(key, cell);
        return left.map((planned) => [planned]);
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
  /** `queries`: how many stand in it; one deadline for six of them is six failures. */
  ask(planned: PlannedQuery, queries?: number): Promise<Result<InstantReply, SourceError>>;
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
function createRound(ask: InstantQuery, nowMs: number, discoveryError: SourceError | undefined): Round {
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
      const reply = await ask(promql, nowMs);
      if (reply.ok) failures = 0;
      else if (subject.kind === 'preset' && isOutage(reply.error)) {
        failures += queries;
        last = reply.error;
      }
      return reply;
    },
  };
}
