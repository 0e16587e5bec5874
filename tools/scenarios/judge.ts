import type { Observations } from './play.ts';
import type { Stage } from './stage.ts';

/** Everything that did not go as the scenario demands, a sentence each. */
export async function judge(stage: Stage, seen: Observations): Promise<readonly string[]> {
  const held = await heldReasons(stage);
  const types = namedTypes(stage);
  return [
    ...stage.world.faults().map((fault) => `Aegis logged a fault of its own: ${fault}`),
    ...judgeEnd(stage, held, types),
    ...judgePeople(stage),
    ...judgeTimes(stage, seen),
    ...(await judgeForbidden(stage, seen)),
  ];
}

function judgeEnd(stage: Stage, held: readonly string[], types: ReadonlySet<string>): readonly string[] {
  const { expect } = stage.loaded.scenario;
  const { world } = stage;
  const { cluster } = world;
  const ends = cluster
    .actions()
    .map(({ intent }) => `${intent.action} ${cluster.shownState(intent.name, intent.namespace)}`);
  return [
    ...(expect.effects === undefined ? [] : sameList('effects', expect.effects, cluster.effects())),
    ...(expect.actions === undefined ? [] : sameList('actions', expect.actions, ends)),
    ...(expect.failureType === undefined || types.has(expect.failureType)
      ? []
      : [`failure type ${expect.failureType} was never named; named: ${list([...types])}`]),
    ...expect.held.flatMap((wanted) =>
      held.some((each) => matches(wanted, each)) ? [] : [`not held back: ${wanted}; held back: ${list(held)}`],
    ),
    ...Object.entries(expect.replicas).flatMap(([name, count]) =>
      differs(`replicas of ${name}`, count, namespaced(stage, name).replicas.desired),
    ),
    ...Object.entries(expect.ready).flatMap(([name, count]) =>
      differs(`ready pods of ${name}`, count, namespaced(stage, name).replicas.ready),
    ),
    ...Object.entries(expect.conditions).flatMap(([policy, conditions]) =>
      Object.entries(conditions).flatMap(([type, wanted]) => {
        const is = world.condition(policy, type);
        return matches(wanted, is) ? [] : [`condition ${type} of policy ${policy} is ${is}, not ${wanted}`];
      }),
    ),
  ];
}

function judgePeople({ loaded, world }: Stage): readonly string[] {
  const { alerts, alertSays, resolvedAlerts } = loaded.scenario.expect;
  const keys = new Set(world.firing().map(({ key }) => key));
  const texts = world.firing().map((m) => `${m.title} ${m.summary} ${m.advice} ${m.evidence.join(' ')}`);
  const resolved = new Set(world.sent.filter(({ status }) => status === 'resolved').map(({ key }) => key));
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

function judgeTimes({ loaded }: Stage, seen: Observations): readonly string[] {
  const { firstEffectWithin, firstAlertWithin, noEffectBefore, firstEffectWhile } = loaded.scenario.expect;
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

async function judgeForbidden({ loaded, world }: Stage, seen: Observations): Promise<readonly string[]> {
  const { forbid, expect } = loaded.scenario;
  const { cluster } = world;
  const writes = cluster.foreignWrites().map(({ verb, what }) => `${verb} ${what}`);
  const patterns = forbid.effects === undefined ? [] : forbid.effects === 'any' ? ['*'] : forbid.effects;
  const bad = writes.filter((write) => patterns.some((pattern) => matches(pattern, write)));
  const incidents = await world.incidents();
  const open = incidents.filter(({ resolvedAtMs }) => resolvedAtMs === undefined).length;
  return [
    ...(bad.length === 0 ? [] : [`forbidden writes: ${list(bad)}`]),
    ...(forbid.incidents && incidents.length > 0
      ? [
          `${incidents.length} incidents: ${list(incidents.map((i) => `${i.workload.name} ${i.metrics.join('+') || 'status'} ${i.peakScore.toFixed(2)}`))}`,
        ]
      : []),
    ...(forbid.alerts && world.firing().length > 0
      ? [`alerts: ${list(world.firing().map(({ title }) => title))}`]
      : []),
    ...(forbid.podsEvictedAtOnce === undefined || seen.mostEvictedAtOnce <= forbid.podsEvictedAtOnce
      ? []
      : [`${seen.mostEvictedAtOnce} evicted pods were down at once, not ${forbid.podsEvictedAtOnce}`]),
    ...(forbid.writesAbove === undefined || writes.length <= forbid.writesAbove
      ? []
      : [`${writes.length} writes to workloads, not ${forbid.writesAbove}: ${list(writes)}`]),
    ...(expect.openIncidents === undefined ? [] : differs('open incidents', expect.openIncidents, open)),
  ];
}

/** `restart_pod HarmfulForType`: what every hold, every skipped rung and every action that came to nothing gave as its reason. */
async function heldReasons({ world }: Stage): Promise<readonly string[]> {
  const rows = await world.history();
  const ofRows = rows.flatMap(({ action, reason, facts }) => [
    ...(reason === undefined ? [] : [`${action} ${reason}`]),
    ...skippedIn(facts['skipped']),
  ]);
  const ofActions = world.cluster
    .actions()
    .flatMap(({ intent, status }) =>
      [status.blocked?.reason, status.closed?.reason].flatMap((r) =>
        r === undefined ? [] : [`${intent.action} ${r}`],
      ),
    );
  return [...new Set([...ofRows, ...ofActions])];
}

function skippedIn(skipped: unknown): readonly string[] {
  if (!Array.isArray(skipped)) return [];
  return skipped.flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'action' in each && 'reason' in each
      ? [`${String(each.action)} ${String(each.reason)}`]
      : [],
  );
}

function namedTypes({ world }: Stage): ReadonlySet<string> {
  const ofActions = world.cluster.actions().map(({ intent }) => intent.diagnosis.failureType as string);
  const notes = world.events.filter(({ reason }) => reason === 'Diagnosed').map(({ note }) => note);
  const ofNotes = notes.flatMap((note) => /^([a-z_]+)(?: \(|:)/.exec(note)?.[1] ?? []);
  return new Set([...ofActions, ...ofNotes]);
}

function namespaced({ loaded, world }: Stage, name: string) {
  const namespace = loaded.scenario.cluster.workloads.find((each) => each.name === name)?.namespace ?? 'shop';
  return world.cluster.workload(name, namespace);
}

function sameList(what: string, wanted: readonly string[], is: readonly string[]): readonly string[] {
  const same = wanted.length === is.length && wanted.every((pattern, i) => matches(pattern, is[i] ?? ''));
  return same ? [] : [`${what}: ${list(is)}, not ${list(wanted)}`];
}

const differs = (what: string, wanted: number, is: number): readonly string[] =>
  wanted === is ? [] : [`${what}: ${is}, not ${wanted}`];

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
