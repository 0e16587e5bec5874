import { isPreset } from '../detection/presets.ts';
import type { Problem } from '../lib/parsed.ts';
import { customQueriesOf } from '../policy/effective-guardrail.ts';
import type { Guardrail, HealingPolicy } from '../policy/healing-policy.ts';
import { wishOf } from './poller.ts';
import type { MetricSource, Notifier } from './ports.ts';

const ANOMALY = 'anomaly:';

/**
 * What reading the resource alone cannot tell: queries, sinks, metrics that nobody watches (rules and windows are read
 * with it). A policy with a problem is not accepted and nothing is done for it,
 * while all others run. Parsing is dear and specs change seldom, so the answer is kept for each generation.
 */
export class PolicyAcceptance {
  readonly #source: Pick<MetricSource, 'checkQueries'>;
  readonly #notifier: Pick<Notifier, 'sinks'>;
  readonly #known = new Map<string, { readonly key: string; readonly problems: readonly Problem[] }>();

  constructor(deps: {
    readonly source: Pick<MetricSource, 'checkQueries'>;
    readonly notifier: Pick<Notifier, 'sinks'>;
  }) {
    this.#source = deps.source;
    this.#notifier = deps.notifier;
  }

  /** `guardrails` are those of the policy's namespace; unreadable ones refuse nothing here, they hold every effect. */
  problems(policy: HealingPolicy, guardrails: readonly Guardrail[] | undefined): readonly Problem[] {
    const mayQuery = guardrails === undefined || customQueriesOf(guardrails) === 'Allow';
    const key = `${policy.generation}/${policy.hash}/${mayQuery}`;
    const known = this.#known.get(policy.uid);
    if (known?.key === key) return known.problems;
    const problems = [
      ...this.#queryProblems(policy),
      ...(mayQuery ? [] : customQueries(policy)),
      ...unwatchedTriggers(policy),
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

  #unknownSinks(policy: HealingPolicy): readonly Problem[] {
    const sinks = this.#notifier.sinks();
    const list = sinks.length === 0 ? 'none' : sinks.join(', ');
    return namedSinks(policy).flatMap(({ path, sink }) => {
      if (sinks.includes(sink)) return [];
      const message = `no sink "${sink}" is configured; the administrator’s sinks: ${list}`;
      return [{ path, reason: 'SinkUnknown', message }];
    });
  }
}

/** Every sink that the policy names, and where. */
function namedSinks({
  notifications,
  remedies,
}: HealingPolicy): readonly { readonly path: string; readonly sink: string }[] {
  const inSteps = remedies.flatMap(({ steps }, remedy) =>
    steps.flatMap(({ notify }, step) =>
      (notify?.sinks ?? []).map((sink, index) => ({
        ...{ sink, path: `spec.remedies[${remedy}].steps[${step}].notify.sinks[${index}]` },
      })),
    ),
  );
  return [...notifications.map(({ sink }, index) => ({ sink, path: `spec.notifications[${index}].sink` })), ...inSteps];
}

/** A ladder for a metric that the policy does not watch would never be climbed: most often a slip of the pen. */
function unwatchedTriggers({ detection, remedies }: HealingPolicy): readonly Problem[] {
  const own = detection.metrics.map(({ name }) => name);
  return remedies.flatMap(({ on }, remedy) =>
    on.flatMap((trigger, index) => {
      if (!trigger.startsWith(ANOMALY)) return [];
      const metric = trigger.slice(ANOMALY.length);
      if (own.length === 0 ? isPreset(metric) : own.includes(metric)) return [];
      const message = `${trigger}: the policy does not watch a metric "${metric}"`;
      return [{ path: `spec.remedies[${remedy}].on[${index}]`, reason: 'UnknownFailureType', message }];
    }),
  );
}

function customQueries({ detection }: HealingPolicy): readonly Problem[] {
  const message = 'a guardrail does not allow queries written by policy authors';
  return detection.metrics.flatMap(({ query }, index) =>
    query === undefined ? [] : [{ path: `spec.detection.metrics[${index}].query`, reason: 'QueryInvalid', message }],
  );
}
