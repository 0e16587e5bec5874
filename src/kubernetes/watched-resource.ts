import type { MetricsSink } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { KubeClient } from './client.ts';
import type { CacheChange } from './object-cache.ts';
import { Reflector, type ReflectorState, type ReflectorTiming } from './reflector.ts';
import type { Resource } from './resources.ts';

/** What every watched resource shares. */
export interface WatchContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: MetricsSink;
  /** Single-namespace mode: one watch for each; absent: one for the cluster. */
  readonly namespaces?: readonly string[];
  readonly timing?: Partial<ReflectorTiming>;
  /** Single-namespace mode: where the guardrail is, since those of the cluster cannot be read. */
  readonly guardrailConfigMap?: { readonly namespace: string; readonly name: string };
}

export interface WatchRecipe<T> {
  readonly resource: Resource;
  readonly transform: (object: unknown) => T | undefined;
  readonly onChange: (change: CacheChange<T>) => void;
  readonly resyncMs: number;
  /** A definition that need not exist, and a right that may be withheld: neither stops the start. */
  readonly optional?: boolean;
  readonly fieldSelector?: string;
}

/** A problem for `/health`: which resource cannot be read, and why. */
export interface WatchProblem {
  readonly resource: string;
  readonly state: ReflectorState;
  readonly message: string;
}

/** One resource in all namespaces that are watched. */
export class WatchedResource<T> {
  readonly #recipe: WatchRecipe<T>;
  readonly #reflectors: readonly Reflector<T>[];

  constructor(context: WatchContext, recipe: WatchRecipe<T>) {
    this.#recipe = recipe;
    const { namespaces, guardrailConfigMap: _, ...shared } = context;
    const scopes = recipe.resource.namespaced && namespaces !== undefined ? namespaces : [undefined];
    this.#reflectors = scopes.map(
      (namespace) => new Reflector({ ...shared, ...recipe, ...(namespace === undefined ? {} : { namespace }) }),
    );
  }

  get plural(): string {
    return this.#recipe.resource.plural;
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  get(key: string): T | undefined {
    for (const reflector of this.#reflectors) {
      const value = reflector.cache.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  values(): T[] {
    return this.#reflectors.flatMap((reflector) => [...reflector.cache.values()]);
  }

  /** Taken whole at least once, or optional and known to be absent or denied. */
  synced(): boolean {
    return this.#reflectors.every(
      (each) => each.everSynced || (this.#recipe.optional === true && ['missing', 'denied'].includes(each.state)),
    );
  }

  /** Can be trusted: taken whole, and neither withheld nor gone since. An absent optional definition is knowledge. */
  readable(): boolean {
    return this.#reflectors.every((each) =>
      each.state === 'missing' ? this.#recipe.optional === true : each.everSynced && each.state !== 'denied',
    );
  }

  /** Monotonic time of the least recent confirmation; `undefined` where there is nothing to confirm. */
  confirmedAtMs(): number | undefined {
    const present = this.#reflectors.filter(
      (each) => !(this.#recipe.optional === true && ['missing', 'denied'].includes(each.state)),
    );
    return present.length === 0 ? undefined : Math.min(...present.map((each) => each.confirmedAtMs));
  }

  problems(): WatchProblem[] {
    return this.#reflectors.flatMap(({ state, fault }) => {
      if (fault === undefined || state === 'synced') return [];
      if (state === 'missing' && this.#recipe.optional === true) return [];
      const what = state === 'missing' ? 'the resource is not defined in this cluster' : fault.message;
      return [{ resource: this.#recipe.resource.plural, state, message: what }];
    });
  }
}
