import { describe, expect, test } from '@jest/globals';
import type { PodVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { verify } from '../../../src/healing/verify.ts';
import type { VerifyInput } from '../../../src/healing/verify.ts';
import { aScaleUp, anIntent, aStatus, aThrottle, executed } from '../../support/builders/action.ts';
import { aMetric, anIllPod, anUnscored, aPodVerdict, aVerdict } from '../../support/builders/incident.ts';
import {
  aContainer,
  aPod,
  aWorkload,
  MINUTE,
  NOW,
  podRef,
  SECOND,
  withReplicas,
} from '../../support/builders/workload.ts';

const SETTINGS = {
  stabilizationSeconds: 60,
  timeoutSeconds: 300,
  anomalyThreshold: 0.85,
  intervalSeconds: 15,
  maxSampleAgeMs: 60_000,
};

/** The first pod is gone and the fifth stands for it. */
const REPLACED = aWorkload({ pods: [aPod(1), aPod(2), aPod(3), aPod(4, { createdAtMs: NOW })] });
const WELL = [1, 2, 3, 4].map((index) => aPodVerdict(podRef(index)));

/** A poll so long after the effect. */
function poll(
  afterMs: number,
  pods: readonly PodVerdict[] = WELL,
  over: Partial<WorkloadVerdict> = {},
): WorkloadVerdict {
  const atMs = NOW + afterMs;
  return aVerdict({ atMs, state: 'healthy', pods, oldestSampleMs: atMs - 5 * SECOND, ...over });
}

function input(afterMs: number, over: Partial<VerifyInput> = {}): VerifyInput {
  return {
    nowMs: NOW + afterMs,
    intent: anIntent(),
    status: executed({ effectiveGoodPolls: 2 }),
    workload: REPLACED,
    verdict: poll(afterMs),
    settings: SETTINGS,
    ...over,
  };
}

const inShort = (over: VerifyInput) => {
  const { verdict, reason, goodPolls } = verify(over);
  return [verdict, reason ?? '', goodPolls];
};

const scaled = (over: Partial<VerifyInput> = {}, cpu = 40, ready = 6): Partial<VerifyInput> => {
  const pods = [0, 1, 2, 3, 4, 5].map((index) => aPod(index));
  return {
    intent: aScaleUp(),
    workload: withReplicas(aWorkload({ pods }), { ready }),
    verdict: poll(90_000, pods.map((pod) => aPodVerdict(pod, { metrics: [aMetric('cpu_usage', cpu, cpu > 70 ? 0.9 : 0.1)] }))),
    ...over,
  };
}; // prettier-ignore

describe('a restarted pod', () => {
  test.each<readonly [string, VerifyInput, unknown[]]>([
    ['the effect settles first', input(59_000), ['Waiting', '', 2]],
    ['a third poll in band proves it', input(60_000), ['Effective', 'Recovered', 3]],
    ['two polls in band do not', input(60_000, { status: executed({ effectiveGoodPolls: 1 }) }), ['Waiting', '', 2]],
    ['the same poll does not count twice', input(61_000, { verdict: poll(60_000), status: executed({ effectiveGoodPolls: 2, effectivePollAtMs: NOW + 60_000 }) }), ['Waiting', '', 2]],
    ['a poll from before it settled does not count', input(65_000, { verdict: poll(59_000) }), ['Waiting', '', 2]],
    ['a bad poll begins the count anew', input(75_000, { verdict: poll(75_000, [...WELL.slice(0, 3), anIllPod(podRef(4))]) }), ['Waiting', '', 0]],
    ['an unknown poll counts neither way', input(75_000, { verdict: poll(75_000, [...WELL.slice(0, 3), aPodVerdict(podRef(4), { state: 'unknown', metrics: [anUnscored('memory_usage')] })]) }), ['Waiting', '', 2]],
    ['a pod that the poll does not speak of is unknown', input(75_000, { verdict: poll(75_000, WELL.slice(0, 3)) }), ['Waiting', '', 2]],
    ['a replacement whose triggering metric is not there yet is unknown', input(75_000, { verdict: poll(75_000, [...WELL.slice(0, 3), aPodVerdict(podRef(4), { metrics: [] })]) }), ['Waiting', '', 2]],
    ['no history yet, but clearly lower than before', input(75_000, { verdict: poll(75_000, [...WELL.slice(0, 3), aPodVerdict(podRef(4), { metrics: [anUnscored('memory_usage', 40)] })]) }), ['Effective', 'Recovered', 3]],
    ['no history yet, and about as high as before', input(75_000, { verdict: poll(75_000, [...WELL.slice(0, 3), aPodVerdict(podRef(4), { metrics: [anUnscored('memory_usage', 90)] })]) }), ['Waiting', '', 2]],
    ['in band but the replacement is not ready', input(75_000, { workload: aWorkload({ pods: [aPod(1), aPod(2), aPod(3), aPod(4, { ready: false })] }) }), ['Waiting', '', 0]],
    ['ready but not in band at the end', input(300_000, { verdict: poll(299_000, [...WELL.slice(0, 3), anIllPod(podRef(4))]) }), ['Ineffective', 'StillAnomalous', 0]],
    ['no replacement at the end', input(300_000, { workload: aWorkload({ pods: [aPod(1), aPod(2), aPod(3)] }) }), ['Ineffective', 'NotReady', 2]],
    ['two were to go and a budget spared one: its replacement is all that is due', input(60_000, { intent: anIntent({ pods: [podRef(0), podRef(1)] }) }), ['Effective', 'Recovered', 3]],
    ['two are gone and one replacement is there', input(300_000, { intent: anIntent({ pods: [podRef(0), podRef(1)] }), workload: aWorkload({ pods: [aPod(2), aPod(3), aPod(4)] }) }), ['Ineffective', 'NotReady', 0]],
    ['no fresh data until the end', input(300_000, { verdict: undefined }), ['Inconclusive', 'NoFreshData', 2]],
    ['only stale data at the end', input(300_000, { verdict: poll(299_000, WELL, { oldestSampleMs: NOW + 200_000 }) }), ['Inconclusive', 'NoFreshData', 2]],
    ['at the end the last poll is older than samples may be, but no poll was missed', input(300_000, { settings: { ...SETTINGS, intervalSeconds: 120, timeoutSeconds: 300 }, nowMs: NOW + 660_000, verdict: poll(560_000, [...WELL.slice(0, 3), anIllPod(podRef(4))]) }), ['Ineffective', 'StillAnomalous', 0]],
    ['at the end two polls were missed', input(600_000, { verdict: poll(539_000, [...WELL.slice(0, 3), anIllPod(podRef(4))]) }), ['Inconclusive', 'NoFreshData', 2]],
    ['the last poll is from before the effect', input(300_000, { verdict: poll(-1) }), ['Inconclusive', 'NoFreshData', 2]],
    ['not over at a second before the end', input(299_000, { verdict: undefined }), ['Waiting', '', 2]],
    ['an incident without metrics is proven by the pod itself', input(75_000, { intent: anIntent({ metrics: [] }) }), ['Effective', 'Recovered', 3]],
    ['a pod in crash loop is no recovery', input(75_000, { intent: anIntent({ metrics: [] }), verdict: poll(75_000, [...WELL.slice(0, 3), anIllPod(podRef(4))]) }), ['Waiting', '', 0]],
  ])('%s', (_sentence, given, expected) => expect(inShort(given)).toEqual(expected)); // prettier-ignore

  test('is found by owner: the pod of that name is not looked for', () => {
    const renamed = aWorkload({ pods: [aPod(1), aPod(2), aPod(3), aPod(9)] });
    const verdict = poll(60_000, [...WELL.slice(0, 3), aPodVerdict(podRef(9))]);
    expect(inShort(input(60_000, { workload: renamed, verdict }))).toEqual(['Effective', 'Recovered', 3]);
  });

  test('untreated pods that were ill and recovered as well: not the action', () => {
    const intent = anIntent({ baseline: { ...anIntent().baseline, unhealthyPeerUids: ['uid-1', 'uid-2'] } });
    expect(inShort(input(60_000, { intent }))).toEqual(['Inconclusive', 'RecoveredWithPeers', 3]);
  });

  test('untreated pods that are still ill: the action', () => {
    const intent = anIntent({ baseline: { ...anIntent().baseline, unhealthyPeerUids: ['uid-1', 'uid-2'] } });
    const verdict = poll(60_000, [anIllPod(podRef(1)), ...WELL.slice(1)]);
    expect(inShort(input(60_000, { intent, verdict }))).toEqual(['Effective', 'Recovered', 3]);
  });

  test('peers that fell as much as the treated pod: not the action', () => {
    const intent = anIntent({ baseline: { ...anIntent().baseline, peerMetrics: { memory_usage: 93 } } });
    expect(inShort(input(60_000, { intent }))).toEqual(['Inconclusive', 'RecoveredWithPeers', 3]);
  });

  test('the numbers are told', () => {
    expect(verify(input(60_000))).toMatchObject({
      before: { memory_usage: 93 },
      after: { memory_usage: 50 },
      peers: { memory_usage: 50 },
      pollAtMs: NOW + 60_000,
    });
  });

  test('rare polls get the time that three of them need', () => {
    const settings = { ...SETTINGS, intervalSeconds: 600 };
    expect(inShort(input(300_000, { settings, verdict: undefined }))[0]).toBe('Waiting');
    expect(inShort(input(2_460_000, { settings, verdict: undefined }))[0]).toBe('Inconclusive');
  });
});

describe('a pod that the kernel ended at its memory limit', () => {
  /** More replicas were added; the first pod's status tells of a kill so long after (or before) that. */
  const killed = (sinceMs: number | undefined, over: Partial<PodVerdict> = {}): VerifyInput => {
    const since = sinceMs === undefined ? {} : { sinceMs: NOW + sinceMs };
    const status = [{ reason: 'OOMKilled', message: 'killed', severity: 0.9, ...since }];
    const first = aPodVerdict(podRef(0), { state: 'unhealthy', score: 0.9, status, ...over });
    const rest = [1, 2, 3, 4, 5].map((index) => aPodVerdict(podRef(index)));
    const intent = aScaleUp({ metrics: ['memory_usage'] });
    return input(90_000, scaled({ intent, verdict: poll(90_000, [first, ...rest]) }));
  };
  const restarting = { reason: 'CrashLoopBackOff', message: 'again', severity: 0.9, sinceMs: NOW - 60_000 };

  test.each<readonly [string, VerifyInput, unknown[]]>([
    ['a kill before the effect is why there was one', killed(-60_000), ['Effective', 'Recovered', 3]],
    ['a kill after it: it did not help', killed(30_000), ['Waiting', '', 0]],
    ['nobody says when it was killed', killed(undefined), ['Waiting', '', 0]],
    ['it is ill by its memory too', killed(-60_000, { metrics: [aMetric('memory_usage', 97, 0.95)] }), ['Waiting', '', 0]],
    ['it crashes as well', killed(-60_000, { status: [restarting] }), ['Waiting', '', 0]],
  ])('%s', (_sentence, given, expected) => expect(inShort(given)).toEqual(expected)); // prettier-ignore
});

describe('a rollout restart', () => {
  const intent = anIntent({ pods: [], parameters: { kind: 'restart', how: 'rollout' } });
  test('is not judged well while it rolls', () => {
    const workload = withReplicas(REPLACED, { updated: 2 });
    expect(inShort(input(75_000, { intent, workload }))).toEqual(['Waiting', '', 0]);
  });
  test('is proven by all pods', () =>
    expect(inShort(input(75_000, { intent }))).toEqual(['Effective', 'Recovered', 3]));

  const rolling = withReplicas(REPLACED, { updated: 2 });
  const crashing = { ready: false, containers: [aContainer({ waitingReason: 'CrashLoopBackOff' })] };
  test.each<readonly [string, Partial<VerifyInput>, unknown[]]>([
    ['is still under way when its time is over: no proof either way', { workload: rolling }, ['Inconclusive', 'RolloutUnderWay', 0]],
    ['is still under way, and nothing was measured', { workload: rolling, verdict: undefined }, ['Inconclusive', 'RolloutUnderWay', 2]],
    ['was given up by its controller', { workload: { ...rolling, conditions: [{ type: 'Progressing', status: 'False', changedAtMs: NOW }] } }, ['Ineffective', 'NotReady', 0]],
    ['brings pods that crash', { workload: withReplicas(aWorkload({ pods: [aPod(1), aPod(2), aPod(3), aPod(4, crashing)] }), { updated: 1 }) }, ['Ineffective', 'NotReady', 0]],
    ['is over, and not all are ready', { workload: withReplicas(REPLACED, { ready: 3 }) }, ['Ineffective', 'NotReady', 0]],
  ])('%s', (_, over, expected) => {
    expect(inShort(input(300_000, { intent, verdict: poll(299_000), ...over }))).toEqual(expected);
  }); // prettier-ignore
});

describe('scaling up', () => {
  test.each<readonly [string, VerifyInput, unknown[]]>([
    ['ready and in band', input(90_000, scaled()), ['Effective', 'Recovered', 3]],
    ['not ready after 5 minutes', input(300_000, scaled({ verdict: undefined }, 40, 5)), ['Ineffective', 'NotReady', 2]],
    ['not ready yet', input(299_000, scaled({ verdict: undefined }, 40, 5)), ['Waiting', '', 2]],
    ['a new pod crashes', input(90_000, scaled({ workload: withReplicas(aWorkload({ pods: [aPod(0), aPod(1), aPod(2), aPod(3), aPod(4), aPod(5, { ready: false, containers: [aContainer({ waitingReason: 'CrashLoopBackOff' })] })] }), {}) })), ['Ineffective', 'NotReady', 0]],
    ['better by a third, not in band: neither cured nor to be undone', input(301_000, scaled({ verdict: poll(300_000, [0, 1, 2, 3, 4, 5].map((i) => aPodVerdict(podRef(i), { metrics: [aMetric('cpu_usage', 72, 0.9)] }))) })), ['Inconclusive', 'StillAnomalous', 0]],
    ['better by less than a tenth', input(301_000, scaled({ verdict: poll(300_000, [0, 1, 2, 3, 4, 5].map((i) => aPodVerdict(podRef(i), { metrics: [aMetric('cpu_usage', 82, 0.9)] }))) })), ['Ineffective', 'StillAnomalous', 0]],
    ['somebody set the replicas back', input(90_000, scaled({ workload: aWorkload() })), ['Ineffective', 'Reverted', 3]],
  ])('%s', (_sentence, given, expected) => expect(inShort(given)).toEqual(expected)); // prettier-ignore
});

describe('scaling up in a surge', () => {
  const pods = [0, 1, 2, 3, 4, 5].map((index) => aPod(index));
  const intentFor = (failureType: 'traffic_surge' | 'cpu_saturation') =>
    aScaleUp({
      baseline: { ...aScaleUp().baseline, metrics: { cpu_usage: 90, request_rate: 200 } },
      diagnosis: { ...aScaleUp().diagnosis, failureType },
      metrics: ['cpu_usage', 'request_rate'],
    });
  /** Four pods took 200 requests each when it was decided, six take so many now, and work so hard. */
  const later = (cpu: number, each: number, over: Partial<VerifyInput> = {}): VerifyInput => {
    const metrics = [
      aMetric('cpu_usage', cpu, cpu > 70 ? 0.9 : 0.1),
      aMetric('request_rate', each, each > 120 ? 0.9 : 0.1),
    ];
    const verdict = poll(
      300_000,
      pods.map((pod) => aPodVerdict(pod, { metrics })),
      { state: 'unhealthy' },
    );
    return input(301_000, {
      intent: intentFor('traffic_surge'),
      workload: withReplicas(aWorkload({ pods }), { ready: 6 }),
      verdict,
      ...over,
    });
  };
  const shared = (requests: number): VerifyInput => {
    const seen = later(90, 0);
    const cpu = pods.map((pod) => aPodVerdict(pod, { metrics: [aMetric('cpu_usage', 90, 0.9)] }));
    return { ...seen, verdict: poll(300_000, cpu, { workloadMetrics: [aMetric('request_rate', requests, 0.9)] }) };
  };

  test.each<readonly [string, VerifyInput, unknown[]]>([
    ['goes on and the pods are better: no proof either way', later(72, 133), ['Inconclusive', 'SurgeGoesOn', 0]],
    ['grew by half, and the pods are no better: what was added is used up', later(90, 200), ['Inconclusive', 'SurgeGoesOn', 0]],
    ['goes on, grew by nothing, and nothing is better: it does not help', later(89, 133.4, { intent: { ...intentFor('traffic_surge'), metrics: ['cpu_usage'] } }), ['Ineffective', 'StillAnomalous', 0]],
    ['is over, and something is still ill', later(90, 60, { intent: { ...intentFor('traffic_surge'), metrics: ['cpu_usage'] } }), ['Ineffective', 'StillAnomalous', 0]],
    ['was none: capacity was missing otherwise', later(90, 200, { intent: intentFor('cpu_saturation') }), ['Ineffective', 'StillAnomalous', 0]],
    ['of the workload as a whole grew', shared(240), ['Inconclusive', 'SurgeGoesOn', 0]],
    ['of the workload as a whole stayed', shared(200), ['Ineffective', 'StillAnomalous', 0]],
    ['goes on, and new pods are not ready', later(72, 133, { workload: withReplicas(aWorkload({ pods }), { ready: 5 }) }), ['Ineffective', 'NotReady', 0]],
    ['goes on as far as anybody knows: there is no fresh data', later(72, 133, { verdict: undefined }), ['Inconclusive', 'NoFreshData', 2]],
  ])('%s', (_, given, expected) => expect(inShort(given)).toEqual(expected)); // prettier-ignore

  test('says how many requests there are', () => {
    expect(verify(later(90, 200)).message).toBe(
      'the surge goes on: requests are at 150 % of those when it was decided',
    );
  });
});

describe('scaling down', () => {
  const intent = aScaleUp({
    action: 'scale_down',
    parameters: { kind: 'scale', from: 6, to: 4, returnAfterSeconds: 0 },
  });
  const verdictOf = (score: number) => poll(10_000, [0, 1, 2, 3].map((i) => aPodVerdict(podRef(i), { metrics: [aMetric('cpu_usage', 60, score)] }))); // prettier-ignore

  test('hurts: known at once, before it settled', () => {
    expect(inShort(input(10_000, { intent, workload: aWorkload(), verdict: verdictOf(0.9) }))).toEqual(['Ineffective', 'StillAnomalous', 2]); // prettier-ignore
  });
  test('any other signal that leaves its band counts too', () => {
    const verdict = { ...verdictOf(0.1), state: 'unhealthy' as const };
    expect(inShort(input(10_000, { intent, workload: aWorkload(), verdict }))[0]).toBe('Ineffective');
  });
  test('does not hurt: judged like any other', () => {
    expect(inShort(input(10_000, { intent, workload: aWorkload(), verdict: verdictOf(0.1) }))[0]).toBe('Waiting');
  });
});

describe('a cleared cache', () => {
  const intent = anIntent({
    action: 'clear_cache',
    parameters: { kind: 'cache', cache: { http: { port: 8080, path: '/clear' } } },
    baseline: { ...anIntent().baseline, metrics: { memory_usage: 93, response_time: 100 } },
    metrics: ['memory_usage', 'response_time'],
  });
  const after = (memory: number, latency: number) =>
    poll(60_000, [aPodVerdict(podRef(0), { metrics: [aMetric('memory_usage', memory, 0.1), aMetric('response_time', latency, 0.1)] }), ...WELL]); // prettier-ignore

  test.each([
    ['freed enough', 80, 100, 'Effective'],
    ['freed a tenth', 83, 100, 'Effective'],
    ['freed next to nothing', 90, 100, 'Ineffective'],
    ['made the pod slow by a quarter', 60, 125, 'Effective'],
    ['made the pod slower than that', 60, 126, 'Ineffective'],
  ])('%s', (_sentence, memory, latency, expected) => {
    expect(verify(input(60_000, { intent, workload: aWorkload(), verdict: after(memory, latency) })).verdict).toBe(
      expected,
    );
  });
});

test('a throttle is judged by the workload as a whole', () => {
  const intent = aThrottle({ metrics: ['memory_usage'] });
  expect(inShort(input(60_000, { intent, workload: aWorkload(), verdict: poll(60_000, [0, 1, 2, 3].map((i) => aPodVerdict(podRef(i)))) }))).toEqual(['Effective', 'Recovered', 3]); // prettier-ignore
});

test('metrics of the workload as a whole are judged too', () => {
  const verdict = poll(60_000, WELL, { workloadMetrics: [aMetric('memory_usage', 95, 0.95)] });
  expect(inShort(input(60_000, { verdict }))).toEqual(['Waiting', '', 0]);
});

test('an effect that was never recorded as sent is only waited for', () => {
  expect(verify(input(10 * MINUTE, { status: aStatus(), verdict: undefined })).verdict).toBe('Waiting');
});
