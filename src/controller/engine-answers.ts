import type { Clock } from '../lib/clock.ts';
import { SECOND } from '../lib/duration.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { workloadKey } from '../lib/workload.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import type { EngineAnswer } from '../policy/guard.ts';
import type { Guardrail } from '../policy/healing-policy.ts';
import type { Intent } from '../policy/action.ts';
import type { MetricsSink, PolicyEngine } from './ports.ts';

type EngineAddress = NonNullable<Guardrail['policyEngine']>;
type Question = Parameters<PolicyEngine['ask']>[1];
/** What engines have said already, by `questionKey`. */
export type AnswersAhead = ReadonlyMap<string, EngineAnswer>;

/** Questions under way at once. */
const AT_ONCE = 8;

/** Intents about which an engine would be asked the very same. */
export const questionKey = ({ target, action, diagnosis, policy, incidentId, reason }: Intent): string =>
  JSON.stringify([target, action, diagnosis.failureType, diagnosis.confidence, policy, incidentId, reason]);

type Unavailable = EngineAnswer & { readonly kind: 'unavailable' };

/** One that kept somebody waiting in vain is not waited for again so soon: else each open incident would, one after the other. */
const SPARED_MS = 5 * SECOND;
/** A refusal that comes at once keeps nobody waiting. */
const LONG_MS = SECOND;

/** Asks every external policy engine that has a say; each must allow. */
export class EngineAnswers {
  readonly #engine: PolicyEngine;
  readonly #clusterWide: EngineAddress | undefined;
  readonly #metrics: MetricsSink;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By address: when it kept somebody waiting, and for what. */
  readonly #silent = new Map<string, { readonly atMs: number; readonly answer: Unavailable }>();

  constructor(deps: {
    readonly engine: PolicyEngine;
    /** `POLICY_ENGINE_URL`: asked about every action, whatever the guardrails say. */
    readonly clusterWide?: EngineAddress;
    readonly metrics: MetricsSink;
    readonly clock: Pick<Clock, 'monotonicMs'>;
  }) {
    this.#clock = deps.clock;
    this.#engine = deps.engine;
    this.#clusterWide = deps.clusterWide;
    this.#metrics = deps.metrics;
  }

  /** Whether anybody has a say under these guardrails. */
  isAsked(guardrails: readonly Guardrail[]): boolean {
    return this.#clusterWide !== undefined || effectiveGuardrail(guardrails).policyEngines.length > 0;
  }

  /** Several questions, so many at once: one engine that takes its time must not be waited for once for each incident. */
  async askAll(
    questions: readonly { readonly intent: Intent; readonly guardrails: readonly Guardrail[] }[],
  ): Promise<AnswersAhead> {
    const answers = new Map<string, EngineAnswer>();
    await inParallel(questions, AT_ONCE, async ({ intent, guardrails }) => {
      // A fault is met again by the decision itself, and stays with it.
      const answer = await this.ask(intent, guardrails).catch(() => undefined);
      if (answer !== undefined) answers.set(questionKey(intent), answer);
    });
    return answers;
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
        this.#ask(engine, {
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

  async #ask(engine: EngineAddress, question: Question): Promise<EngineAnswer> {
    const { failurePolicy, url } = engine;
    const askedAtMs = this.#clock.monotonicMs();
    const before = this.#silent.get(url);
    if (before !== undefined && askedAtMs - before.atMs < SPARED_MS) return { ...before.answer, failurePolicy };
    const answer = await this.#engine.ask(engine, question);
    const atMs = this.#clock.monotonicMs();
    if (answer.kind !== 'unavailable' || atMs - askedAtMs < LONG_MS) this.#silent.delete(url);
    else this.#silent.set(url, { atMs, answer });
    return answer;
  }
}

const isBlocking = (answer: EngineAnswer): boolean => answer.kind === 'unavailable' && answer.failurePolicy === 'Deny';
