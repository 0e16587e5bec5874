import { seconds, table } from '../demo/table.ts';
import type { Figures } from './figures.ts';
import type { Check } from './judge.ts';
import type { Summary } from './load/tally.ts';

/** The run without Aegis and the one with it, side by side. */
export function report(without: Figures, withAegis: Figures, checks: readonly Check[]): string {
  const rows = [['', 'without Aegis', 'with Aegis'], ...sideBySide(linesOf(without), linesOf(withAegis))];
  const claims = checks.map(({ claim, holds, seen }) => `${holds ? 'ok    ' : 'FAILED'}  ${claim} (${seen})`);
  return [table(rows), '', ...claims].join('\n');
}

type Lines = ReadonlyMap<string, string>;

function sideBySide(left: Lines, right: Lines): string[][] {
  const labels = [...new Set([...left.keys(), ...right.keys()])];
  return labels.map((label) => [label, left.get(label) ?? '-', right.get(label) ?? '-']);
}

const count = (requests: Summary): string =>
  `${requests.failed} of ${requests.sent} (${(requests.failedShare * 100).toFixed(2)} %)`;
const time = (ms: number | undefined): string => (ms === undefined ? '-' : seconds(ms));
const milliseconds = (ms: number): string => (Number.isFinite(ms) ? `${ms} ms` : '-');

function linesOf({ leak, overload, release, neighbours }: Figures): Lines {
  const lines = new Map<string, string>();
  if (leak !== undefined) {
    lines.set('leak: killed for its memory', `${leak.oomKills} times`);
    lines.set('leak: evicted after', time(leak.evictedAfterMs));
    lines.set(
      'leak: highest memory',
      leak.peakShare === undefined ? '-' : `${Math.round(leak.peakShare * 100)} % of the limit`,
    );
    lines.set('leak: failed requests', count(leak.requests));
  }
  if (overload !== undefined) {
    lines.set('overload: scaled after', time(overload.scaledAfterMs));
    lines.set('overload: replicas', `${overload.baseline}, ${overload.mostReplicas}, ${overload.lastReplicas}`);
    lines.set('overload: failed requests', count(overload.requests));
    lines.set('overload: 95th percentile', milliseconds(overload.requests.p95Ms));
  }
  if (release !== undefined) {
    lines.set('bad release: alerts', String(release.alerts.length));
    lines.set('bad release: told after', time(release.alerts[0]?.afterMs));
    lines.set('bad release: failed requests', count(release.requests));
    lines.set(
      'bad release: failed after the rollback',
      release.afterRollback === undefined ? '-' : count(release.afterRollback),
    );
  }
  lines.set('neighbours: actions, pods lost', `${neighbours.actions.length}, ${neighbours.lost.length}`);
  lines.set('neighbours: failed requests', count(neighbours.requests));
  return lines;
}
