import { HOUR, MINUTE } from '../lib/duration.ts';
import { meetsRequirements } from './match.ts';
import type { SharedBudget } from './effective-guardrail.ts';
import type { ActionRecord } from './ledger.ts';
import { effectAtMs, sentEffects } from './track-record.ts';

type LabelsByNamespace = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A sliding window: at most `limit` treated pods (or workloads) in any `windowMs`. */
export interface SlidingLimit {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}

export interface Overdraft {
  readonly name: string;
  readonly used: number;
  readonly asked: number;
  readonly limit: number;
  /** When enough of it has slid out of the window; absent: never, the request alone is over the limit. */
  readonly retryAtMs?: number;
}

/** What an action costs: each pod treated counts, an action on the workload as a whole counts once. */
export function costOf({ podUids }: { readonly podUids: readonly string[] }): number {
  return Math.max(1, podUids.length);
}

/** A write that was refused, or never sent, had no effect: what was reserved for it comes back. */
function failedCleanly({ state, executedAtMs, reason }: ActionRecord): boolean {
  return state === 'Failed' && (executedAtMs === undefined || reason === 'Rejected');
}

/**
 * Sent effects, and those whose write is about to be sent: a reservation is the row itself. Only a clean failure
 * returns it; a lost answer does not.
 */
export function spending(ledger: readonly ActionRecord[], selfName: string | undefined): ActionRecord[] {
  const sent = new Set(sentEffects(ledger).filter((record) => !failedCleanly(record)));
  const underWay = ({ state, dryRun }: ActionRecord): boolean => state === 'Executing' && !dryRun;
  return ledger.filter((record) => record.name !== selfName && (sent.has(record) || underWay(record)));
}

/** The rows that share a guardrail's budget. A namespace whose labels are not known counts: it may share it. */
export function withinScope(
  records: readonly ActionRecord[],
  { scope }: SharedBudget,
  namespaces: LabelsByNamespace = {},
): ActionRecord[] {
  return records.filter(({ namespace }) => {
    const labels = namespaces[namespace];
    return labels === undefined || meetsRequirements(scope, labels);
  });
}

/** What was spent in the window that ends now; each treated pod counts. */
export function spentWithin(records: readonly ActionRecord[], windowMs: number, nowMs: number): number {
  return recentIn(records, windowMs, nowMs).reduce((sum, { cost }) => sum + cost, 0);
}

/** The oldest first. */
function recentIn(
  records: readonly ActionRecord[],
  windowMs: number,
  nowMs: number,
): { readonly atMs: number; readonly cost: number }[] {
  return records
    .map((record) => ({ atMs: effectAtMs(record, nowMs), cost: costOf(record) }))
    .filter(({ atMs }) => nowMs - atMs < windowMs)
    .sort((a, b) => a.atMs - b.atMs);
}

/** Whether `asked` more fits into the sliding window now. */
export function overdraft(
  records: readonly ActionRecord[],
  { name, limit, windowMs }: SlidingLimit,
  asked: number,
  nowMs: number,
): Overdraft | undefined {
  const recent = recentIn(records, windowMs, nowMs);
  const used = recent.reduce((sum, { cost }) => sum + cost, 0);
  if (used + asked <= limit) return undefined;
  let left = used;
  for (const { atMs, cost } of recent) {
    left -= cost;
    if (left + asked <= limit) return { name, used, asked, limit, retryAtMs: atMs + windowMs };
  }
  return { name, used, asked, limit };
}

/** The two windows of a guardrail's budget. */
export function limitsOf({ guardrail, limits }: SharedBudget): SlidingLimit[] {
  return [
    { name: `guardrail ${guardrail}, per minute`, limit: limits.maxActionsPerMinute, windowMs: MINUTE },
    { name: `guardrail ${guardrail}, per hour`, limit: limits.maxActionsPerHour, windowMs: HOUR },
  ];
}

/** How many more pods may be treated now under every limit; never negative. */
export function budgetLeft(records: readonly ActionRecord[], limits: readonly SlidingLimit[], nowMs: number): number {
  return limits.reduce((least, limit) => {
    const over = overdraft(records, limit, Number.POSITIVE_INFINITY, nowMs);
    return Math.min(least, Math.max(0, limit.limit - (over?.used ?? 0)));
  }, Number.POSITIVE_INFINITY);
}
