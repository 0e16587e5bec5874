import type { PolicyStatus } from '../healing/policy-status.ts';
import { HOUR, MINUTE, SECOND } from '../lib/duration.ts';
import { costOf, spending, spentWithin } from '../policy/budget.ts';
import { PRIOR_ESTIMATE, type Effectiveness } from '../policy/effectiveness.ts';
import { begunEffects } from '../policy/track-record.ts';
import type { ActionLedger } from './action-ledger.ts';
import type { ClusterReader, MetricsSink } from './ports.ts';
import type { WorkQueue } from './workqueue.ts';

const POLICY_STATES = ['accepted', 'invalid', 'paused', 'conflict'] as const;
type PolicyState = (typeof POLICY_STATES)[number];

/** Reports what is a state and not an occurrence: called anew, not when something happens. */
export function reportState(
  of: {
    readonly reader: ClusterReader;
    readonly ledger: ActionLedger;
    readonly queues: readonly WorkQueue[];
    readonly metrics: MetricsSink;
  },
  nowMs: number,
): void {
  const { reader, ledger, queues, metrics } = of;
  const counts = new Map<PolicyState, number>();
  for (const parsed of reader.policies()) {
    const { namespace, name } = parsed.kind === 'valid' ? parsed.value : parsed;
    const state = parsed.kind === 'invalid' ? 'invalid' : stateOf(reader.policyStatus(namespace, name));
    if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  for (const state of POLICY_STATES) metrics.gauge('aegis_policies', counts.get(state) ?? 0, { state });
  for (const queue of queues) metrics.gauge('aegis_workqueue_depth', queue.depth, { queue: queue.name });
  for (const { kind, ageMs } of reader.ages()) metrics.gauge('aegis_cache_age_seconds', ageMs / SECOND, { kind });
  const records = ledger.records(nowMs);
  if (records === undefined) return; // not known: the last value stands, and aegis_store_up tells
  const spent = spending(records, undefined);
  metrics.gauge('aegis_budget_spent', spentWithin(spent, MINUTE, nowMs), { window: 'minute' });
  metrics.gauge('aegis_budget_spent', spentWithin(spent, HOUR, nowMs), { window: 'hour' });
  const underWay = begunEffects(records, undefined).reduce((sum, record) => sum + costOf(record), 0);
  metrics.gauge('aegis_budget_spent', underWay, { window: 'concurrent' });
}

/** The first that applies; `undefined`: nobody has looked at it yet. */
function stateOf(status: PolicyStatus | undefined): PolicyState | undefined {
  const is = (type: string): string | undefined => status?.conditions.find((each) => each.type === type)?.status;
  if (is('Accepted') === 'False') return 'invalid';
  if (is('Paused') === 'True') return 'paused';
  if (is('Conflict') === 'True') return 'conflict';
  return is('Accepted') === 'True' ? 'accepted' : undefined;
}

/** Reports how often the effects helped; what was reported before and is no more, a reset or its age took back. */
export function createEffectivenessReport(): (metrics: MetricsSink, now: readonly Effectiveness[]) => void {
  let before: readonly Labels[] = [];
  return (metrics, now) => {
    const isKnown = (labels: Labels): boolean => now.some((each) => isSame(labelsOf(each), labels));
    for (const labels of before) {
      if (isKnown(labels)) continue;
      metrics.gauge('aegis_effect_incidents', 0, labels);
      metrics.gauge('aegis_effect_estimate', PRIOR_ESTIMATE, labels);
    }
    for (const each of now) {
      metrics.gauge('aegis_effect_incidents', each.incidents, labelsOf(each));
      metrics.gauge('aegis_effect_estimate', each.estimate, labelsOf(each));
    }
    before = now.map(labelsOf);
  };
}

type Labels = ReturnType<typeof labelsOf>;
const labelsOf = ({ failureType, action, workloadKind }: Effectiveness) => ({
  ...{ failure_type: failureType, action, workload_kind: workloadKind },
});
const isSame = (a: Labels, b: Labels): boolean =>
  a.failure_type === b.failure_type && a.action === b.action && a.workload_kind === b.workload_kind;
