import type { SyntaxNode } from '@lezer/common';
import { firstExpression } from './syntax.ts';

/** What an expression evaluates to, decided from the syntax tree alone. */
export type QueryType = 'vector' | 'matrix' | 'scalar' | 'string';

const SCALAR_FUNCTIONS: ReadonlySet<string> = new Set(['Scalar', 'Time', 'Pi']);

const FIXED: ReadonlyMap<string, QueryType> = new Map([
  ['MatrixSelector', 'matrix'],
  ['SubqueryExpr', 'matrix'],
  ['NumberDurationLiteral', 'scalar'],
  ['StringLiteral', 'string'],
]);
/** These have the type of what they hold. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'ParenExpr',
  'UnaryExpr',
  'OffsetExpr',
  'StepInvariantExpr',
  'AnchoredExpr',
  'SmoothedExpr',
]);

/** Type of an expression. Its depth is bounded by the parser's check. */
export function typeOf(node: SyntaxNode): QueryType {
  const fixed = FIXED.get(node.name);
  if (fixed !== undefined) return fixed;
  if (node.name === 'BinaryExpr') return binaryType(node);
  if (node.name === 'FunctionCall') {
    return SCALAR_FUNCTIONS.has(node.firstChild?.firstChild?.name ?? '') ? 'scalar' : 'vector';
  }
  const inner = WRAPPERS.has(node.name) ? firstExpression(node) : undefined;
  return inner === undefined ? 'vector' : typeOf(inner);
}

function binaryType(node: SyntaxNode): QueryType {
  const left = firstExpression(node);
  const right = node.lastChild;
  if (left === undefined || right === null) return 'vector';
  return typeOf(left) === 'scalar' && typeOf(right) === 'scalar' ? 'scalar' : 'vector';
}

/** Functions that yield a value where there is no series at all. */
const FROM_NOTHING: ReadonlySet<string> = new Set(['Absent', 'AbsentOverTime', 'Vector', 'Time', 'Scalar', 'Pi']);

/** Could this function call produce a value without any series behind it? */
export function conjures(functionIdentifier: SyntaxNode): boolean {
  return FROM_NOTHING.has(functionIdentifier.firstChild?.name ?? '');
}
