import type { GuardInput, Hold } from '../guard.ts';
import type { ThrottleParameters } from '../action.ts';
import { hold } from '../hold.ts';

type Provider = ThrottleParameters['provider'];

/** `Auto` tries these two and no others. */
const AUTOMATIC: readonly Provider[] = ['EnvoyGateway', 'Istio'];

/** The provider that carries the workload's traffic and may be used for the wish; `undefined`: none. */
export function chosenProvider(wished: Provider, available: readonly Provider[] = []): Provider | undefined {
  return wished === 'Auto'
    ? AUTOMATIC.find((provider) => available.includes(provider))
    : available.find((provider) => provider === wished);
}

/** What must be true for throttle_api. */
export function throttleRefusal({ proposal, throttleProviders, workload }: GuardInput): Hold | undefined {
  if (proposal.parameters.kind !== 'throttle') return hold('Unsupported', 'the parameters are not those of a limit');
  const { throttle, limitPerSecond } = proposal.parameters;
  if (chosenProvider(throttle.provider, throttleProviders) === undefined) {
    return hold(
      'UnsupportedByCluster',
      `no provider (${throttle.provider}) carries the traffic of ${workload.ref.name}`,
    );
  }
  return Number.isFinite(limitPerSecond) && limitPerSecond > 0
    ? undefined
    : hold('NoBaseline', 'healthy traffic was never observed, so there is nothing to limit it to');
}
