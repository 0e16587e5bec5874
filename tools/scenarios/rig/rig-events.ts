import { RESOURCES, WORKLOAD_RESOURCES } from '../../../src/kubernetes/resources.ts';
import { changed, crashed, failing, unpullable } from '../pod-changes.ts';
import type { ScenarioEvent } from '../schema.ts';
import { chosenPods, SHARED, type EventOf } from '../shared-events.ts';
import { companions, policyManifest } from './manifests.ts';
import type { RigStage } from './rig-stage.ts';

type Handlers = { readonly [K in ScenarioEvent['do']]: (stage: RigStage, event: EventOf<K>) => void | Promise<void> };

const RESTART_MS = 3_000;

/** Lets one event happen now. Whether it can was asked before. */
export async function happenOnRig(stage: RigStage, event: ScenarioEvent): Promise<void> {
  await (HANDLERS[event.do] as (stage: RigStage, event: ScenarioEvent) => void | Promise<void>)(stage, event);
}

const later = (seconds: number, run: () => void): void => void setTimeout(run, seconds * 1000).unref();

const never = (event: string) => (): never => {
  throw new Error(`${event} cannot be played on the rig`);
};

const HANDLERS: Handlers = {
  ...SHARED,
  prometheus({ standIn }, { answers, forSeconds }) {
    if (answers === 'stale') return;
    standIn.answers = answers;
    if (forSeconds !== undefined) later(forSeconds, () => (standIn.answers = 'well'));
  },
  crash: (stage, event) => stage.pods.edit(event, crashed(event, stage.nowMs)),
  'image-error': (stage, event) => stage.pods.edit(event, unpullable(event.image, stage.nowMs)),
  async recover(stage, event) {
    stage.metrics.forget(chosenPods(stage, event), stage.find(event.workload, event.namespace));
    await stage.pods.thaw(event);
  },
  pods: (stage, event) => stage.pods.edit(event, changed(event.set, event.container, stage.nowMs)),
  async workload(stage, { workload, namespace, set }) {
    const { ref } = stage.find(workload, namespace);
    const target = { resource: WORKLOAD_RESOURCES[ref.kind], namespace: ref.namespace, name: ref.name };
    const { labels, annotations, paused } = set;
    await stage.administrator.patch(target, {
      metadata: { labels, annotations },
      ...(paused !== undefined && { spec: { paused } }),
    });
    const own = stage.loaded.scenario.cluster.workloads.find((each) => each.name === workload);
    if (own !== undefined) await stage.administrator.apply(...companions(own, set, ref.namespace));
  },
  newborn(stage, { workload, set, container }) {
    stage.pods.setNewborn(workload, (pod) => changed(set, container, stage.nowMs)(pod));
  },
  async deploy(stage, { workload, namespace, hash, fails, image }) {
    const { ref } = stage.find(workload, namespace);
    if (fails !== undefined) stage.pods.setNewborn(workload, (pod) => failing(fails, image)(pod, stage.nowMs));
    const target = { resource: WORKLOAD_RESOURCES[ref.kind], namespace: ref.namespace, name: ref.name };
    await stage.administrator.patch(target, { spec: { template: { metadata: { annotations: { release: hash } } } } });
  },
  async scale(stage, { workload, namespace, replicas }) {
    const { ref } = stage.find(workload, namespace);
    const target = { resource: WORKLOAD_RESOURCES[ref.kind], namespace: ref.namespace, name: ref.name };
    await stage.administrator.patch(target, { spec: { replicas } });
  },
  async 'remove-pods'(stage, event) {
    for (const { namespace, name } of chosenPods(stage, event)) {
      await stage.administrator.delete({ resource: RESOURCES.pods, namespace, name });
    }
  },
  async 'delete-workload'(stage, { workload, namespace }) {
    const { ref } = stage.find(workload, namespace);
    const target = { resource: WORKLOAD_RESOURCES[ref.kind], namespace: ref.namespace, name: ref.name };
    await stage.administrator.delete(target);
  },
  'add-workload': (stage, { workload }) => stage.addWorkload(workload),
  node: (stage, { name, set }) => stage.nodes?.edit(name, set, stage.nowMs),
  event(stage, event) {
    const { reason, message, type, count, everySeconds = 0 } = event;
    const pods = chosenPods(stage, event);
    const tell = async (): Promise<void> => {
      const time = new Date(stage.nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
      await stage.administrator.apply(
        ...pods.map(({ namespace, name, uid }, i) => ({
          ...{ apiVersion: 'v1', kind: 'Event', metadata: { namespace, name: `${name}.${stage.nowMs}${i}` } },
          ...{
            involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
            reason,
            message,
            type,
            count: 1,
          },
          ...{ firstTimestamp: time, lastTimestamp: time, source: { component: 'scenario' } },
        })),
      );
    };
    for (let i = 1; i < count; i++) later(i * everySeconds, () => void tell().catch(() => undefined));
    return tell();
  },
  object: (stage, { object }) => stage.putObject(object),
  'delete-object': (stage, { kind, namespace, name }) => stage.deleteObject(kind, namespace, name),
  calls: (stage, { workload, namespace, to }) => stage.addCall(namespace, workload, to),
  dns: (stage, { ready, total }) => stage.nodes?.setDns(ready, total),
  claim(stage, { claim, freeRatio }) {
    stage.claims.set(claim, { claim, freeRatio });
  },
  gateway(stage, { answers }) {
    stage.gateway.accepts = answers === 'accepts';
  },
  cache: never('cache'),
  alerts({ standIn }, { firing }) {
    standIn.alerts = firing;
  },
  answer: (stage, { decision }) => stage.answerApproval(decision),
  async policy(stage, { name, namespace, spec }) {
    const edited = stage.declared.editPolicy(name, namespace, spec);
    await stage.administrator.apply(policyManifest(edited, stage.real(namespace)));
  },
  async 'add-policy'(stage, { policy }) {
    stage.declared.addPolicy(policy);
    await stage.administrator.apply(policyManifest(policy, stage.realNamespaceOf(policy)));
  },
  async 'delete-policy'(stage, { name, namespace }) {
    stage.declared.deletePolicy(name, namespace);
    await stage.administrator.delete({ resource: RESOURCES.policies, namespace: stage.real(namespace), name });
  },
  guardrail: (stage, { name, spec }) => stage.putGuardrail(stage.declared.editGuardrail(name, spec).spec),
  async 'delete-guardrail'(stage, { name }) {
    stage.declared.deleteGuardrail(name);
    await stage.deleteGuardrail();
  },
  'clock-jump': never('clock-jump'),
  async 'restart-aegis'(stage) {
    await stage.killAegis();
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    await stage.startAegis();
  },
  outage({ standIn }, { forSeconds }) {
    standIn.areSinksDown = true;
    later(forSeconds, () => (standIn.areSinksDown = false));
  },
  trouble: never('trouble'),
};
