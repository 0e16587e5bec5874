import { inWords, MINUTE } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { effectAtMs, effectsOn } from '../track-record.ts';

/** Time between a scaling and one in the other direction. */
const OPPOSITE_REST_MS = 5 * MINUTE;
/** A change back of less than this share of the replicas is noise, whenever it comes. */
const DEAD_BAND = 0.1;

/** Keeps from see-sawing: the other direction rests, and small changes back are not made at all. */
export const oppositeScaling: Guard = {
  name: 'oppositeScaling',
  appliesTo: ['scale_up', 'scale_down'],
  check: (input) =>
    withLedger(input, (ledger) => {
      const { proposal, workload, nowMs } = input;
      const { action, parameters } = proposal;
      if (parameters.kind !== 'scale') return undefined;
      const opposite = action === 'scale_up' ? 'scale_down' : 'scale_up';
      const last = effectsOn(ledger, workload, nowMs).findLast(
        (r) => r.action === 'scale_up' || r.action === 'scale_down',
      );
      if (last?.action !== opposite) return undefined;
      const agoMs = nowMs - effectAtMs(last, nowMs);
      if (agoMs < OPPOSITE_REST_MS) {
        return hold(
          'OppositeScaling',
          `${opposite} was ${inWords(agoMs)} ago, ${inWords(OPPOSITE_REST_MS)} must pass`,
          effectAtMs(last, nowMs) + OPPOSITE_REST_MS,
        );
      }
      const change = Math.abs(parameters.to - parameters.from) / Math.max(1, parameters.from);
      return change >= DEAD_BAND
        ? undefined
        : hold('OppositeScaling', `a change back of ${Math.round(change * 100)} % lies within the dead band of 10 %`);
    }),
};
