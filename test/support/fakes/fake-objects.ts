import type { Json } from '../../../src/kubernetes/json.ts';
import { at, metaOf, record } from '../../../src/kubernetes/json.ts';

const LIMITING = new Set(['backendtrafficpolicies', 'envoyfilters']);

/** Objects of kinds that Aegis does not watch, as an API server keeps them: names exist once, versions, generations. */
export class FakeObjects {
  /** Says of each limit whether the gateway accepts it; `undefined`: it has not looked yet. */
  accepts: boolean | undefined = true;
  readonly #objects = new Map<string, Json>();
  #serial = 0;

  put(plural: string, object: Json): void {
    this.#store(plural, object, 1);
  }

  /** `undefined`: the name is taken. */
  create(plural: string, object: Json): Json | undefined {
    if (this.get(plural, metaOf(object).namespace, metaOf(object).name) !== undefined) return undefined;
    return this.#store(plural, { ...object, ...(LIMITING.has(plural) && { status: this.#verdict() }) }, 1);
  }

  get(plural: string, namespace: string, name: string): Json | undefined {
    return this.#objects.get(`${plural} ${namespace}/${name}`);
  }

  list(plural: string, namespace: string): readonly Json[] {
    const prefix = `${plural} ${namespace}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  /** As somebody does who edits the spec: the generation tells. */
  edit(plural: string, namespace: string, name: string, spec: Json): void {
    const known = this.get(plural, namespace, name);
    if (known === undefined) throw new Error(`there is no ${plural} ${name}`);
    this.#store(plural, { ...known, spec }, Number(at(known, 'metadata')['generation']) + 1);
  }

  /** False: the preconditions do not hold. */
  delete(plural: string, namespace: string, name: string, preconditions: Json = {}): boolean {
    const known = this.get(plural, namespace, name);
    if (known === undefined) return false;
    const { uid, resourceVersion } = metaOf(known);
    if (preconditions['uid'] !== undefined && preconditions['uid'] !== uid) return false;
    if (preconditions['resourceVersion'] !== undefined && preconditions['resourceVersion'] !== resourceVersion)
      return false;
    return this.#objects.delete(`${plural} ${namespace}/${name}`);
  }

  #store(plural: string, object: Json, generation: number): Json {
    const { namespace, name, uid } = metaOf(object);
    const serial = ++this.#serial;
    const metadata = {
      ...record(object['metadata']),
      uid: uid === '' ? `o-${serial}` : uid,
      resourceVersion: `${serial}`,
      generation,
    };
    const stored = JSON.parse(JSON.stringify({ ...object, metadata })) as Json;
    this.#objects.set(`${plural} ${namespace}/${name}`, stored);
    return stored;
  }

  #verdict(): Json {
    if (this.accepts === undefined) return {};
    const status = this.accepts ? 'True' : 'False';
    return { ancestors: [{ conditions: [{ type: 'Accepted', status, reason: 'Test', message: 'as the test says' }] }] };
  }
}

/** A Service and an HTTPRoute that an Envoy gateway accepted, for the pods with the label `app: NAME`. */
export function aRoute(objects: FakeObjects, name: string, namespace = 'shop'): void {
  objects.put('services', { metadata: { name, namespace }, spec: { selector: { app: name } } });
  objects.put('httproutes', {
    metadata: { name, namespace },
    spec: { rules: [{ backendRefs: [{ name, port: 80 }] }] },
    status: {
      parents: [
        {
          controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
          parentRef: { name: 'public', namespace: 'gateways' },
          conditions: [{ type: 'Accepted', status: 'True' }],
        },
      ],
    },
  });
}
