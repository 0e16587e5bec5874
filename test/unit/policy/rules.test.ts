import { describe, expect, test } from '@jest/globals';
import type { Rule } from '../../../src/policy/healing-policy.ts';
import { ruleContext } from '../../../src/policy/rule-context.ts';
import { compileRule, ruleProblems, rulesThatApply } from '../../../src/policy/rules.ts';
import { aGuardInput, aRecord } from '../../support/builders/policy.ts';
import { inputFor } from '../../support/builders/effects.ts';
import { aNode, aWorkload, MINUTE, NOW } from '../../support/builders/workload.ts';

const rule = (expression: string, effect: Rule['effect'] = 'Deny'): Rule => ({ name: 'r', expression, effect });
const CONTEXT = ruleContext(
  aGuardInput({
    workload: aWorkload({
      labels: { app: 'checkout', 'a/b': 'c' },
      annotations: { note: `${'x'.repeat(9000)}needle` },
    }),
    ledger: [aRecord({ decidedAtMs: NOW - 10 * MINUTE }), aRecord({ decidedAtMs: NOW - 61 * MINUTE })],
    nodes: [aNode(), aNode({ name: 'node-b', ready: 'False' })],
  }),
);

function holds(expression: string): boolean | string {
  const compiled = compileRule(rule(expression));
  if (!compiled.ok) return `invalid: ${compiled.error}`;
  const result = compiled.value.holds(CONTEXT);
  return result.ok ? result.value : `error: ${result.error}`;
}

describe('a rule sees the world', () => {
  test.each([
    'action.name == "restart_pod" && action.pods == 1 && action.step == 0 && action.attempt == 1',
    'action.from == 0 && action.to == 0 && action.limitPerSecond == 0.0',
    'target.kind == "Deployment" && target.namespace == "shop" && target.name == "checkout"',
    'target.replicas == 4 && target.ready == 4 && target.replicas * 2 > 7',
    'target.labels.app == "checkout" && target.labels["a/b"] == "c"',
    '!("team" in target.labels) || target.labels.team == "x"',
    '!has(target.labels.team)',
    'incident.severity == "critical" && incident.score > 0.9 && incident.ageSeconds == 60',
    '"memory_usage" in incident.metrics && incident.metrics.exists(m, m.startsWith("mem"))',
    'diagnosis.failureType == "memory_leak" && diagnosis.confidence >= 0.9 && diagnosis.cause == "self"',
    'metrics.memory_usage > 90.0 && metrics["memory_usage"] == 93.0',
    'policy.name == "checkout" && policy.mode == "Auto" && policy.priority == 100',
    'cluster.watched == 10 && cluster.anomalous == 1 && !cluster.storm',
    'cluster.nodes == 2 && cluster.nodesReady == 1 && cluster.effectsLastHour == 1',
    'now.getHours("Europe/Berlin") == 14 && now > timestamp("2025-01-01T00:00:00Z")',
    'target.name.matches("^check(out)?$") && !target.name.matches("cart")',
    '(target.name).matches("out$") && [target.name].all(n, n.matches("e") && n.matches("c"))',
    'target.name . matches ( "check" )',
  ])('%s', (expression) => expect(holds(expression)).toBe(true));

  test('a metric that is not measured is absent, not 0', () => {
    expect(holds('metrics.cpu_usage < 50.0')).toMatch(/^error: No such key/);
    expect(holds('"cpu_usage" in metrics && metrics.cpu_usage < 50.0')).toBe(false);
  });

  test('a text is searched by a linear engine, 8 KiB of it', () => {
    expect(holds('target.annotations.note.matches("needle")')).toBe(false);
    expect(holds('target.annotations.note.matches("(x+x+)+y")')).toBe(false);
  });

  test('scaling and throttling have numbers', () => {
    const scale = ruleContext(inputFor('scale_up'));
    const throttle = ruleContext(inputFor('throttle_api'));
    expect(rulesThatApply([rule('action.from == 4 && action.to == 6')], 'Deny', scale)).toHaveLength(1);
    expect(rulesThatApply([rule('action.limitPerSecond == 80.0')], 'Deny', throttle)).toHaveLength(1);
  });
});

describe('a rule is refused when the policy is admitted', () => {
  test.each([
    ['a syntax error', 'action.name ==', /Unexpected token/],
    ['an unknown variable', 'pod.name == "x"', /Unknown variable: pod/],
    ['an unknown field', 'action.nmae == "x"', /No such key: nmae/],
    ['another type', 'target.replicas == "four"', /no such overload/],
    ['no boolean', 'target.name', /it gives string, not a boolean/],
    ['a pattern that needs backtracking', 'target.name.matches("(a)\\\\1")', /\\1 is not supported/],
    ['a pattern inside of a comprehension', '["a"].all(x, x.matches("(?=a)"))', /look-around/],
    ['a pattern that is too long', `target.name.matches("${'x'.repeat(257)}")`, /longer than 256/],
    ['a comment that hides the call', 'target.name // matches\n.matches("x")', /comment stands before matches/],
    [
      'three comprehensions inside one another',
      '[1].all(a, [1].all(b, [1].all(c, a == b && b == c)))',
      /more than two deep/,
    ],
    ['cel.bind, which can double a text with each use', 'cel.bind(x, "a", x == "a")', /cel.bind is not supported/],
    ['an expression that is too long', `true || "${'x'.repeat(2048)}" == "y"`, /longer than 2048/],
    ['too deep', `${'('.repeat(40)}true${')'.repeat(40)}`, /./],
    ['too many elements', `[${Array.from({ length: 101 }, (_, i) => i).join(',')}].exists(x, x == 1)`, /./],
  ])('%s', (_sentence, expression, message) => {
    expect(ruleProblems([rule('true'), rule(expression)])).toEqual([
      { name: 'r', message: expect.stringMatching(message) },
    ]);
  });

  test('two comprehensions inside one another are fine', () => {
    expect(ruleProblems([rule('[1].all(a, [1].all(b, a == b))')])).toEqual([]);
  });
});

describe('rulesThatApply', () => {
  test('only rules of the effect that is asked for', () => {
    const rules = [rule('true', 'RequireApproval'), { ...rule('true'), name: 'deny', message: 'because' }];
    expect(rulesThatApply(rules, 'Deny', CONTEXT)).toEqual([{ rule: rules[1], because: 'because' }]);
  });
  test('a rule that cannot be judged applies', () => {
    expect(rulesThatApply([rule('target.labels.team == "x"')], 'Deny', CONTEXT)).toMatchObject([{ because: expect.stringContaining('No such key') }]); // prettier-ignore
    expect(rulesThatApply([rule('not cel', 'RequireApproval')], 'RequireApproval', CONTEXT)).toMatchObject([{ because: expect.stringContaining('cannot be judged') }]); // prettier-ignore
  });
  test('a pattern that is made while judging and is refused then applies', () => {
    expect(rulesThatApply([rule('target.name.matches("(" + target.name)')], 'Deny', CONTEXT)).toHaveLength(1);
  });
  test('a rule without a message shows its expression', () => {
    expect(rulesThatApply([rule('1 < 2')], 'Deny', CONTEXT)).toMatchObject([{ because: '1 < 2 is true' }]);
  });
});
