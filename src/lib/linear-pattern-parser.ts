import { err, ok } from './result.ts';
import type { Result } from './result.ts';

/** Longest pattern, in UTF-16 units. */
const MAX_PATTERN = 256;
/** Instructions after repeats are unrolled: with 8 KiB of text some tens of milliseconds at the very worst. */
const MAX_PROGRAM = 400;

type Range = readonly [number, number];

/** One step of the compiled pattern. `jump` goes to all of its targets, `set` takes one character. */
export type Instruction =
  | { readonly kind: 'set'; readonly ranges: readonly Range[]; readonly negated: boolean }
  | { readonly kind: 'jump'; readonly to: readonly number[] }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'word' | 'not-word' }
  | { readonly kind: 'match' };

type Code = readonly Instruction[];

const CLASSES: Readonly<Record<string, { readonly ranges: readonly Range[]; readonly negated: boolean }>> = {
  d: { ranges: [[48, 57]], negated: false },
  D: { ranges: [[48, 57]], negated: true },
  w: { ranges: [[48, 57], [65, 90], [95, 95], [97, 122]], negated: false }, // prettier-ignore
  W: { ranges: [[48, 57], [65, 90], [95, 95], [97, 122]], negated: true }, // prettier-ignore
  s: { ranges: [[9, 13], [32, 32]], negated: false }, // prettier-ignore
  S: { ranges: [[9, 13], [32, 32]], negated: true }, // prettier-ignore
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };

const MAX_CODE = 0xffff;

/** A problem of the pattern; caught in `parsePattern`, it never leaves this file. */
class PatternProblem extends Error {}

function complement(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  let from = 0;
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (low > from) result.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= MAX_CODE) result.push([from, MAX_CODE]);
  return result;
}

const moved = (code: Code, by: number): Code =>
  code.map((each) => (each.kind === 'jump' ? { kind: 'jump', to: each.to.map((target) => target + by) } : each));

/** Recursive descent over alternation, sequence, repeat and atom. Code is relative to its own beginning. */
class Parser {
  #at = 0;
  #depth = 0;
  #caseless = false;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  whole(): Code {
    if (this.#source.startsWith('(?i)')) {
      this.#caseless = true;
      this.#at = 4;
    }
    const code = this.#alternation();
    if (this.#at < this.#source.length) throw new PatternProblem('a closing parenthesis without an opening one');
    return [...code, { kind: 'match' }];
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #take(text: string): boolean {
    const there = this.#source.startsWith(text, this.#at);
    if (there) this.#at += text.length;
    return there;
  }

  #limited(code: Code): Code {
    if (code.length > MAX_PROGRAM) throw new PatternProblem(`the pattern unrolls to more than ${MAX_PROGRAM} steps`);
    return code;
  }

  #alternation(): Code {
    this.#depth += 1;
    if (this.#depth > 32) throw new PatternProblem('groups are nested too deeply');
    let code = this.#sequence();
    while (this.#take('|')) {
      const other = this.#sequence();
      const left: Code = [{ kind: 'jump', to: [1, code.length + 2] }, ...moved(code, 1)];
      code = this.#limited([
        ...left,
        { kind: 'jump', to: [left.length + 1 + other.length] },
        ...moved(other, left.length + 1),
      ]);
    }
    this.#depth -= 1;
    return code;
  }

  #sequence(): Code {
    let code: Code = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      const atom = this.#atom();
      code = this.#limited([...code, ...moved(this.#repeats(atom), code.length)]);
    }
    return code;
  }

  #repeats(atom: Code): Code {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    // A lazy quantifier finds other ends, but the same yes or no.
    this.#take('?');
    if (this.#bounds() !== undefined) throw new PatternProblem('two repeats in a row');
    const [least, most] = bounds;
    let code: Code = [];
    for (let i = 0; i < least; i += 1) code = this.#limited([...code, ...moved(atom, code.length)]);
    if (most === undefined) {
      const loop: Code = [{ kind: 'jump', to: [1, atom.length + 2] }, ...moved(atom, 1), { kind: 'jump', to: [0] }];
      return this.#limited([...code, ...moved(loop, code.length)]);
    }
    for (let i = least; i < most; i += 1) {
      const optional: Code = [{ kind: 'jump', to: [1, atom.length + 1] }, ...moved(atom, 1)];
      code = this.#limited([...code, ...moved(optional, code.length)]);
    }
    return code;
  }

  /** `*`, `+`, `?` or `{m,n}` as least and most; no most means without end. */
  #bounds(): readonly [number, number | undefined] | undefined {
    if (this.#take('*')) return [0, undefined];
    if (this.#take('+')) return [1, undefined];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#source.slice(this.#at));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === undefined ? least : braces[3] === '' ? undefined : Number(braces[3]);
    if (most !== undefined && most < least) throw new PatternProblem(`the repeat ${braces[0]} is out of order`);
    return [least, most];
  }

  #atom(): Code {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return this.#set();
    if (this.#take('.')) return [{ kind: 'set', ranges: [[10, 10], [13, 13]], negated: true }]; // prettier-ignore
    if (this.#take('^')) return [{ kind: 'assert', what: 'start' }];
    if (this.#take('$')) return [{ kind: 'assert', what: 'end' }];
    if (this.#take('\\b')) return [{ kind: 'assert', what: 'word' }];
    if (this.#take('\\B')) return [{ kind: 'assert', what: 'not-word' }];
    const next = this.#peek() ?? '';
    if ('*+?'.includes(next)) throw new PatternProblem(`nothing before ${next} to repeat`);
    return [this.#cased(this.#element())];
  }

  #group(): Code {
    if (this.#take('?')) {
      if (!this.#take(':')) throw new PatternProblem('look-around, names and flags in groups are not supported');
    }
    const code = this.#alternation();
    if (!this.#take(')')) throw new PatternProblem('a group is not closed');
    return code;
  }

  /** A literal character, an escaped one, or a class such as `\d`. */
  #element(): { ranges: readonly Range[]; negated: boolean } {
    if (!this.#take('\\')) return this.#single(this.#source.charCodeAt(this.#at++));
    const letter = this.#source[this.#at++];
    if (letter === undefined) throw new PatternProblem('a backslash at the end');
    const known = CLASSES[letter];
    if (known !== undefined) return known;
    const control = CONTROLS[letter];
    if (control !== undefined) return this.#single(control);
    const hex = /^[xu]([0-9a-fA-F]{2}(?:[0-9a-fA-F]{2})?)/.exec(this.#source.slice(this.#at - 1));
    const digits = letter === 'x' ? hex?.[1]?.slice(0, 2) : hex?.[1];
    if (digits !== undefined && (letter === 'x' || digits.length === 4)) {
      this.#at += digits.length;
      return this.#single(Number.parseInt(digits, 16));
    }
    if (/[0-9a-zA-Z]/.test(letter)) throw new PatternProblem(`\\${letter} is not supported`);
    return this.#single(letter.charCodeAt(0));
  }

  #single(code: number): { ranges: readonly Range[]; negated: boolean } {
    return { ranges: [[code, code]], negated: false };
  }

  #set(): Code {
    const negated = this.#take('^');
    const ranges: Range[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) throw new PatternProblem('a set is not closed');
      if (first && this.#peek() === ']') throw new PatternProblem('an empty set');
      const from = this.#element();
      const [low] = from.ranges;
      const isRange =
        this.#peek() === '-' && this.#source[this.#at + 1] !== ']' && low !== undefined && low[0] === low[1];
      if (!isRange) {
        ranges.push(...(from.negated ? complement(from.ranges) : from.ranges));
        continue;
      }
      this.#at += 1;
      const [high] = this.#element().ranges;
      if (high === undefined || high[0] !== high[1] || high[0] < low[0])
        throw new PatternProblem('a range is out of order');
      ranges.push([low[0], high[0]]);
    }
    this.#at += 1;
    return [this.#cased({ ranges, negated })];
  }

  /** Without regard to case, each letter brings its other form; only ASCII letters have one here. */
  #cased({ ranges, negated }: { ranges: readonly Range[]; negated: boolean }): Instruction {
    if (!this.#caseless) return { kind: 'set', ranges, negated };
    const shifted = ranges.flatMap(([low, high]): Range[] => {
      const clip = (from: number, to: number, by: number): Range[] =>
        low <= to && high >= from ? [[Math.max(low, from) + by, Math.min(high, to) + by]] : [];
      return [...clip(65, 90, 32), ...clip(97, 122, -32)];
    });
    return { kind: 'set', ranges: [...ranges, ...shifted], negated };
  }
}

/** The pattern as a list of instructions, or what is wrong with it. */
export function parsePattern(source: string): Result<readonly Instruction[], string> {
  if (source.length > MAX_PATTERN) return err(`the pattern is longer than ${MAX_PATTERN} characters`);
  try {
    return ok(new Parser(source).whole());
  } catch (error) {
    if (error instanceof PatternProblem) return err(error.message);
    throw error;
  }
}
