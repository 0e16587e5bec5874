import { z } from 'zod';
import { WORKLOAD_KINDS } from '../../src/lib/workload.ts';
import { EFFECTS } from '../../src/policy/action.ts';

/** Seconds since the scenario began. */
const seconds = z.number().min(0);
const positive = z.number().positive();
const name = z.string().min(1);
/** Pods of a workload by their place in it, counted from 0; `all` of them. */
const pods = z.union([z.literal('all'), z.array(z.int().min(0)).min(1)]);
/** Fields of a snapshot that are replaced; a text `now`, `-90s`, `+5m` under a name that ends in AtMs is a time. */
const patch = z.record(z.string(), z.unknown());

/** What a metric usually shows on every pod of a workload. */
const usual = z.strictObject({
  level: z.number(),
  /** Greatest distance from the level. */
  noise: z.number().min(0).default(0),
  /** A rhythm of the whole workload, such as a day's. */
  wave: z.strictObject({ amplitude: z.number(), periodSeconds: positive }).optional(),
});
export type Usual = z.output<typeof usual>;

/** How a metric departs from what is usual; t counts from the beginning of the event. */
export const shapeSchema = z.discriminatedUnion('shape', [
  z.strictObject({ shape: z.literal('constant'), value: z.number() }),
  z.strictObject({ shape: z.literal('add'), value: z.number() }),
  z.strictObject({ shape: z.literal('times'), factor: z.number() }),
  /** perSecond x t more, and never beyond `upTo`. */
  z.strictObject({ shape: z.literal('ramp'), perSecond: z.number(), upTo: z.number().optional() }),
  /** Rises by `by` and levels off with the time constant. */
  z.strictObject({ shape: z.literal('levels-off'), by: z.number(), tauSeconds: positive }),
  z.strictObject({ shape: z.literal('wave'), amplitude: z.number(), periodSeconds: positive }),
  z.strictObject({ shape: z.literal('square'), value: z.number(), onSeconds: positive, offSeconds: positive }),
  z.strictObject({ shape: z.literal('noise'), amplitude: z.number().min(0) }),
  /** Work of so many times the usual, shared by the ready pods: more replicas relieve. Never beyond `upTo`. */
  z.strictObject({ shape: z.literal('shared'), factor: positive, upTo: z.number().default(99) }),
]);
export type Shape = z.output<typeof shapeSchema>;

const workload = z.strictObject({
  name,
  kind: z.enum(WORKLOAD_KINDS).default('Deployment'),
  namespace: name.default('shop'),
  pods: z.int().min(0).default(3),
  /** Of each pod: cores and bytes. Absent: no limit. */
  limits: z.strictObject({ cpu: positive, memory: positive }).nullable().default({ cpu: 1, memory: 268_435_456 }),
  /** Replaces the usual metrics of a web service; an empty map: there are none. */
  metrics: z.record(z.string(), usual).optional(),
  /** Fields of the workload as Kubernetes has it: autoscalers, disruptionBudgets, replicasManagers, strategy, labels ... */
  set: patch.default({}),
});

const at = { at: seconds };
const on = { workload: name, namespace: name.default('shop') };
const some = { ...on, pods: pods.default('all') };

const eventSchema = z.discriminatedUnion('do', [
  /** A metric departs from what is usual, on pods that exist then (`andNewPods`: on those that come later as well). */
  z.strictObject({
    ...{ ...at, ...some, do: z.literal('metric'), metric: name, forSeconds: positive.optional() },
    ...{ andNewPods: z.boolean().default(false), course: shapeSchema },
  }),
  /** Series end: of some pods, of one metric or all; `forSeconds`: for so long. */
  z.strictObject({
    ...at,
    ...some,
    do: z.literal('no-series'),
    metric: name.optional(),
    forSeconds: positive.optional(),
  }),
  z.strictObject({
    ...{ ...at, do: z.literal('prometheus'), forSeconds: positive.optional() },
    answers: z.enum(['well', 'unreachable', 'empty', 'partial', 'stale']),
  }),
  /** Containers crash over and over; the pods that replace them are well, unless `newborn` says otherwise. */
  z.strictObject({
    ...{ ...at, ...some, do: z.literal('crash'), restarts: z.int().min(0).default(6), exitCode: z.int().default(1) },
    ...{ reason: name.default('Error'), livedSeconds: positive.default(30) },
  }),
  z.strictObject({ ...at, ...some, do: z.literal('image-error'), image: name.default('shop/checkout:9') }),
  z.strictObject({ ...at, ...some, do: z.literal('recover') }),
  /** Fields of pods, and of their container. */
  z.strictObject({ ...at, ...some, do: z.literal('pods'), set: patch.default({}), container: patch.optional() }),
  z.strictObject({ ...at, ...on, do: z.literal('workload'), set: patch }),
  /** What pods made from now on are like. */
  z.strictObject({ ...at, ...on, do: z.literal('newborn'), set: patch.default({}), container: patch.optional() }),
  /** Replaces the pods by those of a new template, one after the other. */
  z.strictObject({
    ...at,
    ...on,
    do: z.literal('deploy'),
    hash: name,
    revision: z.int().default(2),
    everySeconds: positive.default(8),
  }),
  z.strictObject({ ...at, ...on, do: z.literal('scale'), replicas: z.int().min(0) }),
  /** A person, a node drain or the kubelet removes pods; their controller replaces them. */
  z.strictObject({ ...at, ...some, do: z.literal('remove-pods') }),
  z.strictObject({ ...at, ...on, do: z.literal('delete-workload') }),
  z.strictObject({ ...at, do: z.literal('add-workload'), workload }),
  z.strictObject({ ...at, do: z.literal('node'), name: name.default('node-a'), set: patch }),
  z.strictObject({
    ...{ ...at, ...some, do: z.literal('event'), reason: name, message: z.string(), type: name.default('Warning') },
    ...{ count: z.int().min(1).default(1), everySeconds: positive.optional() },
  }),
  /** Lines in the pods' logs, one each `everySeconds` from now on. */
  z.strictObject({
    ...{
      ...at,
      ...some,
      do: z.literal('log'),
      message: z.string(),
      level: z.enum(['error', 'warn', 'info']).default('error'),
    },
    ...{ everySeconds: positive.default(5), forSeconds: positive.default(86_400) },
  }),
  z.strictObject({ ...at, do: z.literal('alerts'), firing: z.array(name) }),
  /** A person's answer to the action that waits. */
  z.strictObject({ ...at, do: z.literal('answer'), decision: z.enum(['Approved', 'Denied']) }),
  /** Merged into the spec of the policy. */
  z.strictObject({ ...at, do: z.literal('policy'), name, namespace: name.default('shop'), spec: patch }),
  z.strictObject({ ...at, do: z.literal('guardrail'), name, spec: patch }),
  z.strictObject({ ...at, do: z.literal('clock-jump'), bySeconds: z.number() }),
  /** The process is killed and another one leads three seconds later. */
  z.strictObject({ ...at, do: z.literal('restart-aegis') }),
  z.strictObject({ ...at, do: z.literal('outage'), of: z.enum(['store', 'api', 'sinks']), forSeconds: positive }),
  z.strictObject({
    ...{
      ...at,
      do: z.literal('trouble'),
      with: z.enum(['evict', 'scale', 'rollout']),
      times: z.int().min(1).default(1),
    },
    answer: z.enum(['conflict', 'forbidden', 'rejected', 'lost', 'unanswered']),
  }),
]);
export type ScenarioEvent = z.output<typeof eventSchema>;

const manifest = z.looseObject({ metadata: z.looseObject({ name }), spec: z.unknown() });
const count = z.int().min(0);
/** `evict checkout-*`: a star stands for what the cluster made up. */
const pattern = z.string().min(1);

export const scenarioSchema = z.strictObject({
  /** One sentence: what happens, and what must follow. */
  name,
  group: z.enum(['control', 'fault', 'refusal', 'ownership', 'brake', 'people', 'trouble']),
  /** Why it matters, where the sentence does not say it. */
  about: z.string().optional(),
  seed: z.int().default(1),
  lastsSeconds: positive,
  cluster: z.strictObject({
    workloads: z.array(workload).min(1),
    nodes: z.array(patch).default([]),
  }),
  policies: z.array(manifest).min(1),
  guardrails: z.array(manifest).default([]),
  sinks: z.array(name).default(['pager']),
  /** Effects that are enabled in this installation; default: all. */
  enabledActions: z.array(z.enum(EFFECTS)).optional(),
  events: z.array(eventSchema).default([]),
  expect: z
    .strictObject({
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
      /** No effect before this moment. */
      noEffectBefore: seconds.optional(),
      /** A metric of a pod was still below this when the first effect came: well before the limit. */
      firstEffectWhile: z.strictObject({ workload: name, metric: name, below: z.number() }).optional(),
    })
    .prefault({}),
  forbid: z
    .strictObject({
      /** Any write to a workload; or those that match. */
      effects: z.union([z.literal('any'), z.array(pattern)]).optional(),
      incidents: z.boolean().default(false),
      alerts: z.boolean().default(false),
      /** Pods of a workload down at once by Aegis's doing, at most so many otherwise. */
      podsEvictedAtOnce: count.optional(),
      /** Writes to workloads beyond so many. */
      writesAbove: count.optional(),
    })
    .prefault({}),
});
export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioWorkload = Scenario['cluster']['workloads'][number];
