import type { GuardInput, Hold } from '../guard.ts';
import { hold } from '../hold.ts';
import { chosenPath, isPath } from '../throttle-path.ts';

/** What must be true for throttle_api. */
export function throttleRefusal({ proposal, throttlePaths, selfName }: GuardInput): Hold | undefined {
  if (proposal.parameters.kind !== 'throttle') return hold('Unsupported', 'the parameters are not those of a limit');
  const { throttle, limitPerSecond, routes } = proposal.parameters;
  const path = chosenPath(throttle.provider, throttlePaths, selfName);
  if (!isPath(path)) return path;
  if (routes.some((route) => !path.routes.includes(route))) {
    return hold('TargetChanged', `the traffic comes through ${path.routes.join(', ')} by now`);
  }
  return Number.isFinite(limitPerSecond) && limitPerSecond > 0
    ? undefined
    : hold('NoBaseline', 'healthy traffic was never observed, so there is nothing to limit it to');
}
