import { neverWorked } from '../changes.ts';
import { changed } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { change, claim, given, status, told } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { kubectl, span, withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';
import { AT_ONCE_MS, crashing, diesAtOnce } from './crash-loop.ts';

const REASONS = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];
const refused = (facts: Facts): readonly PodFacts[] =>
  facts.pods.filter((pod) => pod.reasons.some((reason) => REASONS.includes(reason)));

/** A reference or a value that the container needs is missing or wrong. */
export const badConfig: FailureModel = {
  name: 'bad_config',
  category: 'service_down',
  assess(facts) {
    const pods = refused(facts);
    const loops = crashing(facts);
    const soon = loops.filter(diesAtOnce);
    const all = loops.length > 0 && loops.length >= facts.total;
    const edit = changed(facts, 'config', 'secret');
    const reasons = [...new Set(pods.flatMap((pod) => pod.reasons.filter((each) => REASONS.includes(each))))].join(
      ', ',
    );
    const soonText = `${podNames(soon)}: exits within ${span(AT_ONCE_MS)} of its start`;
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive + 1, claim(pods.length > 0, `${podNames(pods)}: ${reasons}`)),
        status(WEIGHTS.statusStrong, claim(soon.length > 0, soonText)),
        ...given(pods.length > 0 || loops.length > 0, () => [change(facts, WEIGHTS.changeStrong, edit)]),
        ...given(all, () => [
          change(facts, WEIGHTS.changeHint, changed(facts, 'template', 'image')),
          status(WEIGHTS.statusHint, claim(neverWorked(facts.input), 'it was never ready since it was created')),
        ]),
        ...given(all || edit !== undefined || soon.length > 0 || pods.length > 0, () => [
          told(facts, 'missing-reference', WEIGHTS.logStrong + 0.5),
        ]),
      ]),
      contradictions: [],
      pods: refsOf(pods.length > 0 ? pods : soon.length > 0 ? soon : loops),
    };
  },
  ladder: () => [],
  refuses: refusing(['restart_pod', 'scale_up'], 'a new pod reads the same configuration'),
  advice(facts) {
    const pod = (refused(facts)[0] ?? crashing(facts)[0])?.pod.name;
    const restore = 'Restore the missing ConfigMap, Secret or variable that its events name';
    return pod === undefined
      ? withCommand(facts, restore, (object) => `describe ${object}`)
      : `${restore}: ${kubectl(facts, `describe pod ${pod}`)}`;
  },
};
