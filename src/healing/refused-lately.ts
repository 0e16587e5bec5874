import { MINUTE } from '../lib/duration.ts';
import { lasting, REASONS } from '../lib/reasons.ts';
import { isEffect } from '../policy/action.ts';
import type { Hold } from '../policy/guard.ts';
import { hold } from '../policy/hold.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import { endAtMs } from '../policy/track-record.ts';
import type { DecisionInput } from './decision-input.ts';

/**
 * What the live reads before a write said and the caches do not show yet: without it every poll would decide the same
 * anew, and leave an object each time. It holds until the caches show the change, and no longer than this, should they
 * never: a try in ten minutes.
 */
const HOLDS_MS = 10 * MINUTE;

type Asked = Pick<DecisionInput, 'ledger' | 'incident' | 'workload' | 'nowMs'>;

/** Effects of the incident that were ended lately before anything was sent, the newest first; dry runs as well. */
function unsentLately({ ledger = [], incident, workload, nowMs }: Asked): readonly ActionRecord[] {
  return ledger
    .filter(({ incidentId, action, spent }) => incidentId === incident.id && isEffect(action) && !spent)
    .filter((record) => record.workloadUid === workload.ref.uid && record.endedAtMs !== undefined)
    .filter((record) => nowMs - endAtMs(record, nowMs) < HOLDS_MS)
    .sort((a, b) => endAtMs(b, nowMs) - endAtMs(a, nowMs));
}

const foundGone = (input: Asked): readonly ActionRecord[] =>
  unsentLately(input).filter(
    ({ state, reason }) => state === 'Superseded' && (reason === 'TargetGone' || reason === 'TargetChanged'),
  );

/** Uids of pods that a live read found gone while the caches show all of those that were to be treated with them. */
export function podsFoundGone(input: Asked): ReadonlySet<string> {
  const shown = new Set(
    input.workload.pods.filter(({ deletedAtMs }) => deletedAtMs === undefined).map(({ uid }) => uid),
  );
  const stale = foundGone(input).filter(({ podUids }) => podUids.every((uid) => shown.has(uid)));
  return new Set(stale.flatMap(({ podUids }) => podUids));
}

/** The workload itself was found gone, or made anew, while the caches show the old one; with the rung it was found at. */
export function workloadFoundGone(input: Asked): { readonly step: number; readonly because: Hold } | undefined {
  const gone = foundGone(input).find(({ podUids, reason }) => podUids.length === 0 || reason === 'TargetChanged');
  if (gone === undefined) return undefined;
  const message = `${gone.name} found ${input.workload.ref.name} gone or made anew, which the caches do not show yet`;
  const retryAtMs = endAtMs(gone, input.nowMs) + HOLDS_MS;
  return { step: gone.step, because: hold('TargetChanged', message, retryAtMs) };
}

/** Why a rung was refused when its write was at hand: what waiting does not cure; the ladder goes on, or ends. */
export function refusedAtTheWrite(input: Asked, index: number): Hold | undefined {
  for (const { step, state, reason, name } of unsentLately(input)) {
    const known = step === index && state === 'Denied' ? REASONS.find((each) => each === reason) : undefined;
    if (known === undefined || known === 'ObserveOnly' || lasting(known) === 'wait') continue;
    return hold(known, `${name} was refused before its write`);
  }
  return undefined;
}
