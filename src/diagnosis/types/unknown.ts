import type { FailureModel } from '../failure-model.ts';
import { refusingEffects } from '../failure-model.ts';
import { kubectl, objectName } from '../sentences.ts';

/** Something is wrong and nothing known explains it: people get all the evidence, the cluster is left alone. */
export const unknown: FailureModel = {
  name: 'unknown',
  category: null,
  assess: () => ({ findings: [], contradictions: [] }),
  ladder: () => [],
  refuses: refusingEffects('nobody knows what is wrong, so nobody knows what helps'),
  advice: (facts) => `No known failure explains it. Start here: ${kubectl(facts, `describe ${objectName(facts)}`)}`,
};
