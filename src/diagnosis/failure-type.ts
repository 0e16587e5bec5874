/** The failure types that Aegis can name; one file each in `types/`. */
export const FAILURE_TYPES = [
  'oom_kill',
  'memory_leak',
  'cpu_saturation',
  'traffic_surge',
  'retry_storm',
  'crash_loop',
  'bad_deploy',
  'image_error',
  'bad_config',
  'probe_misconfigured',
  'connection_pool_exhaustion',
  'dependency_down',
  'network_delay',
  'network_policy_block',
  'dns_failure',
  'certificate_expired',
  'credentials_rejected',
  'volume_full',
  'node_pressure',
  'node_not_ready',
  'unschedulable',
  'lock_contention',
  'unknown',
] as const;
export type FailureType = (typeof FAILURE_TYPES)[number];

/** The four names of the REST contract; a finer type belongs to at most one of them. */
export const CATEGORIES = ['service_down', 'high_latency', 'memory_leak', 'connection_timeout'] as const;
export type Category = (typeof CATEGORIES)[number];
