import type { SyntaxNode } from '@lezer/common';
import { err, ok, type Result } from '../../lib/result.ts';
import { quote } from '../../lib/label-matcher.ts';
import { lookBackOf } from './look-back.ts';
import { conjures, typeOf } from './query-type.ts';
import { nodesNamed, parseQuery, rootExpression, type ParsedQuery } from './syntax.ts';

/** Label that marks a sample's time among the rows of a reply; authors may not use the word. */
export const TIME_LABEL = 'aegis_time';

const MAX_SELECTORS = 32;

/** A query of a policy's author, bound to the policy's namespace. */
export interface ScopedQuery {
  readonly promql: string;
  /** Distinct selectors, each with the namespace matcher and without range. */
  readonly selectors: readonly string[];
  readonly lookBackMs: number;
  /** It may yield a value where there is no series (`absent`, `vector(0)`): then the value proves nothing. */
  readonly conjures: boolean;
}

/**
 * Binds every selector of the query to the namespace: a matcher is added at each selector of the syntax tree, so the
 * author's own matchers can only narrow it further. What comes out is parsed again and checked, so that a mistake
 * here refuses a query instead of opening another namespace.
 *
 * Errors: why the query is refused, as a sentence.
 */
export function scopeQuery(source: string, namespace: string): Result<ScopedQuery, string> {
  const parsed = parseQuery(source);
  if (!parsed.ok) return parsed;
  const refusal = refuse(parsed.value);
  if (refusal !== undefined) return err(refusal);
  const lookBack = lookBackOf(parsed.value);
  if (!lookBack.ok) return lookBack;
  const selectors = nodesNamed(parsed.value.tree, 'VectorSelector');
  if (selectors.length > MAX_SELECTORS) return err(`more than ${MAX_SELECTORS} selectors`);
  if (selectors.some(isBare)) return err('{} selects everything');
  const matcher = `namespace=${quote(namespace)}`;
  const promql = insertMatcher(parsed.value, selectors, matcher);
  if (!everySelectorCarries(promql, matcher)) return err('the query cannot be bound to the namespace');
  const { text } = parsed.value;
  const bound = selectors.map((node) => bindSelector(text, node, matcher));
  return ok({
    promql,
    selectors: [...new Set(bound)],
    lookBackMs: lookBack.value,
    conjures: nodesNamed(parsed.value.tree, 'FunctionIdentifier').some(conjures),
  });
}

/** `{}`: the server refuses it, but with the namespace inside it would pass. */
function isBare(selector: SyntaxNode): boolean {
  return selector.getChild('Identifier') === null && selector.getChild('LabelMatchers')?.firstChild === null;
}

function refuse(query: ParsedQuery): string | undefined {
  const root = rootExpression(query);
  if (root === undefined) return 'the query is empty';
  const type = typeOf(root);
  if (type !== 'vector') return `the query gives a ${type}, not an instant vector`;
  // info() joins series that no selector names; a fixed time shows for ever what once was.
  if (nodesNamed(query.tree, 'Info').length > 0) return 'info() selects series that cannot be bound to the namespace';
  if (nodesNamed(query.tree, 'StepInvariantExpr').some((node) => node.getChild('NumberDurationLiteral') !== null)) {
    return 'the @ modifier with a fixed time never shows anything new';
  }
  return query.text.includes(TIME_LABEL) ? `${TIME_LABEL} is reserved` : undefined;
}

function insertMatcher(query: ParsedQuery, selectors: readonly SyntaxNode[], matcher: string): string {
  let text = '';
  let from = 0;
  for (const selector of selectors) {
    text += query.text.slice(from, selector.from) + bindSelector(query.text, selector, matcher);
    from = selector.to;
  }
  return text + query.text.slice(from);
}

function bindSelector(text: string, selector: SyntaxNode, matcher: string): string {
  const list = selector.getChild('LabelMatchers');
  const whole = text.slice(selector.from, selector.to);
  if (list === null) return `${whole}{${matcher}}`;
  const last = list.lastChild;
  if (last === null) return `${text.slice(selector.from, list.from)}{${matcher}}`;
  // After the last one: a quoted metric name stays first, and a trailing comma stays legal.
  const at = last.to - selector.from;
  return `${whole.slice(0, at)},${matcher}${whole.slice(at)}`;
}

/** True if the query parses and each of its selectors, without exception, holds the matcher. */
export function everySelectorCarries(promql: string, matcher: string): boolean {
  const parsed = parseQuery(promql, Number.POSITIVE_INFINITY);
  if (!parsed.ok) return false;
  const { text, tree } = parsed.value;
  return nodesNamed(tree, 'VectorSelector').every((selector) =>
    (selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).some(
      (node) => text.slice(node.from, node.to) === matcher,
    ),
  );
}
