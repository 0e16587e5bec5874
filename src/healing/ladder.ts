import { defaultLadder } from '../diagnosis/catalog.ts';
import { matchesOn } from '../diagnosis/matches.ts';
import { HOUR, inWords } from '../lib/duration.ts';
import type { Step } from '../policy/action.ts';
import { situationFor } from '../policy/harm.ts';
import type { Hold, Proposal } from '../policy/guard.ts';
import { hold } from '../policy/hold.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import { isAtLeast, severityOf } from '../policy/severity.ts';
import { effectsOn, endAtMs, returnsWithin } from '../policy/track-record.ts';
import type { DecisionInput } from './decision-input.ts';
import { alternatives, orderOf, type LadderOrder } from './ladder-order.ts';

/** The rungs for an incident, `alert_admin` always the last. */
export interface Ladder extends LadderOrder {
  /** As written. */
  readonly steps: readonly Step[];
  readonly basis: NonNullable<Proposal['basis']>;
  /** `remedies[2]` of the policy, or `default`. */
  readonly source: string;
}

const ALERT: Step = { action: 'alert_admin', attempts: 1, timeoutSeconds: 300 };

/** After so many returns within the hour the ladder is only its last rung. */
const RETURNS_TO_PEOPLE = 3;

/** Puts `alert_admin` at the end where a policy leaves it out; what stands behind it could never be reached. */
function endingWithAlert(steps: readonly Step[]): Step[] {
  const at = steps.findIndex(({ action }) => action === 'alert_admin');
  return at < 0 ? [...steps, ALERT] : steps.slice(0, at + 1);
}

/** The first remedy that speaks of the diagnosis at its severity; else the failure type's own ladder. */
export function chooseLadder(input: DecisionInput): Ladder {
  const { policy, diagnosis, incident } = input;
  const severity = severityOf(diagnosis.severityScore);
  for (const [index, remedy] of policy.remedies.entries()) {
    if (!isAtLeast(severity, remedy.minSeverity)) continue;
    const matching = remedy.on.filter((on) => matchesOn(on, diagnosis, incident.metrics));
    if (matching.length === 0) continue;
    const byMetric = matching.every((on) => on.startsWith('anomaly:'));
    const basis = byMetric ? 'anomaly-rule' : 'diagnosis';
    return { ...ordered(remedy.steps, input), basis, source: `remedies[${index}]` };
  }
  const steps = defaultLadder(diagnosis.failureType, situationFor(input, 'no_action'));
  return { ...ordered(steps, input), basis: 'diagnosis', source: 'default' };
}

function ordered(written: readonly Step[], { diagnosis, workload, effectiveness }: DecisionInput) {
  const steps = endingWithAlert(written);
  const { failureType } = diagnosis;
  return { steps, ...orderOf(steps, { failureType, workloadKind: workload.ref.kind, effectiveness }) };
}

/** Everything of this incident at one rung, the oldest first. Dry runs are objects too and take a number. */
export function recordsAt(input: DecisionInput, step: number): ActionRecord[] {
  return (input.ledger ?? [])
    .filter((record) => record.incidentId === input.incident.id && record.step === step)
    .sort((a, b) => a.decidedAtMs - b.decidedAtMs);
}

/** The number of the next object at a rung. It counts objects, not attempts, so that no name comes twice. */
export function nextAttempt(input: DecisionInput, step: number): number {
  return recordsAt(input, step).reduce((most, { attempt }) => Math.max(most, attempt), 0) + 1;
}

/** Treats some pods at a time: a wave after one that healed is no new attempt. */
const isWave = ({ action, podUids }: ActionRecord): boolean =>
  (action === 'restart_pod' || action === 'clear_cache') && podUids.length > 0;

/** Why a rung is over in this incident; `undefined` if it may still be tried. */
export function rungIsOver(input: DecisionInput, step: Step, index: number): Hold | undefined {
  const records = recordsAt(input, index).filter(({ action, dryRun }) => action === step.action && !dryRun);
  const refused = records.find(({ reason }) => reason === 'DeniedByPerson' || reason === 'ApprovalExpired');
  if (refused !== undefined) {
    return refused.reason === 'DeniedByPerson'
      ? hold('DeniedByPerson', `a person refused ${refused.name}`)
      : hold('ApprovalExpired', `nobody approved ${refused.name} in time`);
  }
  const undone = records.find(({ state }) => state === 'RolledBack');
  if (undone !== undefined) return hold('RolledBackOnce', `${undone.name} did not help and was undone`);
  const attempts = records.filter((record) => record.spent && !(record.state === 'Healed' && isWave(record))).length;
  return attempts < step.attempts
    ? undefined
    : hold('AttemptsSpent', `${attempts} of ${step.attempts} attempts at ${step.action} are spent`);
}

/** Where the ladder begins, and why not at the bottom. */
export interface Start {
  /** Rungs that are not tried. */
  readonly passed: ReadonlySet<number>;
  readonly because?: string;
}

/**
 * A failure that returns within the hour after it was healed starts at the rung after the one that healed it; the
 * third time it goes straight to people. An alternative of the one that healed it comes after it, wherever it is written,
 * unless it healed the failure before.
 */
export function startOf(input: DecisionInput, ladder: Ladder): Start {
  const { incident, diagnosis, workload, nowMs } = input;
  const last = ladder.steps.length - 1;
  const upTo = (end: number): readonly number[] => ladder.steps.map((_, index) => index).slice(0, end);
  const earlier = effectsOn(input.ledger ?? [], workload, nowMs).filter(
    ({ failureType }) => failureType === diagnosis.failureType,
  );
  const returns = returnsWithin(earlier, incident.id, incident.openedAtMs - HOUR);
  if (returns.length === 0) return { passed: new Set() };
  if (returns.length >= RETURNS_TO_PEOPLE) {
    return {
      passed: new Set(upTo(last)),
      because: `${diagnosis.failureType} returned ${returns.length} times within an hour`,
    };
  }
  const cures = earlier.filter(({ state, incidentId }) => state === 'Healed' && returns.includes(incidentId));
  const cure = cures.at(-1);
  const agoMs = incident.openedAtMs - (cure === undefined ? incident.openedAtMs : endAtMs(cure, nowMs));
  const step = Math.min(cure?.step ?? 0, last - 1);
  const group = alternatives(ladder.steps).find((indices) => indices.includes(step)) ?? [step];
  const tried = group.filter((index) => group.length === 1 || cures.some((each) => each.step === index));
  return {
    passed: new Set([...upTo(group[0] ?? 0), ...tried]),
    because: `${diagnosis.failureType} returned ${inWords(agoMs)} after ${cure?.action ?? 'an action'} had healed it`,
  };
}
