import { leakRate, loadOf, type ContainerFacts, type Load, type Moment } from './curves.ts';
import type { Workload } from './workload.ts';

export const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** What one pod has counted since its container started. A restart begins a new one, as a real process would. */
export interface Counters {
  readonly load: Load;
  readonly leakedBytes: number;
  readonly cpuSeconds: number;
  readonly cfsPeriods: number;
  readonly cfsThrottledPeriods: number;
  readonly requestsOk: number;
  readonly requestsFailed: number;
  readonly latencySum: number;
  /** Cumulative, one per bucket of LATENCY_BUCKETS. */
  readonly latencyBuckets: readonly number[];
  readonly writtenBytes: number;
  readonly readBytes: number;
}

/** CFS periods are 100 ms long. */
const PERIODS_PER_SECOND = 10;
/** Longest step of the integration: a burst of one second must not be missed when nobody scrapes for a while. */
const STEP_SECONDS = 1;

export function freshCounters(workload: Workload, pod: string, container: ContainerFacts, moment: Moment): Counters {
  return {
    load: loadOf(workload, pod, container, { ...moment, leakedBytes: 0 }),
    ...{ leakedBytes: 0, cpuSeconds: 0, cfsPeriods: 0, cfsThrottledPeriods: 0 },
    ...{ requestsOk: 0, requestsFailed: 0, latencySum: 0, writtenBytes: 0, readBytes: 0 },
    latencyBuckets: LATENCY_BUCKETS.map(() => 0),
  };
}

/** Integrates the load over `seconds` that end at `moment`. */
export function advance(
  counters: Counters,
  seconds: number,
  of: {
    readonly workload: Workload;
    readonly pod: string;
    readonly container: ContainerFacts;
    readonly moment: Moment;
  },
): Counters {
  const { workload, pod, container, moment } = of;
  let result = counters;
  for (let left = seconds; left > 0; left -= STEP_SECONDS) {
    const dt = Math.min(left, STEP_SECONDS);
    const leakedBytes = result.leakedBytes + leakRate(workload, pod) * dt;
    const behind = left - dt;
    const load = loadOf(workload, pod, container, {
      ...moment,
      leakedBytes,
      atSeconds: moment.atSeconds - behind,
      podAgeSeconds: Math.max(0, moment.podAgeSeconds - behind),
    });
    result = add({ ...result, leakedBytes }, load, dt);
  }
  return result;
}

function add(counters: Counters, load: Load, dt: number): Counters {
  const requests = load.requestsPerSecond * dt;
  return {
    ...counters,
    load,
    cpuSeconds: counters.cpuSeconds + load.cpuCores * dt,
    cfsPeriods: counters.cfsPeriods + PERIODS_PER_SECOND * dt,
    cfsThrottledPeriods: counters.cfsThrottledPeriods + PERIODS_PER_SECOND * dt * load.throttledRatio,
    requestsOk: counters.requestsOk + requests * (1 - load.errorRatio),
    requestsFailed: counters.requestsFailed + requests * load.errorRatio,
    latencySum: counters.latencySum + requests * load.latencySeconds,
    // Exponential answer times: the share below a bound is 1 - e^(-bound / mean).
    latencyBuckets: counters.latencyBuckets.map(
      (count, i) => count + requests * (1 - Math.exp(-(LATENCY_BUCKETS[i] ?? Infinity) / load.latencySeconds)),
    ),
    writtenBytes: counters.writtenBytes + load.writeBytesPerSecond * dt,
    readBytes: counters.readBytes + load.readBytesPerSecond * dt,
  };
}
