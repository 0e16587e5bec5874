import { isPreset } from '../../detection/presets.ts';
import { inWords } from '../../lib/duration.ts';
import type { Guardrail, HealingPolicy } from '../../policy/healing-policy.ts';
import { FACTS, isFact, type RecordedSeries } from './recorded-series.ts';
import type { ReplayOutcome } from './replay.ts';

interface Facts {
  readonly policies: readonly HealingPolicy[];
  readonly guardrails: readonly Guardrail[];
  readonly series: readonly RecordedSeries[];
  readonly outcome: ReplayOutcome;
  readonly stepMs: number;
  readonly fromMs: number;
}

/** What the record does not tell and what was taken for granted instead, so that nobody reads more into the report. */
export function notesOn({ policies, guardrails, series, outcome, stepMs, fromMs }: Facts): readonly string[] {
  const [first] = policies;
  const own = Math.min(...policies.map(({ detection }) => detection.intervalSeconds)) * 1000;
  const { breaches = 3 } = first?.detection.trigger ?? {};
  const has = (fact: string): boolean => series.some(({ metric }) => metric === fact);
  const waits = [...policies, ...guardrails].some(({ holdWhileAlertsFiring }) => holdWhileAlertsFiring.length > 0);
  const asks = guardrails.some(({ policyEngine }) => policyEngine !== undefined);
  const watched = new Set(policies.flatMap(({ detection }) => detection.metrics.map(({ name }) => name)));
  const ignored = new Set(
    series.map(({ metric }) => metric).filter((metric) => !isFact(metric) && !isPreset(metric) && !watched.has(metric)),
  );
  const begins = Math.min(...series.map(({ timesMs }) => timesMs[0] ?? Infinity));
  const note = (holds: boolean, text: string): readonly string[] => (holds ? [text] : []);
  return [
    'Effects are taken to have been carried out; the record does not react to them. Verdicts on effects are of the record as it is.',
    ...note(
      stepMs > own,
      `Judged every ${inWords(stepMs)} instead of ${inWords(own)}: what is over within ${inWords(breaches * stepMs)} is not seen, and all else up to ${inWords(stepMs * breaches)} later; --step ${own / 1000}s is exact and slower.`,
    ),
    ...note(
      begins >= fromMs,
      'The record begins with the replay: until enough was learnt only limits, status and peers judge.',
    ),
    'Not in the record: events, logs, nodes, autoscalers, disruption budgets, rollouts. Nothing of them explains or holds anything.',
    ...note(!has(FACTS.ready), 'Readiness is not in the record: pods are taken to be Ready while they have samples.'),
    ...note(!has(FACTS.restarts), 'Restarts are not in the record: crash loops are not seen.'),
    ...note(
      !has(FACTS.replicas),
      'Desired replicas are not in the record: those that are there are taken to be wanted.',
    ),
    ...note(
      policies.some(({ target }) => target.selector !== undefined),
      'Labels are not in the record: a selector takes every workload of its kind.',
    ),
    ...note(waits, 'Alerts are not in the record: holdWhileAlertsFiring holds nothing.'),
    ...note(asks, 'The policy engine is not asked: it is taken to allow everything.'),
    ...note(
      ignored.size > 0,
      `Metrics that no policy watches were passed over: ${[...ignored].slice(0, 10).join(', ')}.`,
    ),
    ...note(
      outcome.workloads.length === 0,
      'No pod of the record belongs to a workload that a policy names: check names and namespaces.',
    ),
  ];
}
