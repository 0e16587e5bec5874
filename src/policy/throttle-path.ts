import type { ThrottleParameters } from './action.ts';
import type { Hold } from './guard.ts';
import { hold } from './hold.ts';

/** What can limit traffic; `Auto` is a wish, never a way. */
export type ThrottleProvider = Exclude<ThrottleParameters['provider'], 'Auto'>;

/** One way to limit a workload's traffic that this cluster has and through which that traffic comes. */
export interface ThrottlePath {
  readonly provider: ThrottleProvider;
  /** HTTPRoutes or the Ingress, in the workload's namespace; empty: its own pods (Istio), or whatever the hook knows. */
  readonly routes: readonly string[];
  /** Of the annotations that would be written: as they are now; null: absent (IngressNginx). */
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** Why it cannot be used, though the traffic comes through it. */
  readonly refused?: {
    readonly reason: 'UnsupportedByCluster' | 'ThrottleConflict';
    readonly message: string;
    /** Name of the object that limits it already. */
    readonly object?: string;
  };
}

/** Routes that one limit can name: as many as the action's object holds. */
export const MAX_ROUTES = 16;

/** `Auto` tries these two and no others. */
const AUTOMATIC: readonly ThrottleProvider[] = ['EnvoyGateway', 'Istio'];

/** Name of the object that throttle_api makes for an action; a DNS-1123 label. */
export const throttleObjectName = (actionName: string): string => `aegis-${actionName}`;

/** What the action's own object does is no conflict: after a crash it is there already. */
function refusalOf({ refused, routes }: ThrottlePath, selfName: string | undefined): Hold | undefined {
  if (routes.length > MAX_ROUTES) {
    return hold('TooManyRoutes', `the traffic comes through ${routes.length} routes; one limit names ${MAX_ROUTES}`);
  }
  if (refused === undefined) return undefined;
  const isOwn = selfName !== undefined && refused.object === throttleObjectName(selfName);
  return isOwn ? undefined : hold(refused.reason, refused.message);
}

/**
 * The way that is taken for a wish, or why none can be. `undefined` paths: they could not be looked at, which waits;
 * none among them: this cluster has none, which waiting does not cure.
 */
export function chosenPath(
  wished: ThrottleParameters['provider'],
  paths: readonly ThrottlePath[] | undefined,
  selfName?: string,
): ThrottlePath | Hold {
  if (paths === undefined) return hold('UnsafeToRead', 'what carries the traffic could not be looked at');
  const order = wished === 'Auto' ? AUTOMATIC : [wished];
  const candidates = order.flatMap((provider) => paths.filter((path) => path.provider === provider));
  const usable = candidates.find((path) => refusalOf(path, selfName) === undefined);
  if (usable !== undefined) return usable;
  const [first] = candidates;
  const refused = first === undefined ? undefined : refusalOf(first, selfName);
  if (refused !== undefined) return refused;
  return hold('UnsupportedByCluster', `no provider (${wished}) carries this workload's traffic`);
}

export const isPath = (choice: ThrottlePath | Hold): choice is ThrottlePath => 'provider' in choice;
