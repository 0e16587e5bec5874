import { STATUS_BREACH, worstFinding } from './detectors/status.ts';
import type { JudgeInput } from './engine-input.ts';
import { countedScore } from './metric-judgement.ts';
import type { HealthState, MetricVerdict, PodVerdict, WorkloadVerdict } from './verdict.ts';

/** A pod this young may still lack its first readings without making its workload unknown. */
const STARTING_MS = 60_000;

/** Aggregates the pods: one unhealthy pod makes the workload unhealthy; healthy needs half of its grown pods seen. */
export function workloadVerdict(
  input: JudgeInput,
  pods: readonly PodVerdict[],
  workloadMetrics: readonly MetricVerdict[],
): WorkloadVerdict {
  const { anomalyThreshold } = input.settings;
  const fromMetrics = workloadMetrics.reduce((score, metric) => Math.max(score, countedScore(metric)), 0);
  const { workloadStatus = [] } = input;
  const fromStatus = worstFinding(workloadStatus)?.severity ?? 0;
  const score = pods.reduce((worst, pod) => Math.max(worst, pod.score), Math.max(fromMetrics, fromStatus));
  const isUnhealthy =
    fromMetrics >= anomalyThreshold || fromStatus >= STATUS_BREACH || pods.some(({ state }) => state === 'unhealthy');
  const verdict: WorkloadVerdict = {
    workload: input.workload,
    atMs: input.nowMs,
    state: isUnhealthy ? 'unhealthy' : stateOfCalm(input, pods, workloadMetrics),
    score,
    pods,
    workloadMetrics,
    ...(workloadStatus.length > 0 && { status: workloadStatus }),
  };
  const oldestSampleMs = oldestOf(pods, workloadMetrics);
  return oldestSampleMs === undefined ? verdict : { ...verdict, oldestSampleMs };
}

function stateOfCalm(
  input: JudgeInput,
  pods: readonly PodVerdict[],
  workloadMetrics: readonly MetricVerdict[],
): HealthState {
  const grown = pods.filter((_, i) => (input.pods[i]?.ageMs ?? 0) >= STARTING_MS);
  const counted = grown.length > 0 ? grown : pods;
  const healthy = counted.filter(({ state }) => state === 'healthy').length;
  if (counted.length > 0) return healthy * 2 >= counted.length ? 'healthy' : 'unknown';
  return workloadMetrics.some(({ verdict }) => verdict.kind === 'score') ? 'healthy' : 'unknown';
}

function oldestOf(pods: readonly PodVerdict[], workloadMetrics: readonly MetricVerdict[]): number | undefined {
  let oldest = Infinity;
  const look = (metric: MetricVerdict): void => {
    if (metric.verdict.kind === 'score' && metric.atMs !== undefined) oldest = Math.min(oldest, metric.atMs);
  };
  pods.forEach((pod) => pod.metrics.forEach(look));
  workloadMetrics.forEach(look);
  return oldest === Infinity ? undefined : oldest;
}
