import { isEffect } from './action.ts';
import { END_STATES } from './ledger.ts';
import type { ActionRecord } from './ledger.ts';

/**
 * Questions to the ledger. Dry runs changed nothing and are never counted. A stored time in the future counts as now:
 * a clock that was set back must not end a cooldown, nor prolong it for ever.
 */
type Who = { readonly ref: { readonly uid: string } };

/** When the write was sent, or the moment of decision where only that is known. */
export function effectAtMs(record: ActionRecord, nowMs: number): number {
  return Math.min(record.executedAtMs ?? record.decidedAtMs, nowMs);
}

/** When it came to its end, as far as it did. */
export function endAtMs(record: ActionRecord, nowMs: number): number {
  return Math.min(record.endedAtMs ?? record.executedAtMs ?? record.decidedAtMs, nowMs);
}

/** Every effect that was really sent. */
export function sentEffects(ledger: readonly ActionRecord[]): ActionRecord[] {
  return ledger.filter((record) => isEffect(record.action) && !record.dryRun && record.spent);
}

/** Effects sent to this workload, the oldest first. */
export function effectsOn(ledger: readonly ActionRecord[], workload: Who, nowMs: number): ActionRecord[] {
  return sentEffects(ledger)
    .filter(({ workloadUid }) => workloadUid === workload.ref.uid)
    .sort((a, b) => effectAtMs(a, nowMs) - effectAtMs(b, nowMs));
}

/** Effects that are decided and not over, this action itself left out. */
export function openEffects(ledger: readonly ActionRecord[], selfName: string | undefined): ActionRecord[] {
  return ledger.filter(
    ({ action, dryRun, state, name }) => isEffect(action) && !dryRun && !END_STATES.has(state) && name !== selfName,
  );
}

/** The open effects that are more than decided: sent, or about to be. */
export function begunEffects(ledger: readonly ActionRecord[], selfName: string | undefined): ActionRecord[] {
  return openEffects(ledger, selfName).filter(({ state }) => state === 'Executing' || state === 'Verifying');
}

/** An effect that came to its end and did not help: ineffective, inconclusive, undone, failed or lost. */
function didNotHelp({ state }: ActionRecord): boolean {
  return state === 'Ineffective' || state === 'RolledBack' || state === 'Failed';
}

/** The same without refused writes: those had no effect that could have helped. */
export function wasInEffectAndDidNotHelp(record: ActionRecord): boolean {
  return didNotHelp(record) && !(record.state === 'Failed' && record.reason === 'Rejected');
}

/** How many of the last effects, counted back from the newest, did not help without one that did. */
export function failuresInARow(effects: readonly ActionRecord[]): number {
  const ended = effects.filter(({ state }) => END_STATES.has(state));
  const lastHealed = ended.findLastIndex(({ state }) => state === 'Healed');
  return ended.slice(lastHealed + 1).filter(didNotHelp).length;
}

/**
 * Earlier incidents of the workload that an effect healed within the span: the failure returned after each of them.
 * The incident at hand is left out, its own progressive waves are no returns.
 */
export function returnsWithin(effects: readonly ActionRecord[], incidentId: string, sinceMs: number): string[] {
  const healed = effects.filter(
    ({ state, incidentId: other, endedAtMs, executedAtMs }) =>
      state === 'Healed' && other !== incidentId && (endedAtMs ?? executedAtMs ?? 0) >= sinceMs,
  );
  return [...new Set(healed.map((record) => record.incidentId))];
}
