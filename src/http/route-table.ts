import type { AnyRoute } from './route.ts';

/** The routes of one path. */
interface Place {
  readonly path: string;
  /** For `Allow`. */
  readonly methods: string;
  readonly byMethod: ReadonlyMap<string, AnyRoute>;
}

export interface Found {
  readonly place: Place;
  readonly parameters: Readonly<Record<string, string>>;
}

const NONE: Readonly<Record<string, string>> = {};

/**
 * Finds what a path leads to: exact in case and slashes. A path is looked up, not matched against one pattern after the
 * other; only those with named parts are tried in turn. A named part that cannot be decoded leads nowhere.
 */
export function createRouteTable(routes: readonly AnyRoute[]): (path: string) => Found | undefined {
  const fixed = new Map<string, Found>();
  const named: { readonly pattern: RegExp; readonly place: Place }[] = [];
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    const byMethod = new Map(group.map((route) => [route.method as string, route]));
    const get = byMethod.get('GET');
    // A stream has no end, so the answer to HEAD would keep its connection for ever.
    const isStream = group.some((route) => route.method === 'GET' && route.stream !== undefined);
    if (get !== undefined && !isStream) byMethod.set('HEAD', get);
    const place = { path, methods: [...byMethod.keys()].sort().join(', '), byMethod };
    if (path.includes('{')) named.push({ pattern: patternOf(path), place });
    else fixed.set(path, { place, parameters: NONE });
  }
  return (path) => {
    const known = fixed.get(path);
    if (known !== undefined) return known;
    for (const { pattern, place } of named) {
      const groups = pattern.exec(path)?.groups;
      if (groups === undefined) continue;
      const parameters = decoded(groups);
      return parameters === undefined ? undefined : { place, parameters };
    }
    return undefined;
  };
}

/** `/decisions/{id}` -> `^/decisions/(?<id>[^/]+)$`. */
function patternOf(path: string): RegExp {
  const parts = path.split(/(\{\w+\})/).map((part) => part.replace(/^\{(\w+)\}$/, '(?<$1>[^/]+)'));
  return new RegExp(`^${parts.join('')}$`);
}

function decoded(groups: Readonly<Record<string, string>>): Found['parameters'] | undefined {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    return undefined;
  }
}
