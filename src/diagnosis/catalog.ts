import type { Diagnosis } from './diagnosis.ts';
import { FAILURE_TYPES } from './failure-type.ts';
import type { Category, FailureType } from './failure-type.ts';
import type { FailureModel, Situation } from './failure-model.ts';
import type { RemedyAction, Rung } from './rung.ts';
import type { Trait } from './trait.ts';
import { badConfig } from './types/bad-config.ts';
import { badDeploy } from './types/bad-deploy.ts';
import { certificateExpired } from './types/certificate-expired.ts';
import { connectionPoolExhaustion } from './types/connection-pool-exhaustion.ts';
import { cpuSaturation } from './types/cpu-saturation.ts';
import { crashLoop } from './types/crash-loop.ts';
import { credentialsRejected } from './types/credentials-rejected.ts';
import { dependencyDown } from './types/dependency-down.ts';
import { dnsFailure } from './types/dns-failure.ts';
import { imageError } from './types/image-error.ts';
import { lockContention } from './types/lock-contention.ts';
import { memoryLeak } from './types/memory-leak.ts';
import { networkDelay } from './types/network-delay.ts';
import { networkPolicyBlock } from './types/network-policy-block.ts';
import { nodeNotReady } from './types/node-not-ready.ts';
import { nodePressure } from './types/node-pressure.ts';
import { oomKill } from './types/oom-kill.ts';
import { probeMisconfigured } from './types/probe-misconfigured.ts';
import { retryStorm } from './types/retry-storm.ts';
import { trafficSurge } from './types/traffic-surge.ts';
import { unknown } from './types/unknown.ts';
import { unschedulable } from './types/unschedulable.ts';
import { volumeFull } from './types/volume-full.ts';

/** Every failure type; the key is checked by the compiler, so a new name without a file does not build. */
export const FAILURE_MODELS: Readonly<Record<FailureType, FailureModel>> = {
  oom_kill: oomKill,
  memory_leak: memoryLeak,
  cpu_saturation: cpuSaturation,
  traffic_surge: trafficSurge,
  retry_storm: retryStorm,
  crash_loop: crashLoop,
  bad_deploy: badDeploy,
  image_error: imageError,
  bad_config: badConfig,
  probe_misconfigured: probeMisconfigured,
  connection_pool_exhaustion: connectionPoolExhaustion,
  dependency_down: dependencyDown,
  network_delay: networkDelay,
  network_policy_block: networkPolicyBlock,
  dns_failure: dnsFailure,
  certificate_expired: certificateExpired,
  credentials_rejected: credentialsRejected,
  volume_full: volumeFull,
  node_pressure: nodePressure,
  node_not_ready: nodeNotReady,
  unschedulable,
  lock_contention: lockContention,
  unknown,
};

/** The models in the order of `FAILURE_TYPES`. */
export const MODELS: readonly FailureModel[] = FAILURE_TYPES.map((type) => FAILURE_MODELS[type]);

/** The nearest of the four names of the REST contract, or null. */
export const categoryOf = (type: FailureType): Category | null => FAILURE_MODELS[type].category;

/** The default ladder of a type in this situation, without the `alert_admin` that ends every ladder; empty: alert at once. */
export const defaultLadder = (type: FailureType, situation: Situation): readonly Rung[] =>
  FAILURE_MODELS[type].ladder(situation);

/** Why this action does harm in this type (reason `HarmfulForType`); undefined: it is not refused. */
export const refusalOf = (type: FailureType, action: RemedyAction, situation: Situation): string | undefined =>
  FAILURE_MODELS[type].refuses(action, situation);

/**
 * What a ladder or refusal depends on, from a diagnosis and the workload's size.
 * `attempt` is the number of the attempt proposed for the action, 1 for the first.
 */
export function situationOf(
  diagnosis: Pick<Diagnosis, 'pods' | 'traits'>,
  totalPods: number,
  more: { readonly attempt?: number; readonly isMidRollout?: boolean } = {},
): Situation {
  const known: readonly Trait[] = diagnosis.traits ?? [];
  const traits =
    more.isMidRollout === true && !known.includes('mid-rollout') ? [...known, 'mid-rollout' as const] : known;
  return { affectedPods: diagnosis.pods.length, totalPods, attempt: more.attempt ?? 1, traits };
}
