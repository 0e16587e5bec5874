/**
 * Bundles the release: `npm run build [-- --out DIR]`. The bundle needs nothing but Node: no node_modules, no install
 * script, no TypeScript. What is imported lazily stays in files of its own, so that it costs memory only when it is used.
 */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { asciiOnly, trims } from './bundle-trims.ts';

const ROOT = join(import.meta.dirname, '..');
const ENTRIES = { main: 'src/main.ts', cli: 'src/cli/main.ts' };
/** CommonJS packages in an ESM bundle call `require` for Node's own modules. */
const BANNER = "import{createRequire as r}from'node:module';const require=r(import.meta.url);";
/** Files that pages of the API load; the server looks for them beside itself. */
const ASSETS = ['swagger-ui-dist/swagger-ui.css', 'swagger-ui-dist/swagger-ui-bundle.js'];

const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'dist') } } });
const out = values.out;

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ENTRIES,
  outdir: out,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: BANNER },
  // Comments go, names stay: a trace can be read as it is, and the source is kept in memory at one byte a character.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'linked',
  // Its ESM form imports axios in modules, its CommonJS form in one piece of which nothing can be left out.
  alias: { 'prometheus-query': 'prometheus-query/dist/prometheus-query.esm.js' },
  plugins: [trims()],
  metafile: true,
  logLevel: 'warning',
});
for (const file of (await readdir(out)).filter((name) => name.endsWith('.js'))) {
  await writeFile(join(out, file), asciiOnly(await readFile(join(out, file), 'utf8')));
}
const require = createRequire(import.meta.url);
for (const asset of ASSETS) await copyFile(require.resolve(asset), join(out, 'assets', asset.replace(/^.*\//, '')));
// `ln -s .../cli.js /usr/local/bin/kubectl-aegis` makes it a kubectl plugin.
await chmod(join(out, 'cli.js'), 0o755);
await writeFile(join(out, 'package.json'), '{ "type": "module" }\n');

for (const [path, { bytes, entryPoint }] of Object.entries(metafile.outputs)) {
  if (entryPoint !== undefined && path.endsWith('.js')) {
    process.stdout.write(`${path} ${(bytes / 1024).toFixed(0)} KiB from ${entryPoint}\n`);
  }
}
