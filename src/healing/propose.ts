import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { PodSnapshot } from '../lib/workload.ts';
import type { ActionParameters, CacheParameters, EffectName, Step } from '../policy/action.ts';
import type { Hold, Proposal } from '../policy/guard.ts';
import { hold } from '../policy/hold.ts';
import { replicasOwner } from '../policy/ownership.ts';
import { podRefusal } from '../policy/preconditions/restart.ts';
import { refusal } from '../policy/preconditions/refusal.ts';
import { replicasCeiling, replicasFloor } from '../policy/preconditions/scale.ts';
import { chosenPath, isPath } from '../policy/throttle-path.ts';
import { severityOf, isAtLeast } from '../policy/severity.ts';
import { withProposal } from './decision-input.ts';
import type { DecisionInput } from './decision-input.ts';
import { nextAttempt } from './ladder.ts';
import type { Ladder } from './ladder.ts';
import { candidatePods, untreatedPods, wave } from './propose-pods.ts';

type Treatment = Pick<Proposal, 'pods' | 'parameters'>;
type Proposed = Result<Treatment, Hold>;

const SCALE_DEFAULT = { percent: 50, returnAfterSeconds: 1800, autoscaler: 'Leave' } as const;

/** Why no pod is left to treat. */
function noPod(input: DecisionInput, action: EffectName): Hold {
  const gone = untreatedPods(input, action).map(({ name }) => name);
  return gone.length === 0
    ? hold('InsufficientData', 'no untreated pod carries the failure')
    : hold('TargetChanged', `a live read found ${gone.join(', ')} gone, which the caches do not show yet`);
}

/** Rather one of these pods than those that may not go; a young one is proposed only if there is no older. */
function treatable(input: DecisionInput, pods: readonly PodSnapshot[]): Result<readonly PodSnapshot[], Hold> {
  const { nowMs, policy, nodes, verdict } = input;
  const refusals = pods.map((pod) => ({ pod, refused: podRefusal(pod, nodes) }));
  const free = refusals.filter(({ refused }) => refused === undefined).map(({ pod }) => pod);
  const [first] = refusals;
  if (first === undefined) return err(noPod(input, 'restart_pod'));
  if (free.length === 0 && first.refused !== undefined) return err(first.refused);
  const isJudged = ({ uid }: PodSnapshot): boolean =>
    verdict.pods.some(({ pod, state }) => pod.uid === uid && state !== 'unknown');
  const ripe = free.filter((pod) => nowMs - pod.createdAtMs >= policy.limits.minPodAgeSeconds * 1000 && isJudged(pod));
  return ok(ripe.length > 0 ? ripe : free);
}

/** Eviction of a few; for most pods, or for a single one that still serves, a rollout brings replacements first. */
function restart(input: DecisionInput, index: number): Proposed {
  const { workload } = input;
  const candidates = candidatePods(input, 'restart_pod');
  const { desired } = workload.replicas;
  const servesAlone = desired === 1 && candidates.some(({ ready }) => ready);
  if (servesAlone || (desired > 1 && candidates.length > desired / 2)) {
    return ok({ pods: [], parameters: { kind: 'restart', how: 'rollout' } });
  }
  const pods = treatable(input, candidates);
  return pods.ok ? ok({ pods: wave(pods.value, input, index), parameters: { kind: 'restart', how: 'evict' } }) : pods;
}

function scaleUp(input: DecisionInput, step: Step): Proposed {
  const { workload } = input;
  const { percent, returnAfterSeconds, autoscaler } = step.scale ?? SCALE_DEFAULT;
  const now = workload.replicas.desired;
  const owner = replicasOwner(workload);
  const raised = autoscaler === 'RaiseMinimum' && owner.kind === 'autoscaler' ? owner.autoscaler : undefined;
  const ceiling = Math.min(replicasCeiling(input), raised?.maxReplicas ?? Number.POSITIVE_INFINITY);
  const wished = Math.min(Math.ceil((now * (100 + percent)) / 100), 2 * now, Math.max(now, ceiling));
  const left = workload.quotaPodsLeft ?? Number.POSITIVE_INFINITY;
  if (wished > now && left <= 0) return err(hold('QuotaExceeded', 'the quota leaves no room for another pod'));
  const to = Math.min(wished, now + left);
  const parameters: ActionParameters = {
    kind: 'scale',
    from: raised === undefined ? now : (raised.minReplicas ?? 1),
    to,
    returnAfterSeconds,
    ...(raised === undefined ? {} : { autoscaler: raised.name }),
  };
  return ok({ pods: [], parameters });
}

function scaleDown(input: DecisionInput, step: Step): Proposed {
  const { percent, returnAfterSeconds } = step.scale ?? SCALE_DEFAULT;
  const from = input.workload.replicas.desired;
  const wished = Math.floor((from * (100 - Math.min(percent, 100))) / 100);
  const to = Math.max(wished, Math.ceil(from / 2), replicasFloor(input));
  return ok({ pods: [], parameters: { kind: 'scale', from, to, returnAfterSeconds } });
}

function throttle(input: DecisionInput, step: Step): Proposed {
  const wish = step.throttle ?? { provider: 'Auto' as const, percentOfBaseline: 80, ttlSeconds: 900 };
  const path = chosenPath(wish.provider, input.throttlePaths);
  if (!isPath(path)) return err(path);
  const { healthyRequestRate } = input;
  if (healthyRequestRate === undefined || !Number.isFinite(healthyRequestRate)) {
    return err(hold('NoBaseline', 'healthy traffic was never observed, so there is nothing to limit it to'));
  }
  const limitPerSecond = Math.max((healthyRequestRate * wish.percentOfBaseline) / 100, wish.minPerSecond ?? 0);
  const { provider, routes } = path;
  return ok({ pods: [], parameters: { kind: 'throttle', throttle: { ...wish, provider }, limitPerSecond, routes } });
}

/** The step's own cache, else the one that any step of the policy declares. */
function declaredCache({ policy }: DecisionInput, step: Step): CacheParameters | undefined {
  return step.cache ?? policy.remedies.flatMap(({ steps }) => steps).find(({ cache }) => cache !== undefined)?.cache;
}

function clearCache(input: DecisionInput, step: Step): Proposed {
  const cache = declaredCache(input, step);
  if (cache === undefined) return err(hold('NotDeclared', 'no step of the policy declares the cache'));
  const candidates = candidatePods(input, 'clear_cache');
  const pod = candidates.find(({ ready }) => ready) ?? candidates[0];
  if (pod === undefined) return err(noPod(input, 'clear_cache'));
  return ok({ pods: [{ name: pod.name, uid: pod.uid }], parameters: { kind: 'cache', cache } });
}

/** Sinks that want an alert of this severity; empty: every sink, where the policy names none. */
export function alertSinks(input: DecisionInput, step: Step): readonly string[] | undefined {
  if (step.notify !== undefined) return step.notify.sinks;
  const { notifications } = input.policy;
  if (notifications.length === 0) return [];
  const severity = severityOf(input.diagnosis.severityScore);
  const wanting = notifications.filter(({ minSeverity }) => isAtLeast(severity, minSeverity)).map(({ sink }) => sink);
  return wanting.length === 0 ? undefined : wanting;
}

function treatmentFor(input: DecisionInput, step: Step, index: number): Proposed {
  switch (step.action) {
    case 'restart_pod':
      return restart(input, index);
    case 'scale_up':
      return scaleUp(input, step);
    case 'scale_down':
      return scaleDown(input, step);
    case 'throttle_api':
      return throttle(input, step);
    case 'clear_cache':
      return clearCache(input, step);
    case 'alert_admin':
    case 'no_action':
      return ok({
        pods: input.diagnosis.pods,
        parameters: { kind: 'alert', sinks: alertSinks(input, step) ?? [] },
      });
  }
}

/** Makes a rung into an action, or says why it cannot be one: what waiting would not cure is known here already. */
export function propose(input: DecisionInput, ladder: Ladder, index: number, step: Step): Result<Proposal, Hold> {
  const treatment = treatmentFor(input, step, index);
  if (!treatment.ok) return treatment;
  const proposal: Proposal = {
    action: step.action,
    step,
    stepIndex: index,
    attempt: nextAttempt(input, index),
    ...treatment.value,
    basis: ladder.basis,
  };
  const refused = refusal(withProposal(input, proposal));
  return refused === undefined ? ok(proposal) : err(refused);
}
