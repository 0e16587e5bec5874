import type { Problem } from '../../lib/parsed.ts';
import type { Rule, Window } from '../../policy/healing-policy.ts';
import { ruleProblems } from '../../policy/rules.ts';
import { checkWindow } from '../../policy/windows.ts';

interface WireRule {
  readonly name: string;
  readonly expression: string;
  readonly effect: Rule['effect'];
  readonly message?: string | undefined;
}

/** Rules without their absent messages. */
export const domainRules = (rules: readonly WireRule[]): readonly Rule[] =>
  rules.map(({ message, ...rule }) => ({ ...rule, ...(message !== undefined && { message }) }));

/** Rules that do not compile, with the reason of the compiler. */
export function ruleFaults(rules: readonly WireRule[]): readonly Problem[] {
  return ruleProblems(domainRules(rules)).map(({ name, message }) => ({
    path: `spec.rules[${name}].expression`,
    reason: 'RuleInvalid',
    message,
  }));
}

/** Windows whose schedule or zone means nothing. A cron expression is beyond what an API server's schema can judge. */
export function windowProblems(windows: readonly Window[]): readonly Problem[] {
  return windows.flatMap((window, index) => {
    const checked = checkWindow(window);
    if (checked.ok) return [];
    const message = `${window.schedule} (${window.timeZone}): ${checked.error}`;
    return [{ path: `spec.windows[${index}]`, reason: 'WindowInvalid', message }];
  });
}
