/** The workloads of the run: three that fall ill, and their neighbours, that only live. */
export interface SampleWorkload {
  readonly name: string;
  readonly replicas: number;
  readonly cpuLimit: string;
  readonly memoryLimit: string;
  /** Work of the processor for each request. */
  readonly cpuMs: number;
  /** Steady traffic of all its pods together. */
  readonly requestsPerSecond: number;
  /** A wave or bursts on top of it, as real traffic has them. */
  readonly restless?: { readonly everySeconds: number; readonly lastSeconds: number; readonly factor: number };
}

export const NAMESPACE = 'shop';

export const LEAKING: SampleWorkload = {
  ...{ name: 'payments', replicas: 3, cpuLimit: '500m', memoryLimit: '192Mi' },
  ...{ cpuMs: 2, requestsPerSecond: 24 },
};

/** 150m and 8 ms are about 17 requests a second and pod: three pods can do 51. */
export const OVERLOADED: SampleWorkload = {
  ...{ name: 'web', replicas: 3, cpuLimit: '150m', memoryLimit: '192Mi' },
  ...{ cpuMs: 8, requestsPerSecond: 18 },
};

export const RELEASED: SampleWorkload = {
  ...{ name: 'orders', replicas: 3, cpuLimit: '300m', memoryLimit: '192Mi' },
  ...{ cpuMs: 2, requestsPerSecond: 18 },
};

const neighbour = { replicas: 2, cpuLimit: '300m', memoryLimit: '192Mi', cpuMs: 2 } as const;

/** Nothing may be done to these. `mail` gets a good release and `images` is scaled by hand in the middle of the run. */
export const NEIGHBOURS: readonly SampleWorkload[] = [
  { ...neighbour, name: 'catalog', requestsPerSecond: 8 },
  {
    ...{ ...neighbour, name: 'search', requestsPerSecond: 6 },
    restless: { everySeconds: 90, lastSeconds: 45, factor: 1.4 },
  },
  { ...neighbour, name: 'mail', requestsPerSecond: 5 },
  { ...neighbour, name: 'images', requestsPerSecond: 5 },
  {
    ...{ ...neighbour, name: 'reports', requestsPerSecond: 4 },
    restless: { everySeconds: 60, lastSeconds: 5, factor: 2 },
  },
  { ...neighbour, name: 'stock', requestsPerSecond: 6 },
  { ...neighbour, name: 'reviews', requestsPerSecond: 4 },
  { ...neighbour, name: 'prices', requestsPerSecond: 5 },
  { ...neighbour, name: 'accounts', requestsPerSecond: 4 },
];

export const WORKLOADS: readonly SampleWorkload[] = [LEAKING, OVERLOADED, RELEASED, ...NEIGHBOURS];
