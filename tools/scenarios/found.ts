import type { HistoryRow } from '../../src/controller/store-ports.ts';
import type { Observations, Outcome } from './outcome.ts';
import type { Stage } from './stage.ts';

/** What the fakes hold when a scenario has ended. */
export async function foundOn({ loaded, world }: Stage, seen: Observations): Promise<Outcome> {
  const { cluster } = world;
  const stored = cluster.actions();
  const closed = stored.map(({ intent, status }) => ({
    action: intent.action,
    reasons: [status.blocked?.reason, status.closed?.reason],
  }));
  const named = stored.map(({ intent }) => intent.diagnosis.failureType as string);
  const notes = world.events.filter(({ reason }) => reason === 'Diagnosed').map(({ note }) => note);
  const workloads = cluster.view().workloads;
  const names = new Set(loaded.scenario.cluster.workloads.map(({ name }) => name));
  return {
    seen,
    faults: world.faults(),
    effects: cluster.effects(),
    writes: cluster.foreignWrites().map(({ verb, what }) => `${verb} ${what}`),
    actions: world.ends(),
    held: heldReasons(await world.history(), closed),
    failureTypes: new Set([...named, ...notes.flatMap(typeInNote)]),
    sent: world.sent,
    incidents: await world.incidents(),
    replicas: new Map(
      workloads
        .toSorted((a, b) => Number(names.has(a.ref.name)) - Number(names.has(b.ref.name)))
        .flatMap(({ ref, replicas }) => [
          [ref.name, replicas],
          [`${ref.namespace}/${ref.name}`, replicas],
        ]),
    ),
    condition(policy, type) {
      const [name = policy, given] = policy.split('/').reverse();
      const found =
        given ?? loaded.scenario.policies.find(({ metadata }) => metadata.name === name)?.metadata['namespace'];
      return world.condition(name, type, typeof found === 'string' ? found : 'shop');
    },
  };
}

/** Why nothing was done: of each hold, each rung that was passed over and each action that came to nothing. */
export function heldReasons(
  rows: readonly HistoryRow[],
  actions: readonly { readonly action: string; readonly reasons: readonly (string | undefined)[] }[],
): readonly string[] {
  const ofRows = rows.flatMap(({ action, reason, facts }) => [
    ...(reason === undefined ? [] : [`${action} ${reason}`]),
    ...skippedIn(facts['skipped']),
  ]);
  const ofActions = actions.flatMap(({ action, reasons }) =>
    reasons.flatMap((reason) => (reason === undefined ? [] : [`${action} ${reason}`])),
  );
  return [...new Set([...ofRows, ...ofActions])];
}

/** The type that a note of the reason Diagnosed names. */
export const typeInNote = (note: string): readonly string[] => /^([a-z_]+)(?: \(|:)/.exec(note)?.slice(1) ?? [];

function skippedIn(skipped: unknown): readonly string[] {
  if (!Array.isArray(skipped)) return [];
  return skipped.flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && 'action' in each && 'reason' in each
      ? [`${String(each.action)} ${String(each.reason)}`]
      : [],
  );
}
