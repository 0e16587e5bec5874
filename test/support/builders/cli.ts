import type { Services } from '../../../src/cli/services.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { NOW } from './workload.ts';

/** A terminal that keeps what is said, files by name, and nothing else of the world unless it is given. */
export function aTerminal(
  files: Readonly<Record<string, string>> = {},
  over: Partial<Services> = {},
): { readonly services: Services; readonly output: () => string; readonly stdout: () => string } {
  const said: { readonly to: 'out' | 'err'; readonly text: string }[] = [];
  const services: Services = {
    terminal: {
      out: (text) => void said.push({ to: 'out', text }),
      err: (text) => void said.push({ to: 'err', text }),
      readFile: (path) => {
        const text = files[path];
        return Promise.resolve(text === undefined ? err(`${path}: cannot be read: no such file`) : ok(text));
      },
      nowMs: () => NOW,
    },
    openCluster: () => Promise.resolve(err('there is no cluster here')),
    openRest: () => {
      const none = () => Promise.resolve(err('there is no API here'));
      return { get: none, post: none };
    },
    openMetrics: () => Promise.resolve(err('there is no Prometheus here')),
    openDatabase: () => Promise.resolve(err('there is no database here')),
    readConfiguration: () => Promise.resolve({ text: '', problems: [] }),
    ...over,
  };
  const textOf = (to?: 'out'): string =>
    said
      .filter((s) => to === undefined || s.to === to)
      .map(({ text }) => text)
      .join('');
  return { services, output: () => textOf(), stdout: () => textOf('out') };
}
