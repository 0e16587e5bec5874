import type { MetricVerdict } from '../../detection/verdict.ts';
import { inWords, MINUTE } from '../../lib/duration.ts';
import type { GuardInput, Hold } from '../guard.ts';
import { hold } from '../hold.ts';
import type { ScaleStep } from './scale.ts';

/** How long everything must have been in sight before capacity is taken away. */
const COMPLETE_FOR_MS = 5 * MINUTE;
/** The remaining pods may carry at most this share of what would be an anomaly. */
const PROJECTED_SHARE = 0.7;

/** The value from which a metric is anomalous: the policy's limit, else the upper edge of its band. */
function triggerOf(input: GuardInput, { metric, verdict }: MetricVerdict): number | undefined {
  const limit = input.policy.detection.metrics.find(({ name }) => name === metric)?.limit;
  if (limit !== undefined) return limit.enter;
  return verdict.kind === 'score' ? verdict.band?.[1] : undefined;
}

function missingMetrics(input: GuardInput): string | undefined {
  const { verdict, workload, completeSinceMs, nowMs } = input;
  const unseen = workload.pods.filter(({ uid }) => !verdict.pods.some(({ pod }) => pod.uid === uid));
  if (unseen.length > 0) return `${unseen.length} of ${workload.pods.length} pods are not measured`;
  const gaps = verdict.pods.flatMap(({ pod, metrics }) =>
    metrics.filter((metric) => metric.verdict.kind !== 'score').map(({ metric }) => `${metric} of ${pod.name}`),
  );
  const [gap] = gaps;
  if (gap !== undefined) return `${gap} is not known (${gaps.length} in all)`;
  if (completeSinceMs === undefined) return 'not every metric of every pod is present';
  const forMs = nowMs - completeSinceMs;
  return forMs < COMPLETE_FOR_MS
    ? `every metric is present for ${inWords(forMs)} of ${inWords(COMPLETE_FOR_MS)}`
    : undefined;
}

function overloadAhead(input: GuardInput, step: ScaleStep): Hold | undefined {
  const judged = input.verdict.pods
    .flatMap(({ metrics }) => metrics)
    .map((metric) => ({ metric, trigger: triggerOf(input, metric) }));
  const known = judged.filter(({ metric, trigger }) => trigger !== undefined && metric.value !== undefined);
  if (known.length === 0) return hold('MetricsMissing', 'no metric has a limit or a band to project against');
  for (const { metric, trigger = 0 } of known) {
    const projected = ((metric.value ?? 0) * step.from) / step.to;
    if (projected < PROJECTED_SHARE * trigger) continue;
    return hold(
      'AtMinimum',
      `${metric.metric} would be ${projected.toPrecision(3)} a pod, over 70 % of its trigger ${trigger.toPrecision(3)}`,
    );
  }
  return undefined;
}

/** Whether the workload is surely idle enough to lose pods: complete measurements, nothing else open, room to spare. */
export function idleRefusal(input: GuardInput): Hold | undefined {
  const { proposal, openIncidents, incident, workload } = input;
  if (proposal.parameters.kind !== 'scale') return hold('Unsupported', 'the parameters are not those of a scaling');
  const step = proposal.parameters;
  const missing = missingMetrics(input);
  if (missing !== undefined) return hold('MetricsMissing', missing);
  if (openIncidents === undefined) return hold('IncidentOpen', 'whether other incidents are open is not known');
  const others = openIncidents.filter((id) => id !== incident.id);
  if (others.length > 0)
    return hold('IncidentOpen', `${others.length} other incidents are open on ${workload.ref.name}`);
  return overloadAhead(input, step);
}
