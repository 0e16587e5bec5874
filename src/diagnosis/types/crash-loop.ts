import { neverWorked } from '../changes.ts';
import { changed, templateSplit } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, isOneOfSeveral } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { change, claim, given, status, told } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { RUNGS } from '../rung.ts';
import { kubectl } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const CRASH_CODES = [1, 2, 134, 139];
const MANY_RESTARTS = 3;

const keepsDying = (pod: PodFacts): boolean =>
  pod.restarts > MANY_RESTARTS && !pod.ready && pod.lastEnd !== undefined && pod.lastEnd.reason !== 'OOMKilled';

/** Pods that start and die, over and over. */
export const crashing = (facts: Facts): readonly PodFacts[] =>
  facts.pods.filter((pod) => pod.reasons.includes('CrashLoopBackOff') || keepsDying(pod));

/** A process that dies so soon has not got past reading its configuration. */
export const AT_ONCE_MS = 5_000;

/** The container ended by itself, with an error, right after its start. */
export function diesAtOnce(pod: PodFacts): boolean {
  const end = pod.lastEnd;
  if (end?.startedAtMs === undefined || end.finishedAtMs === undefined) return false;
  return end.exitCode > 0 && end.exitCode < 128 && end.finishedAtMs - end.startedAtMs <= AT_ONCE_MS;
}

/** Some pods crash while others of the workload serve. */
function peersServe(facts: Facts): boolean {
  const pods = crashing(facts);
  return pods.length > 0 && facts.pods.some((pod) => pod.ready && !pods.includes(pod));
}

/** A container dies again and again, by its own doing and without a change that explains it. */
export const crashLoop: FailureModel = {
  name: 'crash_loop',
  category: 'service_down',
  assess(facts) {
    const pods = crashing(facts);
    const isCrashing = pods.length > 0;
    const coded = pods.filter((pod) => CRASH_CODES.includes(pod.lastEnd?.exitCode ?? -1));
    const foreign = pods.filter((pod) => pod.lastEnd?.reason === 'OOMKilled' || pod.lastEnd?.exitCode === 143);
    const serves = peersServe(facts);
    const isOwnFault = serves && templateSplit(facts) !== 'new-only';
    const explanation = isCrashing ? changed(facts, 'template', 'image', 'config', 'secret') : undefined;
    const restarts = Math.max(0, ...pods.map((pod) => pod.restarts));
    const codes = [...new Set(coded.map((pod) => pod.lastEnd?.exitCode))].join(', ');
    return {
      findings: holding([
        status(
          WEIGHTS.statusDecisive,
          claim(isCrashing, `${podNames(pods)}: CrashLoopBackOff after ${restarts} restarts`),
        ),
        status(WEIGHTS.statusHint / 2, claim(coded.length > 0, `exit code ${codes}`)),
        status(WEIGHTS.statusHint / 2, claim(isOwnFault, 'its peers of the same workload run')),
        status(-WEIGHTS.statusStrong, claim(foreign.length > 0, `${podNames(foreign)}: ended from outside`)),
        ...given(!isOwnFault, () => [
          change(facts, -WEIGHTS.statusStrong, explanation),
          status(-WEIGHTS.statusHint, claim(pods.some(diesAtOnce), 'it dies before it has read its configuration')),
          status(-WEIGHTS.statusHint, claim(neverWorked(facts.input), 'it has never run since it was created')),
        ]),
        told(facts, 'panic', WEIGHTS.logHint),
      ]),
      contradictions: [],
      pods: refsOf(pods),
    };
  },
  ladder: (situation) => (isOneOfSeveral(situation) ? [RUNGS.restartPod] : []),
  refuses(action, situation) {
    if (action === 'scale_up') return 'new replicas crash as well';
    const isSecond = action === 'restart_pod' && situation.attempt > 1;
    return claim(isSecond, 'a second restart repeats what the kubelet does already');
  },
  advice(facts) {
    const pod = crashing(facts)[0]?.pod.name ?? 'POD';
    return `Read why it died: ${kubectl(facts, `logs ${pod} --previous --tail=100`)}`;
  },
};
