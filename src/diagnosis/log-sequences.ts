/**
 * What follows what in the log of one request: a method that returns early or throws shows as a step that is followed
 * by another one than usual, even where no line says "error". Needs lines that carry a span or request id.
 */
export interface SequencedLine {
  /** Pod or service that wrote the line. */
  readonly entity: string;
  /** The request within the entity, such as a span id. */
  readonly sequence: string;
  readonly template: number;
}

/** The step that changed most in one entity. */
export interface SequenceShift {
  readonly entity: string;
  /** Standard deviations by which the step is more frequent than before; positive. */
  readonly score: number;
  /** Template ids; undefined: start or end of the sequence. */
  readonly from?: number;
  readonly to?: number;
  /** Times the step followed `from`, of times that `from` was seen. */
  readonly before: readonly [steps: number, seen: number];
  readonly after: readonly [steps: number, seen: number];
}

/** A source seen less often before says nothing about what usually follows it. */
const LEAST_SEEN = 3;
const EDGE = -1;

interface Source {
  readonly entity: string;
  readonly template: number;
  readonly next: Map<number, number>;
  seen: number;
}

/** Counts the steps of every sequence. Lines must be in the order in which they were written. */
function stepsOf(lines: readonly SequencedLine[]): ReadonlyMap<string, Source> {
  const last = new Map<string, SequencedLine>();
  const sources = new Map<string, Source>();
  const count = (entity: string, from: number, to: number): void => {
    const key = `${entity}\u0000${from}`;
    const source = sources.get(key) ?? { entity, template: from, next: new Map<number, number>(), seen: 0 };
    sources.set(key, source);
    source.seen += 1;
    source.next.set(to, (source.next.get(to) ?? 0) + 1);
  };
  for (const line of lines) {
    const key = `${line.entity}\u0000${line.sequence}`;
    count(line.entity, last.get(key)?.template ?? EDGE, line.template);
    last.set(key, line);
  }
  for (const { entity, template } of last.values()) count(entity, template, EDGE);
  return sources;
}

/**
 * Deviation of a share from its past, in standard deviations: the binomial noise of now, the uncertainty of the past
 * share, and half a count for rare ones.
 */
function deviation(before: readonly [number, number], after: readonly [number, number]): number {
  const usual = (before[0] + 0.5) / (before[1] + 1);
  const spread = usual * (1 - Math.min(usual, 0.99));
  const variance = after[1] * spread + (after[1] * after[1] * usual * (1 - usual)) / (before[1] + 1) + 0.5;
  return (after[0] - after[1] * usual) / Math.sqrt(variance);
}

/** For every entity the step that became most unusually frequent, the most unusual entity first. */
export function sequenceShifts(
  before: readonly SequencedLine[],
  after: readonly SequencedLine[],
): readonly SequenceShift[] {
  const usual = stepsOf(before);
  const worst = new Map<string, SequenceShift>();
  for (const [key, source] of stepsOf(after)) {
    const past = usual.get(key);
    if (past === undefined || past.seen < LEAST_SEEN) continue;
    for (const [to, steps] of source.next) {
      const counts = { before: [past.next.get(to) ?? 0, past.seen], after: [steps, source.seen] } as const;
      const score = deviation(counts.before, counts.after);
      if (score <= (worst.get(source.entity)?.score ?? 0)) continue;
      const ends = { ...(source.template === EDGE ? {} : { from: source.template }), ...(to === EDGE ? {} : { to }) };
      worst.set(source.entity, { entity: source.entity, score, ...ends, ...counts });
    }
  }
  return [...worst.values()].toSorted((a, b) => b.score - a.score || (a.entity < b.entity ? -1 : 1));
}
