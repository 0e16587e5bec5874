import { parseArgs } from 'node:util';
import { ENGINE_BENCHES } from './benches.ts';
import { operatorBench } from './operator.ts';
import { isMet, renderTable } from './registry.ts';
import type { Bench } from './registry.ts';
import { restBench } from './rest.ts';

/**
 * `npm run bench -- [NAME ...] [--json] [--requests N] [--python]`: what needs no data; `rest` and `operator`, which
 * measure whole processes, are only here. `--requests` shortens the long run of `rest`, `--python` puts a stand-in of the
 * Python engine beside it. The sets with data have a command of their own, `npm run bench:engine`. Exit code 1: a target
 * was missed; 2: wrong use.
 */
const BENCHES: readonly Bench[] = [
  restBench,
  operatorBench,
  ...ENGINE_BENCHES.filter(({ data }) => data === undefined),
];

/** Run when none is named; `no-fault` takes minutes. */
const DEFAULT = ['cost', 'rest', 'operator', 'kubernetes', 'forest'];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, requests: { type: 'string' }, python: { type: 'boolean' } },
  });
  const names = positionals.length > 0 ? positionals : DEFAULT;
  const requests = values.requests === undefined ? undefined : Number(values.requests);
  if (requests !== undefined && !(Number.isInteger(requests) && requests > 0)) {
    console.error(`--requests is ${values.requests}: write a whole number above 0, such as --requests 100000`);
    return 2;
  }
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; known are (for sets with data see npm run bench:engine -- --help):`);
    for (const { name, about } of BENCHES) console.error(`  ${name.padEnd(12)} ${about}`);
    return 2;
  }
  let code = 0;
  for (const bench of BENCHES.filter(({ name }) => names.includes(name))) {
    const report = await bench.run({ python: values.python === true, ...(requests !== undefined && { requests }) });
    console.log(values.json === true ? JSON.stringify(report) : renderTable(report));
    if (!report.figures.every(isMet)) code = 1;
  }
  return code;
}

process.exitCode = await main();
