import type { LoadedScenario } from '../load.ts';
import type { Scenario, ScenarioEvent, ScenarioWorkload } from '../schema.ts';

/** Fields of a pod, and of its container, that can be written into the status of a simulated one. */
const POD_FIELDS = ['phase', 'reason', 'ready', 'conditions', 'labels', 'annotations'];
const CONTAINER_FIELDS = [
  ...['ready', 'restartCount', 'state', 'waitingReason', 'waitingMessage', 'startedAtMs'],
  ...['termination', 'lastTermination', 'image'],
];
/** Fields of a workload that stand for objects which can be made; and those that can be patched while it runs. */
const FIRST_FIELDS = ['labels', 'annotations', 'autoscalers', 'disruptionBudgets', 'replicasManagers', 'quotaPodsLeft'];
const LATER_FIELDS = ['labels', 'annotations', 'paused', 'disruptionBudgets', 'quotaPodsLeft'];
const NODE_FIELDS = ['ready', 'readyChangedAtMs', 'pressures', 'unschedulable', 'labels'];

const others = (what: string, set: Readonly<Record<string, unknown>> | undefined, known: readonly string[]) =>
  Object.keys(set ?? {})
    .filter((field) => !known.includes(field))
    .map((field) => `${what}.${field} follows from other objects there and cannot be set`);

type EventOf<K extends ScenarioEvent['do']> = Extract<ScenarioEvent, { readonly do: K }>;
type Reasons = { readonly [K in ScenarioEvent['do']]?: (event: EventOf<K>) => readonly string[] };

/** Why an event cannot happen on the rig; what is not listed can. */
const REASONS: Reasons = {
  metric: ({ metric, inCache }) => [
    ...(metric === 'volume_usage' ? ['the kubelet measures volumes by claim: give a claim event'] : []),
    ...(inCache ? ['simulated pods run nothing whose cache could be cleared'] : []),
  ],
  prometheus: ({ answers }) => (answers === 'stale' ? ['a real Prometheus gives its samples their own times'] : []),
  pods: ({ set, container }) => [
    ...others('set', set, POD_FIELDS),
    ...others('container', container, CONTAINER_FIELDS),
  ],
  newborn: ({ set, container }) => [
    ...others('set', set, POD_FIELDS),
    ...others('container', container, CONTAINER_FIELDS),
  ],
  workload: ({ set }) => others('set', set, LATER_FIELDS),
  node: ({ set }) => others('set', set, NODE_FIELDS),
  'add-workload': ({ workload }) => ofWorkload(workload),
  gateway: ({ answers }) => (answers === 'silent' ? ['the gateway that is played here always answers'] : []),
  cache: () => ['simulated pods run nothing whose cache could be cleared'],
  'clock-jump': () => ['the API server, Prometheus and Aegis share the clock of this machine'],
  outage: ({ of }) => (of === 'sinks' ? [] : [`the ${of} is shared with what watches the scenario`]),
  trouble: () => ['nothing stands between Aegis and the API server'],
};

function ofWorkload({ kind, set, podSpec }: ScenarioWorkload): readonly string[] {
  const autoscalers = Array.isArray(set['autoscalers']) ? (set['autoscalers'] as { readonly kind?: string }[]) : [];
  return [
    ...(kind === 'Rollout' ? ['no controller of Argo Rollouts runs there'] : []),
    ...others('set', set, FIRST_FIELDS),
    ...autoscalers
      .filter((each) => each.kind !== 'HorizontalPodAutoscaler')
      .map((each) => `the controller of a ${String(each.kind)} does not run there`),
    ...(JSON.stringify(podSpec).includes('persistentVolumeClaim') ? ['pods with a claim stay Pending there'] : []),
  ];
}

/** Everything about the scenario that the rig cannot play, each with its place; empty: it can be played. */
export function notOnRig({ scenario }: Pick<LoadedScenario, 'scenario'>): readonly string[] {
  const { cluster, policies, startsAt } = scenario;
  const clears = JSON.stringify(policies).includes('"clear_cache"') && expects(scenario, 'cache ');
  const hooks = expects(scenario, 'hook ');
  return [
    ...cluster.workloads.flatMap((each, i) => ofWorkload(each).map((why) => `cluster.workloads[${i}]: ${why}`)),
    ...cluster.nodes.flatMap((set, i) => others(`cluster.nodes[${i}]`, set, ['name', ...NODE_FIELDS])),
    ...scenario.events.flatMap((event, i) => {
      const reasons = (REASONS[event.do] as ((event: ScenarioEvent) => readonly string[]) | undefined)?.(event) ?? [];
      return reasons.map((why) => `events[${i}] ${event.do}: ${why}`);
    }),
    ...(startsAt === undefined ? [] : ['startsAt: the API server, Prometheus and Aegis have the time of this machine']),
    ...(clears ? ['expect.effects: simulated pods run nothing whose cache could be cleared'] : []),
    ...(hooks ? ['expect.effects: nobody keeps a throttle hook there'] : []),
  ];
}

const expects = ({ expect }: Scenario, verb: string): boolean =>
  expect.effects?.some((effect) => effect.startsWith(verb)) ?? false;

/** What it does to the cluster as a whole others would feel: it is played alone, with rights on the whole cluster. */
export function isClusterWide({ scenario }: Pick<LoadedScenario, 'scenario'>): boolean {
  return (
    scenario.cluster.nodes.length > 0 || scenario.events.some((event) => event.do === 'node' || event.do === 'dns')
  );
}
