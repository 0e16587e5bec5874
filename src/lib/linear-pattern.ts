import { parsePattern } from './linear-pattern-parser.ts';
import type { Instruction } from './linear-pattern-parser.ts';
import { err, ok } from './result.ts';
import type { Result } from './result.ts';

/** Longest text that is searched, in UTF-16 units; what lies beyond is not looked at. */
export const MAX_TEXT = 8 * 1024;

/** A regular expression in RE2's manner: time grows with text times pattern, never exponentially. */
export interface LinearPattern {
  /** Whether the pattern occurs anywhere in the first 8 KiB of the text. */
  test(text: string): boolean;
}

const isWord = (code: number | undefined): boolean =>
  code !== undefined &&
  ((code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122));

/** Whether an assertion holds between two characters; an absent one is the edge of the text. */
function assertionHolds(kind: 'start' | 'end' | 'word' | 'not-word', before?: number, after?: number): boolean {
  switch (kind) {
    case 'start':
      return before === undefined;
    case 'end':
      return after === undefined;
    case 'word':
      return isWord(before) !== isWord(after);
    case 'not-word':
      return isWord(before) === isWord(after);
  }
}

/** All states at once, after Thompson: each instruction is entered at most once per character. */
class Simulation implements LinearPattern {
  readonly #program: readonly Instruction[];
  readonly #enteredAt: Int32Array;
  readonly #stack: number[] = [];

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#enteredAt = new Int32Array(program.length);
  }

  test(text: string): boolean {
    const length = Math.min(text.length, MAX_TEXT);
    this.#enteredAt.fill(-1);
    let states: number[] = [];
    for (let at = 0; at <= length; at += 1) {
      const before = at === 0 ? undefined : text.charCodeAt(at - 1);
      const after = at === length ? undefined : text.charCodeAt(at);
      const next: number[] = [];
      // A match may begin at every position: the start joins the states that are under way.
      for (const state of [...states, 0]) if (this.#enter(state, at, before, after, next)) return true;
      if (after === undefined) return false;
      states = next.filter((state) => this.#consumes(state, after)).map((state) => state + 1);
    }
    return false;
  }

  /** Follows everything that takes no character; true as soon as the end of the pattern is reached. */
  #enter(first: number, at: number, before: number | undefined, after: number | undefined, found: number[]): boolean {
    const stack = this.#stack;
    stack.length = 0;
    stack.push(first);
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (this.#enteredAt[state] === at) continue;
      this.#enteredAt[state] = at;
      const instruction = this.#program[state];
      if (instruction === undefined || instruction.kind === 'match') return true;
      if (instruction.kind === 'set') found.push(state);
      else if (instruction.kind === 'jump') stack.push(...instruction.to);
      else if (assertionHolds(instruction.what, before, after)) stack.push(state + 1);
    }
    return false;
  }

  #consumes(state: number, code: number): boolean {
    const instruction = this.#program[state];
    if (instruction?.kind !== 'set') return false;
    const inside = instruction.ranges.some(([low, high]) => code >= low && code <= high);
    return inside !== instruction.negated;
  }
}

/** Compiles a pattern, or says what is wrong with it: syntax, length, or a construct that needs backtracking. */
export function compilePattern(source: string): Result<LinearPattern, string> {
  const program = parsePattern(source);
  return program.ok ? ok(new Simulation(program.value)) : err(program.error);
}
