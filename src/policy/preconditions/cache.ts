import { HOUR, inWords } from '../../lib/duration.ts';
import type { PodRef } from '../../lib/workload.ts';
import { effectiveGuardrail, sameCommand } from '../effective-guardrail.ts';
import type { GuardInput, Hold } from '../guard.ts';
import { hold } from '../hold.ts';
import { effectAtMs, sentEffects } from '../track-record.ts';

/** A cleared cache must warm up: the same pod is spared for so long. */
const CACHE_REST_MS = HOUR;

function podRefusal(ref: PodRef, { workload, proposal }: GuardInput): Hold | undefined {
  const pod = workload.pods.find(({ uid }) => uid === ref.uid);
  if (pod === undefined || pod.deletedAtMs !== undefined) return hold('TargetGone', `pod ${ref.name} is gone`);
  if (pod.controllerKind === undefined) return hold('NoController', `pod ${pod.name} has no controller`);
  if (!pod.ready) return hold('Unsupported', `pod ${pod.name} is not ready, so its cache cannot be asked`);
  if (!pod.hostNetwork) return undefined;
  const { parameters } = proposal;
  // On the host network the pod's address is the node's: the request would reach somebody else's port.
  return parameters.kind === 'cache' && 'exec' in parameters.cache
    ? undefined
    : hold('Unsupported', `pod ${pod.name} is on the host network`);
}

/** What did not help one pod is not tried on the next: the others keep their warm caches. */
function helpedNobody({ ledger = [], incident, selfName }: GuardInput): Hold | undefined {
  const failed = sentEffects(ledger).find(
    ({ action, incidentId, state, name }) =>
      action === 'clear_cache' && incidentId === incident.id && state === 'Ineffective' && name !== selfName,
  );
  return failed && hold('AttemptsSpent', `${failed.name} did not help: the other pods are spared`);
}

function recentlyCleared(input: GuardInput): Hold | undefined {
  const { ledger = [], proposal, nowMs, selfName } = input;
  const treated = new Set(proposal.pods.map(({ uid }) => uid));
  for (const record of sentEffects(ledger)) {
    if (record.action !== 'clear_cache' || record.name === selfName) continue;
    const agoMs = nowMs - effectAtMs(record, nowMs);
    if (agoMs >= CACHE_REST_MS || !record.podUids.some((uid) => treated.has(uid))) continue;
    return hold(
      'Cooldown',
      `the cache of this pod was cleared ${inWords(agoMs)} ago; not again for ${inWords(CACHE_REST_MS)}`,
      effectAtMs(record, nowMs) + CACHE_REST_MS,
    );
  }
  return undefined;
}

/** What must be true for clear_cache. */
export function cacheRefusal(input: GuardInput): Hold | undefined {
  const { proposal, guardrails, backingStore } = input;
  if (proposal.parameters.kind !== 'cache') return hold('NotDeclared', 'no step of the policy declares the cache');
  const { cache } = proposal.parameters;
  if ('exec' in cache) {
    const allowed = effectiveGuardrail(guardrails ?? []).execCommands;
    const { command } = cache.exec;
    if (!allowed.some((listed) => sameCommand(listed, command))) {
      return hold('CommandNotAllowed', `no guardrail lists the command [${command.join(' ')}]`);
    }
  }
  if (proposal.pods.length !== 1) return hold('Unsupported', `one pod at a time, not ${proposal.pods.length}`);
  if (backingStore === 'anomalous' || backingStore === 'unknown') {
    return hold('DependencyUnhealthy', `the store behind the cache is ${backingStore}: a cold cache would crush it`);
  }
  for (const ref of proposal.pods) {
    const refusal = podRefusal(ref, input);
    if (refusal !== undefined) return refusal;
  }
  return helpedNobody(input) ?? recentlyCleared(input);
}
