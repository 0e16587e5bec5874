/**
 * Regenerates everything that is generated and committed: `npm run generate`. With `--check` (`npm run verify`)
 * nothing is written, and any difference fails, naming the file.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configurationGenerator } from './generate/configuration.ts';
import { crdGenerator } from './generate/crds.ts';
import type { Generator } from './generate/generator.ts';
import { metricsGenerator } from './generate/metrics.ts';
import { reasonsGenerator } from './generate/reasons.ts';
import { referenceGenerator } from './generate/reference.ts';

const ROOT = join(import.meta.dirname, '..');

/** Everything generated. A new one is one line here. */
const GENERATORS: readonly Generator[] = [
  crdGenerator,
  referenceGenerator,
  configurationGenerator,
  reasonsGenerator,
  metricsGenerator,
];

async function current(path: string): Promise<string | undefined> {
  return readFile(join(ROOT, path), 'utf8').catch(() => undefined);
}

/** Files in the generator's own folders that it did not make: left over from a kind that is gone. */
async function strays(generator: Generator, made: ReadonlyMap<string, string>): Promise<string[]> {
  const found = await Promise.all(
    generator.owns.map(async ({ folder, files }) => {
      const names = await readdir(join(ROOT, folder)).catch(() => []);
      return names.filter((name) => files.test(name)).map((name) => `${folder}/${name}`);
    }),
  );
  return found.flat().filter((path) => !made.has(path));
}

async function check(generator: Generator): Promise<string[]> {
  const made = await generator.generate();
  const differing = await Promise.all(
    [...made].map(async ([path, content]) => {
      const before = await current(path);
      if (before === content) return [];
      return [before === undefined ? `${path} is missing` : `${path} differs from what is generated`];
    }),
  );
  const left = await strays(generator, made);
  return [...differing.flat(), ...left.map((path) => `${path} is no longer generated`)];
}

async function write(generator: Generator): Promise<void> {
  const made = await generator.generate();
  for (const [path, content] of made) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    if ((await current(path)) !== content) await writeFile(join(ROOT, path), content);
  }
  for (const path of await strays(generator, made)) await rm(join(ROOT, path));
  process.stdout.write(`${generator.name}: ${made.size} files\n`);
}

if (process.argv.includes('--check')) {
  const problems = (await Promise.all(GENERATORS.map(check))).flat();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.stderr.write('Run `npm run generate` and commit the result.\n');
  process.exitCode = problems.length > 0 ? 1 : 0;
} else {
  for (const generator of GENERATORS) await write(generator);
}
