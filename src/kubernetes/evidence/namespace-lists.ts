import { MINUTE, SECOND } from '../../lib/duration.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KubeClient } from '../client.ts';
import type { CallFault } from '../errors.ts';
import { type Json, at, list, text } from '../json.ts';
import type { Resource } from '../resources.ts';

/** What a look found: objects, no such kind in this cluster (which is knowledge), or why nothing is known. */
export type Looked<T> =
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly why: string };

/** Incidents of one namespace share what was read of it. */
const FRESH_MS = 25 * SECOND;
/** A definition that is absent may be installed; a right that is withheld may be granted; nobody waits for either. */
const ABSENT_MS = 5 * MINUTE;
const DENIED_MS = 10 * MINUTE;
/** While the server fails each resource is asked for once in ten seconds (I32). */
const FAILING_MS = 10 * SECOND;
const PAGE_SIZE = 500;
/** A namespace with more objects of a kind than this is not read whole. */
const MOST_PAGES = 4;
const MOST_REMEMBERED = 2_000;

interface Remembered {
  readonly untilMs: number;
  readonly looked: Promise<Looked<readonly unknown[]>>;
}

/** Reads objects when they are asked for, and again only after a while; nothing is watched. Never rejects. */
export class NamespaceLists {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #known = new Map<string, Remembered>();
  /** What is not asked for now: resources that failed or are not defined, and those that a namespace denies. */
  readonly #resting = new Map<string, { readonly untilMs: number; readonly looked: Looked<never> }>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** All objects of a kind in the namespace. */
  list(resource: Resource, namespace: string): Promise<Looked<readonly unknown[]>> {
    return this.#remembered(resource, namespace, '', () => this.#readPages(resource, namespace));
  }

  /** One object, or only its metadata; `absent`: it does not exist. */
  async get(resource: Resource, namespace: string, name: string, isMetadataOnly = false): Promise<Looked<unknown>> {
    const found = await this.#remembered(resource, namespace, name, async () => {
      const target = { resource, namespace, name };
      const reply = await this.#client.call({ method: 'GET', target, ...(isMetadataOnly && { as: 'metadata' }) });
      if (reply.ok) return { kind: 'known', value: [reply.value] };
      if (reply.error.kind === 'NotFound') return { kind: 'absent' };
      return this.#unknown(resource, namespace, reply.error);
    });
    return found.kind === 'known' ? { kind: 'known', value: found.value[0] } : found;
  }

  #remembered(
    resource: Resource,
    namespace: string,
    name: string,
    read: () => Promise<Looked<readonly unknown[]>>,
  ): Promise<Looked<readonly unknown[]>> {
    const nowMs = this.#clock.monotonicMs();
    const resting = [keyOf(resource), keyOf(resource, namespace)]
      .flatMap((key) => this.#resting.get(key) ?? [])
      .find(({ untilMs }) => nowMs < untilMs);
    if (resting !== undefined) return Promise.resolve(resting.looked);
    const key = `${keyOf(resource, namespace)}/${name}`;
    const known = this.#known.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.looked;
    const looked = read();
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(key, { untilMs: nowMs + FRESH_MS, looked });
    return looked;
  }

  async #readPages(resource: Resource, namespace: string): Promise<Looked<readonly unknown[]>> {
    const items: unknown[] = [];
    let next = '';
    for (let page = 0; page < MOST_PAGES; page++) {
      const target = { resource, namespace, query: { limit: PAGE_SIZE, continue: next } };
      const reply = await this.#client.call({ method: 'GET', target });
      if (!reply.ok) return this.#failed(resource, namespace, reply.error);
      items.push(...list(reply.value.items));
      next = continuationOf(reply.value);
      if (next === '') return { kind: 'known', value: items };
    }
    return { kind: 'unknown', why: `${resource.plural}: more than ${MOST_PAGES * PAGE_SIZE} in ${namespace}` };
  }

  /** A namespace that does not exist has an empty list: 404 means that the kind is not defined. */
  #failed(resource: Resource, namespace: string, fault: CallFault): Looked<never> {
    if (fault.kind !== 'NotFound') return this.#unknown(resource, namespace, fault);
    return this.#rest(keyOf(resource), ABSENT_MS, { kind: 'absent' });
  }

  #unknown(resource: Resource, namespace: string, fault: CallFault): Looked<never> {
    if (fault.kind === 'Forbidden') {
      const why = `${resource.plural}: no right to read them`;
      return this.#rest(keyOf(resource, namespace), DENIED_MS, { kind: 'unknown', why });
    }
    const restMs = Math.max(FAILING_MS, fault.retryAfterMs ?? 0);
    return this.#rest(keyOf(resource), restMs, { kind: 'unknown', why: `${resource.plural}: ${fault.message}` });
  }

  #rest(key: string, forMs: number, looked: Looked<never>): Looked<never> {
    this.#resting.set(key, { untilMs: this.#clock.monotonicMs() + forMs, looked });
    return looked;
  }
}

const keyOf = ({ group, version, plural }: Resource, namespace = ''): string =>
  `${plural}.${version}.${group} ${namespace}`;

const continuationOf = (page: Json): string => text(at(page, 'metadata').continue);
