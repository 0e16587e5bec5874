import { defaultLadder, refusalOf } from './catalog.ts';
import type { Category, FailureType } from './failure-type.ts';
import type { Situation } from './failure-model.ts';
import type { RemedyAction } from './rung.ts';

/** What the category's name alone bears, where the finer type is open. */
const CATEGORY_ACTIONS: Readonly<Record<Category, readonly RemedyAction[]>> = {
  memory_leak: ['restart_pod'],
  service_down: ['restart_pod'],
  high_latency: ['scale_up'],
  connection_timeout: [],
};

/** The ladder of the type without what it refuses, `alert_admin` last: never empty. */
export function actionsForType(type: FailureType, situation: Situation): readonly RemedyAction[] {
  const rungs = defaultLadder(type, situation).map((rung) => rung.action);
  const allowed = rungs.filter(
    (action) => action !== 'alert_admin' && refusalOf(type, action, situation) === undefined,
  );
  return [...allowed, 'alert_admin'];
}

/** The actions of one of the four names, `alert_admin` last. */
export const actionsForCategory = (category: Category): readonly RemedyAction[] => [
  ...CATEGORY_ACTIONS[category],
  'alert_admin',
];

const PRECONDITIONS: Readonly<Record<RemedyAction, readonly string[]>> = {
  restart_pod: [
    'restart_pod: the pod has a controller, is Running and old enough, and its workload is not rolling out',
    'restart_pod: its PodDisruptionBudget allows the eviction',
  ],
  scale_up: [
    'scale_up: no autoscaler or GitOps controller owns the replicas',
    'scale_up: the workload is below its maximum and within its quota',
  ],
  scale_down: ['scale_down: every metric of every pod is present and fresh, and no other incident is open'],
  throttle_api: ['throttle_api: a provider carries the traffic of this workload, and its healthy traffic is known'],
  clear_cache: ['clear_cache: a step of the policy declares the cache, and its backing store is well'],
  alert_admin: [],
  no_action: [],
};

/** What must hold in the cluster before the actions may be done. */
export const preconditionsOf = (actions: readonly RemedyAction[]): readonly string[] =>
  actions.flatMap((action) => PRECONDITIONS[action]);
