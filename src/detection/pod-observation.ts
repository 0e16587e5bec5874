import type { PodSnapshot } from '../lib/workload.ts';
import type { PodObservation } from './engine-input.ts';
import { statusFindings } from './pod-status.ts';
import type { MetricReading } from './sample.ts';

/** `cpu_usage` and `memory_usage` are per cent of the pod's limit, so where a limit exists it lies at 100. */
const PERCENT_OF_LIMIT = 100;

/**
 * A pod as the engine sees it: readings, status, age, and where the container limits lie on the metrics' own scales. A
 * pod has a limit if every container that runs has one; without it the presets are raw numbers and have no saturation.
 */
export function observePod(pod: PodSnapshot, readings: readonly MetricReading[], nowMs: number): PodObservation {
  const observation: PodObservation = {
    pod: { name: pod.name, uid: pod.uid },
    ageMs: Math.max(nowMs - pod.createdAtMs, 0),
    ready: pod.ready,
    readings,
    saturation: {
      ...(everyLimited(pod, 'cpuLimit') ? { cpu_usage: PERCENT_OF_LIMIT } : {}),
      ...(everyLimited(pod, 'memoryLimit') ? { memory_usage: PERCENT_OF_LIMIT } : {}),
    },
    status: statusFindings(pod, nowMs),
  };
  return pod.templateHash === undefined ? observation : { ...observation, templateHash: pod.templateHash };
}

function everyLimited({ containers }: PodSnapshot, resource: 'cpuLimit' | 'memoryLimit'): boolean {
  let isLimited = false;
  for (const container of containers) {
    if (container.init) continue;
    if ((container[resource] ?? 0) <= 0) return false;
    isLimited = true;
  }
  return isLimited;
}
