import { describe, expect, jest, test } from '@jest/globals';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Remedy } from '../../../src/policy/healing-policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(240_000);
const SECOND = 1_000;
const MINUTE = 60_000;
const COOLDOWN_MS = 60 * SECOND;
const OPPOSITE_REST_MS = 5 * MINUTE;

const scale = { percent: 50, returnAfterSeconds: 3_600, autoscaler: 'Leave' as const };
const rung = { attempts: 5, timeoutSeconds: 300 };
const REMEDIES: readonly Remedy[] = [
  { on: ['any'], minSeverity: 'low', steps: [{ ...rung, action: 'scale_up', scale }] },
  { on: ['anomaly:cpu_usage'], minSeverity: 'low', steps: [{ ...rung, action: 'scale_down', scale }] },
];

/** A step up, as the cluster saw it. */
interface Step {
  readonly atMs: number;
  readonly to: number;
}

/** The load swings between far too much and next to nothing. */
function swing(world: World, periodMs: number): void {
  const sinceMs = world.clock.nowMs();
  world.source.disturbances.push((vitals, _, __, atMs) => {
    const isHigh = Math.floor((2 * (atMs - sinceMs)) / periodMs) % 2 === 0;
    vitals['cpu_usage'] = isHigh ? 98 + (vitals['cpu_usage'] ?? 0) / 100 : (vitals['cpu_usage'] ?? 0) / 10;
  });
}

const stepsOf = (world: World): readonly Step[] =>
  world.cluster.requests
    .filter(({ verb, applied, dryRun }) => verb === 'scale' && applied && !dryRun)
    .map(({ what, atMs }) => ({ atMs, to: Number(what.split(' ').at(-1)) }));

describe('I19: a load that swings', () => {
  test.each([
    ['10 s', 10 * SECOND],
    ['30 s', 30 * SECOND],
    ['a minute', MINUTE],
    ['3 min', 3 * MINUTE],
    ['7 min', 7 * MINUTE],
    ['20 min', 20 * MINUTE],
  ])(
    'every %s: no opposite steps within five minutes, none within the cooldown, at most twice or half',
    async (_, periodMs) => {
      const { detection } = quickPolicy();
      const metrics = [
        { ...PRESETS.cpu_usage, direction: 'Both' as const },
        PRESETS.response_time,
        PRESETS.request_rate,
        PRESETS.memory_usage,
      ];
      const world = await aShop({ remedies: REMEDIES, detection: { ...detection, metrics } }, 4);
      await anOperator(world);
      await world.run(5 * MINUTE);
      swing(world, periodMs);
      await world.run(40 * MINUTE);
      let last: Step & { readonly from: number } = { atMs: Number.NEGATIVE_INFINITY, from: 4, to: 4 };
      const steps = stepsOf(world);
      expect(steps.length).toBeGreaterThan(0);
      for (const step of steps) {
        const [was, is] = [Math.sign(last.to - last.from), Math.sign(step.to - last.to)];
        const isUndo = step.to === last.from;
        if (!isUndo) {
          expect(step.atMs - last.atMs).toBeGreaterThanOrEqual(is === was ? COOLDOWN_MS : OPPOSITE_REST_MS);
          expect(step.to).toBeLessThanOrEqual(2 * last.to);
          expect(step.to).toBeGreaterThanOrEqual(last.to / 2);
        }
        last = { ...step, from: last.to };
      }
      expect(world.cluster.workload('checkout').replicas.desired).toBeGreaterThanOrEqual(1);
      expect(world.faults()).toEqual([]);
    },
  );
});
