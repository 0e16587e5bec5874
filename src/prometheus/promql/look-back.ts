import type { SyntaxNode } from '@lezer/common';
import { err, ok, type Result } from '../../lib/result.ts';
import type { ParsedQuery } from './syntax.ts';
import { nodesNamed } from './syntax.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/**
 * How far into the past the query looks: the longest way from a selector to the root over ranges, subqueries and
 * offsets, in milliseconds. `avg_over_time(rate(x[5m])[30m:])` looks back 35 min: so long it shows what was cured.
 *
 * Errors: durations that only the server could work out.
 */
export function lookBackOf(query: ParsedQuery): Result<number, string> {
  let longest = 0;
  for (const selector of nodesNamed(query.tree, 'VectorSelector')) {
    let total = 0;
    for (let node: SyntaxNode | null = selector.parent; node !== null; node = node.parent) {
      const part = ownLookBack(query.text, node);
      if (part === undefined) return err('durations must be literals, such as 5m');
      total += part;
    }
    longest = Math.max(longest, total);
  }
  return ok(longest);
}

function ownLookBack(text: string, node: SyntaxNode): number | undefined {
  if (node.name === 'MatrixSelector' || node.name === 'SubqueryExpr')
    return durationOf(text, node.getChild('DurationExpr'));
  if (node.name !== 'OffsetExpr') return 0;
  // A negative offset looks ahead, where there is nothing yet.
  const offset = durationOf(text, node.getChild('OffsetDurationExpr'));
  return offset === undefined ? undefined : Math.max(0, offset);
}

function durationOf(text: string, node: SyntaxNode | null): number | undefined {
  return node === null ? undefined : parseDuration(text.slice(node.from, node.to).replace(/\s+/g, ''));
}

/** `1h30m`, `90s`, `-5m` or plain seconds, in milliseconds; `undefined`: not a duration literal. */
function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)(.+)$/.exec(text);
  if (match === null) return undefined;
  const sign = match[1] === '-' ? -1 : 1;
  const rest = match[2] ?? '';
  if (/^(\d+(\.\d+)?|\.\d+)$/.test(rest)) return sign * Number(rest) * 1000;
  if (!/^(\d+(ms|[smhdwy]))+$/.test(rest)) return undefined;
  let total = 0;
  for (const part of rest.matchAll(/(\d+)(ms|[smhdwy])/g)) total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? 0);
  return sign * total;
}
