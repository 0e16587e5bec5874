/**
 * How the sandbox's modules are loaded in a mutation run: anew when asked, and without the counting of covered mutants.
 * Files are read and stripped of their types once; a reload then costs little more than running the modules.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const GLOBALS = new URL('./test-globals.ts', import.meta.url).href;

/** How often each mutant was passed by since the last look, by its number; Stryker's own counter is ten times as slow. */
const hits = new Float64Array(100_000);
Object.assign(globalThis, { mutantHits: hits });

const COUNTER = 'function stryCov_9fa48(';
const FAST_COUNTER =
  '\nfunction stryCov_9fa48() { for (let i = 0; i < arguments.length; i++) mutantHits[arguments[i]] += 1; }\n';
const NO_COUNTER = '\nfunction stryCov_9fa48() {}\n';

export interface SandboxModules {
  /** Every module of the sandbox is loaded again with the next import: what is computed at load time is computed anew. */
  startGeneration: (options: { readonly counting: boolean }) => void;
  /** By mutant, how often it was passed by since the last call. */
  takeHits: () => Record<string, number>;
}

const withCounter = (source: string, counter: string): string =>
  source.includes(COUNTER) ? source.replace(COUNTER, 'function slowCounter(') + counter : source;

/** Calls name mutants by strings; numbers can be looked up in an array. */
function withNumbers(source: string): string {
  return source.replace(/stryCov_9fa48\(("\d+"(?:, ?"\d+")*)\)/g, (_call, ids: string) => {
    const numbers = ids.replaceAll('"', '');
    const last = Math.max(...numbers.split(',').map(Number));
    if (last >= hits.length)
      throw new Error(`mutant ${last}: more than ${hits.length} mutants cannot be counted at once`);
    return `stryCov_9fa48(${numbers})`;
  });
}

function takeHits(): Record<string, number> {
  const taken: Record<string, number> = {};
  hits.forEach((count, mutant) => {
    if (count > 0) taken[String(mutant)] = count;
  });
  hits.fill(0);
  return taken;
}

function cached(compute: (key: string) => string): (key: string) => string {
  const known = new Map<string, string>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}

const stripped = cached((url) => stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')));
const counting = cached((url) => withCounter(withNumbers(stripped(url)), FAST_COUNTER));
const notCounting = cached((url) => withCounter(stripped(url), NO_COUNTER));
const relative = cached((key) => new URL(...(key.split(' from ') as [string, string])).href);

const withoutQuery = (url: string): string => url.replace(/\?.*$/, '');

/** Installs the hooks for the sandbox in `folder`. They stay for the life of the process. */
export function hookSandbox(folder: string): SandboxModules {
  const root = `${pathToFileURL(folder).href}/`;
  const isOurs = (url: string): boolean => url.startsWith(root) && !url.includes('/node_modules/');
  let generation = 0;
  let isCounting = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === '@jest/globals') return { url: GLOBALS, shortCircuit: true };
      const isPlain = specifier.startsWith('.') && specifier.endsWith('.ts');
      if (isPlain && context.parentURL !== undefined && isOurs(context.parentURL)) {
        const url = relative(`${specifier} from ${withoutQuery(context.parentURL)}`);
        return { url: `${url}?${generation}`, shortCircuit: true };
      }
      const found = nextResolve(specifier, context);
      return isOurs(found.url) ? { ...found, url: `${withoutQuery(found.url)}?${generation}` } : found;
    },
    load(url, context, nextLoad) {
      const plain = withoutQuery(url);
      if (!isOurs(url) || !plain.endsWith('.ts')) return nextLoad(url, context);
      const source = isCounting ? counting(plain) : notCounting(plain);
      return { format: 'module', source, shortCircuit: true };
    },
  });
  return {
    startGeneration(options) {
      generation += 1;
      isCounting = options.counting;
    },
    takeHits,
  };
}
