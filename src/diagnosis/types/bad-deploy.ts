import { neverWorked, newestRevision, previousRevision } from '../changes.ts';
import { changed, templateSplit } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing, refusingEffects } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { change, claim, given, goes, novelty, status, told } from '../findings.ts';
import { withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';
import { crashing } from './crash-loop.ts';
import { badImages } from './image-error.ts';
import { oomKilled } from './oom-kill.ts';

const progressFailed = (facts: Facts): boolean =>
  facts.input.workload?.conditions.some(
    (each) => each.type === 'Progressing' && each.status === 'False' && each.reason === 'ProgressDeadlineExceeded',
  ) ?? false;

/** Harm that a release can do: without any of it, a recent release is no explanation. */
const isHurt = (facts: Facts): boolean =>
  crashing(facts).length > 0 ||
  facts.metric('error_rate').direction === 'up' ||
  facts.metric('response_time').direction === 'up' ||
  progressFailed(facts);

/** The new template does not work; the old one did. */
export const badDeploy: FailureModel = {
  name: 'bad_deploy',
  category: 'service_down',
  assess(facts) {
    const split = templateSplit(facts);
    const release = changed(facts, 'template', 'image');
    const hurt = isHurt(facts);
    const newest = newestRevision(facts.input.workload);
    const allCrash = crashing(facts).length >= facts.total && facts.total > 0;
    const isOther = badImages(facts).length > 0 || oomKilled(facts).length > 0;
    return {
      findings: holding([
        status(WEIGHTS.statusStrong, claim(hurt && split === 'new-only', 'only pods of the new template fail')),
        status(WEIGHTS.statusStrong, claim(progressFailed(facts), 'the rollout exceeded its progress deadline')),
        status(
          WEIGHTS.statusHint,
          claim(neverWorked(facts.input) && allCrash, 'it has never run since it was created'),
        ),
        ...given(hurt && release !== undefined, () => [
          change(facts, WEIGHTS.changeStrong, release),
          status(WEIGHTS.statusStrong, claim(allCrash, 'every pod of it crashes')),
          goes(facts, 'error_rate', 'up', WEIGHTS.metric),
          goes(facts, 'response_time', 'up', WEIGHTS.metricHint),
          told(facts, 'panic', WEIGHTS.logHint),
          novelty(facts, WEIGHTS.logHint / 2),
        ]),
        status(-WEIGHTS.statusStrong, claim(isOther, 'the status names another failure')),
        status(-WEIGHTS.statusStrong, claim(split === 'both', 'old pods fail as well')),
        status(-WEIGHTS.statusStrong, claim(split === 'old-only', 'only pods of the old template fail')),
      ]),
      contradictions: holding([claim(split === 'both', 'pods of the old template fail as well')]),
      pods: refsOf(facts.unhealthy.filter((pod) => pod.templateHash === newest?.templateHash)),
      cause: { kind: 'rollout', name: newest?.name ?? facts.subject.name },
    };
  },
  ladder: () => [],
  refuses(action, situation) {
    const always = refusing(['restart_pod', 'scale_up'], 'it multiplies the broken template')(action);
    return (
      always ??
      (situation.traits.includes('mid-rollout') ? refusingEffects('a rollout is under way')(action) : undefined)
    );
  },
  advice(facts) {
    const revision = previousRevision(facts.input.workload)?.revision;
    if (revision === undefined) return withCommand(facts, 'Roll back', (object) => `rollout undo ${object}`);
    const to = `Roll back to revision ${revision}`;
    return withCommand(facts, to, (object) => `rollout undo ${object} --to-revision=${revision}`);
  },
};
