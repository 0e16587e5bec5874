import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quote } from '../../../../src/lib/label-matcher.ts';
import { everySelectorCarries, scopeQuery } from '../../../../src/prometheus/promql/scope-query.ts';
import { nodesNamed, parseQuery } from '../../../../src/prometheus/promql/syntax.ts';

const scoped = (query: string, namespace = 'shop'): string => {
  const result = scopeQuery(query, namespace);
  if (!result.ok) throw new Error(result.error);
  return result.value.promql;
};
const refusal = (query: string): string => {
  const result = scopeQuery(query, 'shop');
  return result.ok ? `accepted: ${result.value.promql}` : result.error;
};

describe('every selector is bound to the namespace', () => {
  test.each([
    ['a bare metric name', 'up', 'up{namespace="shop"}'],
    ['an empty matcher list', 'up{}', 'up{namespace="shop"}'],
    ['a matcher list', 'up{job="a"}', 'up{job="a",namespace="shop"}'],
    ['a trailing comma', 'up{job="a",}', 'up{job="a",namespace="shop",}'],
    ['a foreign namespace, which then matches nothing', 'up{namespace="x"}', 'up{namespace="x",namespace="shop"}'],
    ['a negative namespace', 'up{namespace!="shop"}', 'up{namespace!="shop",namespace="shop"}'],
    ['a selector by name label', '{__name__=~"a.*"}', '{__name__=~"a.*",namespace="shop"}'],
    ['a quoted metric name', '{"my.metric"}', '{"my.metric",namespace="shop"}'],
    ['a quoted label', 'up{"namespace"="x"}', 'up{"namespace"="x",namespace="shop"}'],
    ['a range', 'rate(a[5m])', 'rate(a{namespace="shop"}[5m])'],
    ['an offset', 'a offset 5m', 'a{namespace="shop"} offset 5m'],
    ['a subquery', 'max_over_time(a[5m:1m])', 'max_over_time(a{namespace="shop"}[5m:1m])'],
    ['both sides', 'a / on(pod) b{x="1"}', 'a{namespace="shop"} / on(pod) b{x="1",namespace="shop"}'],
    ['a keyword as a name', 'sum(sum)', 'sum(sum{namespace="shop"})'],
    ['braces inside a string', 'up{a="}{namespace=\\"x"}', 'up{a="}{namespace=\\"x",namespace="shop"}'],
    ['a comment', 'up # {b}\n + a', 'up{namespace="shop"}      \n + a{namespace="shop"}'],
    ['a comment inside the list', 'up{a="1" # x\n}', 'up{a="1",namespace="shop"    \n}'],
  ])('%s', (_, query, expected) => {
    expect(scoped(query)).toBe(expected);
  });

  test('what follows a carriage return is no comment to the server, so it is none to us', () => {
    const promql = scoped('up # harmless\r or secret');
    expect(promql).toContain('secret{namespace="shop"}');
    expect(promql).not.toContain('#');
  });

  test('a namespace cannot break out of its literal', () => {
    const promql = scoped('up', 'a"} or secret{x="');
    expect(promql).toBe('up{namespace="a\\"} or secret{x=\\""}');
    expect(everySelectorCarries(promql, `namespace=${quote('a"} or secret{x="')}`)).toBe(true);
  });
});

describe('refused', () => {
  test.each([
    ['nothing', '', 'syntax error'],
    ['blanks', '   ', 'syntax error'],
    ['a syntax error', 'sum(a', 'syntax error at character 6'],
    ['an unterminated string', 'up{a="x}', 'malformed string'],
    ['a string that only the laxer grammar takes', 'up{a="\\q"}', 'malformed string'],
    ['a string over two lines', 'up{a="x\ny"}', 'malformed string'],
    ['a scalar', '1 + 1', 'gives a scalar'],
    ['scalar()', 'scalar(up)', 'gives a scalar'],
    ['time()', '(time())', 'gives a scalar'],
    ['a string', '"up"', 'gives a string'],
    ['a matrix', 'up[5m]', 'gives a matrix'],
    ['a subquery', 'up[5m:1m]', 'gives a matrix'],
    ['a selector of everything', 'sum({})', 'selects everything'],
    ['info()', 'info(up)', 'info()'],
    ['a fixed time', 'up @ 1609746000', '@ modifier'],
    ['a fixed time inside a function', 'rate(up[5m] @ 1609746000)', '@ modifier'],
    ['the reserved label', 'label_replace(up, "aegis_time", "0", "", "")', 'reserved'],
    ['a computed duration', 'rate(up[5m * 2])', 'literals'],
    ['a homoglyph', 'uр', 'syntax error'],
    ['a no-break space', 'up\u00a0+ up', 'ASCII'],
    ['more than 4,096 characters', `up${' '.repeat(4096)}`, '4096'],
    ['1,000 parentheses', `${'('.repeat(1000)}up${')'.repeat(1000)}`, 'nested deeper than 64'],
    ['a chain of 100 sums', Array.from({ length: 100 }, () => 'a').join('+'), 'nested deeper than 64'],
  ])('%s', (_, query, reason) => {
    expect(refusal(query)).toContain(reason);
  });

  test('the deepest nesting allowed passes', () => {
    expect(scopeQuery(`${'('.repeat(63)}up${')'.repeat(63)}`, 'shop').ok).toBe(true);
    expect(scopeQuery(`${'('.repeat(64)}up${')'.repeat(64)}`, 'shop').ok).toBe(false);
  });
});

describe('what is known of a query', () => {
  test.each([
    ['a gauge looks back no further than now', 'up', 0],
    ['a range', 'rate(a[5m])', 300_000],
    ['a range within a subquery', 'avg_over_time(rate(a[5m])[30m:1m])', 35 * 60_000],
    ['an offset counts', 'rate(a[5m] offset 1h)', 65 * 60_000],
    ['a negative offset does not', 'rate(a[5m] offset -1h)', 300_000],
    ['the longest of several', 'rate(a[1m]) / rate(b[1h30m])', 90 * 60_000],
    ['plain seconds', 'rate(a[90])', 90_000],
  ])('%s', (_, query, expected) => {
    const result = scopeQuery(query, 'shop');
    expect(result.ok && result.value.lookBackMs).toBe(expected);
  });

  test.each([
    ['a ratio needs series', 'a / b', false],
    ['absent() does not', 'absent(a)', true],
    ['or vector(0) does not', 'sum(a) or vector(0)', true],
  ])('%s', (_, query, expected) => {
    const result = scopeQuery(query, 'shop');
    expect(result.ok && result.value.conjures).toBe(expected);
  });

  test('equal selectors are named once, without their range', () => {
    const result = scopeQuery('rate(a[5m]) / (a + b)', 'shop');
    expect(result.ok && result.value.selectors).toEqual(['a{namespace="shop"}', 'b{namespace="shop"}']);
  });
});

/** Queries as people and attackers write them: any nesting, any matcher, hostile strings, odd white space. */
const name = fc.constantFrom('up', 'a:b', 'sum', 'offset_total', 'namespace', 'by', 'start', 'fill');
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('"}', '\\', '{a="', "'", '`', '#'));
const matcher = fc
  .tuple(fc.constantFrom('namespace', 'pod', 'le', '"namespace"'), fc.constantFrom('=', '!=', '=~', '!~'), text)
  .map(([label, op, value]) => `${label}${op}${quote(value)}`);
const space = fc.constantFrom('', ' ', '\n', '\t', ' # x{y}\n', ' # x\r');
const selector = fc
  .tuple(name, space, fc.option(fc.array(matcher, { maxLength: 3 })))
  .map(([metric, gap, list]) => (list === null ? metric : `${metric}${gap}{${list.join(`,${gap}`)}}`));
const query = fc.letrec<{ vector: string }>((tie) => ({
  vector: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    selector,
    tie('vector').map((inner) => `(${inner})`),
    tie('vector').map((inner) => `-${inner}`),
    selector.map((inner) => `rate(${inner}[5m])`),
    tie('vector').map((inner) => `max_over_time((${inner})[5m:1m])`),
    fc.tuple(fc.constantFrom('sum', 'max', 'count'), tie('vector')).map(([op, inner]) => `${op} by (pod) (${inner})`),
    fc
      .tuple(tie('vector'), space, fc.constantFrom('+', 'or', 'and on(pod)', '> bool'), tie('vector'))
      .map(([left, gap, op, right]) => `${left}${gap} ${op} ${right}`),
  ),
})).vector;

test('law: in any accepted query each selector of the tree carries the namespace, and none was added or lost', () => {
  let accepted = 0;
  fc.assert(
    fc.property(query, fc.string({ minLength: 1, maxLength: 63, unit: 'binary' }), (source, namespace) => {
      const result = scopeQuery(source, namespace);
      if (!result.ok) return;
      accepted++;
      const before = parseQuery(source);
      const after = parseQuery(result.value.promql, Number.POSITIVE_INFINITY);
      if (!before.ok || !after.ok) throw new Error('accepted, but does not parse');
      const wanted = `namespace=${quote(namespace)}`;
      const selectors = nodesNamed(after.value.tree, 'VectorSelector');
      expect(selectors).toHaveLength(nodesNamed(before.value.tree, 'VectorSelector').length);
      for (const node of selectors) {
        const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        expect(matchers.map((m) => after.value.text.slice(m.from, m.to))).toContain(wanted);
      }
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(200);
});

test('law: text of any kind is either refused or bound, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (source) => {
      const result = scopeQuery(source, 'shop');
      if (result.ok) expect(everySelectorCarries(result.value.promql, 'namespace="shop"')).toBe(true);
    }),
    { numRuns: 500 },
  );
});
