import type { ClusterEvent, NodeSnapshot, PodRef } from '../lib/workload.ts';
import { changesBeforeOnset, isMidRollout } from './changes.ts';
import { CHANGE_WINDOW_MS, DEFAULT_SETTINGS } from './evidence.ts';
import type { Change, DiagnosisInput } from './evidence.ts';
import { readAnew, signatureFacts } from './log-signatures.ts';
import type { LogSignature, ReadSignatures, SignatureFacts } from './log-signatures.ts';
import { oddStep } from './log-requests.ts';
import type { OddStep } from './log-requests.ts';
import { metricShape, metricStates } from './metric-shape.ts';
import type { MetricShape, MetricState } from './metric-shape.ts';
import { podFacts } from './pod-facts.ts';
import type { PodFacts } from './pod-facts.ts';
import { findRootCause } from './root-cause.ts';
import type { RootCause } from './root-cause.ts';
import { templateFacts } from './template-facts.ts';
import type { TemplateFacts } from './template-facts.ts';

/** Everything that the rules of the failure types look at, computed once from the input. */
export interface Facts {
  readonly input: DiagnosisInput;
  readonly pods: readonly PodFacts[];
  /** Pods that the verdict calls unhealthy. */
  readonly unhealthy: readonly PodFacts[];
  /** Pods that should run: desired replicas, or the pods known. */
  readonly total: number;
  readonly changes: readonly Change[];
  readonly midRollout: boolean;
  /** Events about this workload, its revisions and its pods, since 15 minutes before the onset. */
  readonly events: readonly ClusterEvent[];
  /** Nodes that carry pods of this workload. */
  readonly nodes: readonly NodeSnapshot[];
  readonly logs: ReadonlyMap<LogSignature, SignatureFacts>;
  /** `Deployment shop/checkout`, or a paraphrase where it is not known. */
  readonly subject: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** Every pod's every metric, and the workload's own. */
  readonly states: readonly MetricState[];
  /** What the metric does over the workload; direction `unknown` if it was not measured. */
  metric(name: string): MetricShape;
  /** Warnings and errors of a kind never seen before the onset, the most frequent kind first. */
  newTemplates(): readonly TemplateFacts[];
  /** The step in the workload's own requests that changed most, where lines carry a request id. */
  oddStep(): OddStep | undefined;
  /** Who in the call graph explains it best, this workload included; undefined: no call graph is known. */
  rootCause(): RootCause | undefined;
}

/** Text from just before the first breach belongs to it: a metric needs a poll or two to show. */
const LOG_GUARD_MS = 60_000;

function ownEvents(input: DiagnosisInput): readonly ClusterEvent[] {
  const since = input.onsetAtMs - CHANGE_WINDOW_MS;
  const fresh = input.events.filter((event) => event.lastAtMs >= since);
  const { workload } = input;
  if (workload === undefined) return fresh;
  const pods = new Set(workload.pods.map((pod) => pod.name));
  const revisions = workload.revisions.map((revision) => revision.name);
  const isOurs = (event: ClusterEvent): boolean => {
    if (event.namespace !== workload.ref.namespace) return false;
    if (event.kind === workload.ref.kind) return event.name === workload.ref.name;
    if (event.kind === 'Pod') {
      return pods.has(event.name) || revisions.some((revision) => event.name.startsWith(`${revision}-`));
    }
    return revisions.includes(event.name);
  };
  return fresh.filter(isOurs);
}

function newAlarms(input: DiagnosisInput): readonly TemplateFacts[] {
  const onsetAtMs = input.onsetAtMs - LOG_GUARD_MS;
  // Nothing is new without a time before, and no request brings one: its lines need not be mined.
  if (!input.logs.some(({ atMs }) => atMs < onsetAtMs)) return [];
  return templateFacts(input.logs, onsetAtMs, input.nowMs)
    .filter((each) => each.isNew && each.alarming > 0)
    .toSorted((a, b) => b.alarming - a.alarming || (a.template < b.template ? -1 : 1));
}

/** What this workload's own requests do differently speaks for it as its cpu and memory do. */
function rootCauseOf(input: DiagnosisInput, step: OddStep | undefined): RootCause | undefined {
  if (input.calls === undefined) return undefined;
  const { self, graph, suspects } = input.calls;
  const told = step === undefined ? 0 : Math.log1p(step.score);
  const own = suspects.map((each) =>
    each.entity === self ? { ...each, ownScore: Math.max(each.ownScore, told) } : each,
  );
  return findRootCause({ suspects: own, graph, target: self });
}

/** Computes at the first call and remembers, `undefined` included. */
function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => (known ??= { value: compute() }).value;
}

/** What a failure is about where nobody said which object it is. */
export const UNKNOWN_SUBJECT: Facts['subject'] = { kind: 'workload', namespace: '', name: 'this workload' };

/** Gathers the facts. Pure: the order of pods, lines, events and changes in the input does not matter. */
export function gatherFacts(input: DiagnosisInput, read: ReadSignatures = readAnew): Facts {
  const threshold = input.settings?.anomalyThreshold ?? DEFAULT_SETTINGS.anomalyThreshold;
  const states = metricStates(input.verdict, input.series ?? [], threshold);
  const shapes = new Map<string, MetricShape>();
  const pods = podFacts(input);
  const nodeNames = new Set(pods.flatMap((pod) => (pod.nodeName === undefined ? [] : [pod.nodeName])));
  const step = once(() => oddStep(input.logs, input.onsetAtMs - LOG_GUARD_MS));
  const subject = input.workload?.ref ?? input.verdict?.workload ?? input.subject;
  return {
    input,
    pods,
    unhealthy: pods.filter((pod) => pod.unhealthy),
    total: input.workload?.replicas.desired ?? pods.length,
    changes: changesBeforeOnset(input),
    midRollout: isMidRollout(input.workload),
    events: ownEvents(input),
    nodes: input.nodes
      .filter((node) => nodeNames.has(node.name))
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    logs: signatureFacts(input.logs, input.onsetAtMs - LOG_GUARD_MS, input.nowMs, read),
    subject: subject ?? UNKNOWN_SUBJECT,
    states,
    metric(name) {
      const known = shapes.get(name) ?? metricShape(name, states);
      shapes.set(name, known);
      return known;
    },
    newTemplates: once(() => newAlarms(input)),
    oddStep: step,
    rootCause: once(() => rootCauseOf(input, step())),
  };
}

export const refsOf = (pods: readonly PodFacts[]): readonly PodRef[] => pods.map((each) => each.pod);

/** The pods of a metric's shape, as references. */
export function podsCarrying(facts: Facts, shape: MetricShape): readonly PodFacts[] {
  return shape.pods.flatMap((name) => facts.pods.find((each) => each.pod.name === name) ?? []);
}
