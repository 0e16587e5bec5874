import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { default as JestSequencer } from '@jest/test-sequencer';
import * as jestSequencer from '@jest/test-sequencer';

type Base = typeof JestSequencer.default;
type Tests = Parameters<InstanceType<Base>['sort']>[0];

// The package is an ES module to Node and a CommonJS one to its type definitions.
const TestSequencer = jestSequencer.default as unknown as Base;

/**
 * Jest's own order follows the durations that it remembers, so that a new machine runs the files in another order than the
 * one where they were tried. Files that share a rig run by their names everywhere; TEST_ORDER, any text, gives another order
 * that is the same each time, to find a file that stands on what an earlier one left.
 */
export default class InStatedOrder extends TestSequencer {
  override sort(tests: Tests): Tests {
    const seed = process.env['TEST_ORDER'] ?? '';
    const key = ({ path }: Tests[number]): string =>
      seed === ''
        ? path
        : createHash('sha256')
            .update(`${seed} ${basename(path)}`)
            .digest('hex');
    return [...tests].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}
