import type { PresetName } from '../detection/presets.ts';
import { steadyRate, type IdentityLabels, type PresetSource, type Scope } from './preset-source.ts';
import { errorRateSources, requestRateSources, responseTimeSources } from './traffic-sources.ts';

/** A named metric and the families of series that it can be computed from, in order of preference. */
export interface Preset {
  readonly name: PresetName;
  /**
   * Of the polled value: `cores` and `bytes` where the policy speaks of per cent of the limit, because only the pod
   * object knows the limit.
   */
  readonly unit: string;
  readonly kind: 'container' | 'traffic' | 'volume' | 'pod-object';
  readonly sources: readonly PresetSource[];
}

const POD: IdentityLabels = { namespace: 'namespace', kind: 'pod', entity: 'pod' };
const CLAIM: IdentityLabels = { namespace: 'namespace', kind: 'claim', entity: 'persistentvolumeclaim' };

/** cAdvisor also reports the pod's own cgroup (no container) and the pause container (POD): counted twice else. */
const CONTAINERS = 'container!="",container!="POD",';

/**
 * Sum over a pod's containers. The inner maximum folds what is reported twice: by cAdvisor and the kubelet's resource
 * endpoint, and by cAdvisor for a restarted container, whose old series lingers without a staleness marker.
 */
const perContainer = (s: Scope, value: string): string => `sum by (${s.by}) (max by (${s.by}, container) (${value}))`;

const containerRate = (s: Scope, metric: string): string =>
  perContainer(s, steadyRate(`${metric}{${CONTAINERS}${s.matcher}}`, s));

const container = (probe: string, expression: (scope: Scope) => string): PresetSource => ({
  id: 'container',
  labels: POD,
  probe,
  probeMatchers: CONTAINERS,
  expression,
});

const CPU = 'container_cpu_usage_seconds_total';
const MEMORY = 'container_memory_working_set_bytes';
const THROTTLED = 'container_cpu_cfs_throttled_periods_total';
const PERIODS = 'container_cpu_cfs_periods_total';
const USED = 'kubelet_volume_stats_used_bytes';
const CAPACITY = 'kubelet_volume_stats_capacity_bytes';

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  cpu_usage: preset('cpu_usage', 'cores', 'container', [container(CPU, (s) => containerRate(s, CPU))]),
  memory_usage: preset('memory_usage', 'bytes', 'container', [
    container(MEMORY, (s) => perContainer(s, `last_over_time(${MEMORY}{${CONTAINERS}${s.matcher}}[${s.fresh}])`)),
  ]),
  disk_io: preset('disk_io', 'bytes/s', 'container', [
    container(
      'container_fs_writes_bytes_total',
      (s) =>
        `${containerRate(s, 'container_fs_reads_bytes_total')} + ${containerRate(s, 'container_fs_writes_bytes_total')}`,
    ),
  ]),
  request_rate: preset('request_rate', '1/s', 'traffic', requestRateSources),
  error_rate: preset('error_rate', 'ratio', 'traffic', errorRateSources),
  response_time: preset('response_time', 'ms', 'traffic', responseTimeSources),
  /** Share of scheduling periods in which the pod hit its limit; no period at all means that none was throttled. */
  cpu_throttling: preset('cpu_throttling', 'ratio', 'container', [
    container(PERIODS, (s) => {
      const increase = (metric: string): string =>
        perContainer(s, `increase(${metric}{${CONTAINERS}${s.matcher}}[${s.rate}])`);
      return `${increase(THROTTLED)} / clamp_min(${increase(PERIODS)}, 1)`;
    }),
  ]),
  restarts: preset('restarts', 'count', 'pod-object', []),
  volume_usage: preset('volume_usage', 'percent', 'volume', [
    {
      id: 'kubelet',
      labels: CLAIM,
      probe: USED,
      probeMatchers: '',
      expression: (s) => {
        const last = (metric: string): string =>
          `max by (${s.by}) (last_over_time(${metric}{${s.matcher}}[${s.fresh}]))`;
        return `100 * ${last(USED)} / ${last(CAPACITY)}`;
      },
    },
  ]),
};

/** In a fixed order, so that plans and messages do not change from poll to poll. */
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

/** Every source of every preset: what discovery looks for. */
export const ALL_SOURCES: readonly PresetSource[] = PRESET_NAMES.flatMap((name) => PRESETS[name].sources);

/** Is that the name of a preset? */
export const isPreset = (name: string): name is PresetName => Object.hasOwn(PRESETS, name);

function preset(name: PresetName, unit: string, kind: Preset['kind'], sources: readonly PresetSource[]): Preset {
  return { name, unit, kind, sources };
}
