import type { LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import type { Result } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { ActionParameters, Intent } from '../../policy/action.ts';
import type { ThrottlePath, ThrottleProvider } from '../../policy/throttle-path.ts';
import type { CallFault } from '../errors.ts';

/** One thing that limits traffic. Each leaves a mark with the action's id, but the hook, which is told the id. */
export interface LimitProvider {
  readonly name: ThrottleProvider;
  /** False: nothing in the cluster shows the limit; the answer is all that is known of it. */
  readonly leavesTrace: boolean;
  /** The way through which the workload's traffic comes; `undefined`: it does not come through this provider. */
  find(workload: WorkloadSnapshot): Promise<Result<ThrottlePath | undefined, CallFault>>;
  apply(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome>;
  settle(intent: Intent): Promise<Settlement>;
  standing(intent: Intent): Promise<LimitStanding>;
  /** Takes it back where it still is as it was written; `already` where it is gone. */
  remove(intent: Intent): Promise<Outcome>;
  /** Tells a provider that keeps its own time that the limit goes on; absent: it stays until it is taken back. */
  renew?(intent: Intent, renewal: number): Promise<Outcome>;
}

export type ThrottleParameters = ActionParameters & { readonly kind: 'throttle' };

export const throttleOf = ({ parameters }: Intent): ThrottleParameters | undefined =>
  parameters.kind === 'throttle' ? parameters : undefined;
