import type { WorkloadVerdict } from '../detection/verdict.ts';
import { inWords, MINUTE } from '../lib/duration.ts';
import type { Intent } from '../policy/action.ts';
import type { LimitStanding, Verification } from './decision.ts';
import { improvement } from './improvement.ts';

/** Requests must be down, a gateway must have spoken and a cache must have shrunk within this time. */
const SHOWS_WITHIN_MS = MINUTE;
/** An effect that moves the metric by less is none. */
const MIN_IMPROVEMENT = 0.1;
/** Buckets burst, and rates are averages: so much over the limit is at the limit. */
const LIMIT_SLACK = 1.1;
/** After a cache was cleared latency may rise so much, not more. */
const MAX_LATENCY_RISE = 0.25;
/** What a cache takes up, by the metrics that may show it. */
const USES = ['memory_usage', 'volume_usage'] as const;

/** Values before and after, and how long ago the effect was. */
export interface Measured {
  readonly intent: Intent;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** The newest verdict; `undefined`: none that is fresh and was not counted yet. */
  readonly verdict: WorkloadVerdict | undefined;
  readonly sinceMs: number;
}

/** Why the effect failed, before the end of its time. */
interface Failure {
  readonly message: string;
  readonly reason: NonNullable<Verification['reason']>;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** A limit must be accepted, must stand, and must have brought the requests down within a minute. */
export function limitFailure(measured: Measured, standing: LimitStanding | undefined): Failure | undefined {
  const { sinceMs } = measured;
  switch (standing?.kind) {
    case 'gone':
      return { reason: 'Reverted', message: standing.message };
    case 'refused':
      return { reason: 'NotAccepted', message: `the gateway does not accept the limit: ${standing.message}` };
    case 'pending':
      if (sinceMs >= SHOWS_WITHIN_MS)
        return { reason: 'NotAccepted', message: `${standing.message} (${inWords(sinceMs)})` };
      return undefined;
    case 'holds':
    case 'unseen':
    case undefined:
      return rateNotDown(measured);
  }
}

function rateNotDown({ intent, before, after, verdict, sinceMs }: Measured): Failure | undefined {
  const [was, is] = [before['request_rate'], after['request_rate']];
  if (verdict === undefined || sinceMs < SHOWS_WITHIN_MS || was === undefined || is === undefined) return undefined;
  if (intent.parameters.kind !== 'throttle') return undefined;
  const { limitPerSecond } = intent.parameters;
  const isWhole = verdict.workloadMetrics.some(({ metric }) => metric === 'request_rate');
  const total = isWhole ? is : is * verdict.pods.length;
  if (total <= LIMIT_SLACK * limitPerSecond || improvement(was, is) >= MIN_IMPROVEMENT) return undefined;
  const message = `still ${total.toFixed(1)} requests a second ${inWords(sinceMs)} after a limit of ${limitPerSecond.toFixed(1)}`;
  return { reason: 'StillAnomalous', message };
}

/**
 * A cleared cache must free something, wherever it lives, and must not have made the pod slow. `isProven`: the polls in
 * band would prove it now.
 */
export function cacheFailure({ before, after, sinceMs }: Measured, isProven: boolean): Failure | undefined {
  const freed = USES.flatMap((metric) => {
    const [was, is] = [before[metric], after[metric]];
    return was === undefined || is === undefined ? [] : [{ metric, share: improvement(was, is) }];
  });
  const isTime = isProven || sinceMs >= SHOWS_WITHIN_MS;
  if (isTime && freed.length > 0 && freed.every(({ share }) => share < MIN_IMPROVEMENT)) {
    const message = freed.map(({ metric, share }) => `${metric} fell by ${percent(share)} only`).join(', ');
    return { reason: 'StillAnomalous', message };
  }
  const [was, is] = [before['response_time'], after['response_time']];
  return was !== undefined && is !== undefined && is > was * (1 + MAX_LATENCY_RISE)
    ? { reason: 'StillAnomalous', message: `response_time rose by ${percent(is / was - 1)}` }
    : undefined;
}
