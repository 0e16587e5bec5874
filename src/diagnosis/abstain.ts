import { FAILURE_MODELS } from './catalog.ts';
import type { Ranked } from './confidence.ts';
import { DEFAULT_SETTINGS } from './evidence.ts';
import type { Facts } from './facts.ts';
import type { Finding, Situation } from './failure-model.ts';
import type { RemedyAction } from './rung.ts';
import { span } from './sentences.ts';

export const MIN_CONFIDENCE = 0.6;
export const MIN_LEAD = 0.2;

/** The evidence that speaks for a type. */
export const supporting = (ranked: Ranked): readonly Finding[] =>
  ranked.assessment.findings.filter((each) => each.weight > 0);

/** First rung of the type's ladder in this situation; an empty ladder alerts. */
function nextRung(ranked: Ranked, situation: Situation): RemedyAction {
  const model = FAILURE_MODELS[ranked.failureType];
  return (
    model.ladder(situation).find((rung) => model.refuses(rung.action, situation) === undefined)?.action ?? 'alert_admin'
  );
}

/** Both types would be answered alike, and neither refuses that answer. */
export function sameRemedy(first: Ranked, second: Ranked, situation: (ranked: Ranked) => Situation): boolean {
  const rung = nextRung(first, situation(first));
  if (rung !== nextRung(second, situation(second))) return false;
  return [first, second].every(
    (each) => rung === 'alert_admin' || FAILURE_MODELS[each.failureType].refuses(rung, situation(each)) === undefined,
  );
}

/** Samples behind the metric evidence of a type: oldest time, and whether anything healthy was ever known. */
export function metricBasis(
  facts: Facts,
  ranked: Ranked,
): { readonly oldestAtMs?: number; readonly hasBaseline: boolean } {
  const names = new Set(supporting(ranked).flatMap((each) => each.metrics ?? []));
  const states = [...names].flatMap((name) => {
    const shape = facts.metric(name);
    return shape.states.filter((state) => state.direction === shape.direction || state.limited || state.rising);
  });
  const times = states.flatMap((state) => (state.atMs === undefined ? [] : [state.atMs]));
  return {
    ...(times.length === 0 ? {} : { oldestAtMs: Math.min(...times) }),
    hasBaseline: states.some((state) => state.hasBaseline),
  };
}

function weakBasis(facts: Facts, top: Ranked): string | undefined {
  const sources = new Set(supporting(top).map((each) => each.source));
  if (sources.size === 1 && sources.has('log')) return 'the only evidence is text that the workload wrote';
  if (sources.has('kubernetes')) return undefined;
  const basis = metricBasis(facts, top);
  const maxAgeMs = facts.input.settings?.maxEvidenceAgeMs ?? DEFAULT_SETTINGS.maxEvidenceAgeMs;
  if (basis.oldestAtMs !== undefined && facts.input.nowMs - basis.oldestAtMs > maxAgeMs) {
    return `the deciding evidence is ${span(facts.input.nowMs - basis.oldestAtMs)} old`;
  }
  const rests = supporting(top).some((each) => (each.metrics ?? []).length > 0);
  return rests && !basis.hasBaseline && !sources.has('change')
    ? 'it was never observed healthy and no limit speaks'
    : undefined;
}

/** Why no finer type may be named (`failures.md`, section 4); undefined: the first of the ranking stands. */
export function abstention(
  facts: Facts,
  ranking: readonly Ranked[],
  verdictOf: { readonly confidence: number; readonly lead: number },
): string | undefined {
  const top = ranking[0];
  if (top === undefined) return 'no known signature in the evidence';
  const weak = weakBasis(facts, top);
  if (weak !== undefined) return weak;
  if (top.assessment.contradictions.length > 0) {
    return `${top.failureType} is contradicted: ${top.assessment.contradictions.join('; ')}`;
  }
  if (verdictOf.confidence < MIN_CONFIDENCE) {
    return `${top.failureType} is the best explanation, but with a confidence of ${verdictOf.confidence.toFixed(2)} only`;
  }
  const second = ranking[1];
  if (second !== undefined && verdictOf.lead < MIN_LEAD) {
    return `${top.failureType} leads ${second.failureType} by ${verdictOf.lead.toFixed(2)} only`;
  }
  return undefined;
}
