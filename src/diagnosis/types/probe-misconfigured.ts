import { changed, restartSpacing } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { change, claim, given, goes, read, status } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const PROBE = /(?:liveness|startup|readiness) probe/i;
const KILLING_PROBE = /(?:liveness|startup) probe/i;
/** SIGTERM, and SIGKILL after the grace period. */
const SIGNALS = [143, 137];

const endedBySignal = (pod: PodFacts): boolean =>
  SIGNALS.includes(pod.lastEnd?.exitCode ?? -1) && pod.lastEnd?.reason !== 'OOMKilled';

function endTimes(facts: Facts, ended: readonly PodFacts[]): readonly number[] {
  const kills = facts.events.filter((event) => event.reason === 'Killing').map((event) => event.lastAtMs);
  return [...kills, ...ended.flatMap((pod) => pod.lastEnd?.finishedAtMs ?? [])];
}

/** The process is well; the probe is not. */
export const probeMisconfigured: FailureModel = {
  name: 'probe_misconfigured',
  category: 'service_down',
  assess(facts) {
    const killed = facts.events.some((event) => event.reason === 'Killing' && KILLING_PROBE.test(event.message));
    const warned = facts.events.some((event) => event.reason === 'Unhealthy' && PROBE.test(event.message));
    const ended = facts.pods.filter(endedBySignal);
    const spacing = restartSpacing(endTimes(facts, ended));
    const crashed = facts.logs.has('panic') || facts.logs.has('out-of-memory');
    const errorsLead = spacing === 'irregular' && facts.metric('error_rate').direction === 'up';
    return {
      findings: holding([
        status(WEIGHTS.statusStrong, claim(killed, 'the kubelet killed a container because its probe failed')),
        status(WEIGHTS.statusHint, claim(warned, 'events tell of a failing probe')),
        ...given(killed || warned, () => [
          status(WEIGHTS.statusStrong, claim(ended.length > 0, `${podNames(ended)}: ended by a signal, not by itself`)),
          status(WEIGHTS.statusHint, claim(spacing === 'constant', 'the restarts have constant spacing')),
          change(facts, WEIGHTS.changeHint / 2, changed(facts, 'template')),
          goes(facts, 'error_rate', 'flat', WEIGHTS.metricHint),
          goes(facts, 'error_rate', 'up', -WEIGHTS.metric),
          goes(facts, 'response_time', 'up', -WEIGHTS.metric),
        ]),
        read(-WEIGHTS.logStrong, claim(crashed, 'the log tells of a crash')),
      ]),
      contradictions: holding([
        claim((killed || warned) && errorsLead, 'errors come before irregular restarts: a crash'),
      ]),
      pods: refsOf(ended),
    };
  },
  ladder: () => [],
  refuses: refusing(['restart_pod', 'scale_up'], 'the probe kills the new pod as well'),
  advice: (facts) =>
    withCommand(
      facts,
      'Give the probe what the process needs (initialDelaySeconds, timeoutSeconds, failureThreshold, path, port)',
      (object) => `edit ${object}`,
    ),
};
