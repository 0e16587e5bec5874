import type { ServerResponse } from 'node:http';
import { type ScriptedApi, answer, beginStream, line, scriptedApi } from './scripted-api.ts';

interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A scripted API server with collections that can be listed and watched, for tests that need many at once. */
export interface MemoryApi extends ScriptedApi {
  /** The items that lists of this path (`/api/v1/pods`) answer with. */
  put(path: string, items: readonly Item[]): void;
  /** Answers every request under this path with a status instead; 200 takes it back. */
  refuse(path: string, status: number): void;
  /** Sends an event to the open watches of this path. */
  send(path: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void;
  /** Paths with an open watch. */
  watched(): readonly string[];
}

export async function memoryApi(): Promise<MemoryApi> {
  const collections = new Map<string, readonly Item[]>();
  const refused = new Map<string, number>();
  const watches: { readonly path: string; readonly response: ServerResponse }[] = [];
  const api = await scriptedApi(({ path, query }, response) => {
    const status = refused.get(path);
    if (status !== undefined && status !== 200) return answer(response, status, { message: `refused ${path}` });
    if (query.get('watch') === 'true') {
      beginStream(response);
      const watch = { path, response };
      watches.push(watch);
      response.once('close', () => watches.splice(watches.indexOf(watch), 1));
      return;
    }
    const items = collections.get(path) ?? [];
    if (items.length === 1 && items[0]?.metadata.name === path.split('/').at(-1))
      return answer(response, 200, items[0]);
    answer(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  return {
    ...api,
    put: (path, items) => void collections.set(path, items),
    refuse: (path, status) => void refused.set(path, status),
    send: (path, type, object) => {
      for (const watch of watches) if (watch.path === path) watch.response.write(line(type, object));
    },
    watched: () => watches.map((watch) => watch.path).sort(),
  };
}
