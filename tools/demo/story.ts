import type { Fault, WorkloadSpec } from '../rig/exporter/workload.ts';

/** A fault that can be given to single pods. */
type PodFault = Exclude<Fault, { kind: 'overload' }>;

/** What happens to one workload, and which action must cure it. */
export interface Chapter {
  readonly workload: string;
  readonly fault: string;
  readonly expected: 'restart_pod' | 'scale_up';
  /** In the load of one pod, in that of the whole workload, or in the pod's own state. */
  readonly inject:
    | { readonly kind: 'pod-load'; readonly fault: PodFault }
    | { readonly kind: 'load'; readonly fault: Fault }
    | { readonly kind: 'pod-label'; readonly label: string };
}

export const NAMESPACE = 'shop';

/** One after the other: three sick workloads of eight at once would rightly be a storm. */
export const CHAPTERS: readonly Chapter[] = [
  {
    workload: 'payments',
    fault: 'memory leak in one pod of three',
    expected: 'restart_pod',
    inject: { kind: 'pod-load', fault: { kind: 'leak', bytesPerSecond: 1.5e6 } },
  },
  {
    workload: 'web',
    fault: 'overload of the whole deployment',
    expected: 'scale_up',
    inject: { kind: 'load', fault: { kind: 'overload', factor: 1.66 } },
  },
  {
    workload: 'orders',
    fault: 'one pod of three in CrashLoopBackOff',
    expected: 'restart_pod',
    inject: { kind: 'pod-label', label: 'aegis.test/crash-loop=true' },
  },
];

/** Restless, but well: noise, waves and bursts. Nothing may happen to them. */
export const CONTROLS = ['catalog', 'search', 'mail', 'images', 'reports'] as const;

/** What each workload's pods do while nothing is wrong. */
export const LOADS: Readonly<Record<string, WorkloadSpec>> = {
  payments: { seed: 11, requestsPerSecond: 60, memoryBytes: 70e6, noise: 0.05 },
  web: {
    seed: 12,
    requestsPerSecond: 150,
    cpuSecondsPerRequest: 0.0055,
    noise: 0.04,
    wave: { amplitude: 0.03, periodSeconds: 600 },
  },
  orders: { seed: 13, requestsPerSecond: 45, memoryBytes: 60e6, noise: 0.05 },
  catalog: { seed: 21, requestsPerSecond: 60, noise: 0.15 },
  search: { seed: 22, requestsPerSecond: 45, noise: 0.12, wave: { amplitude: 0.3, periodSeconds: 300 } },
  mail: { seed: 23, requestsPerSecond: 10, noise: 0.2, spikes: { everySeconds: 120, lastSeconds: 8, factor: 1.8 } },
  images: { seed: 24, requestsPerSecond: 30, memoryBytes: 120e6, noise: 0.12 },
  reports: { seed: 25, requestsPerSecond: 4, writeBytesPerSecond: 200e3, noise: 0.2 },
};
