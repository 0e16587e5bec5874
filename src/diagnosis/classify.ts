import { abstention, metricBasis, MIN_LEAD, sameRemedy, supporting } from './abstain.ts';
import { FAILURE_MODELS, MODELS, situationOf } from './catalog.ts';
import { newestRevision } from './changes.ts';
import { rankTypes } from './confidence.ts';
import type { Ranked } from './confidence.ts';
import type { Candidate, Cause, Diagnosis } from './diagnosis.ts';
import { DEFAULT_SETTINGS } from './evidence.ts';
import type { DiagnosisInput } from './evidence.ts';
import { explainingCallee } from './discriminators.ts';
import { gatherFacts, refsOf } from './facts.ts';
import type { Facts } from './facts.ts';
import type { FailureType } from './failure-type.ts';
import { novelty } from './findings.ts';
import type { Situation } from './failure-model.ts';
import { printable } from './log-signatures.ts';
import { bounded } from './metric-shape.ts';
import { isQuiet } from './quiet.ts';
import { figure } from './sentences.ts';
import type { Trait } from './trait.ts';

const TOP = 3;
/** Where status decided and its severity is not known. */
const STATUS_SEVERITY = 0.9;
const TEXT_SEVERITY = 0.5;
/** An abstention never claims more than this, however sure the contradicted type was. */
const ABSTAINED_CONFIDENCE = 0.5;

/** Names the failure type with its evidence, or abstains. Pure and total: any input yields a finite answer. */
export function classify(input: DiagnosisInput): Diagnosis {
  return diagnose(gatherFacts(input));
}

const NAMED_MODELS = MODELS.filter((model) => model.name !== 'unknown');

/** Every type that has evidence for it, the most probable first. */
export const rankingOf = (facts: Facts): readonly Ranked[] =>
  rankTypes(NAMED_MODELS.map((model) => ({ failureType: model.name, assessment: model.assess(facts) })));

/** `classify` over facts that were gathered before. */
export function diagnose(facts: Facts): Diagnosis {
  const ranking = isQuiet(facts) ? [] : rankingOf(facts);
  const standing = standingOf(facts, ranking);
  const abstained = abstention(facts, ranking, standing);
  const top = ranking[0];
  const failureType: FailureType = abstained === undefined && top !== undefined ? top.failureType : 'unknown';
  const named = failureType === 'unknown' ? undefined : top;
  return {
    failureType,
    confidence: named === undefined ? Math.min(standing.confidence, ABSTAINED_CONFIDENCE) : standing.confidence,
    lead: standing.lead,
    severityScore: severityOf(facts, top),
    cause: causeOf(facts, named),
    pods: podsOf(facts, named),
    candidates: ranking.slice(0, TOP).map((ranked) => candidateOf(facts, ranked)),
    advice: FAILURE_MODELS[failureType].advice(facts),
    summary: summaryOf(facts, ranking, standing, abstained),
    ...(abstained === undefined ? {} : { abstained }),
    traits: traitsOf(facts, named),
    ...missingOf(facts, named),
    evidenceAtMs: evidenceTime(facts, top),
  };
}

interface Standing {
  /** That the answer's remedy is right: of the first type, or of the first two where both are answered alike. */
  readonly confidence: number;
  readonly lead: number;
  /** The second type, where the lead over it is short and both are answered alike. */
  readonly twin?: FailureType;
}

function standingOf(facts: Facts, ranking: readonly Ranked[]): Standing {
  const [first, second, third] = ranking;
  if (first === undefined) return { confidence: 0, lead: 0 };
  const lead = first.confidence - (second?.confidence ?? 0);
  const situation = (ranked: Ranked): Situation =>
    situationOf({ pods: podsOf(facts, ranked), traits: traitsOf(facts, ranked) }, facts.total);
  const isShort = second !== undefined && lead < MIN_LEAD;
  if (!isShort || second.assessment.contradictions.length > 0 || !sameRemedy(first, second, situation)) {
    return { confidence: first.confidence, lead };
  }
  const joint = first.confidence + second.confidence;
  return { confidence: joint, lead: joint - (third?.confidence ?? 0), twin: second.failureType };
}

function candidateOf(facts: Facts, ranked: Ranked): Candidate {
  const { failureType, confidence, assessment } = ranked;
  const evidence = assessment.findings.map(({ source, what, weight, metrics }) => {
    const atMs = facts.metric(metrics?.[0] ?? '').worst?.atMs;
    return { source, what, weight, ...(atMs === undefined ? {} : { atMs }) };
  });
  const strongest = evidence.toSorted((a, b) => b.weight - a.weight);
  return { failureType, confidence, evidence: strongest, contradictions: assessment.contradictions };
}

function podsOf(facts: Facts, named: Ranked | undefined): Diagnosis['pods'] {
  const pods = named?.assessment.pods;
  return pods !== undefined && pods.length > 0 ? pods : refsOf(facts.unhealthy);
}

function traitsOf(facts: Facts, named: Ranked | undefined): readonly Trait[] {
  const traits = named?.assessment.traits ?? [];
  return facts.midRollout ? [...traits, 'mid-rollout'] : traits;
}

/** The worst metric in the evidence, the severity of the status, or 0.5 on text alone. */
function severityOf(facts: Facts, top: Ranked | undefined): number {
  const { verdict } = facts.input;
  if (top === undefined) return bounded(verdict?.score ?? TEXT_SEVERITY);
  const evidence = supporting(top);
  const metrics = evidence.flatMap((each) => each.metrics ?? []).map((name) => facts.metric(name).score);
  const isStatus = evidence.some((each) => each.source === 'kubernetes' || each.source === 'change');
  const findings = [...(verdict?.pods.flatMap((pod) => pod.status) ?? []), ...(verdict?.status ?? [])];
  const known = findings.map((each) => each.severity);
  const status = isStatus ? (known.length > 0 ? known : [verdict?.score ?? STATUS_SEVERITY]) : [];
  const worst = Math.max(0, ...metrics, ...status.filter(Number.isFinite));
  return worst > 0 ? bounded(worst) : TEXT_SEVERITY;
}

/** Whose fault it is. A cause outside the workload holds every effect on it. */
function causeOf(facts: Facts, named: Ranked | undefined): Cause {
  const own = named?.assessment.cause;
  if (own !== undefined) return own;
  if (facts.midRollout) {
    return { kind: 'rollout', name: newestRevision(facts.input.workload)?.name ?? facts.subject.name };
  }
  const lookBackMs = facts.input.settings?.lookBackMs ?? DEFAULT_SETTINGS.lookBackMs;
  const recent = (facts.input.recentActions ?? [])
    .filter((each) => facts.input.nowMs - each.executedAtMs < lookBackMs)
    .toSorted((a, b) => b.executedAtMs - a.executedAtMs || (a.action < b.action ? -1 : 1))[0];
  if (recent !== undefined) return { kind: 'aegis', name: recent.action };
  const callee = restsOnStatus(named) ? undefined : explainingCallee(facts);
  return callee === undefined ? { kind: 'self' } : { kind: 'dependency', name: callee };
}

/** What the workload's own status shows (a crash, a kill, an image) is its own, whatever else is ill. */
const restsOnStatus = (named: Ranked | undefined): boolean =>
  named !== undefined && supporting(named).some((each) => each.source === 'kubernetes');

/** Where the status itself names the failure, nothing else would make it firmer. */
function missingOf({ input: { missing = [] } }: Facts, named: Ranked | undefined): Pick<Diagnosis, 'missing'> {
  return missing.length === 0 || restsOnStatus(named) ? {} : { missing };
}

function summaryOf(
  facts: Facts,
  ranking: readonly Ranked[],
  standing: Standing,
  abstained: string | undefined,
): string {
  const top = ranking[0];
  const evidence =
    top === undefined
      ? []
      : supporting(top)
          .toSorted((a, b) => b.weight - a.weight)
          .slice(0, TOP);
  const told = evidence.map((each) => each.what).join('; ');
  if (top === undefined || abstained !== undefined) {
    const novel = novelty(facts, 0)?.what;
    const known = [told, novel, courseOf(facts), movedOf(facts)]
      .filter((each) => each !== undefined && each !== '')
      .join('; ');
    return `unknown: ${abstained ?? 'nothing known'}${known === '' ? '' : `. Evidence: ${known}`}`;
  }
  const twin = standing.twin === undefined ? '' : ` or ${standing.twin}, which is answered alike`;
  return `${top.failureType}${twin} (confidence ${standing.confidence.toFixed(2)}): ${told}`;
}

/** What the workload's own requests do differently, as a sentence. */
function courseOf(facts: Facts): string | undefined {
  const step = facts.oddStep();
  if (step === undefined) return undefined;
  const { from = 'the start', to = 'the end', before, after } = step;
  const ways = `${after[0]} of ${after[1]} times, before ${before[0]} of ${before[1]}`;
  return `in its requests “${printable(from)}” is followed by “${printable(to)}” ${ways}`;
}

/** "moved most: response_time of pod a from 50 to 900". */
function movedOf({ input }: Facts): string | undefined {
  const moved = (input.moved ?? []).map(({ metric, entity, before, after }) => {
    return `${metric}${entity === '' ? '' : ` of pod ${entity}`} from ${figure(before)} to ${figure(after)}`;
  });
  return moved.length === 0 ? undefined : `moved most: ${moved.join(', ')}`;
}

/** Time of the oldest evidence that decided; status is as old as its reading. */
function evidenceTime(facts: Facts, top: Ranked | undefined): number {
  if (top === undefined) return facts.input.verdict?.oldestSampleMs ?? facts.input.nowMs;
  return metricBasis(facts, top).oldestAtMs ?? facts.input.nowMs;
}
