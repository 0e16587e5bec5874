import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { err, ok, type Result } from '../../lib/result.ts';

/** Longest query that is looked at. */
const MAX_QUERY_CHARS = 4096;
/** Deepest nesting of expressions; what people write stays under 12. */
const MAX_QUERY_DEPTH = 64;

/** A query and its syntax tree. */
export interface ParsedQuery {
  readonly text: string;
  readonly tree: Tree;
}

/** Node names of the grammar's `expr` group. */
const EXPRESSIONS: ReadonlySet<string> = new Set([
  'AggregateExpr',
  'AnchoredExpr',
  'BinaryExpr',
  'FunctionCall',
  'MatrixSelector',
  'NumberDurationLiteral',
  'OffsetExpr',
  'ParenExpr',
  'SmoothedExpr',
  'StepInvariantExpr',
  'StringLiteral',
  'SubqueryExpr',
  'UnaryExpr',
  'VectorSelector',
]);

const isExpression = (node: SyntaxNode): boolean => EXPRESSIONS.has(node.name);

/**
 * Strings on whose end the JavaScript grammar and the server's Go lexer agree. The grammar alone is laxer: it takes an
 * unterminated string and escapes that Go refuses, and where two readers disagree on the end of a string, what one
 * takes for text is a selector to the other.
 */
const ESCAPES = String.raw`[abfnrtv\\]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}`;
const STRING = new RegExp(
  String.raw`^(?:"(?:[^"\\\n\r]|\\(?:"|${ESCAPES}))*"|'(?:[^'\\\n\r]|\\(?:'|${ESCAPES}))*'|` + '`[^`\\r]*`)$',
  'u',
);
/** Outside of strings PromQL needs no other characters. */
const PLAIN = /^[\x20-\x7e\t\n]*$/;

/**
 * Parses a query of a policy's author. Comments are blanked out first, since the server ends them at a carriage
 * return and the grammar does not.
 *
 * Errors: a sentence for the policy's status, with the position.
 */
export function parseQuery(source: string, maxChars: number = MAX_QUERY_CHARS): Result<ParsedQuery, string> {
  if (source.length > maxChars) return err(`the query has more than ${maxChars} characters`);
  const text = withoutComments(source.replaceAll('\r', '\n'));
  const tree = parser.parse(text);
  const problem = findProblem(text, tree);
  return problem === undefined ? ok({ text, tree }) : err(problem);
}

function withoutComments(source: string): string {
  let text = '';
  let from = 0;
  parser.parse(source).iterate({
    enter(node) {
      if (node.name !== 'LineComment') return;
      text += source.slice(from, node.from) + ' '.repeat(node.to - node.from);
      from = node.to;
    },
  });
  return text + source.slice(from);
}

function findProblem(text: string, tree: Tree): string | undefined {
  let problem: string | undefined;
  let depth = 0;
  let plainFrom = 0;
  tree.iterate({
    enter(ref) {
      if (problem !== undefined) return false;
      const node = ref.node;
      if (node.type.isError) problem = `syntax error at character ${node.from + 1}`;
      if (nests(node) && ++depth > MAX_QUERY_DEPTH) problem = `nested deeper than ${MAX_QUERY_DEPTH}`;
      if (node.name === 'StringLiteral') {
        if (!STRING.test(text.slice(node.from, node.to))) problem = `malformed string at character ${node.from + 1}`;
        if (!PLAIN.test(text.slice(plainFrom, node.from)))
          problem ??= 'a character outside of ASCII outside of a string';
        plainFrom = node.to;
      }
      return undefined;
    },
    leave(ref) {
      if (nests(ref.node)) depth--;
    },
  });
  if (problem === undefined && !PLAIN.test(text.slice(plainFrom))) {
    problem = 'a character outside of ASCII outside of a string';
  }
  return problem;
}

/** A label's value is a string literal too, but no expression of its own. */
const nests = (node: SyntaxNode): boolean => isExpression(node) && node.name !== 'StringLiteral';

/** The expression at the root. */
export function rootExpression(query: ParsedQuery): SyntaxNode | undefined {
  return firstExpression(query.tree.topNode);
}

/** First child that is an expression. */
export function firstExpression(node: SyntaxNode): SyntaxNode | undefined {
  for (let child = node.firstChild; child !== null; child = child.nextSibling) if (isExpression(child)) return child;
  return undefined;
}

/** All nodes of that name, in the order of the text. */
export function nodesNamed(tree: Tree, name: string): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  tree.iterate({
    enter(ref) {
      if (ref.name === name) found.push(ref.node);
    },
  });
  return found;
}
