import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINE_BENCHES } from '../../../bench/benches.ts';
import { runEngineBench } from '../../../bench/engine-cli.ts';
import type { Bench } from '../../../bench/registry.ts';
import {
  jumpingStream,
  putKpi,
  putLoghub,
  putNab,
  putNezha,
  putPetshop,
  putSockShop,
} from '../../support/bench-data.ts';

/** A set without data and with one figure that misses its target: the generated ones take too long for a unit test. */
const missed: Bench = {
  name: 'generated',
  about: 'a made-up set',
  run: () => ({
    set: 'generated',
    figures: [
      { name: 'share', value: 0.5, unit: '', target: { kind: 'min', value: 0.9 }, peer: { name: 'them', value: 0.7 } },
    ],
    lines: ['a line'],
    charts: [{ name: 'drawing', svg: '<svg/>' }],
  }),
};
const DATA_BENCHES = ENGINE_BENCHES.filter(({ data }) => data !== undefined);
const BENCHES = [...DATA_BENCHES, missed];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aegis-bench-test-'));
  putNab(join(folder, 'nab'), [
    { name: 'odd/one.csv', values: jumpingStream(700, 500, 520), windows: [[495, 530]] },
    { name: 'odd/two.csv', values: jumpingStream(600, 450, 470, 2), windows: [[445, 480]] },
    { name: 'calm/none.csv', values: jumpingStream(400, 0, 0, 3), windows: [] },
  ]);
  putKpi(join(folder, 'kpi'));
  putSockShop(join(folder, 'sock-shop'));
  putNezha(join(folder, 'nezha'));
  putPetshop(join(folder, 'petshop'));
  putLoghub(join(folder, 'loghub'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly printed: string;
  readonly complaints: string;
}

async function run(...argv: string[]): Promise<Run> {
  const printed: string[] = [];
  const complaints: string[] = [];
  const code = await runEngineBench(argv, BENCHES, {
    print: (text) => void printed.push(text),
    complain: (text) => void complaints.push(text),
  });
  return { code, printed: printed.join('\n'), complaints: complaints.join('\n') };
}

interface PlainReport {
  readonly set: string;
  readonly figures: readonly { readonly name: string; readonly value: number | null; readonly met?: boolean }[];
}

const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('every set on data of its layout with other names and counts', () => {
  test.each([
    ['sock-shop', 'service AC@1, cpu', 1, ['till-cpu/7', 'front-desk-mem/7']],
    ['nezha', 'metrics and call graph (Online Boutique), resource faults AS@1', 1, ['1999-01-01/2030-01-01 01:00:00']],
    ['nezha', 'with logs (Train Ticket), all faults AS@1', 1, ['1999-02-02/2030-01-01 01:00:00']],
    ['petshop', 'root cause top-1', 1, ['night/exam/issue_9']],
    ['petshop', 'specificity on normal days', 1, []],
    ['loghub', 'grouping accuracy, mean', 1, ['Robots/1', 'Robots/40']],
    ['kpi', 'labelled stretches with an alarm at 0.85', 100, ['some-load.csv']],
  ])('%s: %s is %p', async (set, name, value, cases) => {
    const out = join(folder, 'out', set);
    const { code, printed } = await run(set, '--data', join(folder, set), '--out', out, '--json');
    const report = JSON.parse(printed) as PlainReport;
    expect(code).toBe(0);
    expect(report.set).toBe(set);
    expect(report.figures.find((figure) => figure.name === name)?.value).toBe(value);
    const rows = linesOf(join(out, `${set}.jsonl`));
    expect(rows.map((row) => row['case'])).toEqual(expect.arrayContaining(cases));
    for (const row of rows) expect(Object.keys(row)).toEqual(['case', 'ranking', 'top', 'topType', 'confidence']);
  });

  test('nab: a score for every row, windows hit, and nothing of peers where none lie', async () => {
    const out = join(folder, 'out', 'nab');
    const { code, printed } = await run('nab', '--data', join(folder, 'nab'), '--out', out, '--json');
    const report = JSON.parse(printed) as PlainReport;
    const [header, ...rows] = readFileSync(join(out, 'odd', 'one.csv'), 'utf8')
      .trim()
      .split('\n');
    expect(code).toBe(0);
    expect(header).toBe('timestamp,value,anomaly_score');
    expect(rows).toHaveLength(700);
    expect(rows[0]).toMatch(/^2030-01-01 00:00:00,\S+,[01](\.\d+)?$/);
    expect(readdirSync(out).toSorted()).toEqual(['calm', 'odd']);
    expect(report.figures.find(({ name }) => name === 'windows hit')?.value).toBe(100);
    expect(report.figures.find(({ name }) => name.startsWith('rows whose score changed'))?.value).toBe(0);
    expect(report.figures.some(({ name }) => name.startsWith('scorer'))).toBe(false);
  });
});

describe('all', () => {
  test('one table with every set, the missed ones named; results in a folder for each set', async () => {
    const out = join(folder, 'out-all');
    const charts = join(folder, 'charts');
    const { code, printed } = await run('all', '--data', folder, '--out', out, '--charts', charts);
    expect(code).toBe(0);
    expect(printed).toMatch(/^set +figure +value +unit +target +peer/m);
    for (const { name } of BENCHES) expect(printed).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    expect(printed).toMatch(/^generated +share +0\.5 +>= 0\.9 +0\.7 them +MISSED$/m);
    expect(printed).toContain('  generated: share');
    expect(existsSync(join(out, 'petshop', 'petshop.jsonl'))).toBe(true);
    expect(readFileSync(join(charts, 'drawing.svg'), 'utf8')).toBe('<svg/>');
    expect(readdirSync(charts)).toContain('nab-cross-validation.svg');
  });

  test('a set whose folder is absent is named as not measured, the others run', async () => {
    const some = mkdtempSync(join(tmpdir(), 'aegis-bench-some-'));
    putLoghub(join(some, 'loghub'));
    const { code, printed } = await run('all', '--data', some, '--json');
    const { reports } = JSON.parse(printed) as { readonly reports: readonly PlainReport[] };
    rmSync(some, { recursive: true });
    expect(code).toBe(0);
    expect(reports.find(({ set }) => set === 'nab')?.figures[0]?.value).toBeNull();
    expect(reports.find(({ set }) => set === 'loghub')?.figures[0]?.value).toBe(1);
  });
});

describe('exit codes', () => {
  test.each([
    ['a missed target alone is no failure', ['generated'], 0],
    ['with --strict it is', ['generated', '--strict'], 1],
    ['--help', ['--help'], 0],
  ])('%s', async (_, argv, expected) => {
    const { code } = await run(...argv);
    expect(code).toBe(expected);
  });
});

describe('wrong arguments: what, where, how to mend, all at once', () => {
  test.each<[string, readonly string[], readonly RegExp[]]>([
    ['no set', [], [/no SET is given: write one of nab, .*generated, all/]],
    ['a set that is none', ['nob'], [/nob is no set: write one of nab/]],
    ['two sets', ['generated', 'all', '--data', '.'], [/one SET a call/]],
    ['an unknown option', ['generated', '--dir=x'], [/--dir is no option: known are --data/]],
    ['a folder without its value', ['generated', '--out'], [/--out names no folder: write --out DIR/]],
    [
      'no data where it is needed',
      ['nab'],
      [/nab needs data: give --data DIR with windows\.json.*it comes from https:\/\/github\.com\/numenta\/NAB/],
    ],
    ['data that does not exist', ['kpi', '--data', '/nowhere/at/all'], [/\/nowhere\/at\/all does not exist/]],
    [
      'several at once',
      ['nab', 'kpi', '--what', '--data'],
      [/--what is no option/, /--data names no folder/, /one SET a call/],
    ],
  ])('%s', async (_, argv, messages) => {
    const { code, complaints, printed } = await run(...argv);
    expect(code).toBe(2);
    expect(printed).toBe('');
    for (const message of messages) expect(complaints).toMatch(message);
  });

  test('the parent of the set’s folder: says which folder to give', async () => {
    const { code, complaints } = await run('sock-shop', '--data', folder);
    expect(code).toBe(2);
    expect(complaints).toContain(`give --data ${join(folder, 'sock-shop')}`);
  });

  test('the folder of another set: says what it must hold and where it comes from', async () => {
    const { code, complaints } = await run('petshop', '--data', join(folder, 'kpi'));
    expect(code).toBe(2);
    expect(complaints).toMatch(/is not the folder of petshop: it must hold SCENARIO.*github\.com\/amazon-science/);
  });

  test('an archive instead of a folder, and a file as output', async () => {
    const file = join(folder, 'kpi.tar.xz');
    writeFileSync(file, '');
    const { complaints } = await run('kpi', '--data', file, '--out', file);
    expect(complaints).toMatch(/is a file: unpack it \(tar -xJf\)/);
    expect(complaints).toMatch(/--out .* is a file: give a folder/);
  });

  test('a file that windows.json names and that is not there', async () => {
    const broken = mkdtempSync(join(tmpdir(), 'aegis-bench-broken-'));
    putNab(broken, [{ name: 'a/b.csv', values: [1, 2], windows: [] }]);
    rmSync(join(broken, 'data', 'a', 'b.csv'));
    const { code, complaints } = await run('nab', '--data', broken);
    rmSync(broken, { recursive: true });
    expect(code).toBe(2);
    expect(complaints).toMatch(/nab: windows\.json names files that .* lacks: a\/b\.csv; unpack the set again/);
  });
});
