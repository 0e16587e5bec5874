import type { Outcome } from './outcome.ts';
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
  const { firstEffectWithin, firstAlertWithin, noEffectBefore, firstEffectWhile } = expect;
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

/** A star stands for any text. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [i, part] of rest.entries()) {
    const found =
      i === rest.length - 1
        ? text.length - part.length >= at && text.endsWith(part)
          ? text.length
          : -1
        : text.indexOf(part, at);
    if (found < 0) return false;
    at = found + (i === rest.length - 1 ? 0 : part.length);
  }
  return true;
}
