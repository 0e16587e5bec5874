import type { Fault, Workload } from './workload.ts';

/** A container as Kubernetes describes it, reduced to what its load depends on. */
export interface ContainerFacts {
  readonly name: string;
  readonly cpuLimitCores?: number;
  readonly memoryLimitBytes?: number;
}

/** The load on one pod at one moment: rates and levels, from which counters.ts makes the growing series. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly errorRatio: number;
  readonly latencySeconds: number;
  readonly cpuCores: number;
  /** Share of the CFS periods in which the container was held back; only with a cpu limit. */
  readonly throttledRatio: number;
  readonly memoryBytes: number;
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
}

export interface Moment {
  readonly atSeconds: number;
  readonly podAgeSeconds: number;
  /** What leaks have taken since the container started. */
  readonly leakedBytes: number;
  readonly isReady: boolean;
  readonly readyPods: number;
}

/** Latency may grow to this many times its base before clients give up: the end of the queueing curve. */
const MAX_SLOWDOWN = 25;

export function faultsOf(workload: Workload, pod: string): readonly Fault[] {
  return workload.faults.filter((fault) => !('pods' in fault) || fault.pods === undefined || fault.pods.includes(pod));
}

/** Bytes that leak each second from this pod. */
export function leakRate(workload: Workload, pod: string): number {
  return sumOf(faultsOf(workload, pod), (fault) => (fault.kind === 'leak' ? fault.bytesPerSecond : 0));
}

/** Everything that one pod does at one moment. Pure: the same arguments give the same load. */
export function loadOf(workload: Workload, pod: string, container: ContainerFacts, moment: Moment): Load {
  const faults = faultsOf(workload, pod);
  const noise = (what: string): number =>
    1 + workload.noise * noiseAt(workload.seed, `${pod}/${what}`, moment.atSeconds);
  const isServing = moment.isReady && !faults.some((fault) => fault.kind === 'hang');
  const share = isServing ? trafficAt(workload, moment.atSeconds) / Math.max(1, moment.readyPods) : 0;
  const requestsPerSecond = share * noise('traffic');

  const capacity = container.cpuLimitCores ?? workload.capacityCores;
  const hot = sumOf(faults, (fault) => (fault.kind === 'cpu-hot' ? fault.cores : 0));
  const demand = (workload.cpuIdleCores + requestsPerSecond * workload.cpuSecondsPerRequest) * noise('cpu') + hot;
  const utilisation = demand / capacity;
  const slow = faults.reduce((product, fault) => (fault.kind === 'slow' ? product * fault.factor : product), 1);
  const failing = faults.reduce((most, fault) => (fault.kind === 'errors' ? Math.max(most, fault.ratio) : most), 0);
  // Beyond saturation what cannot be served times out: at twice the capacity a quarter of the requests fail.
  const refused = utilisation > 1 ? (1 - 1 / utilisation) / 2 : 0;

  return {
    requestsPerSecond,
    errorRatio: clamp(workload.errorRatio + failing + refused, 0, 1),
    latencySeconds: workload.latencySeconds * slow * queueing(utilisation) * noise('latency'),
    cpuCores: Math.min(demand, capacity),
    // Held back in some periods well before the mean reaches the limit, in nearly all beyond it.
    throttledRatio: container.cpuLimitCores === undefined ? 0 : clamp((utilisation - 0.8) / 0.4, 0, 0.98),
    memoryBytes: memoryAt(workload, container, moment, requestsPerSecond, noise('memory')),
    writeBytesPerSecond:
      workload.writeBytesPerSecond * noise('writes') +
      sumOf(faults, (fault) => (fault.kind === 'disk' ? fault.bytesPerSecond : 0)),
    readBytesPerSecond: workload.readBytesPerSecond * noise('reads'),
  };
}

/** The traffic of the whole workload, before it is shared. */
export function trafficAt(workload: Workload, atSeconds: number): number {
  const { wave, spikes } = workload;
  const phase = unit(hash(`${workload.seed}/phase`));
  const daily = 1 + wave.amplitude * Math.sin(2 * Math.PI * (atSeconds / wave.periodSeconds + phase));
  const spike = spikes !== undefined && atSeconds % spikes.everySeconds < spikes.lastSeconds ? spikes.factor : 1;
  const overload = workload.faults.reduce((all, fault) => (fault.kind === 'overload' ? all * fault.factor : all), 1);
  return workload.requestsPerSecond * daily * spike * overload;
}

/** Response time over service time for a single queue: 2 at half load, 10 at 90%, then bounded. */
function queueing(utilisation: number): number {
  return utilisation >= 1 ? MAX_SLOWDOWN : Math.min(MAX_SLOWDOWN, 1 / (1 - utilisation));
}

function memoryAt(
  workload: Workload,
  container: ContainerFacts,
  moment: Moment,
  requestsPerSecond: number,
  noise: number,
): number {
  const young = workload.warmUpSeconds === 0 ? 1 : clamp(0.5 + moment.podAgeSeconds / workload.warmUpSeconds / 2, 0, 1);
  const own = workload.memoryBytes * young + workload.memoryBytesPerRequestPerSecond * requestsPerSecond;
  // The kernel lets no container beyond its limit; the simulation has no OOM killer, so the curve lies flat just below it.
  return Math.min(own * noise + moment.leakedBytes, (container.memoryLimitBytes ?? Infinity) * 0.995);
}

/**
 * Noise between -1 and 1 with two time scales: a wander over some 20 s, as of caches and collections, and a jitter that
 * differs from one sample to the next.
 */
export function noiseAt(seed: number, what: string, atSeconds: number): number {
  const at = (step: number, name: string): number => 2 * unit(hash(`${seed}/${what}/${name}/${step}`)) - 1;
  const step = Math.floor(atSeconds / 20);
  const between = atSeconds / 20 - step;
  const wander = at(step, 'wander') * (1 - between) + at(step + 1, 'wander') * between;
  return 0.6 * wander + 0.4 * at(Math.floor(atSeconds), 'jitter');
}

/** FNV-1a with a final avalanche, so that neighbouring steps are independent. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const unit = (h: number): number => h / 2 ** 32;
const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
const sumOf = (faults: readonly Fault[], of: (fault: Fault) => number): number =>
  faults.reduce((sum, fault) => sum + of(fault), 0);
