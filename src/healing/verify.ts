import { STATUS_BREACH } from '../detection/detectors/status.ts';
import { countedScore } from '../detection/metric-judgement.ts';
import type { Direction } from '../detection/sample.ts';
import type { MetricVerdict, PodVerdict, WorkloadVerdict } from '../detection/verdict.ts';
import { inWords, MINUTE, SECOND } from '../lib/duration.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import type { ActionStatus, LimitStanding, Verification } from './decision.ts';
import { improvement, improvementOf } from './improvement.ts';
import { meanOver, meanValues } from './measured.ts';
import { outlasted } from './outlasted.ts';
import { groupsOf, newPodsCrashing, notReadyBecause, verdictsOf } from './verify-groups.ts';
import { cacheFailure, limitFailure, type Measured } from './verify-special.ts';

/** Everything that a judgement of an effect rests on. */
export interface VerifyInput {
  readonly nowMs: number;
  readonly intent: Intent;
  readonly status: ActionStatus;
  readonly workload: WorkloadSnapshot;
  /** The newest verdict; `undefined`: there is none. */
  readonly verdict: WorkloadVerdict | undefined;
  readonly settings: {
    readonly stabilizationSeconds: number;
    readonly timeoutSeconds: number;
    readonly anomalyThreshold: number;
    readonly intervalSeconds: number;
    /** Two scrape intervals: what is older is no fresh data. */
    readonly maxSampleAgeMs: number;
  };
  /** Harmful side by metric; absent: above. */
  readonly directions?: Readonly<Record<string, Direction>>;
  /** Whether a limit is in force; absent: the effect is none, or the workload itself shows it. */
  readonly standing?: LimitStanding;
}

/** Polls in band, one after the other, that prove it. */
const GOOD_POLLS = 3;
/** New pods of a step up must be ready by then. */
const SCALE_READY_MS = 5 * MINUTE;
/** An effect that moves the metric by less is none. */
const MIN_IMPROVEMENT = 0.1;
/** Peers that improved by so much of what the treated did were not helped by the action. */
const EQUAL_SHARE = 0.9;

type Poll = 'good' | 'bad' | 'unknown';

/** What is known at this look. */
interface Look {
  readonly input: VerifyInput;
  readonly executedAtMs: number;
  readonly isSettled: boolean;
  readonly poll: Poll | undefined;
  readonly goodPolls: number;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, number>>;
}

/** The verdict if it is fresh and was not counted yet. */
function newVerdict({ verdict, nowMs, settings, status }: VerifyInput): WorkloadVerdict | undefined {
  if (verdict === undefined || verdict.atMs <= (status.effectivePollAtMs ?? status.executed?.atMs ?? 0))
    return undefined;
  return isFresh(verdict, settings, nowMs) ? verdict : undefined;
}

/**
 * Made on samples that were fresh at that poll, and there was time for at most one poll since. Between two polls that are
 * further apart than samples may be old, the samples of the last one are still what is known.
 */
function isFresh(verdict: WorkloadVerdict, settings: VerifyInput['settings'], nowMs: number): boolean {
  const { maxSampleAgeMs, intervalSeconds } = settings;
  const pollAgeMs = 2 * Math.max(maxSampleAgeMs / 2, intervalSeconds * SECOND);
  const oldestMs = verdict.oldestSampleMs ?? verdict.atMs;
  return nowMs - verdict.atMs <= pollAgeMs && verdict.atMs - oldestMs <= maxSampleAgeMs;
}

/** One triggering metric: in its band, out of it, or not known. */
function judgeMetric({ metric, verdict, value }: MetricVerdict, input: VerifyInput): Poll {
  if (verdict.kind === 'score') return verdict.score < input.settings.anomalyThreshold ? 'good' : 'bad';
  // A replacement has no history yet; being clearly better than before is what can be known of it.
  const before = input.intent.baseline.metrics[metric];
  if (verdict.reason !== 'InsufficientData' || value === undefined || before === undefined) return 'unknown';
  return improvement(before, value, input.directions?.[metric]) >= MIN_IMPROVEMENT ? 'good' : 'unknown';
}

/**
 * Unhealthy for nothing but a kill that lies before the effect. The kill is why there was an effect; for minutes the
 * status goes on telling of it, and that is no sign that the effect did not help.
 */
function isIllOfThePast({ status, metrics }: PodVerdict, { status: action, settings }: VerifyInput): boolean {
  const executedAtMs = action.executed?.atMs ?? -Infinity;
  const breaching = status.filter(({ severity }) => severity >= STATUS_BREACH);
  const isPast = breaching.every(({ reason, sinceMs = Infinity }) => reason === 'OOMKilled' && sinceMs < executedAtMs);
  return breaching.length > 0 && isPast && metrics.every((each) => countedScore(each) < settings.anomalyThreshold);
}

/** `names` are the triggering metrics that are measured by pod; one that this pod lacks is not known. */
function judgePod(pod: PodVerdict, names: readonly string[], input: VerifyInput): Poll {
  const isWell = pod.state === 'healthy' || isIllOfThePast(pod, input);
  if (pod.state === 'unhealthy' && !isWell) return 'bad';
  const judged = names.map((name): Poll => {
    const metric = pod.metrics.find((each) => each.metric === name);
    return metric === undefined ? 'unknown' : judgeMetric(metric, input);
  });
  if (judged.includes('bad')) return 'bad';
  // Status evidence has no metric; then the pod's own state must speak.
  if (judged.length === 0) return isWell ? 'good' : 'unknown';
  return judged.includes('unknown') ? 'unknown' : 'good';
}

function judgePoll(input: VerifyInput, verdict: WorkloadVerdict): Poll {
  const { intent, workload } = input;
  const { treated } = groupsOf(intent, workload);
  const pods = verdictsOf(treated, verdict);
  const shared = verdict.workloadMetrics.filter(({ metric }) => intent.metrics.includes(metric));
  const byPod = intent.metrics.filter((name) => !shared.some(({ metric }) => metric === name));
  const judged = [
    ...pods.map((pod) => judgePod(pod, byPod, input)),
    ...shared.map((metric) => judgeMetric(metric, input)),
  ];
  if (judged.includes('bad')) return 'bad';
  if (judged.length === 0 || pods.length < treated.length || judged.includes('unknown')) return 'unknown';
  return notReadyBecause(intent, workload) === undefined ? 'good' : 'bad';
}

/** What triggered, and what else was written down before: a limit's requests, what a cache takes up. */
function valuesAfter({ intent, workload, verdict }: VerifyInput): Pick<Look, 'after' | 'peers'> {
  if (verdict === undefined) return { after: {}, peers: {} };
  const { treated, peers } = groupsOf(intent, workload);
  const names = [...new Set([...intent.metrics, ...Object.keys(intent.baseline.metrics)])];
  const shared = verdict.workloadMetrics.filter(({ metric }) => names.includes(metric));
  return {
    after: { ...meanValues(shared), ...meanOver(verdictsOf(treated, verdict), names) },
    peers: meanOver(verdictsOf(peers, verdict), intent.metrics),
  };
}

function look(input: VerifyInput): Look {
  const { status, settings, nowMs, intent } = input;
  const executedAtMs = status.executed?.atMs ?? nowMs;
  const settledAtMs = executedAtMs + settings.stabilizationSeconds * SECOND;
  const verdict = newVerdict(input);
  const isSettled = nowMs >= settledAtMs;
  const poll = verdict === undefined ? undefined : judgePoll(input, verdict);
  const before = status.effectiveGoodPolls ?? 0;
  const counts = isSettled && verdict !== undefined && verdict.atMs >= settledAtMs;
  const goodPolls = !counts || poll === 'unknown' ? before : poll === 'good' ? before + 1 : 0;
  return { input, executedAtMs, isSettled, poll, goodPolls, before: intent.baseline.metrics, ...valuesAfter(input) };
}

function result(
  seen: Look,
  verdict: Verification['verdict'],
  message: string,
  reason?: NonNullable<Verification['reason']>,
): Verification {
  const { input, before, after, peers, goodPolls, poll } = seen;
  const pollAtMs = poll === undefined ? input.status.effectivePollAtMs : input.verdict?.atMs;
  return {
    verdict,
    message,
    ...(reason === undefined ? {} : { reason }),
    before,
    after,
    peers,
    goodPolls,
    ...(pollAtMs === undefined ? {} : { pollAtMs }),
  };
}

/** Whether what was left alone recovered as well: then the action is not what helped. */
function recoveredWithPeers({ input, after, peers }: Look): string | undefined {
  const { intent, verdict, directions = {} } = input;
  const { baseline } = intent;
  const ill = baseline.unhealthyPeerUids ?? [];
  const now = verdict?.pods.filter(({ pod }) => ill.includes(pod.uid)) ?? [];
  if (now.length > 0 && now.every(({ state }) => state === 'healthy')) {
    return `${now.length} untreated pods recovered as well`;
  }
  const treatedShare = improvementOf(triggering(intent), after, directions);
  const peerShare = improvementOf(baseline.peerMetrics ?? {}, peers, directions);
  return treatedShare !== undefined &&
    peerShare !== undefined &&
    treatedShare > 0 &&
    peerShare >= EQUAL_SHARE * treatedShare
    ? `untreated pods improved by ${percent(peerShare)}, treated ones by ${percent(treatedShare)}`
    : undefined;
}

/**
 * Values before of the metrics that triggered. Fewer requests are what a limit is, so they prove nothing of it: those
 * that it admits must fare better.
 */
function triggering({ baseline, metrics, parameters }: Intent): Readonly<Record<string, number>> {
  const isProof = (metric: string): boolean =>
    metrics.includes(metric) && !(parameters.kind === 'throttle' && metric === 'request_rate');
  return Object.fromEntries(Object.entries(baseline.metrics).filter(([metric]) => isProof(metric)));
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Signs that it made things worse, or that somebody took it back: no need to wait for the end. */
function earlyFailure(seen: Look): Verification | undefined {
  const { input, executedAtMs, poll } = seen;
  const { intent, workload, nowMs, verdict } = input;
  const { parameters, action } = intent;
  if (
    parameters.kind === 'scale' &&
    parameters.autoscaler === undefined &&
    workload.replicas.desired !== parameters.to
  ) {
    return result(
      seen,
      'Ineffective',
      `somebody set ${workload.replicas.desired} replicas instead of ${parameters.to}`,
      'Reverted',
    );
  }
  if (action === 'scale_down' && (poll === 'bad' || (poll !== undefined && verdict?.state === 'unhealthy'))) {
    return result(seen, 'Ineffective', 'a signal left its band after scaling down', 'StillAnomalous');
  }
  const unready = notReadyBecause(intent, workload);
  if (action === 'scale_up' && unready !== undefined) {
    const crashing = newPodsCrashing(intent, workload);
    if (crashing !== undefined) return result(seen, 'Ineffective', crashing, 'NotReady');
    if (nowMs - executedAtMs >= SCALE_READY_MS) {
      return result(seen, 'Ineffective', `${unready} ${inWords(nowMs - executedAtMs)} after scaling up`, 'NotReady');
    }
  }
  const because = specialFailure(seen);
  return because === undefined ? undefined : result(seen, 'Ineffective', because.message, because.reason);
}

/** What an effect of its own kind must not have brought, or must have. */
function specialFailure(seen: Look): ReturnType<typeof limitFailure> {
  const { input, executedAtMs, isSettled, poll, goodPolls } = seen;
  const { intent, nowMs, status, standing, verdict } = input;
  const isSeen = poll !== undefined;
  const measured: Measured = { ...seen, intent, verdict: isSeen ? verdict : undefined, sinceMs: nowMs - executedAtMs };
  if (intent.action === 'throttle_api' && status.rollback?.done !== true) return limitFailure(measured, standing);
  return intent.action === 'clear_cache' && isSettled && isSeen
    ? cacheFailure(measured, goodPolls >= GOOD_POLLS)
    : undefined;
}

/** The newest verdict, if it was made after the effect on samples that still count. */
function lastVerdict({ verdict, status, settings, nowMs }: VerifyInput): WorkloadVerdict | undefined {
  if (verdict === undefined || verdict.atMs <= (status.executed?.atMs ?? 0)) return undefined;
  return isFresh(verdict, settings, nowMs) ? verdict : undefined;
}

/** The time is over without proof. */
function atDeadline(seen: Look): Verification {
  const { input, after } = seen;
  const { intent, workload } = input;
  const verdict = lastVerdict(input);
  const share = improvementOf(triggering(intent), after, input.directions);
  const isHelping = share !== undefined && share >= MIN_IMPROVEMENT;
  const unready = notReadyBecause(intent, workload);
  const longer = outlasted({ ...seen, intent, workload, verdict, isHelping, isReady: unready === undefined });
  if (longer !== undefined) return result(seen, 'Inconclusive', longer.message, longer.reason);
  if (unready !== undefined) return result(seen, 'Ineffective', `${unready} in time`, 'NotReady');
  const poll = verdict === undefined ? 'unknown' : judgePoll(input, verdict);
  if (poll === 'unknown') {
    return result(seen, 'Inconclusive', 'there was no fresh data to judge it by', 'NoFreshData');
  }
  if (isHelping && (intent.action === 'scale_up' || intent.action === 'throttle_api')) {
    // Taking back what helped by a third would make it worse; it did not cure either.
    return result(seen, 'Inconclusive', `better by ${percent(share)}, but not in band`, 'StillAnomalous');
  }
  return result(
    seen,
    'Ineffective',
    poll === 'good'
      ? 'not in band for long enough'
      : `still anomalous${share === undefined ? '' : ` (better by ${percent(share)})`}`,
    'StillAnomalous',
  );
}

/** The last moment for a verdict; with rare polls there is room for those that are needed. */
function verificationDeadlineMs(executedAtMs: number, settings: VerifyInput['settings']): number {
  const needed = settings.stabilizationSeconds + (GOOD_POLLS + 1) * settings.intervalSeconds;
  return executedAtMs + Math.max(settings.timeoutSeconds, needed) * SECOND;
}

/**
 * Whether the effect helped: after it settled, by owner, with readiness *and* the triggering metrics in band for three
 * polls. Unknown polls count neither way. `goodPolls` and `pollAtMs` of the result go back into the status.
 */
export function verify(input: VerifyInput): Verification {
  const seen = look(input);
  const early = earlyFailure(seen);
  if (early !== undefined) return early;
  // While nobody has said that a limit is in force, it is not what helped.
  if (seen.goodPolls >= GOOD_POLLS && input.standing?.kind !== 'pending') {
    const peers = recoveredWithPeers(seen);
    return peers === undefined
      ? result(seen, 'Effective', `ready, and in band for ${seen.goodPolls} polls`, 'Recovered')
      : result(seen, 'Inconclusive', peers, 'RecoveredWithPeers');
  }
  if (input.nowMs >= verificationDeadlineMs(seen.executedAtMs, input.settings)) return atDeadline(seen);
  return result(
    seen,
    'Waiting',
    seen.isSettled ? `${seen.goodPolls} of ${GOOD_POLLS} polls in band` : 'the effect settles before it is judged',
  );
}
