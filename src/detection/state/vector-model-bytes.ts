import type { Forest } from '../detectors/isolation-forest.ts';
import type { VectorModel } from '../detectors/vector.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** A vector model as bytes; `readVectorModel` reads the same order. */
export function writeVectorModel(to: ByteWriter, model: VectorModel): void {
  to.array(model.means);
  to.array(model.slopes);
  to.f64(model.load);
  writeForest(to, model.forest);
  to.f64(model.forestUsual[0]);
  to.f64(model.forestUsual[1]);
  to.array(model.inverse);
  to.f64(model.distanceHigh);
  to.array(model.sigmas);
  to.u32(model.samples);
}

export function readVectorModel(from: ByteReader): VectorModel {
  return {
    means: new Float64Array(from.array()),
    slopes: new Float64Array(from.array()),
    load: from.f64(),
    forest: readForest(from),
    forestUsual: [from.f64(), from.f64()],
    inverse: new Float64Array(from.array()),
    distanceHigh: from.f64(),
    sigmas: new Float64Array(from.array()),
    samples: from.u32(),
  };
}

export function writeForest(to: ByteWriter, forest: Forest): void {
  to.u32(forest.columns);
  to.u32(forest.trees);
  to.u32(forest.nodesPerTree);
  to.f64(forest.meanPath);
  to.array(forest.nodes);
  to.array(forest.ranges);
}

export function readForest(from: ByteReader): Forest {
  const [columns, trees, nodesPerTree, meanPath] = [from.u32(), from.u32(), from.u32(), from.f64()];
  const memory = from.array();
  return {
    columns,
    trees,
    nodesPerTree,
    meanPath,
    nodes: new Int32Array(memory),
    singles: new Float32Array(memory),
    ranges: new Float32Array(from.array()),
  };
}
