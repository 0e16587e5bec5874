import type { Reason } from '../lib/reasons.ts';
import type { GuardInput, Hold } from './guard.ts';
import type { ActionRecord } from './ledger.ts';

/** A hold with its sentence; `retryAtMs` only where it is known when the blocker ends. */
export function hold(reason: Reason, message: string, retryAtMs?: number): Hold {
  return retryAtMs === undefined ? { reason, message } : { reason, message, retryAtMs };
}

/** Judges with the ledger; without one nothing about the past is known, so it holds. */
export function withLedger(
  input: GuardInput,
  judge: (ledger: readonly ActionRecord[]) => Hold | undefined,
): Hold | undefined {
  return input.ledger === undefined
    ? hold('HistoryUnavailable', 'the history of actions cannot be read, so the past effects are not known')
    : judge(input.ledger);
}

/** `1 pod`, `3 pods`. */
export function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
