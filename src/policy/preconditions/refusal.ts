import type { GuardInput, Hold } from '../guard.ts';
import { cacheRefusal } from './cache.ts';
import { idleRefusal } from './idle.ts';
import { restartRefusal } from './restart.ts';
import { scaleDownRefusal, scaleUpRefusal } from './scale.ts';
import { throttleRefusal } from './throttle.ts';

/**
 * Whether the world lacks what the proposed action needs: the *Before* and *Refused* lines of `actions.md`. The ladder
 * asks when it proposes, the gate again on live reads.
 */
export function refusal(input: GuardInput): Hold | undefined {
  switch (input.proposal.action) {
    case 'restart_pod':
      return restartRefusal(input);
    case 'scale_up':
      return scaleUpRefusal(input);
    case 'scale_down':
      return scaleDownRefusal(input) ?? idleRefusal(input);
    case 'throttle_api':
      return throttleRefusal(input);
    case 'clear_cache':
      return cacheRefusal(input);
    case 'alert_admin':
    case 'no_action':
      return undefined;
  }
}
