import type { VolumeState } from '../evidence.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { podsCarrying, refsOf } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { figure, kubectl, span } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const LITTLE_FREE = 0.1;
const SOON_MS = 4 * 86_400_000;
/** A volume with more room than this that fills slowly is worth telling, but seldom explains what fails today. */
const MUCH_FREE = 0.25;
const USAGE = 'volume_usage';

const isLow = (volume: VolumeState): boolean => volume.freeRatio !== undefined && volume.freeRatio < LITTLE_FREE;
const isSoonFull = (volume: VolumeState): boolean => (volume.timeToFullMs ?? Infinity) < SOON_MS;

const hasRoomToday = (volume: VolumeState | undefined): boolean => (volume?.freeRatio ?? 0) > MUCH_FREE;

/** The claim with the least room, of those that are nearly full or soon will be. */
const filling = (facts: Facts): VolumeState | undefined =>
  (facts.input.volumes ?? [])
    .filter((volume) => isLow(volume) || isSoonFull(volume))
    .toSorted((a, b) => (a.freeRatio ?? 1) - (b.freeRatio ?? 1) || (a.claim < b.claim ? -1 : 1))[0];

function volumeStatus(volume: VolumeState | undefined): string | undefined {
  if (volume === undefined) return undefined;
  if (isLow(volume)) return `claim ${volume.claim} has ${figure(100 * (volume.freeRatio ?? 0))} % free`;
  return `claim ${volume.claim} is full in ${span(volume.timeToFullMs ?? 0)}`;
}

/** A claim has no room left, or soon will not. */
export const volumeFull: FailureModel = {
  name: 'volume_full',
  category: null,
  assess(facts) {
    const volume = filling(facts);
    const usage = facts.metric(USAGE);
    const isHigh = usage.states.some((state) => (state.value ?? 0) > 100 * (1 - LITTLE_FREE));
    const soonMs = Math.min(...usage.states.map((state) => state.timeToLimitMs ?? Infinity));
    const hasRoom = usage.direction === 'flat' && !isHigh && volume === undefined;
    return {
      findings: holding([
        status(hasRoomToday(volume) ? WEIGHTS.statusStrong : WEIGHTS.statusDecisive, volumeStatus(volume)),
        metric(WEIGHTS.metricStrong + WEIGHTS.metric, claim(isHigh, 'volume_usage leaves less than 10 % free'), USAGE),
        metric(WEIGHTS.metricStrong, claim(soonMs < SOON_MS, `the volume is full in ${span(soonMs)}`), USAGE),
        goes(facts, USAGE, 'up', WEIGHTS.metric),
        told(facts, 'disk-full', WEIGHTS.logStrong + 0.5),
        ...given(facts.logs.has('disk-full'), () => [goes(facts, 'error_rate', 'up', WEIGHTS.metricHint)]),
      ]),
      contradictions: holding([claim(hasRoom && facts.logs.has('disk-full'), 'every measured volume has room')]),
      pods: refsOf(podsCarrying(facts, usage)),
      traits: volume?.holdsCache === true ? ['cache-volume'] : [],
    };
  },
  ladder: (situation) => (situation.traits.includes('cache-volume') ? [RUNGS.clearCache] : []),
  refuses: refusing(['restart_pod', 'scale_up'], 'the volume stays as full as it is'),
  advice(facts) {
    const patch = '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}';
    const command = `patch pvc ${filling(facts)?.claim ?? 'CLAIM'} --type=merge -p '${patch}'`;
    return `Expand the claim (its class must allow it) or remove data: ${kubectl(facts, command)}`;
  },
};
