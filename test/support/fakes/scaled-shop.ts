import { PRESETS } from '../../../src/detection/presets.ts';
import type { Disturbance } from './fake-metric-source.ts';
import { aShop, quickPolicy, type World } from './world.ts';

/** A shop that doubles its pods when it is slow; a limit says what slow is, so that no history is needed to be sure. */
export function aScaledShop(attempts: number, returnAfterSeconds: number): Promise<World> {
  const { detection } = quickPolicy();
  const metrics = [
    { ...PRESETS.cpu_usage, limit: { enter: 90, leave: 80, forSeconds: 0 } },
    { ...PRESETS.response_time, limit: { enter: 150, leave: 100, forSeconds: 0 } },
    PRESETS.request_rate,
    PRESETS.memory_usage,
  ];
  const step = {
    ...{ action: 'scale_up' as const, attempts, timeoutSeconds: 300 },
    scale: { percent: 100, returnAfterSeconds, autoscaler: 'Leave' as const },
  };
  return aShop({
    detection: { ...detection, metrics },
    remedies: [{ on: ['any'], minSeverity: 'low', steps: [step] }],
  });
}

/** Saturated and slow for as long as there are no more pods than now. */
export function slowUnlessMore(world: World): () => void {
  const usual = world.cluster.workload('checkout').replicas.desired;
  const disturb: Disturbance = (vitals, _, { replicas }) => {
    if (replicas.ready > usual) return;
    vitals['cpu_usage'] = 98 + (vitals['cpu_usage'] ?? 0) / 100;
    vitals['request_rate'] = 3 * (vitals['request_rate'] ?? 0);
    vitals['response_time'] = 10 * (vitals['response_time'] ?? 0);
  };
  world.source.disturbances.push(disturb);
  return () => void world.source.disturbances.splice(world.source.disturbances.indexOf(disturb), 1);
}
