import type { Executor } from '../../controller/ports.ts';
import type { EffectName } from '../../policy/action.ts';
import { type ExecutorContext, RestartPod } from './restart-pod.ts';
import { Scale } from './scale.ts';
import type { PostToPod } from '../../controller/ports.ts';
import type { LimitProvider } from '../throttle/provider.ts';
import { ClearCache } from './clear-cache.ts';
import { ThrottleApi } from './throttle-api.ts';

/**
 * Every effect that this build can perform; adding one is one file beside this one and one line here. An action that
 * is not in the list is not enabled, so a rung that asks for it is skipped with `ActionNotAllowed`.
 */
export function executors(
  context: ExecutorContext,
  { limits, postToPod }: { readonly limits: readonly LimitProvider[]; readonly postToPod: PostToPod },
): ReadonlyMap<EffectName, Executor> {
  const all: readonly Executor[] = [
    new RestartPod(context),
    new Scale('scale_up', context),
    new Scale('scale_down', context),
    new ThrottleApi(limits),
    new ClearCache(context, postToPod),
  ];
  return new Map(all.map((executor) => [executor.action, executor]));
}
