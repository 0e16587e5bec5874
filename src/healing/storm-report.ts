import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { StormState } from '../policy/guard.ts';
import { CLUSTER_SCOPE, namesOf } from '../policy/storm.ts';

/** One of the workloads that a storm is made of. */
export interface StormCase {
  /** `Deployment shop/checkout`. */
  readonly workload: string;
  /** Absent: not looked at yet. */
  readonly diagnosis?: Pick<Diagnosis, 'failureType' | 'cause' | 'advice' | 'summary'>;
}

/** What people are told of a storm: how many, which, what they seem to share, and where to look. */
export interface StormReport {
  readonly summary: string;
  /** A line for each failure type, the most frequent first. */
  readonly evidence: readonly string[];
  readonly advice: string;
  /** Every one of them has a name by now: later looks can add little. */
  readonly isNamed: boolean;
}

/** Further ones are counted: an alert is read by people. */
const MOST_NAMES = 10;
const MOST_ADVICE = 5;

type Named = StormCase & { readonly diagnosis: NonNullable<StormCase['diagnosis']> };
const isNamed = (each: StormCase): each is Named =>
  each.diagnosis !== undefined && each.diagnosis.failureType !== 'unknown';

/** Those that share a key, the largest group first; equal ones in the order of their keys. */
function groupsBy(cases: readonly Named[], keyOf: (each: Named) => string): readonly (readonly [string, Named[]])[] {
  return [...Map.groupBy(cases, keyOf)].sort(([a, few], [b, many]) => many.length - few.length || (a < b ? -1 : 1));
}

/** Every rollout bears its own name; that they come together is what they share. */
function causeOf({ diagnosis: { cause } }: Named): string {
  if (cause.kind === 'self' || cause.kind === 'aegis') return '';
  return cause.kind === 'rollout' ? 'rollout' : `${cause.kind} ${cause.name}`;
}

/** What at least half of all blame, else what at least half of all show. */
function suspicion(cases: readonly StormCase[], named: readonly Named[]): string {
  const isMost = (group: readonly Named[] | undefined): boolean => 2 * (group?.length ?? 0) >= cases.length;
  const blamed = groupsBy(named, causeOf).find(([cause]) => cause !== '');
  if (blamed !== undefined && isMost(blamed[1])) {
    const what = blamed[0] === 'rollout' ? 'rollouts at the same time' : `the ${blamed[0]}`;
    return `suspected common cause: ${what} (${blamed[1].length} of ${cases.length})`;
  }
  const [shown] = groupsBy(named, ({ diagnosis }) => diagnosis.failureType);
  if (shown !== undefined && isMost(shown[1])) {
    return `${shown[1].length} of ${cases.length} show ${shown[0]}: look for what they share`;
  }
  return 'no common cause is known';
}

/** A command for the cause that is blamed most often, and one that shows what happened in the storm's scope. */
function commands(scope: string, named: readonly Named[]): readonly string[] {
  const where = scope === CLUSTER_SCOPE ? '-A' : `-n ${scope}`;
  const events = `kubectl get events ${where} --field-selector type=Warning --sort-by=.lastTimestamp`;
  const causes = new Map(named.map((each) => [causeOf(each), each.diagnosis.cause]));
  const looks = [...causes.values()].flatMap((cause) => {
    if (cause.kind === 'node') return [`kubectl describe node ${cause.name}`];
    return cause.kind === 'dns' ? ['kubectl -n kube-system get pods -o wide'] : [];
  });
  return [...looks.slice(0, MOST_ADVICE), events];
}

/** The storm as far as its workloads have been looked at. Of what is not known it says nothing. */
export function stormReport(state: StormState, cases: readonly StormCase[]): StormReport {
  const { scope, anomalous, watched } = state;
  const named = cases.filter(isNamed);
  const names = namesOf(cases.length === 0 ? (state.workloads ?? []) : cases.map(({ workload }) => workload), {
    most: MOST_NAMES,
    of: Math.max(anomalous, cases.length),
  });
  const which = names === '' ? '' : `: ${names}`;
  const types = groupsBy(named, ({ diagnosis }) => diagnosis.failureType);
  const advice = new Map(
    named.map(({ workload, diagnosis }) => [diagnosis.advice, `${workload}: ${diagnosis.advice}`]),
  );
  const shared = cases.length === 0 ? '' : `; ${suspicion(cases, named)}`;
  return {
    summary: `${anomalous} of ${watched} workloads turned anomalous within five minutes (${scope})${which}${shared}`,
    evidence: types.map(([type, group]) => {
      const members = group.map(({ workload }) => workload);
      return `${type}: ${namesOf(members, { most: MOST_NAMES, of: members.length })}`;
    }),
    advice: [
      'No workload is healed until this is over. Look for a shared cause: a node, DNS, a dependency, a rollout.',
      ...commands(scope, named),
      ...[...advice.values()].slice(0, MOST_ADVICE),
    ].join('\n'),
    isNamed: cases.length > 0 && named.length === cases.length,
  };
}
