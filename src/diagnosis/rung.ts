/**
 * A default ladder as plain values, structurally a list of the policy room's `Step`: that room lies to the right of
 * this one, so the shape is declared here and the compiler checks the fit where a ladder is used.
 */
export type RemedyAction =
  'restart_pod' | 'scale_up' | 'scale_down' | 'throttle_api' | 'clear_cache' | 'alert_admin' | 'no_action';

/** The actions that change the cluster. */
export const REMEDY_EFFECTS: readonly RemedyAction[] = [
  'restart_pod',
  'scale_up',
  'scale_down',
  'throttle_api',
  'clear_cache',
];

/** One rung: tried `attempts` times, each given `timeoutSeconds` to help. */
export interface Rung {
  readonly action: RemedyAction;
  readonly attempts: number;
  readonly timeoutSeconds: number;
  readonly scale?: {
    readonly percent: number;
    readonly returnAfterSeconds: number;
    readonly autoscaler: 'Leave' | 'RaiseMinimum';
  };
  readonly throttle?: {
    readonly provider: 'Auto' | 'EnvoyGateway' | 'Istio' | 'IngressNginx' | 'Hook';
    readonly percentOfBaseline: number;
    readonly ttlSeconds: number;
  };
}

const once = { attempts: 1, timeoutSeconds: 300 } as const;

/** The rungs with the defaults of `failures.md` and `actions.md`: one attempt, 300 s. */
export const RUNGS = {
  restartPod: { action: 'restart_pod', ...once },
  scaleUp: { action: 'scale_up', ...once, scale: { percent: 50, returnAfterSeconds: 1800, autoscaler: 'Leave' } },
  throttleApi: {
    action: 'throttle_api',
    ...once,
    throttle: { provider: 'Auto', percentOfBaseline: 80, ttlSeconds: 900 },
  },
  /** Skipped as `NotDeclared` unless a step of the policy declares the cache. */
  clearCache: { action: 'clear_cache', ...once },
  alertAdmin: { action: 'alert_admin', ...once },
} as const satisfies Record<string, Rung>;
