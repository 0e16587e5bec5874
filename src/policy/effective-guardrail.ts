import { ACTIONS } from './action.ts';
import type { ActionName } from './action.ts';
import { isEmptySelector } from './match.ts';
import type { Guardrail, LabelSelector, Mode, Rule, Window } from './healing-policy.ts';

/** What holds where no guardrail says otherwise. */
const BUILT_IN = {
  maxMode: 'Auto',
  allowedActions: ACTIONS,
  budget: { maxActionsPerMinute: 5, maxActionsPerHour: 30, maxConcurrent: 3 },
  storm: { unhealthyPercent: 40, minTargets: 3, cooldownSeconds: 600 },
} as const satisfies Partial<Guardrail>;

const EVERYWHERE: LabelSelector = { matchLabels: {}, matchExpressions: [] };

/** A budget and the namespaces that share it. */
export interface SharedBudget {
  readonly guardrail: string;
  readonly scope: LabelSelector;
  readonly limits: Guardrail['budget'];
}

/** All guardrails of a namespace in one: the strictest wins. */
export interface EffectiveGuardrail {
  /** Names of the guardrails that have the kill switch on. */
  readonly suspendedBy: readonly string[];
  readonly maxMode: Mode;
  readonly allowedActions: readonly ActionName[];
  readonly budgets: readonly SharedBudget[];
  readonly storm: Guardrail['storm'];
  /** One set per guardrail: each must be open, so that one guardrail's Allow never opens what another closed. */
  readonly windows: readonly (readonly Window[])[];
  readonly rules: readonly Rule[];
  readonly holdWhileAlertsFiring: readonly string[];
  readonly customQueries: 'Allow' | 'Deny';
  /** Commands that every guardrail lists; none without a guardrail. */
  readonly execCommands: readonly (readonly string[])[];
  /** Every engine must allow. */
  readonly policyEngines: readonly NonNullable<Guardrail['policyEngine']>[];
}

const MODES: readonly Mode[] = ['Observe', 'Approve', 'Auto'];

/** The less powerful of two modes. */
export function lowerMode(a: Mode, b: Mode): Mode {
  return MODES.indexOf(a) <= MODES.indexOf(b) ? a : b;
}

/** Whether two argument vectors are the same, word for word. */
export function sameCommand(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** The built-in budget holds for the cluster unless a guardrail that selects all sets another. */
function sharedBudgets(guardrails: readonly Guardrail[]): SharedBudget[] {
  const budgets = guardrails.map(({ name, namespaceSelector, budget }) => ({
    guardrail: name,
    scope: namespaceSelector,
    limits: budget,
  }));
  return budgets.some(({ scope }) => isEmptySelector(scope))
    ? budgets
    : [...budgets, { guardrail: 'built-in', scope: EVERYWHERE, limits: BUILT_IN.budget }];
}

function strictestStorm(guardrails: readonly Guardrail[]): Guardrail['storm'] {
  const [first, ...rest] = guardrails.map(({ storm }) => storm);
  return rest.reduce(
    (strict, storm) => ({
      unhealthyPercent: Math.min(strict.unhealthyPercent, storm.unhealthyPercent),
      minTargets: Math.min(strict.minTargets, storm.minTargets),
      cooldownSeconds: Math.max(strict.cooldownSeconds, storm.cooldownSeconds),
    }),
    first ?? BUILT_IN.storm,
  );
}

/** Whether policies may hold PromQL of their own: one guardrail that denies it is enough. */
export function customQueriesOf(guardrails: readonly Guardrail[]): Guardrail['customQueries'] {
  return guardrails.some(({ customQueries }) => customQueries === 'Deny') ? 'Deny' : 'Allow';
}

/** Merges the guardrails that select one namespace. Without any, the built-in defaults hold. */
export function effectiveGuardrail(guardrails: readonly Guardrail[]): EffectiveGuardrail {
  const [firstCommands = [], ...otherCommands] = guardrails.map(({ execCommands }) => execCommands);
  return {
    suspendedBy: guardrails.filter(({ suspended }) => suspended).map(({ name }) => name),
    maxMode: guardrails.reduce<Mode>((mode, { maxMode }) => lowerMode(mode, maxMode), BUILT_IN.maxMode),
    allowedActions: ACTIONS.filter((action) => guardrails.every((g) => g.allowedActions.includes(action))),
    budgets: sharedBudgets(guardrails),
    storm: strictestStorm(guardrails),
    windows: guardrails.map(({ windows }) => windows).filter((windows) => windows.length > 0),
    rules: guardrails.flatMap(({ rules }) => rules),
    holdWhileAlertsFiring: [...new Set(guardrails.flatMap((g) => g.holdWhileAlertsFiring))],
    customQueries: customQueriesOf(guardrails),
    execCommands: firstCommands.filter((command) =>
      otherCommands.every((list) => list.some((other) => sameCommand(other, command))),
    ),
    policyEngines: guardrails.flatMap(({ policyEngine }) => (policyEngine === undefined ? [] : [policyEngine])),
  };
}
