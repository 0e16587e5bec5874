import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { compilePattern } from '../lib/linear-pattern.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Rule } from './healing-policy.ts';
import type { RuleContext } from './rule-context.ts';
import { RULE_VARIABLES } from './rule-context.ts';

/** A rule that was understood. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Whether the expression holds; an error where it cannot be told (an absent key, say). */
  holds(context: RuleContext): Result<boolean, string>;
}

/** Longest expression, as in the CRD. */
const MAX_EXPRESSION = 2_048;
/** Comprehensions inside comprehensions multiply: lists of 100 may be crossed once, not more. */
const MAX_COMPREHENSION_DEPTH = 2;
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
/** Stands in for `matches`, whose RegExp backtracks: 2 s on 27 characters. */
const SAFE_MATCHES = 'matchesLinear';

class PatternRefused extends Error {}

function matchesLinear(text: string, source: string): boolean {
  const pattern = compilePattern(source);
  if (!pattern.ok) throw new PatternRefused(pattern.error);
  return pattern.value.test(text);
}

function environment(): Environment {
  const env = new Environment({
    unlistedVariablesAreDyn: false,
    limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
  });
  for (const [name, declaration] of Object.entries(RULE_VARIABLES)) {
    if (typeof declaration === 'string') env.registerVariable(name, declaration);
    else env.registerVariable({ name, schema: declaration });
  }
  return env.registerFunction(`string.${SAFE_MATCHES}(string): bool`, matchesLinear);
}

const ENVIRONMENT = environment();

const isNode = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

/** The nodes right below: arguments may be nodes, lists of nodes, or lists of pairs of nodes. */
function children(node: ASTNode): ASTNode[] {
  const flat = (value: unknown): ASTNode[] =>
    isNode(value) ? [value] : Array.isArray(value) ? value.flatMap((each) => flat(each)) : [];
  return flat(node.args);
}

/** Calls of `matches` as positions of the name in the text. */
function positionsOfMatches(node: ASTNode, source: string): number[] {
  const below = children(node).flatMap((child) => positionsOfMatches(child, source));
  if (node.op !== 'rcall' || node.args[0] !== 'matches') return below;
  return [...below, source.indexOf('matches', node.args[1].end)];
}

/** A pattern that stands in the text is judged before it is ever used. */
function refusedPattern(pattern: ASTNode | undefined): string | undefined {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return undefined;
  const compiled = compilePattern(pattern.args);
  return compiled.ok ? undefined : `matches("${pattern.args}"): ${compiled.error}`;
}

function refusedCall(method: string, firstArgument: ASTNode | undefined, depth: number): string | undefined {
  if (depth > MAX_COMPREHENSION_DEPTH) return 'comprehensions are nested more than two deep';
  if (method === 'bind') return 'cel.bind is not supported';
  if (method === 'matches') return 'a comment stands before matches';
  return method === SAFE_MATCHES ? refusedPattern(firstArgument) : undefined;
}

/** What the tree holds that is refused, as a sentence. */
function refusedConstruct(node: ASTNode, depth = 0): string | undefined {
  const isCall = node.op === 'rcall';
  const below = isCall && COMPREHENSIONS.has(node.args[0]) ? depth + 1 : depth;
  const refused = isCall ? refusedCall(node.args[0], node.args[2][0], below) : undefined;
  if (refused !== undefined) return refused;
  for (const child of children(node)) {
    const inside = refusedConstruct(child, below);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : 'cannot be read').split('\n')[0] ?? 'cannot be read';

/** Puts the linear `matches` in place of the library's, from the end on, so that no position moves. */
function withSafeMatches(source: string): string {
  const { ast } = ENVIRONMENT.parse(source);
  const positions = positionsOfMatches(ast, source).sort((a, b) => b - a);
  return positions.reduce((text, at) => text.slice(0, at) + SAFE_MATCHES + text.slice(at + 'matches'.length), source);
}

/** Reads and type-checks a rule; the error is a sentence for the policy's author (reason `RuleInvalid`). */
export function compileRule(rule: Rule): Result<CompiledRule, string> {
  if (rule.expression.length > MAX_EXPRESSION) return err(`the expression is longer than ${MAX_EXPRESSION} characters`);
  try {
    const parsed = ENVIRONMENT.parse(withSafeMatches(rule.expression));
    const refused = refusedConstruct(parsed.ast);
    if (refused !== undefined) return err(refused);
    const checked = parsed.check();
    if (!checked.valid) return err(firstLine(checked.error));
    if (checked.type !== 'bool' && checked.type !== 'dyn') return err(`it gives ${checked.type}, not a boolean`);
    return ok({ rule, holds: (context) => evaluate(parsed, context) });
  } catch (error) {
    return err(firstLine(error));
  }
}

function evaluate(
  parsed: (context: Record<string, unknown>) => unknown,
  context: RuleContext,
): Result<boolean, string> {
  try {
    const value = parsed({ ...context });
    return typeof value === 'boolean' ? ok(value) : err('it gave no boolean');
  } catch (error) {
    return err(firstLine(error));
  }
}

/** Every rule that cannot be used, with the reason: for `Accepted=False` `RuleInvalid`. */
export function ruleProblems(rules: readonly Rule[]): { readonly name: string; readonly message: string }[] {
  return rules.flatMap((rule) => {
    const compiled = compileRule(rule);
    return compiled.ok ? [] : [{ name: rule.name, message: compiled.error }];
  });
}

/** A rule that asks for its effect, and why: it holds, or it cannot be told, which counts the same. */
export interface RuleHit {
  readonly rule: Rule;
  readonly because: string;
}

/** The rules of one effect that apply here, in their order. */
export function rulesThatApply(rules: readonly Rule[], effect: Rule['effect'], context: RuleContext): RuleHit[] {
  return rules
    .filter((rule) => rule.effect === effect)
    .flatMap((rule): RuleHit[] => {
      const compiled = compileRule(rule);
      const result = compiled.ok ? compiled.value.holds(context) : compiled;
      if (!result.ok) return [{ rule, because: `it cannot be judged: ${result.error}` }];
      return result.value ? [{ rule, because: rule.message ?? `${rule.expression} is true` }] : [];
    });
}
