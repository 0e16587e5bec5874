import type { Outcome } from './outcome.ts';
import { matches } from './pattern.ts';
import type { Scenario } from './schema.ts';

/** Everything that did not go as the scenario demands, a sentence each. */
export function judge(scenario: Scenario, outcome: Outcome): readonly string[] {
  return [
    ...outcome.faults.map((fault) => `Aegis logged a fault of its own: ${fault}`),
    ...judgeEnd(scenario, outcome),
    ...judgePeople(scenario, outcome),
    ...judgeTimes(scenario, outcome),
    ...judgeForbidden(scenario, outcome),
  ];
}

function judgeEnd({ expect }: Scenario, outcome: Outcome): readonly string[] {
  const { effects, actions, held, failureTypes: types, replicas } = outcome;
  return [
    ...(expect.effects === undefined ? [] : sameList('effects', expect.effects, effects)),
    ...(expect.actions === undefined ? [] : sameList('actions', expect.actions, actions)),
    ...(expect.failureType === undefined || types.has(expect.failureType)
      ? []
      : [`failure type ${expect.failureType} was never named; named: ${list([...types])}`]),
    ...expect.held.flatMap((wanted) =>
      held.some((each) => matches(wanted, each)) ? [] : [`not held back: ${wanted}; held back: ${list(held)}`],
    ),
    ...Object.entries(expect.replicas).flatMap(([name, count]) =>
      differs(`replicas of ${name}`, count, replicas.get(name)?.desired),
    ),
    ...Object.entries(expect.ready).flatMap(([name, count]) =>
      differs(`ready pods of ${name}`, count, replicas.get(name)?.ready),
    ),
    ...Object.entries(expect.conditions).flatMap(([policy, conditions]) =>
      Object.entries(conditions).flatMap(([type, wanted]) => {
        const is = outcome.condition(policy, type);
        return matches(wanted, is) ? [] : [`condition ${type} of policy ${policy} is ${is}, not ${wanted}`];
      }),
    ),
  ];
}

function judgePeople({ expect }: Scenario, { sent }: Outcome): readonly string[] {
  const { alerts, alertSays, resolvedAlerts } = expect;
  const firing = sent.filter(({ status }) => status === 'firing');
  const keys = new Set(firing.map(({ key }) => key));
  const texts = firing.map((m) => `${m.title} ${m.summary} ${m.advice} ${m.evidence.join(' ')}`);
  const resolved = new Set(sent.filter(({ status }) => status === 'resolved').map(({ key }) => key));
  return [
    ...(alerts === undefined || (keys.size >= alerts.atLeast && keys.size <= alerts.atMost)
      ? []
      : [`${keys.size} alerts, not ${alerts.atLeast} to ${alerts.atMost}: ${list([...keys])}`]),
    ...alertSays.flatMap((part) =>
      texts.some((text) => text.includes(part)) ? [] : [`no alert says ${JSON.stringify(part)}: ${list(texts)}`],
    ),
    ...(resolvedAlerts === undefined || resolved.size >= resolvedAlerts.atLeast
      ? []
      : [`${resolved.size} alerts were resolved, not ${resolvedAlerts.atLeast}`]),
  ];
}

function judgeTimes({ expect }: Scenario, { seen }: Outcome): readonly string[] {
  const { firstEffectWithin, firstAlertWithin, noEffectBefore, firstEffectWhile, readyWithin } = expect;
  const within = (what: string, wish: typeof firstEffectWithin, at: number | undefined): readonly string[] => {
    if (wish === undefined) return [];
    if (at === undefined) return [`there was no ${what}, though one was due within ${wish.seconds} s`];
    const took = at - wish.after;
    return took <= wish.seconds ? [] : [`the first ${what} came after ${took} s, not within ${wish.seconds} s`];
  };
  const value = firstEffectWhile && seen.atFirstEffect.get(`${firstEffectWhile.workload}/${firstEffectWhile.metric}`);
  return [
    ...within('effect', firstEffectWithin, seen.firstEffectAt),
    ...within('alert', firstAlertWithin, seen.firstAlertAt),
    ...(readyWithin === undefined ? [] : judgeReady(readyWithin, seen)),
    ...(noEffectBefore === undefined || (seen.firstEffectAt ?? Infinity) >= noEffectBefore
      ? []
      : [`the first effect came at ${seen.firstEffectAt} s, before ${noEffectBefore} s`]),
    ...(firstEffectWhile === undefined || (value !== undefined && value < firstEffectWhile.below)
      ? []
      : [
          `${firstEffectWhile.metric} was at ${value ?? 'no value'} with the first effect, not below ${firstEffectWhile.below}`,
        ]),
  ];
}

function judgeReady(
  { workload, pods, after, seconds }: NonNullable<Scenario['expect']['readyWithin']>,
  { readyPods }: Outcome['seen'],
): readonly string[] {
  const known = readyPods.get(workload) ?? [];
  const since = known.slice(
    Math.max(
      known.findLastIndex((each) => each.at <= after),
      0,
    ),
  );
  const enough = since.find((each) => each.ready >= pods)?.at;
  const at = enough === undefined ? undefined : Math.max(enough, after);
  if (at === undefined) return [`${workload} never had ${pods} ready pods after ${after} s`];
  return at - after <= seconds
    ? []
    : [`${pods} pods of ${workload} were ready after ${at - after} s, not within ${seconds} s`];
}

function judgeForbidden({ forbid, expect }: Scenario, outcome: Outcome): readonly string[] {
  const { writes, incidents, sent, seen } = outcome;
  const patterns = forbid.effects === undefined ? [] : forbid.effects === 'any' ? ['*'] : forbid.effects;
  const bad = writes.filter((write) => patterns.some((pattern) => matches(pattern, write)));
  const open = incidents.filter(({ resolvedAtMs }) => resolvedAtMs === undefined).length;
  const alerts = sent.filter(({ status }) => status === 'firing');
  return [
    ...(bad.length === 0 ? [] : [`forbidden writes: ${list(bad)}`]),
    ...(forbid.incidents && incidents.length > 0
      ? [
          `${incidents.length} incidents: ${list(incidents.map((i) => `${i.workload.name} ${i.metrics.join('+') || 'status'} ${i.peakScore.toFixed(2)}`))}`,
        ]
      : []),
    ...(forbid.alerts && alerts.length > 0 ? [`alerts: ${list(alerts.map(({ title }) => title))}`] : []),
    ...(forbid.podsEvictedAtOnce === undefined || seen.mostEvictedAtOnce <= forbid.podsEvictedAtOnce
      ? []
      : [`${seen.mostEvictedAtOnce} evicted pods were down at once, not ${forbid.podsEvictedAtOnce}`]),
    ...(forbid.writesAbove === undefined || writes.length <= forbid.writesAbove
      ? []
      : [`${writes.length} writes to workloads, not ${forbid.writesAbove}: ${list(writes)}`]),
    ...(expect.openIncidents === undefined ? [] : differs('open incidents', expect.openIncidents, open)),
  ];
}

function sameList(what: string, wanted: readonly string[], is: readonly string[]): readonly string[] {
  const same = wanted.length === is.length && wanted.every((pattern, i) => matches(pattern, is[i] ?? ''));
  return same ? [] : [`${what}: ${list(is)}, not ${list(wanted)}`];
}

const differs = (what: string, wanted: number, is: number | undefined): readonly string[] =>
  wanted === is ? [] : [`${what}: ${is ?? 'none'}, not ${wanted}`];

const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));
