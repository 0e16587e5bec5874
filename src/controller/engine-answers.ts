import { workloadKey } from '../lib/workload.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import type { EngineAnswer } from '../policy/guard.ts';
import type { Guardrail } from '../policy/healing-policy.ts';
import type { Intent } from '../policy/action.ts';
import type { MetricsSink, PolicyEngine } from './ports.ts';

type EngineAddress = NonNullable<Guardrail['policyEngine']>;

/** Asks every external policy engine that has a say; each must allow. */
export class EngineAnswers {
  readonly #engine: PolicyEngine;
  readonly #clusterWide: EngineAddress | undefined;
  readonly #metrics: MetricsSink;

  constructor(deps: {
    readonly engine: PolicyEngine;
    /** `POLICY_ENGINE_URL`: asked about every action, whatever the guardrails say. */
    readonly clusterWide?: EngineAddress;
    readonly metrics: MetricsSink;
  }) {
    this.#engine = deps.engine;
    this.#clusterWide = deps.clusterWide;
    this.#metrics = deps.metrics;
  }

  /** `undefined`: no engine is configured. The first that does not allow decides. */
  async ask(intent: Intent, guardrails: readonly Guardrail[]): Promise<EngineAnswer | undefined> {
    const engines = [
      ...(this.#clusterWide === undefined ? [] : [this.#clusterWide]),
      ...effectiveGuardrail(guardrails).policyEngines,
    ];
    if (engines.length === 0) return undefined;
    const { target, action, diagnosis, policy, incidentId } = intent;
    const answers = await Promise.all(
      engines.map((engine) =>
        this.#engine.ask(engine, {
          action,
          resource: `${target.kind.toLowerCase()}:${target.namespace}/${target.name}`,
          context: {
            userId: 'aegis',
            role: 'operator',
            metadata: {
              ...{ namespace: target.namespace, policy: policy.name, incidentId, workload: workloadKey(target) },
              ...{ failureType: diagnosis.failureType, confidence: diagnosis.confidence, reason: intent.reason },
            },
          },
        }),
      ),
    );
    for (const { kind } of answers) this.#metrics.count('aegis_policy_engine_requests_total', { result: kind });
    const refusal = answers.find((answer) => answer.kind === 'denied') ?? answers.find(isBlocking);
    return refusal ?? { kind: 'allowed', policies: answers.flatMap((a) => (a.kind === 'allowed' ? a.policies : [])) };
  }
}

const isBlocking = (answer: EngineAnswer): boolean => answer.kind === 'unavailable' && answer.failurePolicy === 'Deny';
