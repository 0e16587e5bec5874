import { deepestCallees, explainingCallee, knownCallees, waitsNotWorks } from '../discriminators.ts';
import type { DependencyState } from '../evidence.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import type { LogSignature } from '../log-signatures.ts';
import { RUNGS } from '../rung.ts';
import { kubectl } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const SIGNATURES: readonly LogSignature[] = ['connection-refused', 'deadline', 'bad-gateway'];

const deepest = (facts: Facts): readonly DependencyState[] => deepestCallees(facts) ?? [];

/** A call graph is known and every callee in it is known to be well; of one that is unknown that cannot be said. */
const everyCalleeIsWell = (facts: Facts): boolean =>
  knownCallees(facts)?.every((each) => each.state === 'healthy') === true;

/** What this workload calls does not answer. */
export const dependencyDown: FailureModel = {
  name: 'dependency_down',
  category: 'connection_timeout',
  assess(facts) {
    const [culprit, ...others] = deepest(facts);
    const isHurt = facts.metric('error_rate').direction === 'up' || facts.metric('response_time').direction === 'up';
    const isTold = SIGNATURES.some((signature) => facts.logs.has(signature));
    const allWell = everyCalleeIsWell(facts);
    const explains = explainingCallee(facts) !== undefined;
    const blamed = `its callee ${culprit?.name} is unhealthy and has no unhealthy callee itself`;
    const equals = [culprit, ...others].map((each) => each?.name).join(' and ');
    const waits = claim(waitsNotWorks(facts) === 'waits', 'cpu does not rise with the latency: it waits');
    return {
      findings: holding([
        status(
          explains ? WEIGHTS.statusStrong + 1 : WEIGHTS.statusHint,
          claim(culprit !== undefined && isHurt, blamed),
        ),
        ...SIGNATURES.map((signature) => told(facts, signature, WEIGHTS.logHint + 0.2)),
        ...given(culprit !== undefined || isTold, () => [
          goes(facts, 'error_rate', 'up', WEIGHTS.metric),
          goes(facts, 'response_time', 'up', WEIGHTS.metricHint),
          metric(WEIGHTS.metricHint, waits),
        ]),
        status(-WEIGHTS.statusStrong, claim(allWell, 'every known callee is well')),
      ]),
      contradictions: holding([
        claim(others.length > 0, `${equals} are equally deep in the call graph`),
        claim(allWell && isTold, 'every known callee is well'),
      ]),
      ...(culprit === undefined ? {} : { cause: { kind: 'dependency', name: culprit.name } }),
    };
  },
  ladder: () => [RUNGS.throttleApi],
  refuses: refusing(['restart_pod', 'scale_up', 'clear_cache'], 'the callers are well: what they call is not'),
  advice(facts) {
    const culprit = deepest(facts)[0]?.name;
    if (culprit === undefined) return 'Find out which callee does not answer; the log lines name the address.';
    const look = kubectl(facts, 'get pods,events --sort-by=.lastTimestamp');
    return `Heal ${culprit} first; this workload follows: ${look}`;
  },
};
