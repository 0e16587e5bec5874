import { inWords, MINUTE } from '../lib/duration.ts';
import type { Reason } from '../lib/reasons.ts';
import { isEffect } from '../policy/action.ts';
import type { Hold, Proposal } from '../policy/guard.ts';
import { stormActive } from '../policy/guards/storm-active.ts';
import { hold } from '../policy/hold.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import { endAtMs } from '../policy/track-record.ts';
import type { Decision } from './decision.ts';
import { withProposal } from './decision-input.ts';
import type { DecisionInput } from './decision-input.ts';
import { nextAttempt } from './ladder.ts';
import { alertSinks } from './propose.ts';
import { acting, held, ignored } from './walk.ts';
import type { Walk } from './walk.ts';

/** An alert that no sink took is tried anew after this time. */
const ALERT_RETRY_MS = 10 * MINUTE;

/** Blockers after which people are not told because of the time they last: somebody is told otherwise, or acts. */
const QUIET: ReadonlySet<Reason> = new Set<Reason>([
  'StormActive', // the storm has an alert of its own
  'InFlight', // an action is under way and ends by itself
  'NotLeader',
  'Conflict', // the policy with precedence tells
  'ObserveOnly',
]);

function alertsOf({ ledger = [], incident }: DecisionInput): ActionRecord[] {
  return ledger.filter((record) => record.action === 'alert_admin' && record.incidentId === incident.id);
}

/** Whether people know of the incident, or are just being told. */
function isTold(input: DecisionInput): boolean {
  if (input.isTold === true) return true;
  return alertsOf(input).some(({ state, endedAtMs }) => {
    const recent = input.nowMs - (endedAtMs ?? input.nowMs) < ALERT_RETRY_MS;
    if (state === 'Failed') return recent;
    return state !== 'Expired' && state !== 'Superseded';
  });
}

const COMMON_END = 'alert_admin was sent: people act';

/** The last rung: people are told once an incident; the notifier repeats while it is open. */
export function tellPeople(walk: Walk, because?: Hold): Decision {
  const { input, ladder, mode, skipped } = walk;
  const index = ladder.steps.length - 1;
  const step = ladder.steps[index];
  if (step === undefined) return ignored(input, 'the ladder has no rung');
  const last = skipped.at(-1);
  if (isTold(input)) {
    return because !== undefined || last !== undefined
      ? held(
          walk,
          index,
          because ?? { reason: last?.reason ?? 'AttemptsSpent', message: `${last?.message}; ${COMMON_END}` },
        )
      : ignored(input, COMMON_END);
  }
  if (mode === 'Observe')
    return held(walk, index, hold('ObserveOnly', 'people would be told; in Observe nothing is sent'));
  if (input.verdict.state === 'healthy') {
    return held(walk, index, hold('InsufficientData', 'the last poll was in band: nobody is told yet'));
  }
  const sinks = alertSinks(input, step);
  if (sinks === undefined) return ignored(input, 'the severity is below what every notification asks for');
  const proposal: Proposal = {
    action: 'alert_admin',
    step,
    stepIndex: index,
    attempt: nextAttempt(input, index),
    pods: input.diagnosis.pods,
    parameters: { kind: 'alert', sinks },
    basis: ladder.basis,
  };
  const storm = stormActive.check(withProposal(input, proposal));
  // The storm's one alert stands for all of them; who is still ill after it is told of then.
  if (storm !== undefined) return held(walk, index, storm);
  return acting(walk, proposal, {
    execution: 'Enforce',
    approvalRequired: false,
    ...(because === undefined ? {} : { because: `since ${because.message}` }),
  });
}

/** When the present wait began: with the incident, or with the end of its last action. */
function waitingSinceMs({ heldSinceMs, incident, ledger = [], nowMs }: DecisionInput): number {
  if (heldSinceMs !== undefined) return heldSinceMs;
  const ends = ledger
    .filter(({ incidentId, action }) => incidentId === incident.id && isEffect(action))
    .map((record) => endAtMs(record, nowMs));
  return Math.max(incident.openedAtMs, ...ends);
}

/**
 * Since when nothing was done about the incident, whatever was decided: an action that is blocked until it expires is followed by
 * another, and each begins its own wait, so that none alone would last long enough to be told.
 */
export function unsentSinceMs({ incident, ledger = [], nowMs }: DecisionInput): number {
  const ends = ledger
    .filter(({ incidentId, action, spent }) => incidentId === incident.id && isEffect(action) && spent)
    .map((record) => endAtMs(record, nowMs));
  return Math.max(incident.openedAtMs, ...ends);
}

/** A wait. One that lasts longer than its rung's time tells people once, and goes on waiting. */
export function wait(walk: Walk, index: number, because: Hold, sinceMs = waitingSinceMs(walk.input)): Decision {
  const { input, ladder, mode } = walk;
  const timeoutMs = (ladder.steps[index]?.timeoutSeconds ?? 300) * 1000;
  const waitedMs = input.nowMs - sinceMs;
  const quiet = QUIET.has(because.reason) || mode === 'Observe' || input.verdict.state === 'healthy';
  if (quiet || waitedMs <= timeoutMs || isTold(input)) return held(walk, index, because);
  const message = `it is blocked for ${inWords(waitedMs)} by ${because.reason} (${because.message})`;
  const alert = tellPeople(walk, { ...because, message });
  return alert.kind === 'act' ? alert : held(walk, index, because);
}
