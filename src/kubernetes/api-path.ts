import { type Result, err, ok } from '../lib/result.ts';
import type { Resource } from './resources.ts';

type Subresource = 'status' | 'scale' | 'eviction' | 'log' | 'exec';

/** What a request is about. Paths are never written by hand: this is turned into one below. */
export interface ApiTarget {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: Subresource;
  /** A list is one parameter for each of its items, in their order. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
}

/** Namespaces that requests may name; `undefined`: the whole cluster. */
export type Scope = readonly string[] | undefined;

/** DNS-1123 subdomain, the rule for most object names; a label (no dots, 63 characters) for namespaces. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export const isName = (name: string): boolean => name.length <= 253 && SUBDOMAIN.test(name);
const isNamespace = (name: string): boolean => name.length <= 63 && LABEL.test(name);

/**
 * The one function that builds an API path. A namespace or name that is not DNS-1123 is refused, so nothing that a
 * user wrote can climb out of its segment (`..`, `%2e`, `/`, `?`); in single-namespace mode every request outside the
 * scope is refused before it is sent.
 */
export function apiPath(target: ApiTarget, scope?: Scope): Result<string, string> {
  const problem = problemOf(target, scope);
  if (problem !== undefined) return err(problem);
  const { resource, namespace, name, subresource } = target;
  const segments = [
    resource.group === '' ? '/api' : `/apis/${resource.group}`,
    resource.version,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    resource.plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return ok(segments.join('/') + queryOf(target.query ?? {}));
}

function problemOf({ resource, namespace, name, subresource }: ApiTarget, scope: Scope): string | undefined {
  if (namespace !== undefined && !resource.namespaced) return `${resource.plural} have no namespace`;
  if (namespace !== undefined && !isNamespace(namespace)) return `not a namespace: ${JSON.stringify(namespace)}`;
  if (name !== undefined && !isName(name)) return `not a name: ${JSON.stringify(name)}`;
  if (name !== undefined && resource.namespaced && namespace === undefined)
    return `${resource.plural} need a namespace`;
  if (subresource !== undefined && name === undefined) return `${subresource} needs a name`;
  return outOfScope(resource, namespace, name, scope);
}

function outOfScope(
  resource: Resource,
  namespace: string | undefined,
  name: string | undefined,
  scope: Scope,
): string | undefined {
  if (scope === undefined || resource.kind === 'SelfSubjectAccessReview') return undefined;
  // The API server authorises `namespaces/NAME` as a request inside that namespace: a Role can grant it.
  const where = resource.kind === 'Namespace' ? name : namespace;
  return where !== undefined && scope.includes(where)
    ? undefined
    : `outside the watched namespaces: ${resource.plural}`;
}

function queryOf(query: NonNullable<ApiTarget['query']>): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((one): [string, string] => [key, String(one)]),
    );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
