import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAction } from '../../../src/api/v1alpha1/convert-action.ts';
import { parsePolicyStatus } from '../../../src/api/v1alpha1/policy-status.ts';
import { at, list, record, text } from '../../../src/kubernetes/json.ts';
import { RESOURCES, type Resource } from '../../../src/kubernetes/resources.ts';
import { createSqliteStore, DATABASE_FILE } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { recordedLog, recordedMetrics } from '../../../test/support/recorders.ts';
import { heldReasons, typeInNote } from '../found.ts';
import type { Observations, Outcome } from '../outcome.ts';
import { writesOf } from './audit.ts';
import type { RigStage } from './rig-stage.ts';

/** What the API server, its log, the operator's store and the sinks hold when a scenario has ended. */
export async function foundOnRig(stage: RigStage, seen: Observations): Promise<Outcome> {
  const actions = (await itemsOf(stage, RESOURCES.actions)).toSorted((a, b) => decidedOf(a) - decidedOf(b));
  const notes = (await itemsOf(stage, RESOURCES.events)).filter((event) => event['reason'] === 'Diagnosed');
  const policies = await itemsOf(stage, RESOURCES.policies);
  await stage.stopAegis();
  const store = await createSqliteStore({
    ...{ file: join(stage.dataDir ?? '', DATABASE_FILE), clock: systemClock },
    ...{ log: recordedLog(), metrics: recordedMetrics() },
  });
  const [history, incidents] = [await store.history({ limit: 1_000 }), await store.incidents(100)];
  await store.close();
  const writes = writesOf(stage.ground.auditFile, stage.account);
  const parsed = actions.flatMap((object) => {
    const action = parseAction(object);
    return action.ok ? [action.value] : [];
  });
  const ofActions = parsed.map(({ intent, status }) => ({
    action: intent.action,
    reasons: [status.blocked?.reason, status.closed?.reason],
  }));
  const named = parsed.map(({ intent }) => intent.diagnosis.failureType as string);
  return {
    seen,
    faults: faultsIn(stage.logFile),
    effects: writes.filter(({ applied }) => applied).map(({ what }) => stage.pods.inScenario(what)),
    writes: writes.map(({ what }) => stage.pods.inScenario(what)),
    actions: actions.map((each) => `${text(at(each, 'spec')['action'])} ${text(at(each, 'status')['state'])}`),
    held: heldReasons(history, ofActions),
    failureTypes: new Set([...named, ...notes.flatMap((event) => typeInNote(text(event['note'])))]),
    sent: stage.standIn.sent.map(({ message }) => message),
    incidents,
    replicas: new Map(
      stage.workloads().flatMap(({ ref, replicas }) => [
        [ref.name, replicas],
        [`${ref.namespace.replace(`-${stage.id}`, '')}/${ref.name}`, replicas],
      ]),
    ),
    condition(policy, type) {
      const [name = policy, namespace] = policy.split('/').reverse();
      const object = policies
        .map((each) => ({ each, metadata: at(each, 'metadata') }))
        .find(
          ({ metadata }) =>
            metadata['name'] === name && (namespace === undefined || metadata['namespace'] === stage.real(namespace)),
        )?.each;
      const found = parsePolicyStatus(object ?? {})?.conditions.find((each) => each.type === type);
      return found === undefined ? 'none' : `${found.status} ${found.reason}`;
    },
  };
}

async function itemsOf(stage: RigStage, resource: Resource) {
  const all = await Promise.all(
    stage.namespaces.map((namespace) => stage.ground.client.call({ method: 'GET', target: { resource, namespace } })),
  );
  return all.flatMap((reply) => {
    if (!reply.ok) throw new Error(`${resource.plural}: ${reply.error.message}`);
    return list(reply.value['items']).map(record);
  });
}

/** By when it was decided; the API server's own times are whole seconds. */
const decidedOf = (action: unknown): number => Date.parse(text(at(action, 'metadata')['creationTimestamp']));

function faultsIn(logFile: string | undefined): readonly string[] {
  if (logFile === undefined) return [];
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));
}
