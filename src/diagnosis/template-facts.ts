import type { LogLine } from './diagnosis.ts';
import { TemplateMiner } from './log-templates.ts';

/** How often a kind of line came before and since the onset. */
export interface TemplateFacts {
  /** Constant tokens with `<*>` for what varies: text that the workload wrote. */
  readonly template: string;
  readonly before: number;
  readonly since: number;
  /** Warnings and errors among those since. */
  readonly alarming: number;
  /** Never seen before the onset, although there were lines. */
  readonly isNew: boolean;
  /** Rate since the onset over the rate before it; 1 if nothing from before is known, at most 1e6. */
  readonly rateRatio: number;
}

const MAX_RATIO = 1e6;
const LEAST_MS = 1000;

/**
 * Mines the lines and compares each template's rate before and since the onset, new and risen ones first. The lines
 * are sorted first, so their order in the input does not matter.
 */
export function templateFacts(lines: readonly LogLine[], onsetAtMs: number, nowMs: number): readonly TemplateFacts[] {
  const timed = lines
    .filter((line) => Number.isFinite(line.atMs))
    .toSorted((a, b) => a.atMs - b.atMs || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
  const miner = new TemplateMiner();
  const tallies = new Map<number, { before: number; since: number; alarming: number }>();
  for (const line of timed) {
    const id = miner.add(line.message);
    const tally = tallies.get(id) ?? { before: 0, since: 0, alarming: 0 };
    tallies.set(id, tally);
    if (line.atMs < onsetAtMs) tally.before += 1;
    else {
      tally.since += 1;
      tally.alarming += line.level === 'error' || line.level === 'warn' ? 1 : 0;
    }
  }
  const beforeMs = onsetAtMs - (timed[0]?.atMs ?? onsetAtMs);
  const sinceMs = Math.max(nowMs - onsetAtMs, LEAST_MS);
  const facts = [...tallies].map(([id, tally]) => ({
    template: miner.template(id)?.tokens.join(' ') ?? '',
    ...tally,
    isNew: beforeMs >= LEAST_MS && tally.before === 0 && tally.since > 0,
    rateRatio: ratioOf(tally.before, tally.since, beforeMs, sinceMs),
  }));
  return facts.toSorted((a, b) => b.rateRatio - a.rateRatio || b.since - a.since || (a.template < b.template ? -1 : 1));
}

function ratioOf(before: number, since: number, beforeMs: number, sinceMs: number): number {
  if (beforeMs < LEAST_MS) return 1;
  if (before === 0) return MAX_RATIO;
  return Math.min(MAX_RATIO, since / sinceMs / (before / beforeMs));
}
