import { list, record, text } from '../../src/kubernetes/json.ts';
import { FAILURE_TYPES } from '../../src/diagnosis/failure-type.ts';
import { REASONS } from '../../src/lib/reasons.ts';
import { ACTIONS } from '../../src/policy/action.ts';
import { ACTION_STATES } from '../../src/policy/ledger.ts';
import { WEB_SERVICE } from './curves.ts';
import { mend } from './nearest.ts';
import type { Path, ScenarioProblem } from './problems.ts';
import { copiesOf } from './copies.ts';
import { matches } from './pattern.ts';
import type { Scenario, ScenarioEvent, ScenarioWorkload } from './schema.ts';

const CONDITIONS = ['Accepted', 'Ready', 'MetricsAvailable', 'Learned', 'Healthy', 'Paused', 'Conflict', 'Limited'];
const VERBS = ['evict', 'scale', 'minimum', 'rollout', 'limit', 'unlimit', 'cache', 'hook'];

/** Everything that can be read and yet means nothing: a misspelt name would make a scenario that tests nothing. */
export function meaningProblems(scenario: Meant): readonly ScenarioProblem[] {
  const world = new Known(scenario);
  return [
    ...scenario.events.flatMap((event, i) => (event === undefined ? [] : eventProblems(world, event, i))),
    ...scenario.policies.flatMap((policy, i) =>
      policy === undefined ? [] : targetProblems(world, policy, ['policies', i]),
    ),
    ...expectProblems(world, scenario),
    ...patterns(scenario.forbid.effects === 'any' ? [] : scenario.forbid.effects, ['forbid', 'effects'], [VERBS]),
  ];
}

/** As much of a scenario as could be read; what could not is left out and keeps its place. */
export type Meant = Pick<Scenario, 'lastsSeconds' | 'expect' | 'forbid'> & {
  readonly cluster: { readonly workloads: readonly NamedWorkload[]; readonly nodes: Scenario['cluster']['nodes'] };
  readonly events: readonly (ScenarioEvent | undefined)[];
  readonly policies: readonly (Scenario['policies'][number] | undefined)[];
  readonly guardrails: readonly (Scenario['guardrails'][number] | undefined)[];
};
type NamedWorkload = Pick<ScenarioWorkload, 'name' | 'pods' | 'metrics'> & {
  readonly copies?: number | undefined;
  readonly namespace?: string;
  readonly podSpec?: ScenarioWorkload['podSpec'];
};

/** What a scenario names, and what may be said of it. */
class Known {
  readonly workloads: readonly NamedWorkload[];
  readonly policies: readonly string[];
  readonly guardrails: readonly string[];
  readonly nodes: readonly string[];
  readonly #scenario: Meant;

  constructor(scenario: Meant) {
    const { cluster, events, policies } = scenario;
    this.#scenario = scenario;
    const added = events.flatMap((event) => (event?.do === 'add-workload' ? [event.workload] : []));
    const made = events.flatMap((event) => (event?.do === 'add-policy' ? [event.policy] : []));
    const limiting = events.flatMap((event) => (event?.do === 'guardrail' ? [event.name] : []));
    this.workloads = [...cluster.workloads.flatMap(copiesOf), ...added];
    this.policies = [...policies, ...made].flatMap((policy) => policy?.metadata.name ?? []);
    this.guardrails = [...scenario.guardrails.flatMap((each) => each?.metadata.name ?? []), ...limiting];
    this.nodes =
      cluster.nodes.length === 0
        ? ['node-a']
        : cluster.nodes.map(({ name = 'node-a' }) => JSON.stringify(name).slice(1, -1));
  }

  get endsAt(): number {
    return this.#scenario.lastsSeconds;
  }

  /** Those that a name, or a pattern such as `svc-*`, stands for. */
  named(pattern: string): readonly NamedWorkload[] {
    return this.workloads.filter(({ name }) => matches(pattern, name));
  }

  workload(name: string, path: Path): readonly ScenarioProblem[] {
    if (this.named(name).length > 0) return [];
    return among(
      name,
      this.workloads.map((each) => each.name),
      path,
      'there is no such workload',
    );
  }

  metric(workload: string, metric: string, path: Path): readonly ScenarioProblem[] {
    const [own] = this.named(workload);
    if (own === undefined) return [];
    const known = Object.keys(own.metrics ?? WEB_SERVICE);
    return among(
      metric,
      known,
      path,
      `pods of ${workload} show no such metric (cluster.workloads[].metrics gives them more)`,
    );
  }

  /** The most pods that the workload ever has by the scenario's own doing; Aegis may add some. */
  mostPods(workload: string): number {
    const scaled = this.#scenario.events.flatMap((event) =>
      event?.do === 'scale' && event.workload === workload ? [event.replicas] : [],
    );
    return Math.max(0, ...this.named(workload).map(({ pods }) => pods), ...scaled);
  }
}

const among = (given: string, known: readonly string[], path: Path, why: string): readonly ScenarioProblem[] =>
  known.includes(given) ? [] : [{ path, message: `${JSON.stringify(given)}: ${why}: ${mend(given, known)}` }];

function eventProblems(world: Known, event: ScenarioEvent, index: number): readonly ScenarioProblem[] {
  const path = ['events', index];
  const late =
    event.at > world.endsAt
      ? [{ path: [...path, 'at'], message: `${event.at} is after the end, at ${world.endsAt} (lastsSeconds)` }]
      : [];
  return [...late, ...nameProblems(world, event, path), ...podProblems(world, event, path)];
}

function nameProblems(world: Known, event: ScenarioEvent, path: Path): readonly ScenarioProblem[] {
  switch (event.do) {
    case 'add-workload':
    case 'guardrail':
      return [];
    case 'add-policy':
      return targetProblems(world, event.policy, [...path, 'policy']);
    case 'delete-guardrail':
      return among(event.name, world.guardrails, [...path, 'name'], 'there is no such guardrail');
    case 'crash': {
      const unknown = world.workload(event.workload, [...path, 'workload']);
      return [...unknown, ...containerProblems(world, event, [...path, 'container'])];
    }
    case 'delete-policy':
    case 'policy':
      return among(event.name, world.policies, [...path, 'name'], 'there is no such policy');
    case 'node':
      return among(event.name, world.nodes, [...path, 'name'], 'there is no such node');
    case 'metric':
    case 'no-series': {
      const unknown = world.workload(event.workload, [...path, 'workload']);
      const metric = event.metric === undefined ? [] : world.metric(event.workload, event.metric, [...path, 'metric']);
      return [...unknown, ...metric];
    }
    default:
      return 'workload' in event ? world.workload(event.workload, [...path, 'workload']) : [];
  }
}

function containerProblems(
  world: Known,
  { workload, container }: Extract<ScenarioEvent, { readonly do: 'crash' }>,
  path: Path,
): readonly ScenarioProblem[] {
  const [own] = world.named(workload);
  if (container === undefined || own === undefined) return [];
  const { containers, initContainers } = own.podSpec ?? {};
  const known = [containers, initContainers].flatMap(list).map((each) => text(record(each)['name']));
  return among(container, ['app', ...known], path, `the podSpec of ${workload} has no such container`);
}

function podProblems(world: Known, event: ScenarioEvent, path: Path): readonly ScenarioProblem[] {
  if (!('pods' in event) || typeof event.pods === 'string') return [];
  const most = world.mostPods(event.workload);
  const beyond = event.pods.filter((place) => place >= most);
  if (beyond.length === 0 || most === 0) return [];
  const message = `${beyond.join(', ')}: ${event.workload} has ${most} pods, counted from 0 to ${most - 1}`;
  return [{ path: [...path, 'pods'], message }];
}

/** A target that never exists is tested by its condition alone. */
function targetProblems(
  world: Known,
  { spec, metadata }: Scenario['policies'][number],
  path: Path,
): readonly ScenarioProblem[] {
  const target =
    typeof spec === 'object' && spec !== null && 'target' in spec ? (spec.target as { readonly name?: unknown }) : {};
  if (typeof target.name !== 'string') return [];
  const found = among(
    target.name,
    world.workloads.map(({ name }) => name),
    [...path, 'spec', 'target', 'name'],
    `policy ${metadata.name} is for a workload that the scenario does not have`,
  );
  return found;
}

/** Each part of a pattern, where the vocabulary is known; a star stands for anything. */
function patterns(
  given: readonly string[] = [],
  path: Path,
  words: readonly (readonly string[])[],
): readonly ScenarioProblem[] {
  return given.flatMap((pattern, i) =>
    words.flatMap((known, at) => {
      const word = pattern.split(' ')[at];
      if (word === undefined || word.includes('*') || known.includes(word) || pattern.startsWith('*')) return [];
      return [{ path: [...path, i], message: `${JSON.stringify(word)} never happens: ${mend(word, known)}` }];
    }),
  );
}

/** `NAMESPACE/NAME` without the namespace. */
const bare = (name: string): string => name.slice(name.indexOf('/') + 1);

function expectProblems(world: Known, { expect }: Meant): readonly ScenarioProblem[] {
  const { failureType, firstEffectWhile, readyWithin } = expect;
  const workloads = (field: 'replicas' | 'ready'): readonly ScenarioProblem[] =>
    Object.keys(expect[field]).flatMap((name) => world.workload(bare(name), ['expect', field, name]));
  return [
    ...patterns(expect.effects, ['expect', 'effects'], [VERBS]),
    ...patterns(expect.actions, ['expect', 'actions'], [ACTIONS, ACTION_STATES]),
    ...patterns(expect.held, ['expect', 'held'], [ACTIONS, REASONS]),
    ...(failureType === undefined
      ? []
      : among(failureType, FAILURE_TYPES, ['expect', 'failureType'], 'is no failure type')),
    ...workloads('replicas'),
    ...workloads('ready'),
    ...Object.entries(expect.conditions).flatMap(([policy, conditions]) => [
      ...among(bare(policy), world.policies, ['expect', 'conditions', policy], 'there is no such policy'),
      ...Object.keys(conditions).flatMap((type) =>
        among(type, CONDITIONS, ['expect', 'conditions', policy, type], 'is no condition of a policy'),
      ),
    ]),
    ...(readyWithin === undefined ? [] : world.workload(readyWithin.workload, ['expect', 'readyWithin', 'workload'])),
    ...(firstEffectWhile === undefined
      ? []
      : [
          ...world.workload(firstEffectWhile.workload, ['expect', 'firstEffectWhile', 'workload']),
          ...world.metric(firstEffectWhile.workload, firstEffectWhile.metric, ['expect', 'firstEffectWhile', 'metric']),
        ]),
  ];
}
