/**
 * `npm run scenarios [-- FOLDER...] [--only TEXT] [--verbose]`: plays every scenario of the folders and says how each went. The
 * very last line is `N passed, N failed`; the exit code is not zero when one failed, could not be read, or none was found.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadScenario, scenarioFiles } from './load.ts';
import { play } from './play.ts';

const ROOT = join(import.meta.dirname, '..', '..');

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { only: { type: 'string', default: '' }, verbose: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const folders = positionals.length > 0 ? positionals : [join(ROOT, 'scenarios')];
  const files = folders.flatMap(scenarioFiles).filter((file) => file.includes(values.only));
  let [passed, failed] = [0, 0];
  for (const file of files) {
    const shown = relative(process.cwd(), file);
    const loaded = loadScenario(file);
    if (!loaded.ok) {
      failed += 1;
      process.stdout.write(`unreadable  ${shown}\n${loaded.error.map((each) => `    ${each}\n`).join('')}`);
      continue;
    }
    const { name, failures, story } = await play(loaded.value);
    if (failures.length === 0) passed += 1;
    else failed += 1;
    process.stdout.write(
      `${failures.length === 0 ? 'ok' : 'FAILED'}  ${shown}: ${name}\n${failures.map((each) => `    ${each}\n`).join('')}`,
    );
    if (values.verbose) process.stdout.write(`${story}\n`);
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
