import type { LogLine } from './diagnosis.ts';
import { sequenceShifts } from './log-sequences.ts';
import type { SequencedLine } from './log-sequences.ts';
import { TemplateMiner } from './log-templates.ts';

/** The id of the request that a line belongs to, under the names that frameworks give it. */
const REQUEST_ID =
  /\b(?:trace|span|request|correlation)[-_.]?id["']?\s{0,4}[:=]\s{0,4}["']?([0-9A-Za-z][0-9A-Za-z-]{7,63})/i;
const LONGEST = 8_192;
/** On either side of the onset, those next to it: enough to know the usual course, and cheap in a chatty log. */
const MOST_LINES = 2_500;

/** What follows what in the requests of this workload, now and before. */
export interface OddStep {
  /** Deviation from what usually follows, in standard deviations. */
  readonly score: number;
  /** A kind of line; absent: the start of a request. */
  readonly from?: string;
  /** Absent: the end of the request. */
  readonly to?: string;
  readonly before: readonly [steps: number, seen: number];
  readonly after: readonly [steps: number, seen: number];
}

/** Unusual enough to speak of. */
const ODD = 6;

/** The step that changed most in the requests of one workload; undefined: none did, or the lines carry no request id. */
export function oddStep(lines: readonly LogLine[], onsetAtMs: number): OddStep | undefined {
  const timed = nearest(lines, onsetAtMs);
  const miner = new TemplateMiner();
  const sides: Record<'before' | 'after', SequencedLine[]> = { before: [], after: [] };
  const begun = new Map<string, 'before' | 'after'>();
  for (const { atMs, message, pod = '' } of timed) {
    const id = REQUEST_ID.exec(message.slice(0, LONGEST))?.[1];
    if (id === undefined) continue;
    const sequence = `${pod} ${id}`;
    // A request that was under way at the onset stays whole: its second half alone would look like a new kind.
    const side = begun.get(sequence) ?? (atMs < onsetAtMs ? 'before' : 'after');
    begun.set(sequence, side);
    sides[side].push({ entity: '', sequence, template: miner.add(message.replace(id, 'ID')) });
  }
  const [worst] = sequenceShifts(sides.before, sides.after);
  if (worst === undefined || worst.score < ODD) return undefined;
  const text = (template: number | undefined): string | undefined =>
    template === undefined ? undefined : miner.template(template)?.tokens.join(' ');
  const [from, to] = [text(worst.from), text(worst.to)];
  const { score, before, after } = worst;
  return { score, before, after, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function nearest(lines: readonly LogLine[], onsetAtMs: number): readonly LogLine[] {
  const timed = lines.filter(({ atMs }) => Number.isFinite(atMs)).toSorted((a, b) => a.atMs - b.atMs);
  const first = timed.findIndex(({ atMs }) => atMs >= onsetAtMs);
  const onset = first < 0 ? timed.length : first;
  return timed.slice(Math.max(0, onset - MOST_LINES), onset + MOST_LINES);
}
