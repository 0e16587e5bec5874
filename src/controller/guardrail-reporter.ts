import { guardrailStatus, type GuardrailStatus } from '../healing/guardrail-status.ts';
import type { Clock } from '../lib/clock.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Parsed } from '../lib/parsed.ts';
import type { Guardrail } from '../policy/healing-policy.ts';
import { guardrailsFor } from '../policy/match.ts';
import { LastWritten } from './last-written.ts';
import type { ClusterReader, ClusterWriter, Leadership } from './ports.ts';
import type { HandlerResult } from './workqueue.ts';

/** Namespaces change their labels without a word to the guardrails: they are looked at again after so long. */
const LOOK_EVERY_MS = MINUTE;
const NOT_LEADING_MS = 2_000;

export const guardrailName = (parsed: Parsed<Guardrail>): string =>
  parsed.kind === 'valid' ? parsed.value.name : parsed.name;

/** Keeps each guardrail's status true. Computed whole, written only when it says something new. */
export class GuardrailReporter {
  readonly #deps: {
    readonly reader: ClusterReader;
    readonly writer: ClusterWriter;
    readonly leadership: Leadership;
    readonly clock: Clock;
  };
  readonly #written = new LastWritten<GuardrailStatus>(isSame);

  constructor(deps: {
    readonly reader: ClusterReader;
    readonly writer: ClusterWriter;
    readonly leadership: Leadership;
    readonly clock: Clock;
  }) {
    this.#deps = deps;
  }

  /** `name`: that of the guardrail; they belong to the cluster. */
  async reconcile(name: string): Promise<HandlerResult> {
    const { reader, writer, leadership, clock } = this.#deps;
    if (!leadership.isLeader() || !reader.synced()) return {};
    const parsed = reader.guardrails()?.find((each) => guardrailName(each) === name);
    const shown = reader.guardrailStatus(name);
    if (parsed === undefined || shown === 'has none') {
      this.#written.forget(name);
      return {};
    }
    const nowMs = clock.nowMs();
    const atMs = clock.monotonicMs();
    const previous = this.#written.present(name, shown, atMs);
    const status = guardrailStatus({
      nowMs,
      ...(parsed.kind === 'valid'
        ? { guardrail: parsed.value, generation: parsed.value.generation, problems: [] }
        : { guardrail: undefined, generation: parsed.generation, problems: parsed.problems }),
      boundPolicies: parsed.kind === 'valid' ? this.#bound(parsed.value) : 0,
      ...(previous !== undefined && { previous }),
    });
    if (previous !== undefined && isSame(previous, status)) return { requeueAfterMs: LOOK_EVERY_MS };
    if (!leadership.mayWrite()) return { requeueAfterMs: NOT_LEADING_MS };
    const written = await writer.writeGuardrailStatus(name, status);
    if (!written.ok) {
      if (written.error.kind === 'NotFound') return {};
      return { failure: `cannot write the status of guardrail ${name}: ${written.error.message}` };
    }
    this.#written.put(name, status, atMs);
    return { requeueAfterMs: LOOK_EVERY_MS };
  }

  #bound(guardrail: Guardrail): number {
    const { reader } = this.#deps;
    return reader.policies().filter((parsed) => {
      const { namespace } = parsed.kind === 'valid' ? parsed.value : parsed;
      return guardrailsFor([guardrail], reader.namespaceLabels(namespace)).length > 0;
    }).length;
  }
}

/** Times of transitions follow from the rest; stored times have whole seconds only. */
function isSame(a: GuardrailStatus, b: GuardrailStatus): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

const comparable = ({ observedGeneration, conditions, boundPolicies }: GuardrailStatus): unknown => [
  observedGeneration,
  boundPolicies ?? null,
  conditions
    .map(({ type, status, reason, message, observedGeneration: seen }) => [type, status, reason, message, seen])
    .sort(),
];
