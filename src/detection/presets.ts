import type { MetricSpec } from './sample.ts';

/**
 * The metrics that Aegis knows by name: what their numbers mean. How they are asked for is the metric source's
 * business. Units are those of the REST contract.
 */
export const PRESET_NAMES = [
  'cpu_usage',
  'memory_usage',
  'disk_io',
  'request_rate',
  'error_rate',
  'response_time',
  'cpu_throttling',
  'restarts',
  'volume_usage',
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

const preset = (name: PresetName, unit: string, direction: MetricSpec['direction']): MetricSpec => ({
  name,
  unit,
  direction,
});

/** Unit and harmful direction of every preset. A request rate harms on either side: a surge, or traffic gone. */
export const PRESETS: Readonly<Record<PresetName, MetricSpec>> = {
  cpu_usage: preset('cpu_usage', 'percent', 'Above'),
  memory_usage: preset('memory_usage', 'percent', 'Above'),
  disk_io: preset('disk_io', 'bytes/s', 'Above'),
  request_rate: preset('request_rate', '1/s', 'Both'),
  error_rate: preset('error_rate', 'ratio', 'Above'),
  response_time: preset('response_time', 'ms', 'Above'),
  cpu_throttling: preset('cpu_throttling', 'ratio', 'Above'),
  restarts: preset('restarts', 'count', 'Above'),
  volume_usage: preset('volume_usage', 'percent', 'Above'),
};

/** True for the name of a preset. */
export const isPreset = (name: string): name is PresetName => (PRESET_NAMES as readonly string[]).includes(name);
