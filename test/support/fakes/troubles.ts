import { at, list } from '../../../src/kubernetes/json.ts';
import { asCrashing, asUnpullable } from './pod-states.ts';
import type { Disturbance } from './fake-metric-source.ts';
import type { World } from './world.ts';

/** The first pod of the workload crash-loops from now on; returns its name. */
export function crashOne(world: World, workload = 'checkout', namespace = 'shop'): string {
  const [pod] = world.cluster.workload(workload, namespace).pods;
  if (pod === undefined) throw new Error(`${workload} has no pod`);
  world.cluster.editPod(pod.name, (each) => asCrashing(each, world.clock.nowMs()), namespace);
  return pod.name;
}

/** The first pod leaks: its memory climbs by half a per cent a second until the pod is gone; returns its name. */
export function leakInOne(world: World, workload = 'checkout'): string {
  const [leaking] = world.cluster.workload(workload).pods;
  const sinceMs = world.source.nowMs();
  world.source.disturbances.push((vitals, pod, _, atMs) => {
    if (pod.uid === leaking?.uid && atMs >= sinceMs)
      vitals['memory_usage'] = Math.min(50 + (atMs - sinceMs) / 2_000, 99);
  });
  return leaking?.name ?? '';
}

/** So many times the usual work, shared by the pods that are ready; `helps`: capacity is what was missing. */
export function overload(world: World, times: number, helps = true, workload = 'checkout'): () => void {
  const usual = world.cluster.workload(workload).replicas.desired;
  const sinceMs = world.source.nowMs();
  const disturb: Disturbance = (vitals, _, { ref, replicas }, atMs) => {
    if (ref.name !== workload || atMs < sinceMs) return;
    const share = helps ? usual / Math.max(replicas.ready, 1) : 1;
    // A pod is saturated by half as much again as usual; below that the work is done in its usual time.
    if (times * share > 1.5) vitals['cpu_usage'] = 98 + (vitals['cpu_usage'] ?? 0) / 100;
  };
  world.source.disturbances.push(disturb);
  return () => void world.source.disturbances.splice(world.source.disturbances.indexOf(disturb), 1);
}

/** A release whose image does not exist: every pod of the new template waits for it. */
export function releaseBadImage(world: World, workload = 'checkout'): void {
  const nowMs = world.clock.nowMs();
  world.cluster.editWorkload(workload, (each) => ({
    ...each,
    pods: each.pods.map((pod) => asUnpullable(pod, nowMs)),
  }));
}

/** The first pod's cache grows by half a per cent a second until it is cleared, if that frees anything; its name. */
export function cacheGrows(world: World, isFreed = true, workload = 'checkout'): string {
  const [pod] = world.cluster.workload(workload).pods;
  const sinceMs = world.source.nowMs();
  let untilMs = Number.POSITIVE_INFINITY;
  world.onCacheCleared = () => {
    if (isFreed) untilMs = world.source.nowMs();
  };
  world.source.disturbances.push((vitals, { uid }, _, atMs) => {
    if (uid !== pod?.uid || atMs < sinceMs || atMs >= untilMs) return;
    vitals['memory_usage'] = Math.min((vitals['memory_usage'] ?? 0) + (atMs - sinceMs) / 2_000, 99);
  });
  return pod?.name ?? '';
}

/** So many times the usual requests knock at the door; what a limit does not let in makes no pod slow. */
export function surge(world: World, times: number, workload = 'checkout'): () => void {
  const sinceMs = world.source.nowMs();
  const disturb: Disturbance = (vitals, _, { ref, replicas }, atMs) => {
    if (ref.name !== workload || atMs < sinceMs) return;
    const usual = vitals['request_rate'] ?? 0;
    const limit = limitOf(world) / Math.max(replicas.ready, 1);
    const admitted = Math.min(times * usual, limit);
    const load = admitted / usual;
    vitals['request_rate'] = admitted;
    vitals['cpu_usage'] = Math.min(98, (vitals['cpu_usage'] ?? 0) * load);
    vitals['response_time'] = (vitals['response_time'] ?? 0) * Math.max(1, load * load);
  };
  world.source.disturbances.push(disturb);
  return () => void world.source.disturbances.splice(world.source.disturbances.indexOf(disturb), 1);
}

/** Requests a second that the gateway's proxies let in together. */
function limitOf(world: World): number {
  const limits = world.objects.list('backendtrafficpolicies', 'shop').flatMap((policy) => {
    const [rule] = list(at(policy, 'spec', 'rateLimit', 'local')['rules']);
    const { requests, unit } = at(rule, 'limit');
    return requests === undefined ? [] : [(world.proxies * Number(requests)) / (unit === 'Second' ? 1 : 60)];
  });
  return Math.min(...limits, Number.POSITIVE_INFINITY);
}
