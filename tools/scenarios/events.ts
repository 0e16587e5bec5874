import { TROUBLE } from '../../test/support/fakes/fake-kube-client.ts';
import { readGuardrail, readPolicy } from './declared.ts';
import { atMoment, merged } from './patch.ts';
import { changed, crashed, failing, unpullable } from './pod-changes.ts';
import type { ScenarioEvent } from './schema.ts';
import { chosenPods, SHARED, type EventOf } from './shared-events.ts';
import type { Stage } from './stage.ts';

type Handlers = { readonly [K in ScenarioEvent['do']]: (stage: Stage, event: EventOf<K>) => void | Promise<void> };

const RESTART_MS = 3_000;

/** Lets one event happen now. */
export function happen(stage: Stage, event: ScenarioEvent): void | Promise<void> {
  return (HANDLERS[event.do] as (stage: Stage, event: ScenarioEvent) => void | Promise<void>)(stage, event);
}

const HANDLERS: Handlers = {
  ...SHARED,
  prometheus(stage, { answers, forSeconds }) {
    stage.source.answers = answers;
    if (forSeconds !== undefined) later(stage, forSeconds, () => (stage.source.answers = 'well'));
  },
  crash: (stage, event) => stage.editPods(event, crashed(event, stage.nowMs)),
  'image-error': (stage, event) => stage.editPods(event, unpullable(event.image, stage.nowMs)),
  recover(stage, where) {
    const pods = chosenPods(stage, where);
    stage.editPods(where, (pod) => stage.asWell(pod));
    stage.metrics.forget(pods, stage.find(where.workload, where.namespace));
  },
  pods(stage, { set, container, ...where }) {
    stage.editPods(where, changed(set, container, stage.nowMs));
  },
  workload(stage, { workload, namespace, set }) {
    stage.world.cluster.editWorkload(workload, (each) => merged(each, atMoment(set, stage.nowMs)), namespace);
  },
  newborn(stage, { set, container, ...which }) {
    stage.setNewborn(which, (pod) => changed(set, container, stage.nowMs)(pod));
  },
  deploy(stage, { workload, namespace, hash, revision, everySeconds, fails, image }) {
    const { cluster } = stage.world;
    const before = stage.find(workload, namespace);
    const old = before.pods.map(({ name }) => name);
    const sick = fails === undefined ? undefined : failing(fails, image);
    stage.setNewborn({ workload, namespace }, (pod) => {
      const made = { ...pod, templateHash: hash };
      return sick?.(made, stage.nowMs) ?? made;
    });
    const begun = {
      name: `${workload}-${hash}`,
      templateHash: hash,
      revision,
      createdAtMs: stage.nowMs,
      replicas: old.length,
      readyReplicas: 0,
    };
    cluster.editWorkload(workload, (each) => ({ ...each, revisions: [...each.revisions, begun] }), namespace);
    cluster.setTemplate(namespace, workload, hash);
    if (sick !== undefined) {
      cluster.surge({ namespace, name: workload });
      return;
    }
    old.forEach((pod, i) => later(stage, i * everySeconds, () => void cluster.evict(namespace, pod)));
  },
  scale(stage, { workload, namespace, replicas }) {
    stage.world.cluster.scale(namespace, workload, replicas);
  },
  'remove-pods'(stage, { workload, namespace, pods }) {
    for (const { name } of chosenPods(stage, { workload, namespace, pods })) stage.world.cluster.evict(namespace, name);
  },
  'delete-workload'(stage, { workload, namespace }) {
    stage.world.cluster.deleteWorkload(workload, namespace);
  },
  'add-workload'(stage, { workload }) {
    stage.addWorkload(workload, { isNew: true });
  },
  node(stage, { name, set }) {
    const { nodes } = stage.world.cluster;
    const at = nodes.findIndex((node) => node.name === name);
    if (at < 0) throw new Error(`there is no node ${name}`);
    nodes.splice(at, 1, merged(nodes[at], atMoment(set, stage.nowMs)) as (typeof nodes)[number]);
  },
  event(stage, { workload, namespace, pods, reason, message, type, count, everySeconds }) {
    const { cluster } = stage.world;
    const chosen = chosenPods(stage, { workload, namespace, pods });
    const tell = (): void => {
      for (const { name, uid } of chosen) {
        cluster.events.push({
          ...{ namespace, kind: 'Pod', name, uid, type, reason, message, count: 1 },
          lastAtMs: stage.nowMs,
        });
      }
    };
    for (let i = 0; i < count; i++) later(stage, i * (everySeconds ?? 0), tell);
  },
  alerts(stage, { firing }) {
    stage.source.alerts = firing;
  },
  object(stage, { object }) {
    stage.surroundings.put(object);
  },
  'delete-object'(stage, { kind, namespace, name }) {
    stage.surroundings.delete(kind, namespace, name);
  },
  calls(stage, { workload, namespace, to }) {
    stage.surroundings.edges.push({ caller: { namespace, workload }, callee: { namespace, service: to } });
  },
  dns(stage, { ready, total }) {
    stage.surroundings.dns = { name: 'kube-system/kube-dns', ready, total };
  },
  claim(stage, { claim, freeRatio, freeBytes, slopeBytesPerSecond }) {
    const slope = slopeBytesPerSecond === undefined ? {} : { slopeBytesPerSecond };
    stage.surroundings.claims.set(claim, { claim, freeRatio, freeBytes, ...slope });
  },
  gateway(stage, { answers, proxies }) {
    stage.world.objects.accepts = answers === 'silent' ? undefined : answers === 'accepts';
    stage.world.proxies = proxies;
  },
  cache(stage, { answers }) {
    stage.world.cacheAnswer = answers;
  },
  answer(stage, { decision }) {
    const { cluster } = stage.world;
    const waiting = cluster
      .actions()
      .find(({ intent }) => cluster.shownState(intent.name, intent.namespace) === 'AwaitingApproval');
    if (waiting === undefined) throw new Error('nothing waits for an answer');
    cluster.answerApproval(waiting.intent.name, decision, waiting.intent.namespace);
  },
  policy(stage, { name, namespace, spec }) {
    const fresh = readPolicy(stage.declared.editPolicy(name, namespace, spec));
    stage.world.cluster.editPolicy(name, () => fresh, namespace);
  },
  guardrail(stage, { name, spec }) {
    stage.world.cluster.putGuardrail(readGuardrail(stage.declared.editGuardrail(name, spec)));
  },
  'add-policy'(stage, { policy }) {
    stage.declared.addPolicy(policy);
    stage.world.cluster.putPolicy(readPolicy(policy));
  },
  'delete-policy'(stage, { name, namespace }) {
    stage.declared.deletePolicy(name, namespace);
    stage.world.cluster.deletePolicy(name, namespace);
  },
  'delete-guardrail'(stage, { name }) {
    stage.declared.deleteGuardrail(name);
    stage.world.cluster.deleteGuardrail(name);
  },
  'clock-jump'(stage, { bySeconds }) {
    stage.world.clock.jump(bySeconds * 1000);
  },
  async 'restart-aegis'(stage) {
    stage.killAegis();
    await stage.world.run(RESTART_MS);
    await stage.startAegis();
  },
  outage(stage, { of, forSeconds }) {
    const { world } = stage;
    const set = (down: boolean): void => {
      if (of === 'store') world.isStoreDown = down;
      else if (of === 'api') world.isApiDown = down;
      else world.areSinksDown = down;
    };
    set(true);
    later(stage, forSeconds, () => set(false));
  },
  trouble(stage, { with: verb, answer, times }) {
    stage.world.troubleNext(verb, ...Array.from({ length: times }, () => TROUBLE[answer]));
  },
};

function later(stage: Stage, seconds: number, run: () => void): void {
  if (seconds <= 0) run();
  else stage.world.clock.after(seconds * 1000, run);
}
