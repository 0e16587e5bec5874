import { parsePattern } from './linear-pattern-parser.ts';
import type { Instruction } from './linear-pattern-parser.ts';
import { err, ok } from './result.ts';
import type { Result } from './result.ts';

/** Longest text that is searched, in UTF-16 units; what lies beyond is not looked at. */
const MAX_TEXT = 8 * 1024;

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

type SetInstruction = Extract<Instruction, { kind: 'set' }>;

const isInSet = ({ ranges, negated }: SetInstruction, code: number): boolean =>
  ranges.some(([low, high]) => code >= low && code <= high) !== negated;

/** Membership of the ASCII characters looked up, the others computed. */
class CharacterSet {
  readonly #ascii: Uint8Array;
  readonly #set: SetInstruction;

  constructor(set: SetInstruction) {
    this.#set = set;
    this.#ascii = Uint8Array.from({ length: 128 }, (_, code) => (isInSet(set, code) ? 1 : 0));
  }

  has(code: number): boolean {
    return code < 128 ? this.#ascii[code] === 1 : isInSet(this.#set, code);
  }
}

/** All states at once, after Thompson: each instruction is entered at most once per character. */
class Simulation implements LinearPattern {
  readonly #program: readonly Instruction[];
  readonly #sets: readonly (CharacterSet | undefined)[];
  /** Position at which an instruction was last entered. */
  readonly #enteredAt: Int32Array;
  /** Reused by every character: no garbage is made while a hostile text is searched. */
  readonly #stack: Int32Array;
  #states: Int32Array;
  #next: Int32Array;
  #found = 0;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#sets = program.map((each) => (each.kind === 'set' ? new CharacterSet(each) : undefined));
    this.#enteredAt = new Int32Array(program.length);
    // Before an instruction is marked as entered, each of its at most two predecessors may have pushed it.
    this.#stack = new Int32Array(2 * program.length + 2);
    this.#states = new Int32Array(program.length);
    this.#next = new Int32Array(program.length);
  }

  test(text: string): boolean {
    const length = Math.min(text.length, MAX_TEXT);
    this.#enteredAt.fill(-1);
    let count = 0;
    for (let at = 0; at <= length; at += 1) {
      const before = at === 0 ? undefined : text.charCodeAt(at - 1);
      const after = at === length ? undefined : text.charCodeAt(at);
      this.#found = 0;
      for (let i = 0; i < count; i += 1) if (this.#enter(this.#states[i] ?? 0, at, before, after)) return true;
      // A match may begin at every position: the start joins the states that are under way.
      if (this.#enter(0, at, before, after)) return true;
      if (after === undefined) return false;
      count = this.#consume(after);
    }
    return false;
  }

  /** Follows everything that takes no character; true as soon as the end of the pattern is reached. */
  #enter(first: number, at: number, before: number | undefined, after: number | undefined): boolean {
    const stack = this.#stack;
    stack[0] = first;
    for (let depth = 1; depth > 0;) {
      depth -= 1;
      const state = stack[depth] ?? 0;
      if (this.#enteredAt[state] === at) continue;
      this.#enteredAt[state] = at;
      const instruction = this.#program[state];
      if (instruction === undefined || instruction.kind === 'match') return true;
      if (instruction.kind === 'set') this.#next[this.#found++] = state;
      else if (instruction.kind === 'jump') for (const target of instruction.to) stack[depth++] = target;
      else if (assertionHolds(instruction.what, before, after)) stack[depth++] = state + 1;
    }
    return false;
  }

  /** Takes one character; how many states survive it, each behind the set that took it. */
  #consume(code: number): number {
    let count = 0;
    for (let i = 0; i < this.#found; i += 1) {
      const state = this.#next[i] ?? 0;
      if (this.#sets[state]?.has(code) === true) this.#states[count++] = state + 1;
    }
    return count;
  }
}

/** Compiles a pattern, or says what is wrong with it: syntax, length, or a construct that needs backtracking. */
export function compilePattern(source: string): Result<LinearPattern, string> {
  const program = parsePattern(source);
  return program.ok ? ok(new Simulation(program.value)) : err(program.error);
}
