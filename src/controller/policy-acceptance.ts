import type { Problem } from '../lib/parsed.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import type { Guardrail, HealingPolicy } from '../policy/healing-policy.ts';
import { ruleProblems } from '../policy/rules.ts';
import { wishOf } from './poller.ts';
import type { MetricSource, Notifier } from './ports.ts';

/**
 * What the schema cannot tell: queries, rules, sinks. A policy with a problem is not accepted and nothing is done for it,
 * while all others run. Parsing is dear and specs change seldom, so the answer is kept for each generation.
 */
export class PolicyAcceptance {
  readonly #source: MetricSource;
  readonly #notifier: Notifier;
  readonly #known = new Map<string, { readonly key: string; readonly problems: readonly Problem[] }>();

  constructor(deps: { readonly source: MetricSource; readonly notifier: Notifier }) {
    this.#source = deps.source;
    this.#notifier = deps.notifier;
  }

  /** `guardrails` are those of the policy's namespace; unreadable ones refuse nothing here, they hold every effect. */
  problems(policy: HealingPolicy, guardrails: readonly Guardrail[] | undefined): readonly Problem[] {
    const mayQuery = guardrails === undefined || effectiveGuardrail(guardrails).customQueries === 'Allow';
    const key = `${policy.generation}/${policy.hash}/${mayQuery}`;
    const known = this.#known.get(policy.uid);
    if (known?.key === key) return known.problems;
    const problems = [
      ...this.#queryProblems(policy),
      ...(mayQuery ? [] : customQueries(policy)),
      ...brokenRules(policy),
      ...this.#unknownSinks(policy),
    ];
    this.#known.set(policy.uid, { key, problems });
    return problems;
  }

  #queryProblems(policy: HealingPolicy): readonly Problem[] {
    return this.#source.checkQueries(wishOf(policy)).map(({ metric, message }) => ({
      path: `spec.detection.metrics[${policy.detection.metrics.findIndex(({ name }) => name === metric)}].query`,
      ...{ reason: 'QueryInvalid', message },
    }));
  }

  #unknownSinks({ notifications }: HealingPolicy): readonly Problem[] {
    const sinks = this.#notifier.sinks();
    const list = sinks.length === 0 ? 'none' : sinks.join(', ');
    return notifications.flatMap(({ sink }, index) => {
      if (sinks.includes(sink)) return [];
      const message = `no sink "${sink}" is configured; the administrator’s sinks: ${list}`;
      return [{ path: `spec.notifications[${index}].sink`, reason: 'SinkUnknown', message }];
    });
  }
}

function brokenRules({ rules }: HealingPolicy): readonly Problem[] {
  return ruleProblems(rules).map(({ name, message }) => ({
    path: `spec.rules[${rules.findIndex((rule) => rule.name === name)}].expression`,
    ...{ reason: 'RuleInvalid', message },
  }));
}

function customQueries({ detection }: HealingPolicy): readonly Problem[] {
  const message = 'a guardrail does not allow queries written by policy authors';
  return detection.metrics.flatMap(({ query }, index) =>
    query === undefined ? [] : [{ path: `spec.detection.metrics[${index}].query`, reason: 'QueryInvalid', message }],
  );
}
