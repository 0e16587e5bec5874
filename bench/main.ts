import { parseArgs } from 'node:util';
import { engineBench } from './engine.ts';
import { noFaultBench } from './no-fault.ts';
import { operatorBench } from './operator.ts';
import type { Bench, BenchOptions } from './registry.ts';
import { isMet, renderTable } from './registry.ts';
import { restBench } from './rest.ts';
import { kubernetesBench } from './sets/kubernetes.ts';
import { loghubBench } from './sets/loghub.ts';
import { nabBench } from './sets/nab.ts';
import { nezhaBench } from './sets/nezha.ts';
import { petshopBench } from './sets/petshop.ts';
import { sockShopBench } from './sets/sock-shop.ts';

/**
 * `npm run bench -- [NAME ...] [--data DIR] [--out DIR] [--json]`: every benchmark of the project by name, all without
 * data if none is named. Exit code 1: a target was missed; 2: wrong use or missing data.
 */
const BENCHES: readonly Bench[] = [
  engineBench,
  noFaultBench,
  restBench,
  operatorBench,
  nabBench,
  sockShopBench,
  nezhaBench,
  petshopBench,
  loghubBench,
  kubernetesBench,
];

/** Benchmarks that need no data and run when none is named. */
const DEFAULT = [engineBench.name, restBench.name, operatorBench.name, kubernetesBench.name];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { data: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const names = positionals.length > 0 ? positionals : DEFAULT;
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; known are:`);
    for (const { name, about } of BENCHES) console.error(`  ${name.padEnd(12)} ${about}`);
    return 2;
  }
  const options: BenchOptions = {
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(values.out === undefined ? {} : { out: values.out }),
  };
  let code = 0;
  for (const name of names) code = Math.max(code, await runOne(name, options, values.json));
  return code;
}

async function runOne(name: string, options: BenchOptions, json: boolean): Promise<number> {
  const report = await BENCHES.find((bench) => bench.name === name)?.run(options);
  if (report === undefined) return 2;
  console.log(json ? JSON.stringify(report) : renderTable(report));
  return report.figures.every(isMet) ? 0 : 1;
}

process.exitCode = await main();
