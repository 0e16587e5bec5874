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
  to.array(Float64Array.of(...model.inverse, ...(model.distanceUsual ?? [])));
  to.f64(model.distanceHigh);
  to.array(model.sigmas);
  to.u32(model.samples);
}

/** A model of one cloud has the usual distances behind its matrix; models stored before there were any have none. */
export function readVectorModel(from: ByteReader): VectorModel {
  const [means, slopes, load] = [new Float64Array(from.array()), new Float64Array(from.array()), from.f64()];
  const forest = readForest(from);
  const forestUsual = [from.f64(), from.f64()] as const;
  const matrix = new Float64Array(from.array());
  const [distanceHigh, sigmas, samples] = [from.f64(), new Float64Array(from.array()), from.u32()];
  const inverse = matrix.slice(0, means.length ** 2);
  const [middle, high] = matrix.subarray(inverse.length);
  const model = { means, slopes, load, forest, forestUsual, inverse, distanceHigh, sigmas, samples };
  return middle === undefined || high === undefined ? model : { ...model, distanceUsual: [middle, high] };
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
