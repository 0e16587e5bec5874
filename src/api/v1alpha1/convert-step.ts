import type { z } from 'zod';
import type { CacheParameters, Step, ThrottleParameters } from '../../policy/action.ts';
import type { cache, remedy, throttleShape } from './remedies.ts';

type WireStep = z.output<typeof remedy>['steps'][number];
type WireThrottle = z.output<z.ZodObject<typeof throttleShape>>;

/** The way a cache is emptied; the schema has made sure that there is exactly one. */
export function cacheParameters(wire: z.output<typeof cache>): CacheParameters | undefined {
  if (wire.http !== undefined) return { http: wire.http };
  return wire.exec === undefined ? undefined : { exec: wire.exec };
}

/** Throttle parameters without an absent floor. */
export function throttleParameters({ minPerSecond, ...rest }: WireThrottle): ThrottleParameters {
  return { ...rest, ...(minPerSecond !== undefined && { minPerSecond }) };
}

/**
 * A rung as the domain sees it. Scale and throttle rungs always carry their parameters, so that no default is
 * decided a second time elsewhere.
 */
export function domainStep(wire: WireStep): Step {
  const { action, attempts, timeoutSeconds, group, scale, throttle, cache, notify } = wire;
  const emptied = cache === undefined ? undefined : cacheParameters(cache);
  return {
    action,
    attempts,
    timeoutSeconds,
    ...(group !== undefined && { group }),
    ...(scale !== undefined && { scale }),
    ...(throttle !== undefined && { throttle: throttleParameters(throttle) }),
    ...(emptied !== undefined && { cache: emptied }),
    ...(notify !== undefined && { notify }),
  };
}
