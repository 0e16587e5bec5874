import type { FailureModel } from '../failure-model.ts';
import { refusingEffects } from '../failure-model.ts';
import { isSubjectKnown, kubectl, objectName } from '../sentences.ts';

const RECENT_WARNINGS = 'kubectl get events -A --field-selector type=Warning --sort-by=.lastTimestamp';

/** Something is wrong and nothing known explains it: people get all the evidence, the cluster is left alone. */
export const unknown: FailureModel = {
  name: 'unknown',
  category: null,
  assess: () => ({ findings: [], contradictions: [] }),
  ladder: () => [],
  refuses: refusingEffects('nobody knows what is wrong, so nobody knows what helps'),
  advice: (facts) => {
    const look = isSubjectKnown(facts) ? kubectl(facts, `describe ${objectName(facts)}`) : RECENT_WARNINGS;
    return `No known failure explains it. Start here: ${look}`;
  },
};
