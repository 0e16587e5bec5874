import { courseOf } from '../../healing/course.ts';
import { toRecord } from '../../healing/record.ts';
import { stateOf } from '../../healing/lifecycle.ts';
import type { PolicyCondition, PolicyStatus } from '../../healing/policy-status.ts';
import type { StoredAction } from '../../healing/stored-action.ts';
import { explain, lasting, REASONS, type Reason } from '../../lib/reasons.ts';
import { workloadKey } from '../../lib/workload.ts';
import type { HealingPolicy } from '../../policy/healing-policy.ts';
import { END_STATES } from '../../policy/ledger.ts';

/** A workload as people name it: `checkout` or `deployment/checkout`. */
export interface WorkloadName {
  readonly kind?: string;
  readonly name: string;
}

/** A decision as the REST API tells it. */
export interface ToldDecision {
  readonly id: string;
  readonly kind: 'act' | 'hold' | 'ignore';
  readonly atMs: number;
  readonly workload: string;
  readonly policy: string;
  readonly action: string;
  readonly reason?: string;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly passedOver: readonly { readonly action: string; readonly reason: string; readonly message: string }[];
}

/** All that is known, as read from the cluster and, where it can be reached, from the API. */
export interface Known {
  readonly policies: readonly { readonly policy: HealingPolicy; readonly status: PolicyStatus | undefined }[];
  readonly actions: readonly StoredAction[];
  readonly decisions: readonly ToldDecision[];
}

export interface ExplainedAction {
  readonly name: string;
  readonly action: string;
  readonly decidedAtMs: number;
  readonly state: string;
  readonly failureType: string;
  readonly confidence: number;
  /** The decision in one sentence. */
  readonly reason: string;
  readonly evidence: readonly string[];
  readonly advice: string;
  /** What happened to it, in order. */
  readonly course: readonly { readonly atMs: number; readonly what: string }[];
  /** The measured values before and after, of the treated pods and of the others. */
  readonly measured?: { readonly before: Numbers; readonly after: Numbers; readonly peers: Numbers };
  /** When it is looked at again; absent: it came to its end. */
  readonly nextLookMs?: number;
}
type Numbers = Readonly<Record<string, number>>;

/** Something that keeps an action from being done, or kept it. */
export interface Obstacle {
  readonly atMs?: number;
  /** The action that was not done; absent: none of them is. */
  readonly action?: string;
  readonly reason: string;
  /** With the numbers of this case. */
  readonly message: string;
  /** What the reason means, whatever the case. */
  readonly meaning?: string;
  /** What follows: it is looked at again, the next rung is tried, or people are asked. */
  readonly next?: string;
}

export interface Explanation {
  readonly workload: string;
  readonly atMs: number;
  readonly policies: readonly {
    readonly name: string;
    readonly mode: string;
    readonly conditions: readonly Pick<PolicyCondition, 'type' | 'status' | 'reason' | 'message'>[];
    readonly incident?: {
      readonly id: string;
      readonly failureType: string;
      readonly severity: string;
      readonly sinceMs: number;
      readonly decision: string;
      readonly reason: string;
    };
  }[];
  /** Newest first. */
  readonly actions: readonly ExplainedAction[];
  readonly decisions: readonly ToldDecision[];
  readonly obstacles: readonly Obstacle[];
}

/** How far back from the moment that is asked about. */
const SINCE_MS = 86_400_000;

const NEXT = {
  wait: 'looked at again at the next poll',
  'next-rung': 'the next rung of the ladder is tried',
  end: 'the ladder ends: people are told',
} as const;

/**
 * Why something was done to a workload, and why something else was not: from the objects alone, which are the authority, with the decisions of
 * the API where it was asked. `atMs`: nothing later than this is looked at. `undefined`: no policy selects it, and nothing was ever done to it.
 */
export function explanationOf(known: Known, name: WorkloadName, atMs: number): Explanation | undefined {
  const actions = known.actions
    .filter(
      ({ intent }) =>
        isMeant(name, intent.target) && intent.decidedAtMs <= atMs && intent.decidedAtMs > atMs - SINCE_MS,
    )
    .sort((a, b) => b.intent.decidedAtMs - a.intent.decidedAtMs);
  const decisions = known.decisions
    .filter((each) => isNamed(name, each.workload) && each.atMs <= atMs && each.atMs > atMs - SINCE_MS)
    .sort((a, b) => b.atMs - a.atMs);
  const policies = known.policies.flatMap(({ policy, status }) => {
    const incident = status?.incidents.find(({ workload, sinceMs }) => isNamed(name, workload) && sinceMs <= atMs);
    const isTarget = policy.target.name === name.name && matchesKind(name.kind, policy.target.kind);
    const isKnown =
      isTarget || incident !== undefined || actions.some(({ intent }) => intent.policy.name === policy.name);
    if (!isKnown) return [];
    const conditions = status?.conditions ?? [];
    return [{ name: policy.name, mode: policy.mode, conditions: conditions.map(shown), ...(incident && { incident }) }];
  });
  if (policies.length === 0 && actions.length === 0 && decisions.length === 0) return undefined;
  const [first] = actions;
  return {
    workload: first === undefined ? (decisions[0]?.workload ?? label(name)) : workloadKey(first.intent.target),
    ...{ atMs, policies, decisions, actions: actions.map(explained) },
    obstacles: [...policies.flatMap(ofPolicy), ...decisions.flatMap(ofDecision), ...actions.flatMap(ofAction)],
  };
}

const shown = ({ type, status, reason, message }: PolicyCondition) => ({ type, status, reason, message });
const label = ({ kind, name }: WorkloadName): string => (kind === undefined ? name : `${kind}/${name}`);
const matchesKind = (wanted: string | undefined, kind: string): boolean =>
  wanted === undefined || wanted.toLowerCase() === kind.toLowerCase();

const isMeant = (name: WorkloadName, target: { readonly kind: string; readonly name: string }): boolean =>
  target.name === name.name && matchesKind(name.kind, target.kind);

/** `Deployment shop/checkout`, `Deployment/checkout` or `checkout`, as status and API write them. */
function isNamed(name: WorkloadName, text: string): boolean {
  const parts = text.split(/[ /]/);
  return parts.at(-1) === name.name && (parts.length === 1 || matchesKind(name.kind, parts[0] ?? ''));
}

function explained(action: StoredAction): ExplainedAction {
  const { intent, status } = action;
  const { verified, blocked } = status;
  const state = stateOf(intent, status);
  const isOver = END_STATES.has(state);
  return {
    ...{ name: intent.name, action: intent.action, decidedAtMs: intent.decidedAtMs, state, reason: intent.reason },
    ...{ failureType: intent.diagnosis.failureType, confidence: intent.diagnosis.confidence },
    evidence: intent.diagnosis.evidence.map(({ source, what }) => `${source}: ${what}`),
    ...{ advice: intent.diagnosis.advice, course: told(action) },
    ...(verified !== undefined && {
      measured: { before: verified.result.before, after: verified.result.after, peers: verified.result.peers },
    }),
    ...(!isOver && blocked !== undefined && { nextLookMs: blocked.nextLookMs }),
  };
}

function told(action: StoredAction): ExplainedAction['course'] {
  const { intent } = action;
  const decided = { atMs: intent.decidedAtMs, what: `decided (rung ${intent.step}, attempt ${intent.attempt})` };
  const since = courseOf(action).map(({ atMs, what, message }) => ({
    atMs,
    what: message === '' ? what : `${what}: ${message}`,
  }));
  return [decided, ...since];
}

/** Conditions that must hold before anything is done, or that say who else does it. */
const MUST_HOLD = ['Accepted', 'Ready', 'MetricsAvailable'];
const MUST_NOT = ['Paused', 'Conflict', 'Limited'];

function ofPolicy({ name, conditions, incident }: Explanation['policies'][number]): readonly Obstacle[] {
  const standing = conditions.filter(({ type, status }) =>
    MUST_HOLD.includes(type) ? status !== 'True' : MUST_NOT.includes(type) && status === 'True',
  );
  const fromIncident = incident?.decision === 'hold' ? [obstacle(...splitReason(incident.reason))] : [];
  return [
    ...fromIncident,
    ...standing.map(({ type, status, reason, message }) => ({
      ...obstacle(reason, `policy ${name}: ${type} is ${status}: ${message}`),
    })),
  ];
}

function ofDecision({ kind, atMs, action, reason = 'none', message, passedOver }: ToldDecision): readonly Obstacle[] {
  const held = kind === 'hold' ? [{ ...obstacle(reason, message), atMs, action }] : [];
  return [
    ...held,
    ...passedOver.map((rung) => ({ ...obstacle(rung.reason, rung.message), atMs, action: rung.action })),
  ];
}

function ofAction(stored: StoredAction): readonly Obstacle[] {
  const { intent, status } = stored;
  const { action } = intent;
  const { blocked, closed } = status;
  const { state } = toRecord(stored);
  return [
    ...(state === 'Blocked' && blocked !== undefined
      ? [{ ...obstacle(blocked.reason, blocked.message), atMs: blocked.atMs, action }]
      : []),
    ...(closed === undefined ? [] : [{ ...obstacle(closed.reason, closed.message), atMs: closed.atMs, action }]),
  ];
}

/** `Cooldown: 120 s are left`, as the policy's status has it. */
function splitReason(text: string): [reason: string, message: string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, text] : [text.slice(0, colon), text.slice(colon + 1).trim()];
}

function obstacle(reason: string, message: string): Obstacle {
  const known = REASONS.find((each): each is Reason => each === reason);
  return { reason, message, ...(known !== undefined && { meaning: explain(known), next: NEXT[lasting(known)] }) };
}
