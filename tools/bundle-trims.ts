import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import type { Plugin, PluginBuild } from 'esbuild';

/** A module of a package that is bundled as another one, or as nothing. */
interface Trim {
  /** The importing package's folder. */
  readonly within: RegExp;
  /** The import as it is written. */
  readonly path: RegExp;
  /** Module to take in its place, beside the importer; absent: an empty one. */
  readonly instead?: string;
}

/**
 * What packages bring and the release never runs, at a cost in memory:
 * - axios comes with prometheus-query, which Aegis gives an adapter of its own; axios' three adapters load HTTP/2, form
 *   encoding and, by merely asking whether `fetch` exists, the whole of Node's undici;
 * - zod's messages in 50 languages.
 */
const TRIMS: readonly Trim[] = [
  { within: /axios[\\/]lib[\\/]adapters/, path: /^\.\/(http|xhr)\.js$/, instead: '../helpers/null.js' },
  { within: /axios[\\/]lib[\\/]adapters/, path: /^\.\/fetch\.js$/ },
  { within: /axios[\\/]lib/, path: /^form-data$/ },
  { within: /zod[\\/]v4/, path: /^\.\.\/locales\/index\.js$/ },
];

/** Where a package looks for a global that Node only makes when somebody looks: form data come with all of undici. */
const LOOKS = [{ file: /axios[\\/]lib[\\/]utils\.js$/, look: /\bG\.FormData\b/g }];

/** Leaves out what the tables name; a row that no longer matches anything stops the build. */
export function trims(): Plugin {
  return {
    name: 'trims',
    setup(build) {
      leaveOut(build);
      lookAway(build);
      takeHttpAsItIs(build);
    },
  };
}

function leaveOut(build: PluginBuild): void {
  const used = new Set<Trim>();
  build.onResolve({ filter: /.*/ }, ({ path, resolveDir }) => {
    const trim = TRIMS.find((each) => each.path.test(path) && each.within.test(resolveDir));
    if (trim === undefined) return undefined;
    used.add(trim);
    return trim.instead === undefined ? { path, namespace: 'left-out' } : { path: join(resolveDir, trim.instead) };
  });
  build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = null' }));
  build.onEnd(() => {
    const idle = TRIMS.filter((trim) => !used.has(trim));
    return { errors: idle.map(({ path }) => ({ text: `nothing imports ${path.source} any more: mend TRIMS` })) };
  });
}

function lookAway(build: PluginBuild): void {
  for (const { file, look } of LOOKS) {
    build.onLoad({ filter: file }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const contents = code.replace(look, 'undefined');
      return contents === code
        ? { errors: [{ text: `${path} does not look for ${look.source} any more: mend LOOKS` }] }
        : { contents };
    });
  }
}

/**
 * Node fills the exports of a built-in module when it is imported, and for `http` that means WebSocket and its events:
 * undici, HTTP/2 and the web streams, 14 MiB that nothing uses. Asked for as a value, the module stays as it is. Whoever
 * imports it while the program runs (the exporter of traces) looks for names: all that are there without being made.
 */
function takeHttpAsItIs(build: PluginBuild): void {
  build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) => ({
    path: 'node:http',
    namespace: kind === 'dynamic-import' ? 'as-it-is-by-name' : 'as-it-is',
  }));
  build.onLoad({ filter: /.*/, namespace: 'as-it-is' }, ({ path }) => ({
    contents: `module.exports = process.getBuiltinModule('${path}')`,
  }));
  build.onLoad({ filter: /.*/, namespace: 'as-it-is-by-name' }, ({ path }) => ({
    contents: `const it = process.getBuiltinModule('${path}'); export const { ${plainNames(http)} } = it; export default it`,
  }));
}

/** What has a value already; the rest is made when it is looked at. */
const plainNames = (module: object): string =>
  Object.entries(Object.getOwnPropertyDescriptors(module))
    .filter(([, { value }]) => value !== undefined)
    .map(([name]) => name)
    .join(', ');

/** Node keeps a file that is not pure ASCII in memory at two bytes a character. */
export const asciiOnly = (code: string): string =>
  code.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
