import { assertNever } from '../lib/assert-never.ts';
import { lasting, REASONS } from '../lib/reasons.ts';
import type { Step } from '../policy/action.ts';
import { runChain } from '../policy/chain.ts';
import type { Hold, Proposal } from '../policy/guard.ts';
import { approvalRules } from '../policy/guards/rule-denies.ts';
import { harmIn } from '../policy/guards/harmful-for-type.ts';
import { insufficientEvidence } from '../policy/guards/insufficient-evidence.ts';
import { staleEvidence } from '../policy/guards/stale-evidence.ts';
import { stormActive } from '../policy/guards/storm-active.ts';
import { hold } from '../policy/hold.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import { rolloutUnderWay } from '../policy/rollout.ts';
import { openEffects } from '../policy/track-record.ts';
import type { Decision, SkippedRung } from './decision.ts';
import { withProposal } from './decision-input.ts';
import type { DecisionInput } from './decision-input.ts';
import type { Execution } from './intent.ts';
import { chooseLadder, nextAttempt, rungIsOver, startOf } from './ladder.ts';
import type { Ladder, Start } from './ladder.ts';
import { propose } from './propose.ts';
import { refusedAtTheWrite, workloadFoundGone } from './refused-lately.ts';
import { tellPeople, unsentSinceMs, wait } from './tell-people.ts';
import { acting, effectiveMode, held, ignored } from './walk.ts';
import type { Walk } from './walk.ts';

export type { DecisionInput } from './decision-input.ts';

/** People are told of an unnamed failure once it had so long, and so many polls, to show its shape. */
const UNFOLDS_MS = 30_000;
const UNFOLDS_POLLS = 3;

/** What keeps even `alert_admin` from being this replica's or this policy's business. */
function notOurs({ leader, policy, actingPolicyUid, workload, incident }: DecisionInput): Hold | undefined {
  if (!leader) return hold('NotLeader', 'another replica of the operator holds the lease');
  if (workload.ref.uid !== incident.workload.uid) {
    return hold('TargetGone', `${workload.ref.name} was deleted and made anew`);
  }
  return actingPolicyUid === policy.uid
    ? undefined
    : hold('Conflict', `another policy (uid ${actingPolicyUid}) has precedence on this workload`);
}

/**
 * Without a named type nothing is done and people get the evidence; but not while the evidence itself is in doubt, nor
 * while a storm, a rollout or a shared cause explains it, which is then what is named.
 */
function unsureBecause(input: DecisionInput, proposal: Proposal): Hold | undefined {
  const { diagnosis, workload } = input;
  const seen = withProposal(input, proposal);
  const rollout = rolloutUnderWay(workload);
  return (
    staleEvidence.check(seen) ??
    insufficientEvidence.check({ ...seen, proposal: { ...proposal, pods: [] } }) ??
    stormActive.check(seen) ??
    (diagnosis.cause.kind === 'self'
      ? undefined
      : hold('CauseElsewhere', `the cause is the ${diagnosis.cause.kind} ${diagnosis.cause.name}`)) ??
    (rollout === undefined ? undefined : hold('RolloutInProgress', `${workload.ref.name}: ${rollout}`))
  );
}

/** A failure shows itself over several polls: what has no name in the first ones may well have one in the next. */
function unfolding({ incident, policy, nowMs, diagnosis }: DecisionInput): Hold | undefined {
  const untilMs = incident.openedAtMs + Math.max(UNFOLDS_MS, UNFOLDS_POLLS * policy.detection.intervalSeconds * 1000);
  const why = diagnosis.abstained ?? 'no signature fits';
  return nowMs >= untilMs ? undefined : hold('LowConfidence', `no failure type is named yet: ${why}`, untilMs);
}

function abstained(walk: Walk): Decision {
  const { input, ladder } = walk;
  const index = ladder.steps.length - 1;
  const step = ladder.steps[index];
  if (step === undefined) return ignored(input, 'the ladder has no rung');
  const proposal: Proposal = {
    action: 'alert_admin',
    step,
    stepIndex: index,
    attempt: nextAttempt(input, index),
    pods: [],
    parameters: { kind: 'alert', sinks: [] },
  };
  const unsure = unsureBecause(input, proposal) ?? unfolding(input);
  if (unsure !== undefined) return wait(walk, index, unsure);
  const why = input.diagnosis.abstained ?? 'no signature fits';
  return tellPeople({
    ...walk,
    skipped: [{ step: 0, action: 'no_action', reason: 'LowConfidence', message: `no failure type is named: ${why}` }],
  });
}

/**
 * Observe decides once an incident: the object shows what would have been done, then only the record goes on. What was
 * refused before its dry run would not have been done.
 */
function observedAlready({ ledger = [], incident }: DecisionInput): ActionRecord | undefined {
  return ledger.find(
    ({ dryRun, incidentId, state, reason }) =>
      dryRun &&
      incidentId === incident.id &&
      (state === 'Denied' ? reason === 'ObserveOnly' : state !== 'Expired' && state !== 'Superseded'),
  );
}

function howFor(walk: Walk, proposal: Proposal): Execution {
  const because = walk.ladder.because.get(proposal.stepIndex);
  return { ...executionFor(walk, proposal), ...(because !== undefined && { because }) };
}

function executionFor(walk: Walk, proposal: Proposal): Execution {
  const { input, mode } = walk;
  switch (mode) {
    case 'Observe':
      return { execution: 'DryRun', approvalRequired: false };
    case 'Approve':
      return { execution: 'Enforce', approvalRequired: true };
    case 'Auto':
      return { execution: 'Enforce', approvalRequired: approvalRules(withProposal(input, proposal)).length > 0 };
    default:
      return assertNever(mode);
  }
}

/** One rung: the decision it leads to, or why the next one is looked at. */
type RungResult = { readonly decision: Decision } | { readonly skip: Hold };

function tryRung(walk: Walk, index: number, step: Step): RungResult {
  const { input, ladder } = walk;
  // Harm is named first: a precondition that fails today may hold tomorrow, what does harm never helps.
  const never = rungIsOver(input, step, index) ?? harmIn(input, step.action, ladder.basis);
  if (never !== undefined) return { skip: never };
  const refused = refusedAtTheWrite(input, index);
  if (refused !== undefined) return follow(walk, index, step, refused);
  const proposed = propose(input, ladder, index, step);
  const because = proposed.ok ? runChain(withProposal(input, proposed.value)).first : proposed.error;
  if (because === undefined && proposed.ok) {
    return { decision: acting(walk, proposed.value, howFor(walk, proposed.value)) };
  }
  return follow(walk, index, step, because ?? hold('Unsupported', 'nothing was proposed'));
}

/** What follows from a rung that does not act, by how long its reason lasts. */
function follow(walk: Walk, index: number, step: Step, because: Hold): RungResult {
  switch (lasting(because.reason)) {
    case 'next-rung':
      return { skip: because };
    case 'wait':
      return { decision: wait(walk, index, because) };
    case 'end':
      return {
        decision: tellPeople(
          { ...walk, skipped: [...walk.skipped, { step: index, action: step.action, ...because }] },
          because,
        ),
      };
  }
}

function climb(walk: Walk, passed: ReadonlySet<number>): Decision {
  const { input, ladder } = walk;
  let skipped = walk.skipped;
  for (const index of ladder.order) {
    const step = ladder.steps[index];
    if (step === undefined || passed.has(index)) continue;
    if (step.action === 'alert_admin') break;
    if (step.action === 'no_action') return ignored(input, `rung ${index} of ${ladder.source} asks for no action`);
    const result = tryRung({ ...walk, skipped }, index, step);
    if ('decision' in result) return result.decision;
    const { reason, message } = result.skip;
    skipped = [...skipped, { step: index, action: step.action, reason, message }];
  }
  const elsewhere = waitsForDependency(input);
  return elsewhere === undefined
    ? tellPeople({ ...walk, skipped })
    : wait({ ...walk, skipped }, ladder.steps.length - 1, elsewhere);
}

/**
 * A callee that is named is healed by its own policy, and people are told of it there: its callers wait for that before
 * each of them tells as well.
 */
function waitsForDependency({ diagnosis: { cause } }: DecisionInput): Hold | undefined {
  return cause.kind === 'dependency' ? hold('CauseElsewhere', `the cause is the dependency ${cause.name}`) : undefined;
}

/** The rungs that are not tried, as skipped. */
function below(ladder: Ladder, { passed, because = 'it was tried before' }: Start): SkippedRung[] {
  return ladder.steps.flatMap(({ action }, step): SkippedRung[] =>
    passed.has(step) ? [{ step, action, reason: 'AttemptsSpent', message: because }] : [],
  );
}

/** One effect at a time. One that is blocked waits as a rung does: when that lasts, people are told while it goes on trying. */
function underWay(walk: Walk, { action, name, state, step, reason }: ActionRecord): Decision {
  const blocker = state === 'Blocked' ? REASONS.find((each) => each === reason) : undefined;
  if (blocker === undefined) return held(walk, step, hold('InFlight', `${action} ${name} is under way (${state})`));
  return wait(walk, step, hold(blocker, `${action} ${name} is blocked`), unsentSinceMs(walk.input));
}

/**
 * What is done about an incident now: an action to carry out, a wait with its reason, or nothing. Walks up the ladder:
 * a rung that waiting cannot cure is skipped with its reason, one that waits holds, one that passes every guard acts;
 * where none is left, people are told once. Pure: the same input gives the same decision, its id included.
 */
export function decide(input: DecisionInput): Decision {
  const { incident, ledger, workload, selfName, diagnosis } = input;
  if (incident.resolvedAtMs !== undefined) return ignored(input, 'the incident is over');
  const ladder = chooseLadder(input);
  const walk: Walk = { input, ladder, mode: effectiveMode(input), skipped: [] };
  const foreign = notOurs(input);
  if (foreign !== undefined) return held(walk, 0, foreign);
  if (ledger === undefined) return wait(walk, 0, hold('HistoryUnavailable', 'the history of actions cannot be read'));
  const running = openEffects(ledger, selfName).find(({ workloadUid }) => workloadUid === workload.ref.uid);
  if (running !== undefined) return underWay(walk, running);
  const gone = workloadFoundGone(input);
  if (gone !== undefined) return wait(walk, gone.step, gone.because);
  const observed = walk.mode === 'Observe' ? observedAlready(input) : undefined;
  if (observed !== undefined) {
    return held(walk, observed.step, hold('ObserveOnly', `${observed.action} would have been done (${observed.name})`));
  }
  const unnamed = diagnosis.failureType === 'unknown' || diagnosis.abstained !== undefined;
  if (unnamed && ladder.basis !== 'anomaly-rule') return abstained(walk);
  const start = startOf(input, ladder);
  return climb({ ...walk, skipped: below(ladder, start) }, start.passed);
}
