import type { ApiRequest } from '../../../src/kubernetes/client.ts';
import { answerFault, type CallFault } from '../../../src/kubernetes/errors.ts';
import type { Json } from '../../../src/kubernetes/json.ts';

interface Stored {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** Objects that an API server would hold, read as it answers reads: whole, or their metadata, or a refusal. */
export class StoredObjects {
  readonly #objects = new Map<string, Stored[]>();
  /** Plural names that answer with this status. */
  readonly refused = new Map<string, number>();
  /** `GET plural namespace/name` of each request. */
  readonly asked: string[] = [];

  put(plural: string, ...objects: readonly Stored[]): void {
    for (const object of objects) {
      const { namespace, name } = object.metadata;
      const kept = (this.#objects.get(plural) ?? []).filter(
        ({ metadata }) => metadata.namespace !== namespace || metadata.name !== name,
      );
      this.#objects.set(plural, [...kept, object]);
    }
  }

  readonly reply = ({ target, as }: ApiRequest): Json | CallFault => {
    const { resource, namespace = '', name } = target;
    const { plural } = resource;
    this.asked.push(`${as === 'metadata' ? 'metadata of ' : ''}${plural} ${namespace}/${name ?? ''}`);
    const status = this.refused.get(`${plural}.${resource.version}`) ?? this.refused.get(plural);
    if (status !== undefined) return answerFault(status, { message: `HTTP ${status}` });
    const found = (this.#objects.get(plural) ?? []).filter(({ metadata }) => metadata.namespace === namespace);
    if (name === undefined) return { metadata: {}, items: found };
    const object = found.find(({ metadata }) => metadata.name === name);
    if (object === undefined) return answerFault(404, { message: 'not found' });
    return (as === 'metadata' ? { metadata: object.metadata } : object) as unknown as Json;
  };
}
