import { STATUS_BREACH } from '../../detection/detectors/status.ts';
import { countedScore } from '../../detection/metric-judgement.ts';
import { isCorroborated, modelsInWords } from '../../detection/model-agreement.ts';
import type { MetricVerdict, PodVerdict } from '../../detection/verdict.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { hold } from '../hold.ts';

/** Facts beside the learnt models: the cluster's own state, a change, or what the logs say. */
const factsSupport = ({ diagnosis }: GuardInput): boolean =>
  (diagnosis.candidates[0]?.evidence ?? []).some(({ source, weight }) => source !== 'metric' && weight > 0);

interface Witness {
  readonly name: string;
  readonly anomalous: readonly MetricVerdict[];
}

function witnessesOf({ verdict, proposal }: GuardInput, threshold: number): readonly Witness[] {
  const treated = (pod: PodVerdict): boolean => proposal.pods.some(({ uid }) => uid === pod.pod.uid);
  const judged = proposal.pods.length > 0 ? verdict.pods.filter(treated) : verdict.pods;
  const anomalous = (metrics: readonly MetricVerdict[]): MetricVerdict[] =>
    metrics.filter((metric) => countedScore(metric) >= threshold);
  const ofPods = judged
    .filter(({ status }) => status.every(({ severity }) => severity < STATUS_BREACH))
    .map(({ pod, metrics }) => ({ name: `pod ${pod.name}`, anomalous: anomalous(metrics) }));
  const ofWorkload = { name: 'the workload', anomalous: anomalous(verdict.workloadMetrics) };
  return [...ofPods, ofWorkload].filter((witness) => witness.anomalous.length > 0);
}

const said = (metric: MetricVerdict): string =>
  `${metric.metric}: ${modelsInWords(metric) ?? 'no model says how old it is'}`;

/**
 * What was learnt lately may be wrong: a level that drifts, a pod that was always so, an hour that is not like others. An
 * effect needs two models of different age that object, or something that needs no history: a limit, the end of a scale,
 * the replicas, the pod's status, a log or a change. On the treated pods each; for the whole workload, somewhere in it.
 */
export const youngModel: Guard = {
  name: 'youngModel',
  check: (input) => {
    const threshold = input.policy.detection.anomalyThreshold;
    const witnesses = witnessesOf(input, threshold);
    if (witnesses.length === 0 || factsSupport(input)) return undefined;
    const alone = witnesses.filter(({ anomalous }) => !anomalous.some((metric) => isCorroborated(metric, threshold)));
    const isWhole = input.proposal.pods.length === 0;
    const [first] = alone;
    if (first === undefined || (isWhole && alone.length < witnesses.length)) return undefined;
    const why = first.anomalous.map(said).join('; ');
    return hold('YoungModel', `${first.name}: models of two ages must agree; ${why}`);
  },
};
