import type { FailureModel } from '../failure-model.ts';
import { holding, refusingEffects } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { claim, status } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const REASONS = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'ImageInspectError',
];

/** Pods whose image cannot be had. */
export const badImages = (facts: Facts): readonly PodFacts[] =>
  facts.pods.filter((pod) => pod.reasons.some((reason) => REASONS.includes(reason)));

/** The image cannot be pulled. */
export const imageError: FailureModel = {
  name: 'image_error',
  category: 'service_down',
  assess(facts) {
    const pods = badImages(facts);
    const reasons = [...new Set(pods.flatMap((pod) => pod.reasons.filter((each) => REASONS.includes(each))))].join(
      ', ',
    );
    const isEvent = facts.events.some((event) => event.reason === 'Failed' && event.message.includes('image'));
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive + 1, claim(pods.length > 0, `${podNames(pods)}: ${reasons}`)),
        status(WEIGHTS.statusHint, claim(isEvent, 'an event tells that an image could not be pulled')),
      ]),
      contradictions: [],
      pods: refsOf(pods),
    };
  },
  ladder: () => [],
  refuses: refusingEffects('no action of Aegis brings an image'),
  advice(facts) {
    const names = badImages(facts).map((each) => each.pod.name);
    const pods = facts.input.workload?.pods.filter((pod) => names.includes(pod.name)) ?? [];
    const bad = pods.flatMap((pod) => pod.containers).find((each) => REASONS.includes(each.waitingReason ?? ''));
    const image = bad === undefined || bad.image === '' ? '' : ` ${bad.image}`;
    const correct = `Correct the image${image} or its pull secret`;
    return withCommand(facts, correct, (object) => `set image ${object} ${bad?.name ?? 'CONTAINER'}=IMAGE:TAG`);
  },
};
