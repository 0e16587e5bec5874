import { z } from 'zod';

/** A fault in the load or the code, for all pods of a workload or for the named ones. A replaced pod has a new name. */
const where = { pods: z.array(z.string()).optional() };
const positive = z.number().positive();
const ratio = z.number().min(0).max(1);

export const faultSchema = z.discriminatedUnion('kind', [
  /** Memory that is never given back; a restart of the container starts again from nothing. */
  z.strictObject({ kind: z.literal('leak'), bytesPerSecond: positive, ...where }),
  /** The whole workload's traffic times `factor`, shared by its ready pods: more replicas really relieve. */
  z.strictObject({ kind: z.literal('overload'), factor: positive }),
  /** Extra cores burnt whatever the traffic, as by an endless loop. */
  z.strictObject({ kind: z.literal('cpu-hot'), cores: positive, ...where }),
  /** Answers with code 500 for this share of the requests. */
  z.strictObject({ kind: z.literal('errors'), ratio, ...where }),
  /** Every answer takes `factor` times as long; the cpu is not to blame (a slow dependency). */
  z.strictObject({ kind: z.literal('slow'), factor: positive, ...where }),
  /** Extra bytes written each second. */
  z.strictObject({ kind: z.literal('disk'), bytesPerSecond: positive, ...where }),
  /** No traffic reaches these pods and they do nothing, though they are Ready. */
  z.strictObject({ kind: z.literal('hang'), ...where }),
  /** The pods' pages cannot be scraped: their series end. */
  z.strictObject({ kind: z.literal('silent'), ...where }),
]);

export type Fault = z.infer<typeof faultSchema>;

/** What one workload's pods do when nothing is wrong. Every field has a default: `{}` is a small, quiet web service. */
export const workloadSchema = z.strictObject({
  /** Same seed, same noise. */
  seed: z.int().default(1),
  /** Traffic of the whole workload, shared by its ready pods. */
  requestsPerSecond: z.number().min(0).default(60),
  cpuIdleCores: z.number().min(0).default(0.02),
  cpuSecondsPerRequest: z.number().min(0).default(0.005),
  /** Used when the pod's spec sets no cpu limit: where the pod saturates. */
  capacityCores: positive.default(1),
  memoryBytes: positive.default(80e6),
  memoryBytesPerRequestPerSecond: z.number().min(0).default(100e3),
  latencySeconds: positive.default(0.04),
  errorRatio: ratio.default(0.001),
  writeBytesPerSecond: z.number().min(0).default(20e3),
  readBytesPerSecond: z.number().min(0).default(10e3),
  /** Relative size of the noise on every value, 0.05 = about five per cent up and down. */
  noise: z.number().min(0).max(1).default(0.05),
  /** The day's rhythm of the traffic, compressed: `amplitude` 0.3 is 30% up and down over one period. */
  wave: z.strictObject({ amplitude: ratio, periodSeconds: positive }).default({ amplitude: 0.1, periodSeconds: 600 }),
  /** Short harmless bursts of traffic. */
  spikes: z.strictObject({ everySeconds: positive, lastSeconds: positive, factor: positive }).optional(),
  /** A young pod's memory grows to its usual size in this time. */
  warmUpSeconds: z.number().min(0).default(10),
  faults: z.array(faultSchema).default([]),
});

/** As stored and evaluated, all defaults filled in. */
export type Workload = z.infer<typeof workloadSchema>;
/** As written by a test or the demo. */
export type WorkloadSpec = z.input<typeof workloadSchema>;
