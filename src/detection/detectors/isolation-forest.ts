import type { RandomStream } from '../../lib/seeded-random.ts';

/**
 * Isolation forest (Liu, Ting, Zhou 2008): anomalies are cut off by few random splits. Trees lie in flat typed arrays,
 * so a forest is stored as it is and predicts without allocation. A column that is constant within a node is never
 * split there, and constant in training it is still judged: a value outside its training range takes the short way out.
 */
export interface ForestOptions {
  readonly trees: number;
  /** Rows drawn for each tree, without replacement. */
  readonly sampleSize: number;
}

/** Rows of a workload's model, which is asked at every poll: its trees must be few. */
const FEW_ROWS = 256;

/** Rows of a tree where all rows differ, and the fewest. */
const [SAMPLE, SMALLEST_SAMPLE] = [192, 64] as const;

/**
 * A tree for every five rows, at least 32; beyond 256 rows one for every two, at most 320: what the forest says of a row
 * is a mean over trees, and its noise falls with their number. 192 rows a tree, not the customary 256: with fewer a small
 * cloud is too thin to be seen as one, with more a clump of odd rows hides itself. Rows that repeat others say nothing
 * new, as counts often do: the sample shrinks by their share.
 */
export function forestOptionsFor(matrix: Matrix): ForestOptions {
  const { rows } = matrix;
  const trees = rows <= FEW_ROWS ? Math.max(Math.ceil(rows / 5), 32) : Math.min(Math.ceil(rows / 2), 320);
  const share = rows === 0 ? 1 : distinctRows(matrix) / rows;
  return { trees, sampleSize: Math.max(Math.round(SAMPLE * share), SMALLEST_SAMPLE) };
}

function distinctRows({ rows, columns, values }: Matrix): number {
  const seen = new Set<string>();
  for (let row = 0; row < rows; row++) seen.add(values.subarray(row * columns, (row + 1) * columns).join());
  return seen.size;
}

/** Levels beyond log2 of the sample: near a dense cloud the paper's limit is too shallow to tell neighbours apart. */
const DEEPER = 3;

/** Row-major values. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export interface Forest {
  readonly columns: number;
  readonly trees: number;
  readonly nodesPerTree: number;
  /** Normaliser: average path length of an unsuccessful search among the sampled rows. */
  readonly meanPath: number;
  /**
   * Two words a node, beside each other for the cache. Even: split column * 65,536 + left child (the right one follows
   * it), or -1: a leaf. Odd, as a single: split value, or the path length that a leaf's rows would still take.
   */
  readonly nodes: Int32Array;
  /** The same memory, read as singles. */
  readonly singles: Float32Array;
  /** Range of every column in training, low and high in turn. */
  readonly ranges: Float32Array;
}

const LEAF = -1;
const CHILDREN = 0x1_0000;
const EULER = 0.5772156649015329;

/** Average path length of an unsuccessful search in a binary tree of n rows: c(n) of the paper. n <= 1: 0, n = 2: 1. */
export function averagePathLength(n: number): number {
  if (n <= 1) return 0;
  return n === 2 ? 1 : 2 * (Math.log(n - 1) + EULER) - (2 * (n - 1)) / n;
}

interface Growth {
  readonly matrix: Matrix;
  readonly random: RandomStream;
  readonly nodes: Int32Array;
  readonly singles: Float32Array;
  readonly rows: Uint16Array;
  readonly heightLimit: number;
  readonly first: number;
  used: number;
}

/** Trains on all rows; at most 65,535 of them. No rows: a forest that calls everything 0.5. */
export function trainForest(
  matrix: Matrix,
  random: RandomStream,
  options: ForestOptions = forestOptionsFor(matrix),
): Forest {
  const size = Math.min(options.sampleSize, matrix.rows);
  const nodesPerTree = Math.max(2 * size - 1, 1);
  const nodes = new Int32Array(2 * options.trees * nodesPerTree);
  const singles = new Float32Array(nodes.buffer);
  const meanPath = averagePathLength(size);
  const heightLimit = Math.ceil(Math.log2(Math.max(size, 2))) + DEEPER;
  for (let tree = 0; tree < options.trees; tree++) {
    const rows = drawRows(matrix.rows, size, random);
    const growth = { matrix, random, nodes, singles, rows, heightLimit, first: tree * nodesPerTree, used: 1 };
    grow(growth, { node: 0, from: 0, to: size, depth: 0 });
  }
  return {
    columns: matrix.columns,
    trees: options.trees,
    nodesPerTree,
    meanPath,
    nodes,
    singles,
    ranges: rangesOf(matrix),
  };
}

/** The first `size` of a partial Fisher-Yates shuffle. */
function drawRows(rows: number, size: number, random: RandomStream): Uint16Array {
  const order = new Uint16Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  for (let i = 0; i < size; i++) {
    const j = i + random.below(rows - i);
    const swapped = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = swapped;
  }
  return order.subarray(0, size);
}

function rangesOf({ rows, columns, values }: Matrix): Float32Array {
  const ranges = new Float32Array(columns * 2);
  for (let column = 0; column < columns; column++) {
    let [low, high] = [Infinity, -Infinity];
    for (let row = 0; row < rows; row++) {
      const value = values[row * columns + column] ?? 0;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    ranges[2 * column] = low;
    ranges[2 * column + 1] = high;
  }
  return ranges;
}

interface Span {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

function grow(g: Growth, span: Span): void {
  const { node, from, to, depth } = span;
  const at = 2 * (g.first + node);
  const split = depth >= g.heightLimit || to - from < 2 ? undefined : chooseSplit(g, from, to);
  if (split === undefined) {
    g.nodes[at] = LEAF;
    g.singles[at + 1] = averagePathLength(to - from);
    return;
  }
  const middle = partition(g, span, split.column, split.value);
  const left = g.used;
  g.used += 2;
  g.nodes[at] = split.column * CHILDREN + left;
  g.singles[at + 1] = split.value;
  grow(g, { node: left, from, to: middle, depth: depth + 1 });
  grow(g, { node: left + 1, from: middle, to, depth: depth + 1 });
}

/** A random column that is not constant in this node, and a random value inside its range here; none: `undefined`. */
function chooseSplit(g: Growth, from: number, to: number): { column: number; value: number } | undefined {
  const { columns, values } = g.matrix;
  const start = g.random.below(columns);
  for (let step = 0; step < columns; step++) {
    const column = (start + step) % columns;
    let [low, high] = [Infinity, -Infinity];
    for (let i = from; i < to; i++) {
      const value = values[(g.rows[i] ?? 0) * columns + column] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!(high > low)) continue;
    const value = Math.fround(low + g.random.next() * (high - low));
    // Rounding may land on the lower end, which would leave the left side empty.
    return { column, value: value > low ? value : high };
  }
  return undefined;
}

/** Rows below the split value to the left; returns the first row of the right side. Both sides are never empty. */
function partition(g: Growth, { from, to }: Span, column: number, value: number): number {
  const { columns, values } = g.matrix;
  let middle = from;
  for (let i = from; i < to; i++) {
    const row = g.rows[i] ?? 0;
    if ((values[row * columns + column] ?? 0) >= value) continue;
    g.rows[i] = g.rows[middle] ?? 0;
    g.rows[middle] = row;
    middle++;
  }
  return middle;
}

/**
 * Anomaly score of a row, 0 to 1 (the paper's 2^(-E(h)/c)): about 0.5 for ordinary rows, towards 1 for isolated ones. A
 * value that is not finite counts as the lower end of its column, so it is never NaN.
 */
export function forestScore(forest: Forest, row: Float32Array): number {
  if (forest.meanPath === 0) return 0.5;
  const { nodes, singles } = forest;
  let total = 0;
  for (let tree = 0; tree < forest.trees; tree++) {
    const first = tree * forest.nodesPerTree;
    let at = 2 * first;
    let depth = 0;
    for (let split = nodes[at] ?? LEAF; split >= 0; split = nodes[at] ?? LEAF) {
      const right = (row[split >> 16] ?? 0) >= (singles[at + 1] ?? 0) ? 1 : 0;
      at = 2 * (first + (split & (CHILDREN - 1)) + right);
      depth++;
    }
    total += depth + (singles[at + 1] ?? 0);
  }
  return 2 ** (-total / forest.trees / forest.meanPath);
}

/**
 * Largest distance of the row outside the training range, in widths of that range; a constant column counts a whole
 * width as soon as it moves by a thousandth of its size. 0 inside. The trees cannot see beyond their training range.
 */
export function beyondTraining(forest: Forest, row: Float32Array): number {
  let most = 0;
  for (let column = 0; column < forest.columns; column++) {
    const low = forest.ranges[2 * column] ?? 0;
    const high = forest.ranges[2 * column + 1] ?? 0;
    const value = row[column] ?? 0;
    const beyond = Math.max(low - value, value - high, 0);
    const width = Math.max(high - low, 1e-3 * Math.max(Math.abs(low), Math.abs(high)), 1e-30);
    most = Math.max(most, beyond / width);
  }
  return most;
}
