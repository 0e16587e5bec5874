import type { WorkloadVerdict } from '../detection/verdict.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import { rolloutUnderWay } from '../policy/rollout.ts';
import type { Verification } from './decision.ts';
import { newPodsCrashing } from './verify-groups.ts';

const REQUESTS = 'request_rate';
/** Of the requests at the decision: with fewer the surge is over, and what is still ill is so for another reason. */
const GOES_ON = 0.9;
/** So many more, and what capacity was added is used up by new requests. */
const GROWS = 1.1;

/** What there is at the end of an effect's time. */
export interface Outlasting {
  readonly intent: Intent;
  readonly workload: WorkloadSnapshot;
  /** The newest fresh verdict; `undefined`: there is none. */
  readonly verdict: WorkloadVerdict | undefined;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** What triggered got better by enough to tell. */
  readonly isHelping: boolean;
  /** The pods are as ready as the effect must leave them. */
  readonly isReady: boolean;
}

export interface Outlasted {
  readonly reason: Extract<Verification['reason'], 'RolloutUnderWay' | 'SurgeGoesOn'>;
  readonly message: string;
}

/**
 * Why an effect cannot be judged although its time is over: a restart whose new pods come before the old ones go is still
 * at it, or the requests that more replicas were added for go on, or grew. Both are no proof against it; taking capacity
 * back in the middle of a surge would make it worse.
 */
export function outlasted(seen: Outlasting): Outlasted | undefined {
  const { parameters, action } = seen.intent;
  if (parameters.kind === 'restart' && parameters.how === 'rollout') return slowRollout(seen);
  return action === 'scale_up' && seen.isReady ? longSurge(seen) : undefined;
}

/** One that its controller gave up, or whose new pods crash, has failed and not only outlasted its time. */
function slowRollout({ intent, workload }: Outlasting): Outlasted | undefined {
  const rolling = rolloutUnderWay(workload);
  const isGivenUp = workload.conditions.some(({ type, status }) => type === 'Progressing' && status === 'False');
  const isCrashing = newPodsCrashing(intent, workload) !== undefined;
  if (rolling === undefined || isGivenUp || isCrashing) return undefined;
  return { reason: 'RolloutUnderWay', message: `the rollout is still under way: ${rolling}` };
}

function longSurge({ intent, workload, verdict, before, after, isHelping }: Outlasting): Outlasted | undefined {
  const [was, is] = [before[REQUESTS], after[REQUESTS]];
  if (intent.diagnosis.failureType !== 'traffic_surge' || verdict === undefined) return undefined;
  if (was === undefined || is === undefined || was <= 0) return undefined;
  const isShared = verdict.workloadMetrics.some(({ metric }) => metric === REQUESTS);
  // By pod, each of more pods takes a smaller share of the same requests.
  const spread = isShared ? 1 : workload.replicas.ready / Math.max(intent.baseline.readyReplicas, 1);
  const demand = (is * spread) / was;
  if (!(demand >= GROWS || (demand >= GOES_ON && isHelping))) return undefined;
  return {
    reason: 'SurgeGoesOn',
    message: `the surge goes on: requests are at ${Math.round(100 * demand)} % of those when it was decided`,
  };
}
