import type { ThrottleHook } from '../../controller/ports.ts';
import type { ThrottleProvider } from '../../policy/throttle-path.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { EnvoyGatewayLimit } from './envoy-gateway.ts';
import { HookLimit } from './hook-limit.ts';
import { IngressNginxLimit } from './ingress-nginx.ts';
import { IstioLimit } from './istio.ts';
import type { LimitProvider } from './provider.ts';

/** What this installation may limit traffic with. The hook is there where it is configured. */
export function limitProviders(
  context: ExecutorContext,
  { allowed, hook }: { readonly allowed: readonly ThrottleProvider[]; readonly hook?: ThrottleHook },
): readonly LimitProvider[] {
  const all: readonly LimitProvider[] = [
    new EnvoyGatewayLimit(context),
    new IstioLimit(context),
    new IngressNginxLimit(context),
    ...(hook === undefined ? [] : [new HookLimit(context, hook)]),
  ];
  return all.filter(({ name }) => name === 'Hook' || allowed.includes(name));
}
