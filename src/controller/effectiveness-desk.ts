import { FAILURE_TYPES } from '../diagnosis/failure-type.ts';
import type { Clock } from '../lib/clock.ts';
import { hashParts } from '../lib/hash.ts';
import type { Log } from '../lib/log.ts';
import { WORKLOAD_KINDS } from '../lib/workload.ts';
import { EFFECTS } from '../policy/action.ts';
import {
  CASE_FIELDS,
  effectivenessOf,
  lessonOf,
  LESSONS_KEPT_MS,
  type EffectCase,
  type Effectiveness,
  type EffectivenessReset,
} from '../policy/effectiveness.ts';
import type { HistoryRow, Store } from './store-ports.ts';

/** Where resets stand in the history: rows of no workload. */
const RESETS = { namespace: '', workload: 'effectiveness' } as const;
const MOST_RESETS = 1_000;

export interface EffectivenessView {
  readonly effectiveness: readonly Effectiveness[];
  /** Newest first. */
  readonly resets: readonly EffectivenessReset[];
}

/** A person's wish to forget; absent fields: whatever they are. */
export interface ResetWish {
  readonly of: Partial<EffectCase>;
  readonly reason: string;
  /** `key:NAME`: the name of the API key that was let in. */
  readonly by: string;
  /** A repetition of the same wish is one. */
  readonly idempotencyKey: string;
}

/** What the effects taught, for readers outside of the cluster, and the way to forget it. */
export interface EffectivenessDesk {
  /** Rejects if the store cannot be read. */
  read(): Promise<EffectivenessView>;
  /** `reused`: the key stands for another wish. Rejects if the store does not take it. */
  reset(wish: ResetWish): Promise<EffectivenessReset | 'reused'>;
}

/**
 * Reads and writes the store alone, so that any replica may be asked; the one that leads takes a reset up within a minute,
 * at once where `onReset` tells it. A reset is a row of the history: who, when, what and why stay for good, and nothing that
 * was recorded of an action is lost.
 */
export function createEffectivenessDesk(deps: {
  readonly store: Pick<Store, 'actionsSince' | 'history' | 'appendHistory'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onReset?: () => Promise<void>;
}): EffectivenessDesk {
  const { store, clock, log, onReset } = deps;
  return {
    async read() {
      const nowMs = clock.nowMs();
      const resets = await readResets(store);
      const records = await store.actionsSince(nowMs - LESSONS_KEPT_MS);
      const lessons = records.flatMap((record) => lessonOf(record) ?? []);
      return { effectiveness: effectivenessOf(lessons, resets, nowMs), resets };
    },
    async reset({ of, reason, by, idempotencyKey }) {
      const id = `reset/${hashParts(by, idempotencyKey)}`;
      const [known] = await store.history({ id, limit: 1 });
      const before = known === undefined ? undefined : resetOf(known);
      if (before !== undefined) return isSame(before, of, reason) ? before : 'reused';
      const reset: EffectivenessReset = { atMs: clock.nowMs(), by, reason, ...of };
      await store.appendHistory([rowOf(id, reset)]);
      log.info('what was learnt of effects was reset', { by, reason, ...of });
      await onReset?.();
      return reset;
    },
  };
}

const isSame = (before: EffectivenessReset, of: Partial<EffectCase>, reason: string): boolean =>
  before.reason === reason && CASE_FIELDS.every((field) => before[field] === of[field]);

function rowOf(id: string, { atMs, by, ...facts }: EffectivenessReset): HistoryRow {
  const of = CASE_FIELDS.flatMap((field) => facts[field] ?? []).join(', ');
  return {
    ...{ id, atMs, kind: 'reset', ...RESETS, reason: 'Reset' },
    message: `${by} took back what was learnt of ${of === '' ? 'every effect' : of}: ${facts.reason}`,
    facts: { by, ...facts },
  };
}

/** What people took back, the newest first. Rejects if the store cannot be read. */
export async function readResets(store: Pick<Store, 'history'>): Promise<readonly EffectivenessReset[]> {
  const rows = await store.history({ ...RESETS, limit: MOST_RESETS });
  return rows.flatMap((row) => resetOf(row) ?? []);
}

const oneOf = <T extends string>(known: readonly T[], word: unknown): T | undefined =>
  known.find((each) => each === word);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The reset that a row of the history tells of; `undefined`: none that this version knows. */
function resetOf({ kind, atMs, facts }: HistoryRow): EffectivenessReset | undefined {
  if (kind !== 'reset') return undefined;
  const failureType = oneOf(FAILURE_TYPES, facts['failureType']);
  const action = oneOf(EFFECTS, facts['action']);
  const workloadKind = oneOf(WORKLOAD_KINDS, facts['workloadKind']);
  // A word of another version would make the reset wider than it was meant.
  const isKnown = [failureType, action, workloadKind].every((value, i) => value === facts[CASE_FIELDS[i] ?? '']);
  if (!isKnown) return undefined;
  return {
    ...{ atMs, by: textOf(facts['by']), reason: textOf(facts['reason']) },
    ...(failureType !== undefined && { failureType }),
    ...(action !== undefined && { action }),
    ...(workloadKind !== undefined && { workloadKind }),
  };
}
