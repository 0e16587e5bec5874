import { inWords } from '../../lib/duration.ts';
import type { Guard, GuardInput, Hold } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { effectAtMs, effectsOn } from '../track-record.ts';

/** A query with a look-back still sees the time before the effect; so does a sample that is not newer than it. */
function evidenceNotNewer({ verdict, lookBackMs }: GuardInput, lastMs: number): Hold | undefined {
  if (verdict.atMs <= lastMs) return hold('Cooldown', 'the workload was not judged since the last effect');
  const { oldestSampleMs } = verdict;
  return oldestSampleMs !== undefined && oldestSampleMs - lookBackMs < lastMs
    ? hold('Cooldown', `evidence reaches back ${inWords(lastMs - oldestSampleMs + lookBackMs)} before the last effect`)
    : undefined;
}

/** No effect on a workload within its cooldown, nor before all evidence is newer than the last effect. */
export const cooldown: Guard = {
  name: 'cooldown',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, workload, policy, lookBackMs, selfName } = input;
      const last = effectsOn(ledger, workload, nowMs)
        .filter(({ name }) => name !== selfName)
        .at(-1);
      if (last === undefined) return undefined;
      const lastMs = effectAtMs(last, nowMs);
      const waitMs = Math.max(policy.limits.cooldownSeconds * 1000, lookBackMs);
      if (nowMs - lastMs >= waitMs) return evidenceNotNewer(input, lastMs);
      return hold(
        'Cooldown',
        `${last.action} was ${inWords(nowMs - lastMs)} ago, ${inWords(waitMs)} must pass`,
        lastMs + waitMs,
      );
    }),
};
