import { describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import { stepIncident } from '../../../src/detection/incident-step.ts';
import type { IncidentHistory } from '../../../src/detection/incident-step.ts';
import type { WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { SimulatedWorkload } from '../../support/simulated-workload.ts';
import type { Disturbance } from '../../support/simulated-workload.ts';

const TRIGGER = { breaches: 3, polls: 5, closeAfter: 3 };

interface Run {
  /** Polls from the fault's start until an incident opened; undefined: it never did. */
  readonly openedAfter: number | undefined;
  readonly openedBefore: number;
  readonly verdict: WorkloadVerdict | undefined;
  readonly sustained: number;
  readonly closedAfter: number | undefined;
}

/** Learns, then disturbs for 40 polls, then lets go for 100. */
function run(seed: number, intervalMs: number, minSamples: number, fault: (poll: number) => Disturbance): Run {
  const engine = createEngine({ seed: 1 });
  const workload = new SimulatedWorkload({ seed, pods: 3, intervalMs, minSamples, liveliness: 0.6 });
  const context = { policyUid: 'p', intervalMs, anomalyThreshold: 0.85 };
  let history: IncidentHistory | undefined;
  let verdict: WorkloadVerdict | undefined;
  const poll = (disturb?: Disturbance): string => {
    verdict = engine.judge(workload.poll(disturb));
    const step = stepIncident(history, verdict, TRIGGER, context);
    history = step.history;
    return step.transition;
  };
  let openedBefore = 0;
  for (let i = 0; i < minSamples + 40; i++) if (poll() === 'opened') openedBefore++;
  let openedAfter: number | undefined;
  let opening: WorkloadVerdict | undefined;
  let sustained = 0;
  for (let k = 1; k <= 40; k++) {
    if (poll(fault(k)) === 'opened' && openedAfter === undefined) [openedAfter, opening] = [k, verdict];
    if (openedAfter !== undefined && verdict?.state === 'unhealthy') sustained++;
  }
  let closedAfter: number | undefined;
  for (let k = 1; k <= 100 && closedAfter === undefined; k++) if (poll() === 'resolved') closedAfter = k;
  return { openedAfter, openedBefore, verdict: opening, sustained, closedAfter };
}

const SEEDS = [1, 2];
const anomalous = (verdict: WorkloadVerdict | undefined, pod: number): string[] =>
  (verdict?.pods[pod]?.metrics ?? [])
    .filter(({ verdict: v, discounted }) => v.kind === 'score' && v.score >= 0.85 && discounted === undefined)
    .map(({ metric }) => metric);

const leak =
  (k: number): Disturbance =>
  (vitals, pod) => {
    if (pod === 1) vitals['memory_usage'] = Math.min((vitals['memory_usage'] ?? 0) + 1.5 * k, 99);
  };
const overload =
  (k: number): Disturbance =>
  (vitals) => {
    const rise = Math.min(1 + 0.5 * k, 3);
    vitals['request_rate'] = (vitals['request_rate'] ?? 0) * rise;
    vitals['cpu_usage'] = Math.min((vitals['cpu_usage'] ?? 0) * rise + 40, 98);
    vitals['response_time'] = 60 + (vitals['response_time'] ?? 0) * (1 + 3 * (rise - 1));
  };
const surge = (): Disturbance => (vitals) => {
  vitals['request_rate'] = (vitals['request_rate'] ?? 0) * 2.5;
  vitals['cpu_usage'] = Math.min((vitals['cpu_usage'] ?? 0) * 2, 78);
};
const hotPod = (): Disturbance => (vitals, pod) => {
  if (pod !== 2) return;
  vitals['cpu_usage'] = 92;
  vitals['response_time'] = 40 + (vitals['response_time'] ?? 0) * 5;
};
const slowPod = (): Disturbance => (vitals, pod) => {
  if (pod === 0) vitals['response_time'] = 200 + (vitals['response_time'] ?? 0) * 4;
};
const errors = (): Disturbance => (vitals) => {
  vitals['error_rate'] = 0.25;
};

describe.each([
  [1000, 20],
  [5000, 30],
  [15_000, 100],
])('polls of %p ms, %p samples learnt', (intervalMs, minSamples) => {
  test.each([
    ['a memory leak in one pod of three is found by polls 8 to 20, well before the limit', leak, 20],
    ['an overload of the whole deployment within 10', overload, 10],
    ['one hot pod within 6', hotPod, 6],
    ['one slow pod within 6', slowPod, 6],
    ['errors everywhere within 4', errors, 4],
  ])('%s', (_, fault, within) => {
    for (const seed of SEEDS) {
      const result = run(seed, intervalMs, minSamples, fault);
      expect(result.openedBefore).toBe(0);
      expect(result.openedAfter ?? Infinity).toBeLessThanOrEqual(within);
      // It stays anomalous while the fault lasts (one poll may be lost to a lost scrape), and closes after it.
      expect(result.sustained).toBeGreaterThanOrEqual(41 - (result.openedAfter ?? 0) - 2);
      expect(result.closedAfter ?? Infinity).toBeLessThanOrEqual(10);
    }
  });

  test('the leak is the leaking pod’s, its peers stay healthy', () => {
    for (const seed of SEEDS) {
      const { verdict } = run(seed, intervalMs, minSamples, leak);
      expect(anomalous(verdict, 1)).toEqual(['memory_usage']);
      expect([verdict?.pods[0]?.state, verdict?.pods[2]?.state]).not.toContain('unhealthy');
      expect(verdict?.pods[1]?.metrics.find(({ metric }) => metric === 'memory_usage')?.value ?? 100).toBeLessThan(90);
    }
  });

  test('a surge that cpu follows within its limit is nobody’s fault, and its verdict says so', () => {
    for (const seed of SEEDS) expect(run(seed, intervalMs, minSamples, surge).openedAfter).toBeUndefined();
  });
});

describe('conditional thinking', () => {
  test('more load is shown as anomalous, and discounted with its reason', () => {
    const engine = createEngine({ seed: 1 });
    const workload = new SimulatedWorkload({ seed: 4, pods: 3, intervalMs: 5000, minSamples: 30, liveliness: 0.3 });
    for (let i = 0; i < 150; i++) engine.judge(workload.poll());
    let verdict: WorkloadVerdict | undefined;
    for (let i = 0; i < 6; i++) {
      verdict = engine.judge(
        workload.poll((vitals) => {
          vitals['request_rate'] = (vitals['request_rate'] ?? 0) * 6;
          vitals['cpu_usage'] = 85;
        }),
      );
    }
    const [pod] = verdict?.pods ?? [];
    expect(pod?.state).toBe('healthy');
    const reasons = Object.fromEntries(pod?.metrics.map(({ metric, discounted }) => [metric, discounted]) ?? []);
    expect(reasons).toMatchObject({ request_rate: 'LoadIsNoFault', cpu_usage: 'ExplainedByLoad' });
  });

  test('traffic that all but vanishes is an anomaly', () => {
    const result = run(3, 5000, 60, () => (vitals) => {
      vitals['request_rate'] = (vitals['request_rate'] ?? 0) * 0.01;
    });
    expect(anomalous(result.verdict, 0)).toEqual(['request_rate']);
  });
});

describe('no fault', () => {
  test('simulated days of noisy, ordinary life open no incident', () => {
    for (const seed of SEEDS) {
      const engine = createEngine({ seed: 1 });
      const workload = new SimulatedWorkload({ seed, pods: 2 + (seed % 3), intervalMs: 30_000 });
      let history: IncidentHistory | undefined;
      for (let i = 0; i < 800; i++) {
        workload.blackout = i > 400 && i < 420;
        if (i === 500) workload.rollOut();
        const verdict = engine.judge(workload.poll());
        const step = stepIncident(history, verdict, TRIGGER, {
          policyUid: 'p',
          intervalMs: 30_000,
          anomalyThreshold: 0.85,
        });
        history = step.history;
        expect(step.transition).toBe('none');
        if (workload.blackout) expect(verdict.state).toBe('unknown');
      }
    }
  });
});
