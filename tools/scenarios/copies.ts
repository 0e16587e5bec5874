import { matches } from './pattern.ts';
import type { Scenario, ScenarioEvent, ScenarioWorkload } from './schema.ts';

/** A workload that is there several times, as that many: `svc` with three copies is `svc-1`, `svc-2` and `svc-3`. */
export function copiesOf<W extends Pick<ScenarioWorkload, 'name' | 'copies'>>(workload: W): readonly W[] {
  const { copies, ...alike } = workload;
  if (copies === undefined) return [workload];
  return Array.from({ length: copies }, (_, i) => ({ ...alike, name: `${workload.name}-${i + 1}` }) as W);
}

/** The scenario with every copy as a workload of its own, and every event that names several as one for each. */
export function withCopies(scenario: Scenario): Scenario {
  const workloads = scenario.cluster.workloads.flatMap(copiesOf);
  return {
    ...scenario,
    cluster: { ...scenario.cluster, workloads },
    events: scenario.events.flatMap((event) => eachOf(event, workloads)),
  };
}

function eachOf(event: ScenarioEvent, workloads: readonly ScenarioWorkload[]): readonly ScenarioEvent[] {
  if (!('workload' in event) || typeof event.workload !== 'string' || !event.workload.includes('*')) return [event];
  const { workload: pattern } = event;
  return workloads
    .filter(({ name }) => matches(pattern, name))
    .map(({ name, namespace }) => ({ ...event, workload: name, namespace }) as ScenarioEvent);
}
