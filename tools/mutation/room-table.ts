/**
 * The reporter: a table by room, and every survivor as it is found, so that a run that is cut off has said something.
 * A run on a sample says how sure the score is; its other mutants are in no number.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { MutantResult, StrykerOptions } from '@stryker-mutator/api/core';
import { commonTokens, tokens } from '@stryker-mutator/api/plugin';
import type { Reporter } from '@stryker-mutator/api/report';
import { detectedOf, isInSample, mutantsOf, scoreOf, wilsonInterval, type Tally } from './tally.ts';

const NONE: Tally = { killed: 0, timedOut: 0, survived: 0, notReached: 0 };
const COUNTED_AS: Partial<Record<MutantResult['status'], keyof Tally>> = {
  Killed: 'killed',
  Timeout: 'timedOut',
  Survived: 'survived',
  NoCoverage: 'notReached',
};

const percent = (share: number): string => (Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`);

const plus = (a: Tally, b: Tally): Tally => ({
  killed: a.killed + b.killed,
  timedOut: a.timedOut + b.timedOut,
  survived: a.survived + b.survived,
  notReached: a.notReached + b.notReached,
});

/** Markdown, to be pasted into docs/performance.md. */
export function tableOf(rooms: ReadonlyMap<string, Tally>, isSample: boolean): string {
  const all = [...rooms.values()].reduce(plus, NONE);
  const rows = [...rooms].sort(([a], [b]) => (a < b ? -1 : 1)).concat([['all', all]]);
  const lines = rows.map(([room, tally]) => {
    const [low, high] = wilsonInterval(detectedOf(tally), mutantsOf(tally));
    const { killed, timedOut, survived, notReached } = tally;
    const interval = isSample ? ` ${percent(low)} to ${percent(high)} |` : '';
    const counts = [mutantsOf(tally), killed, timedOut, survived, notReached].join(' | ');
    return `| ${room} | ${counts} | ${percent(scoreOf(tally))} |${interval}`;
  });
  const titles = ['room', 'mutants', 'killed', 'timed out', 'survived', 'not reached', 'score'];
  const columns = isSample ? [...titles, '95 % interval'] : titles;
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  return [`| ${columns.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n');
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 160);

export class RoomTable implements Reporter {
  static readonly inject = tokens(commonTokens.options);

  readonly #share: number;
  readonly #seed: number;
  readonly #survivorsFile: string;
  readonly #atLeast: number;
  readonly #rooms = new Map<string, Tally>();

  constructor(options: StrykerOptions) {
    this.#share = options['sampleShare'] as number;
    this.#seed = options['sampleSeed'] as number;
    this.#survivorsFile = options['survivorsFile'] as string;
    this.#atLeast = options['scoreAtLeast'] as number;
    mkdirSync(dirname(this.#survivorsFile), { recursive: true });
    writeFileSync(this.#survivorsFile, '');
  }

  onMutantTested(result: Readonly<MutantResult>): void {
    const counted = COUNTED_AS[result.status];
    if (counted === undefined || !isInSample(result, this.#share, this.#seed)) return;
    const file = relative(process.cwd(), result.fileName);
    const room = dirname(file);
    const tally = this.#rooms.get(room) ?? NONE;
    this.#rooms.set(room, { ...tally, [counted]: tally[counted] + 1 });
    if (counted === 'survived' || counted === 'notReached') {
      const { start, end } = result.location;
      const lines = readFileSync(result.fileName, 'utf8')
        .split('\n')
        .slice(start.line - 1, end.line);
      const text = lines.length === 1 ? lines[0]?.slice(start.column - 1, end.column - 1) : lines[0]?.trim();
      const { mutatorName, replacement } = result;
      const said = `${file}:${start.line} ${counted} ${mutatorName}: ${oneLine(text ?? '')} => ${oneLine(replacement ?? '')}`;
      appendFileSync(this.#survivorsFile, `${said}\n`);
    }
  }

  onMutationTestReportReady(): void {
    const sample = this.#share < 1 ? ` (a sample of ${percent(this.#share)}, seed ${this.#seed})` : '';
    const score = scoreOf([...this.#rooms.values()].reduce(plus, NONE));
    process.stdout.write(`\n${tableOf(this.#rooms, this.#share < 1)}\n\nSurvivors: ${this.#survivorsFile}${sample}\n`);
    if (score >= this.#atLeast) return;
    process.stdout.write(`The score is below ${percent(this.#atLeast)}.\n`);
    process.exitCode = 1;
  }
}
