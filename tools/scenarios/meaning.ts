import { FAILURE_TYPES } from '../../src/diagnosis/failure-type.ts';
import { REASONS } from '../../src/lib/reasons.ts';
import { ACTIONS } from '../../src/policy/action.ts';
import { ACTION_STATES } from '../../src/policy/ledger.ts';
import { WEB_SERVICE } from './curves.ts';
import { mend } from './nearest.ts';
import type { Path, ScenarioProblem } from './problems.ts';
import type { Scenario, ScenarioEvent, ScenarioWorkload } from './schema.ts';

const CONDITIONS = ['Accepted', 'Ready', 'MetricsAvailable', 'Learned', 'Healthy', 'Paused', 'Conflict', 'Limited'];
const VERBS = ['evict', 'scale', 'rollout', 'limit', 'unlimit', 'cache', 'hook'];

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
};
type NamedWorkload = Pick<ScenarioWorkload, 'name' | 'pods' | 'metrics'>;

/** What a scenario names, and what may be said of it. */
class Known {
  readonly workloads: readonly NamedWorkload[];
  readonly policies: readonly string[];
  readonly nodes: readonly string[];
  readonly #scenario: Meant;

  constructor(scenario: Meant) {
    const { cluster, events, policies } = scenario;
    this.#scenario = scenario;
    this.workloads = [
      ...cluster.workloads,
      ...events.flatMap((event) => (event?.do === 'add-workload' ? [event.workload] : [])),
    ];
    this.policies = policies.flatMap((policy) => policy?.metadata.name ?? []);
    this.nodes =
      cluster.nodes.length === 0
        ? ['node-a']
        : cluster.nodes.map(({ name = 'node-a' }) => JSON.stringify(name).slice(1, -1));
  }

  get endsAt(): number {
    return this.#scenario.lastsSeconds;
  }

  workload(name: string, path: Path): readonly ScenarioProblem[] {
    return among(
      name,
      this.workloads.map((each) => each.name),
      path,
      'there is no such workload',
    );
  }

  metric(workload: string, metric: string, path: Path): readonly ScenarioProblem[] {
    const own = this.workloads.find(({ name }) => name === workload);
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
    return Math.max(this.workloads.find(({ name }) => name === workload)?.pods ?? 0, ...scaled);
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

function podProblems(world: Known, event: ScenarioEvent, path: Path): readonly ScenarioProblem[] {
  if (!('pods' in event) || event.pods === 'all') return [];
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

function expectProblems(world: Known, { expect }: Meant): readonly ScenarioProblem[] {
  const { failureType, firstEffectWhile } = expect;
  const workloads = (field: 'replicas' | 'ready'): readonly ScenarioProblem[] =>
    Object.keys(expect[field]).flatMap((name) => world.workload(name, ['expect', field, name]));
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
      ...among(policy, world.policies, ['expect', 'conditions', policy], 'there is no such policy'),
      ...Object.keys(conditions).flatMap((type) =>
        among(type, CONDITIONS, ['expect', 'conditions', policy, type], 'is no condition of a policy'),
      ),
    ]),
    ...(firstEffectWhile === undefined
      ? []
      : [
          ...world.workload(firstEffectWhile.workload, ['expect', 'firstEffectWhile', 'workload']),
          ...world.metric(firstEffectWhile.workload, firstEffectWhile.metric, ['expect', 'firstEffectWhile', 'metric']),
        ]),
  ];
}
