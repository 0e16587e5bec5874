import { z } from 'zod';
import { EFFECTS } from '../../src/policy/action.ts';
import {
  eventSchema,
  manifestSchema,
  name,
  objectSchema,
  patch,
  positive,
  seconds,
  workloadSchema,
} from './event-schema.ts';

export type { Distribution, ObjectKind, ScenarioEvent, ScenarioObject, Shape, Usual } from './event-schema.ts';

const count = z.int().min(0);
/** `evict checkout-*`: a star stands for what the cluster made up. */
const pattern = z.string().min(1);

/** What must be, when the scenario has ended. */
export const expectSchema = z.strictObject({
  /** All writes to workloads, in order. */
  effects: z.array(pattern).optional(),
  /** Every AegisHealingAction with its last state, oldest first: `restart_pod Healed`. */
  actions: z.array(pattern).optional(),
  /** A failure type that was named. */
  failureType: name.optional(),
  /** Reasons that must have been given for not doing an action: `restart_pod HarmfulForType`, `* StormActive`. */
  held: z.array(pattern).default([]),
  /** Different alerts that people got, repetitions not counted. */
  alerts: z.strictObject({ atLeast: count.default(0), atMost: count.default(1_000) }).optional(),
  /** Parts of sentences that an alert must hold. */
  alertSays: z.array(z.string()).default([]),
  resolvedAlerts: z.strictObject({ atLeast: count }).optional(),
  replicas: z.record(z.string(), count).default({}),
  ready: z.record(z.string(), count).default({}),
  openIncidents: count.optional(),
  /** Policy -> condition -> `True Healthy`. */
  conditions: z.record(z.string(), z.record(z.string(), pattern)).default({}),
  /** From the moment `after` to the first effect or alert. */
  firstEffectWithin: z.strictObject({ after: seconds, seconds: positive }).optional(),
  firstAlertWithin: z.strictObject({ after: seconds, seconds: positive }).optional(),
  /** So many pods of a workload are ready before so many seconds from `after` have passed. */
  readyWithin: z.strictObject({ workload: name, pods: z.int().min(1), after: seconds, seconds: positive }).optional(),
  /** No effect before this moment. */
  noEffectBefore: seconds.optional(),
  /** A metric of a pod was still below this when the first effect came: well before the limit. */
  firstEffectWhile: z.strictObject({ workload: name, metric: name, below: z.number() }).optional(),
});

/** What must not have been. */
export const forbidSchema = z.strictObject({
  /** Any write to a workload; or those that match. */
  effects: z.union([z.literal('any'), z.array(pattern)]).optional(),
  incidents: z.boolean().default(false),
  alerts: z.boolean().default(false),
  /** Pods of a workload down at once by Aegis's doing, at most so many otherwise. */
  podsEvictedAtOnce: count.optional(),
  /** Writes to workloads beyond so many. */
  writesAbove: count.optional(),
});

export const scenarioSchema = z.strictObject({
  /** One sentence: what happens, and what must follow. */
  name,
  group: z.enum(['control', 'fault', 'refusal', 'ownership', 'brake', 'people', 'trouble']),
  /** Why it matters, where the sentence does not say it. */
  about: z.string().optional(),
  seed: z.int().default(1),
  /** When it begins, for windows and time zones: `2026-03-29T00:50:00Z`. Without it on a Wednesday, 2025-06-04T12:00:00Z. */
  startsAt: z.iso.datetime({ offset: true }).optional(),
  lastsSeconds: positive,
  cluster: z.strictObject({
    workloads: z.array(workloadSchema).min(1),
    nodes: z.array(patch).default([]),
    /** Services, routes, certificates and the like, there before the scenario begins. */
    objects: z.array(objectSchema).default([]),
  }),
  policies: z.array(manifestSchema).min(1),
  guardrails: z.array(manifestSchema).default([]),
  sinks: z.array(name).default(['pager']),
  /** Effects that are enabled in this installation; default: all. */
  enabledActions: z.array(z.enum(EFFECTS)).optional(),
  events: z.array(eventSchema).default([]),
  expect: expectSchema.prefault({}),
  forbid: forbidSchema.prefault({}),
});
export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioWorkload = Scenario['cluster']['workloads'][number];
