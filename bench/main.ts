import { ENGINE_BENCHES } from './benches.ts';
import { operatorBench } from './operator.ts';
import { isMet, renderTable } from './registry.ts';
import type { Bench } from './registry.ts';
import { restBench } from './rest.ts';

/**
 * `npm run bench -- [NAME ...] [--json]`: what needs no data; `rest` and `operator`, which measure whole processes, are
 * only here. The sets with data have a command of their own, `npm run bench:engine`. Exit code 1: a target was missed;
 * 2: wrong use.
 */
const BENCHES: readonly Bench[] = [
  restBench,
  operatorBench,
  ...ENGINE_BENCHES.filter(({ data }) => data === undefined),
];

/** Run when none is named; `no-fault` takes minutes. */
const DEFAULT = ['cost', 'rest', 'operator', 'kubernetes', 'forest'];

async function main(): Promise<number> {
  const json = process.argv.includes('--json');
  const given = process.argv.slice(2).filter((each) => each !== '--json');
  const names = given.length > 0 ? given : DEFAULT;
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; known are (for sets with data see npm run bench:engine -- --help):`);
    for (const { name, about } of BENCHES) console.error(`  ${name.padEnd(12)} ${about}`);
    return 2;
  }
  let code = 0;
  for (const bench of BENCHES.filter(({ name }) => names.includes(name))) {
    const report = await bench.run({});
    console.log(json ? JSON.stringify(report) : renderTable(report));
    if (!report.figures.every(isMet)) code = 1;
  }
  return code;
}

process.exitCode = await main();
