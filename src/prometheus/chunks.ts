/** Bounds of one merged query. */
export interface ChunkBounds {
  readonly maxNamespaces: number;
  readonly maxChars: number;
}

export const DEFAULT_BOUNDS: ChunkBounds = { maxNamespaces: 50, maxChars: 2000 };

/** Distinct namespaces in a fixed order, cut into chunks that fit one query each. */
export function chunk(namespaces: Iterable<string>, bounds: ChunkBounds): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let current: string[] = [];
  let chars = 0;
  for (const namespace of [...new Set(namespaces)].sort()) {
    const isFull = current.length >= bounds.maxNamespaces || chars + namespace.length > bounds.maxChars;
    if (current.length > 0 && isFull) {
      chunks.push(current);
      current = [];
      chars = 0;
    }
    current.push(namespace);
    chars += namespace.length + 1;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}

/**
 * Learns how many namespaces a query over some source may name: what was too large together is asked for in smaller
 * chunks from then on, and a namespace that is too large by itself is kept away from the others.
 */
export interface ChunkSizes {
  plan(source: string, namespaces: Iterable<string>): readonly (readonly string[])[];
  tooLarge(source: string, namespaces: readonly string[]): void;
}

/** Sizes for one metrics server. */
export function createChunkSizes(bounds: ChunkBounds = DEFAULT_BOUNDS): ChunkSizes {
  const sizes = new Map<string, number>();
  const alone = new Map<string, Set<string>>();
  return {
    plan(source, namespaces) {
      const apart = alone.get(source);
      const all = [...new Set(namespaces)];
      const together = apart === undefined ? all : all.filter((namespace) => !apart.has(namespace));
      const singles = apart === undefined ? [] : all.filter((namespace) => apart.has(namespace)).sort();
      const maxNamespaces = Math.min(bounds.maxNamespaces, sizes.get(source) ?? bounds.maxNamespaces);
      return [...chunk(together, { ...bounds, maxNamespaces }), ...singles.map((namespace) => [namespace])];
    },
    tooLarge(source, namespaces) {
      const [only] = namespaces;
      if (namespaces.length === 1 && only !== undefined) {
        alone.set(source, (alone.get(source) ?? new Set()).add(only));
        sizes.delete(source);
      } else {
        sizes.set(source, Math.max(1, Math.floor(namespaces.length / 2)));
      }
    },
  };
}
