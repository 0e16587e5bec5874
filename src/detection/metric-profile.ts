import { PRESET_NAMES, PRESETS, isPreset } from './presets.ts';
import type { PresetName } from './presets.ts';
import type { Direction, MetricSpec } from './sample.ts';

/** A score that a bare value earns without any history: points of (value, score), rising, linear between. */
export type Expectation = readonly (readonly [value: number, score: number])[];

/**
 * What the engine must know of a metric beside its spec, so that statistics do not call a harmless move a fault.
 * Floors are in the metric's own unit.
 */
export interface MetricProfile {
  readonly direction: Direction;
  /** Deviations below it matter to nobody, however unusual. */
  readonly absoluteFloor: number;
  /** Same, as a share of the expected value. */
  readonly relativeFloor: number;
  /** Learnt deviations count only from this value on: a rise from 5 to 20 % of a limit harms nobody. */
  readonly harmfulFrom: number | undefined;
  /** The natural end of the scale, where the unit has one and the pod does not name another. */
  readonly ceiling: number | undefined;
  readonly expectation: Expectation | undefined;
  /** The expectation reads a share of a limit: without a known limit the value has another unit, and it is mute. */
  readonly expectationNeedsLimit: boolean;
  /** A learnt past at this level may silence the expectation (a heap that lives at 92 %, an API that takes 2 s). */
  readonly expectationYieldsToHistory: boolean;
  /** A resource that fills up: its slope and the time to its limit are an early warning. */
  readonly fills: boolean;
  /** `driver`: is load; `follower`: rises with load in a healthy pod. */
  readonly load: 'driver' | 'follower' | 'none';
}

/** What a table row says of a metric; what it leaves out does not hold. */
type Stated = Pick<MetricProfile, 'absoluteFloor' | 'relativeFloor' | 'load'> &
  Partial<Omit<MetricProfile, 'direction'>>;

/** The presets, in the units of `presets.ts`. */
const PROFILES: Readonly<Record<PresetName, Stated>> = {
  cpu_usage: {
    absoluteFloor: 15,
    relativeFloor: 0.5,
    harmfulFrom: 60,
    ceiling: 100,
    expectation: [
      [50, 0.05],
      [70, 0.3],
      [80, 0.55],
      [90, 0.8],
      [95, 0.88],
      [100, 0.95],
    ],
    expectationNeedsLimit: true,
    expectationYieldsToHistory: true,
    load: 'follower',
  },
  memory_usage: {
    absoluteFloor: 10,
    relativeFloor: 0.25,
    harmfulFrom: 50,
    ceiling: 100,
    expectation: [
      [60, 0.05],
      [75, 0.3],
      [85, 0.6],
      [90, 0.8],
      [93, 0.86],
      [100, 0.97],
    ],
    expectationNeedsLimit: true,
    expectationYieldsToHistory: true,
    fills: true,
    load: 'follower',
  },
  disk_io: { absoluteFloor: 4e6, relativeFloor: 3, load: 'follower' },
  request_rate: { absoluteFloor: 1, relativeFloor: 0.9, load: 'driver' },
  error_rate: {
    absoluteFloor: 0.03,
    relativeFloor: 1,
    harmfulFrom: 0.03,
    ceiling: 1,
    expectation: [
      [0.01, 0.05],
      [0.05, 0.5],
      [0.1, 0.75],
      [0.15, 0.86],
      [0.3, 0.93],
      [1, 0.99],
    ],
    load: 'none',
  },
  response_time: {
    absoluteFloor: 50,
    relativeFloor: 1,
    harmfulFrom: 100,
    expectation: [
      [200, 0.05],
      [500, 0.5],
      [800, 0.75],
      [1000, 0.86],
      [5000, 0.95],
      [30000, 0.99],
    ],
    expectationYieldsToHistory: true,
    load: 'none',
  },
  cpu_throttling: {
    absoluteFloor: 0.15,
    relativeFloor: 1,
    harmfulFrom: 0.25,
    // Throttling alone is no reason to act: its expectation never reaches the threshold.
    expectation: [
      [0.1, 0.05],
      [0.25, 0.4],
      [0.5, 0.65],
      [1, 0.8],
    ],
    load: 'follower',
  },
  restarts: { absoluteFloor: 3, relativeFloor: 0.5, load: 'none' },
  volume_usage: {
    absoluteFloor: 10,
    relativeFloor: 0.2,
    harmfulFrom: 70,
    ceiling: 100,
    expectation: [
      [70, 0.05],
      [80, 0.45],
      [85, 0.65],
      [90, 0.86],
      [97, 0.95],
      [100, 0.99],
    ],
    fills: true,
    load: 'none',
  },
};

/** Metrics that Aegis does not know are judged by what was learnt: half as much again as expected may matter. */
const UNKNOWN: Stated = { absoluteFloor: 0, relativeFloor: 0.5, load: 'none' };

/** All profiles are objects of one shape, whatever their rows leave out: each is read a dozen times a sample. */
const profile = (direction: Direction, stated: Stated): MetricProfile => ({
  direction,
  absoluteFloor: stated.absoluteFloor,
  relativeFloor: stated.relativeFloor,
  harmfulFrom: stated.harmfulFrom,
  ceiling: stated.ceiling,
  expectation: stated.expectation,
  expectationNeedsLimit: stated.expectationNeedsLimit ?? false,
  expectationYieldsToHistory: stated.expectationYieldsToHistory ?? false,
  fills: stated.fills ?? false,
  load: stated.load,
});

/** The profiles that nearly every sample asks for, made once: presets in their own direction, the rest in each. */
const PRESET_PROFILES: ReadonlyMap<string, MetricProfile> = new Map(
  PRESET_NAMES.map((name) => [name, profile(PRESETS[name].direction, PROFILES[name])]),
);
const perDirection = (fills: boolean): Readonly<Record<Direction, MetricProfile>> => ({
  Above: profile('Above', { ...UNKNOWN, fills }),
  Below: profile('Below', UNKNOWN),
  Both: profile('Both', { ...UNKNOWN, fills }),
});
const LIMITED = perDirection(true);
const UNLIMITED = perDirection(false);

/** The profile of a metric, harmful in the direction of its spec. */
export function profileOf({ name, direction, limit }: MetricSpec): MetricProfile {
  const preset = PRESET_PROFILES.get(name);
  if (preset === undefined) return (limit === undefined ? UNLIMITED : LIMITED)[direction];
  return preset.direction === direction ? preset : { ...preset, direction };
}

/** The spec of a preset, or of any other name: unit not known, harmful on both sides. */
export function metricSpec(name: string): MetricSpec {
  return isPreset(name) ? PRESETS[name] : { name, unit: '', direction: 'Both' };
}
