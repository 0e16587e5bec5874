import type { Clock } from '../lib/clock.ts';
import type { KubeClient } from './client.ts';
import { type CachedNamespace, readNamespace } from './read-surroundings.ts';
import { RESOURCES } from './resources.ts';

const EVERY_MS = 60_000;

/**
 * Single-namespace mode cannot watch namespaces, which are cluster-wide; a Role may still allow `get` on its own. Each
 * watched namespace is read once a minute, so that its exclude mark is seen. Where even that is forbidden, its labels
 * stay unknown.
 */
export class NamespaceReader {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #names: readonly string[];
  readonly #known = new Map<string, CachedNamespace>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(client: KubeClient, clock: Clock, names: readonly string[]) {
    this.#client = client;
    this.#clock = clock;
    this.#names = names;
  }

  get(name: string): CachedNamespace | undefined {
    return this.#known.get(name);
  }

  /** Resolves after the first round. */
  async start(): Promise<void> {
    for (const name of this.#names) {
      const reply = await this.#client.call({ method: 'GET', target: { resource: RESOURCES.namespaces, name } });
      if (reply.ok) this.#known.set(name, readNamespace(reply.value));
    }
    if (!this.#stopped) this.#cancel = this.#clock.after(EVERY_MS, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}
