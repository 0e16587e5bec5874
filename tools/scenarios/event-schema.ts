import { z } from 'zod';
import { WORKLOAD_KINDS } from '../../src/lib/workload.ts';

/** Seconds since the scenario began. */
export const seconds = z.number().min(0);
export const positive = z.number().positive();
export const name = z.string().min(1);
/** Pods of a workload by their place in it, counted from 0; `all` of them. */
const pods = z.union([z.literal('all'), z.array(z.int().min(0)).min(1)]);
/** Fields of a snapshot that are replaced; a text `now`, `-90s`, `+5m` under a name that ends in AtMs is a time. */
export const patch = z.record(z.string(), z.unknown());

/**
 * How noise is spread: evenly up to its amplitude; as a normal distribution whose standard deviation the amplitude is; or to
 * one side for the most part, as a logarithmic normal one, whose median is the level: one in a hundred is nine amplitudes above.
 */
const distribution = z.enum(['uniform', 'normal', 'heavy-tailed']).optional();
export type Distribution = z.output<typeof distribution>;

/** What a metric usually shows on every pod of a workload. */
const usual = z.strictObject({
  level: z.number(),
  /** How far from the level: the greatest distance, or the spread of another `distribution`. */
  noise: z.number().min(0).default(0),
  distribution,
  /** A rhythm of the whole workload, such as a day's. */
  wave: z.strictObject({ amplitude: z.number(), periodSeconds: positive }).optional(),
});
export type Usual = z.output<typeof usual>;

/** Work in multiples of the usual; `overSeconds`: it comes little by little, and is all there after so long. */
const work = { factor: positive, overSeconds: positive.optional() };

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
  z.strictObject({ shape: z.literal('noise'), amplitude: z.number().min(0), distribution }),
  /** Work of so many times the usual, shared by the ready pods: more replicas relieve. Never beyond `upTo`. */
  z.strictObject({ shape: z.literal('shared'), ...work, upTo: z.number().default(99) }),
  /**
   * The same, as far as a limit on traffic lets it in: (admitted work / usual work) to the power of `exponent`. So requests
   * have 1, and what suffers from them more.
   */
  z.strictObject({
    ...{ shape: z.literal('admitted'), ...work, exponent: positive.default(1) },
    upTo: z.number().default(1_000_000),
  }),
]);
export type Shape = z.output<typeof shapeSchema>;

export const workloadSchema = z.strictObject({
  name,
  /** So many alike, called `NAME-1`, `NAME-2` and so on; events name one of them, or `NAME-*` all. */
  copies: z.int().min(1).max(200).optional(),
  kind: z.enum(WORKLOAD_KINDS).default('Deployment'),
  namespace: name.default('shop'),
  pods: z.int().min(0).default(3),
  /** Of each pod: cores and bytes. Absent: no limit. */
  limits: z.strictObject({ cpu: positive, memory: positive }).nullable().default({ cpu: 1, memory: 268_435_456 }),
  /** Replaces the usual metrics of a web service; an empty map: there are none. */
  metrics: z.record(z.string(), usual).optional(),
  /** Fields of the workload as Kubernetes has it: autoscalers, disruptionBudgets, replicasManagers, strategy, labels ... */
  set: patch.default({}),
  /** Further fields of the pods' spec in its template: volumes, containers that refer to Secrets, a sidecar. */
  podSpec: patch.default({}),
});

/** Kinds of objects around a workload that Aegis reads while something is wrong, or makes itself to limit traffic. */
export const OBJECT_KINDS = [
  ...(['Service', 'NetworkPolicy', 'ConfigMap', 'Certificate', 'ExternalSecret'] as const),
  ...(['HTTPRoute', 'Ingress', 'BackendTrafficPolicy', 'EnvoyFilter'] as const),
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** As `kubectl apply` takes it, with its status as its controller would write it; times in the status as in patches. */
export const objectSchema = z.looseObject({
  kind: z.enum(OBJECT_KINDS),
  metadata: z.looseObject({ name, namespace: name.default('shop') }),
});
export type ScenarioObject = z.output<typeof objectSchema>;

export const manifestSchema = z.looseObject({ metadata: z.looseObject({ name }), spec: z.unknown() });

const at = { at: seconds };
const on = { workload: name, namespace: name.default('shop') };
const some = { ...on, pods: pods.default('all') };

export const eventSchema = z.discriminatedUnion('do', [
  /** A metric departs from what is usual, on pods that exist then (`andNewPods`: on those that come later as well). */
  z.strictObject({
    ...{ ...at, ...on, do: z.literal('metric'), metric: name, forSeconds: positive.optional() },
    /** `new`: none of those that are there, and every one that comes later. */
    pods: z.union([pods, z.literal('new')]).default('all'),
    ...{ andNewPods: z.boolean().default(false), course: shapeSchema },
    /** It is what the pod keeps in its cache: cleared, the pod is as usual again. */
    inCache: z.boolean().default(false),
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
  /**
   * Containers crash over and over; the pods that replace them are well, unless `newborn` says otherwise. `container`: a
   * sidecar or an init container of the `podSpec`; without it the pods' own.
   */
  z.strictObject({
    ...{ ...at, ...some, do: z.literal('crash'), restarts: z.int().min(0).default(6), exitCode: z.int().default(1) },
    ...{ reason: name.default('Error'), livedSeconds: positive.default(30), container: name.optional() },
  }),
  z.strictObject({ ...at, ...some, do: z.literal('image-error'), image: name.default('shop/checkout:9') }),
  z.strictObject({ ...at, ...some, do: z.literal('recover') }),
  /** Fields of pods, and of their container. */
  z.strictObject({ ...at, ...some, do: z.literal('pods'), set: patch.default({}), container: patch.optional() }),
  z.strictObject({ ...at, ...on, do: z.literal('workload'), set: patch }),
  /** What pods made from now on are like. */
  z.strictObject({ ...at, ...on, do: z.literal('newborn'), set: patch.default({}), container: patch.optional() }),
  /**
   * Replaces the pods by those of a new template, one after the other. `fails`: they never become ready, so that the rollout
   * stays at the first of them and the old pods serve on.
   */
  z.strictObject({
    ...{ ...at, ...on, do: z.literal('deploy'), hash: name, revision: z.int().default(2) },
    everySeconds: positive.default(8),
    fails: z.enum(['image-error', 'crash']).optional(),
    image: name.default('shop/checkout:9'),
  }),
  z.strictObject({ ...at, ...on, do: z.literal('scale'), replicas: z.int().min(0) }),
  /** A person, a node drain or the kubelet removes pods; their controller replaces them. */
  z.strictObject({ ...at, ...some, do: z.literal('remove-pods') }),
  z.strictObject({ ...at, ...on, do: z.literal('delete-workload') }),
  z.strictObject({ ...at, do: z.literal('add-workload'), workload: workloadSchema }),
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
  /** An object around the workloads is made, or takes the place of the one of its name. */
  z.strictObject({ ...at, do: z.literal('object'), object: objectSchema }),
  z.strictObject({
    ...{ ...at, do: z.literal('delete-object'), kind: z.enum(OBJECT_KINDS), name, namespace: name.default('shop') },
  }),
  /** Traffic metrics count calls of the workload to a Service or workload of its namespace, from now on. */
  z.strictObject({ ...at, ...on, do: z.literal('calls'), to: name }),
  /** So many of the pods that resolve names for the whole cluster are ready. */
  z.strictObject({ ...at, do: z.literal('dns'), ready: z.int().min(0), total: z.int().min(1).default(2) }),
  /** What the kubelet measures of a claim; the slope is in bytes a second, negative while it fills. */
  z.strictObject({
    ...{
      ...at,
      do: z.literal('claim'),
      claim: name,
      freeRatio: z.number().min(0).max(1),
      freeBytes: z.number().min(0),
    },
    slopeBytesPerSecond: z.number().optional(),
  }),
  /** Whether the gateway accepts limits (`silent`: it does not say), and how many proxies it has. */
  z.strictObject({
    ...{ ...at, do: z.literal('gateway'), answers: z.enum(['accepts', 'refuses', 'silent']).default('accepts') },
    proxies: z.int().min(0).default(2),
  }),
  /** What pods answer to the POST that clears their cache: a status, or nothing although they cleared it. */
  z.strictObject({ ...at, do: z.literal('cache'), answers: z.union([z.literal('lost'), z.int().min(100).max(599)]) }),
  /** A person's answer to the action that waits. */
  z.strictObject({ ...at, do: z.literal('answer'), decision: z.enum(['Approved', 'Denied']) }),
  /** Merged into the spec of the policy. */
  z.strictObject({ ...at, do: z.literal('policy'), name, namespace: name.default('shop'), spec: patch }),
  /** A policy is made that was not there before: as `kubectl apply` takes it. */
  z.strictObject({ ...at, do: z.literal('add-policy'), policy: manifestSchema }),
  z.strictObject({ ...at, do: z.literal('delete-policy'), name, namespace: name.default('shop') }),
  /** Merged into the spec of the guardrail, which is made if there is none of this name. */
  z.strictObject({ ...at, do: z.literal('guardrail'), name, spec: patch }),
  z.strictObject({ ...at, do: z.literal('delete-guardrail'), name }),
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
