import type { Forest } from '../../../src/detection/detectors/isolation-forest.ts';

/** A tree with a single split: its column and value, and the path that the left and the right leaf's rows still take. */
type Stump = readonly [column: number, value: number, left: number, right: number];

/** A forest of such trees over two columns; c = 2. */
export function stumps(trees: readonly Stump[], over: Partial<Forest> = {}): Forest {
  const nodes = new Int32Array(trees.length * 6);
  const singles = new Float32Array(nodes.buffer);
  trees.forEach(([column, value, left, right], tree) => {
    nodes.set([column * 65_536 + 1, 0, -1, 0, -1, 0], 6 * tree);
    singles[6 * tree + 1] = value;
    singles[6 * tree + 3] = left;
    singles[6 * tree + 5] = right;
  });
  const ranges = new Float32Array(4);
  return { columns: 2, trees: trees.length, nodesPerTree: 3, meanPath: 2, nodes, singles, ranges, ...over };
}
