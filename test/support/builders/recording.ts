import type { MetricSource } from '../../../src/controller/ports.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import type { FakeCluster } from '../fakes/fake-cluster.ts';

/** What a live operator was shown, as the file that `aegis simulate --samples` takes. */
export interface Recording {
  readonly source: MetricSource;
  csv(): string;
}

/** Passes every question on to the live source, and writes down each answer and what the cluster looked like then. */
export function recordingOf(live: MetricSource, cluster: FakeCluster): Recording {
  const lines = new Set<string>();
  const line = (atMs: number, workload: string, pod: string, metric: string, value: number): void => {
    lines.add([new Date(atMs).toISOString(), 'shop', workload, pod, metric, value].join());
  };
  const workloadOf = (pod: string): WorkloadSnapshot | undefined =>
    cluster.view().workloads.find(({ pods }) => pods.some(({ name }) => name === pod));

  const facts = (nowMs: number): void => {
    for (const { ref, pods, replicas } of cluster.view().workloads) {
      line(nowMs, ref.name, '', 'replicas', replicas.desired);
      for (const pod of pods) podFacts(pod, ref.name, nowMs);
    }
  };
  const podFacts = (pod: PodSnapshot, workload: string, nowMs: number): void => {
    const [container] = pod.containers;
    if (pod.deletedAtMs !== undefined) return;
    line(nowMs, workload, pod.name, 'ready', pod.ready ? 1 : 0);
    line(nowMs, workload, pod.name, 'created', pod.createdAtMs / 1000);
    line(nowMs, workload, pod.name, 'restarts_total', container?.restartCount ?? 0);
    if (container?.cpuLimit !== undefined) line(nowMs, workload, pod.name, 'cpu_limit', container.cpuLimit);
    if (container?.memoryLimit !== undefined) line(nowMs, workload, pod.name, 'memory_limit', container.memoryLimit);
    const ended = container?.lastTermination?.reason;
    if (ended !== undefined) line(nowMs, workload, pod.name, `terminated:${ended}`, 1);
    const waiting = container?.waitingReason;
    if (waiting !== undefined) line(nowMs, workload, pod.name, `waiting:${waiting}`, 1);
  };

  const source: MetricSource = {
    async poll(wishes, nowMs) {
      const reply = await live.poll(wishes, nowMs);
      facts(nowMs);
      for (const { metric, pod = '', workload, reading } of reply.policies.flatMap(({ readings }) => readings)) {
        if (reading.kind !== 'value') continue;
        line(reading.atMs, workload?.name ?? workloadOf(pod)?.ref.name ?? '', pod, metric, reading.value);
      }
      return reply;
    },
    async backfill(...asked) {
      const past = await live.backfill(...asked);
      for (const { metric, pod = '', workload, timesMs, values } of past.ok ? past.value : []) {
        const owner = workload?.name ?? workloadOf(pod)?.ref.name ?? '';
        timesMs.forEach((atMs, i) => line(atMs, owner, pod, metric, values[i] ?? NaN));
      }
      return past;
    },
    firingAlerts: () => live.firingAlerts(),
    lookBackMs: (wish) => live.lookBackMs(wish),
    checkQueries: (wish) => live.checkQueries(wish),
    close: () => live.close(),
  };
  return { source, csv: () => ['time,namespace,workload,pod,metric,value', ...lines].join('\n') };
}
