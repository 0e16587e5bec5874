import type { Assessment } from './assessment.ts';
import { acceptPresent, clearWindows, teachOwnHistory } from './detectors/own-history.ts';
import { teachPeers } from './peer-groups.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';

/** A shorter run of anomalous samples stays in the windows; a longer one would be a false past for what follows. */
const RUN_LEAVES_WINDOWS = 3;

/**
 * How the verdict bears on learning. `normal`: teach. `suspect`: one sample that nothing has confirmed yet, passed over.
 * `learned`: only learnt expectations object; after a cap the new level is accepted. `fixed`: a limit, the end of the
 * scale or the pod's status objects; that is never learnt as normal.
 */
export type Objection = 'normal' | 'suspect' | 'learned' | 'fixed';

/** Teaches one series after its verdict, at most once a sample. */
export function learn(table: SeriesTable, a: Assessment, objection: Objection, acceptAfterMs: number): void {
  if (!a.fresh || a.slot < 0 || objection === 'suspect') return;
  const c = table.record(a.slot);
  const run = c.u32[c.u + U.flaggedRun] ?? 0;
  if (objection === 'normal') {
    if (run >= RUN_LEAVES_WINDOWS) {
      clearWindows(c);
      a.observation.z.fill(-1);
      a.observation.distance = -1;
    }
    c.u32[c.u + U.flaggedRun] = 0;
    c.f64[c.d + D.flaggedSinceMs] = 0;
    teachOwnHistory(c, a.observation);
    teachPeers(table, a, false);
    return;
  }
  if (run === 0) c.f64[c.d + D.flaggedSinceMs] = a.atMs;
  c.u32[c.u + U.flaggedRun] = run + 1;
  const lasted = a.atMs - (c.f64[c.d + D.flaggedSinceMs] ?? a.atMs);
  if (objection === 'fixed' || lasted < acceptAfterMs) return;
  acceptPresent(c);
  teachOwnHistory(c, a.observation);
  c.u32[c.u + U.flaggedRun] = 0;
  c.f64[c.d + D.flaggedSinceMs] = 0;
  teachPeers(table, a, true);
}
