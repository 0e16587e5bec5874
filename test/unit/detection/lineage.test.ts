import { describe, expect, test } from '@jest/globals';
import { Lineages } from '../../../src/detection/lineage.ts';
import { ByteReader, ByteWriter } from '../../../src/detection/state/bytes.ts';

const pods = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `p${from + i}`);

/** Notes what was there in one poll after the other, of one workload and template. */
function noted(...polls: readonly (readonly string[])[]): Lineages {
  const lineages = new Lineages();
  polls.forEach((uids, i) => lineages.note('w', 'h1', uids, 100 + i));
  return lineages;
}

describe('whom a new pod learns from', () => {
  test.each<readonly [string, Lineages, readonly string[]]>([
    ['nobody, where none was seen', new Lineages(), []],
    ['the newest first, itself not', noted(['p1', 'p2', 'new', 'p3']), ['p3', 'p2', 'p1']],
    ['those that were there first seen, in that order', noted(['p1'], ['p2', 'p1'], ['p3']), ['p3', 'p2', 'p1']],
    ['sixteen at most, the newest', noted(pods(1, 20)), pods(5, 20).toReversed()],
    ['eight that are gone, beside those that are there', noted(pods(1, 12), ['p13']), pods(5, 13).toReversed()],
    ['those that are there stay, however old', noted(pods(1, 12), ['p1', 'p13']), [...pods(5, 13).toReversed(), 'p1']],
  ])('%s', (_, lineages, expected) => {
    expect(lineages.donors('w', 'h1', 'new')).toEqual(expected);
  });

  test('none of another template or workload', () => {
    const lineages = noted(['p1']);
    expect([lineages.donors('w', 'h2', 'new'), lineages.donors('v', 'h1', 'new')]).toEqual([[], []]);
  });

  test('a line that nobody has seen since is forgotten', () => {
    const lineages = noted(['p1'], ['p2']);
    lineages.evict(101);
    expect(lineages.donors('w', 'h1', 'new')).toHaveLength(2);
    lineages.evict(102);
    expect(lineages.donors('w', 'h1', 'new')).toEqual([]);
  });

  test('what another one knows came before, and no pod is there twice', () => {
    const [lineages, older] = [noted(['p3', 'p4']), noted(['p1', 'p2', 'p3'], ['p2'], ['p2'])];
    older.note('v', 'h1', ['q'], 5);
    lineages.takeOlder(older);
    expect(lineages.donors('w', 'h1', 'new')).toEqual(['p4', 'p3', 'p2', 'p1']);
    expect(lineages.donors('v', 'h1', 'new')).toEqual(['q']);
    // Seen last where it was seen later: at 102, and the other line at 5.
    lineages.evict(102);
    expect([lineages.donors('w', 'h1', 'new').length, lineages.donors('v', 'h1', 'new').length]).toEqual([4, 0]);
  });

  test('written and read again, and forgotten at once', () => {
    const writer = new ByteWriter(0);
    noted(['p1', 'p2'], ['p2', 'p3']).write(writer);
    const again = noted(['x']);
    again.read(new ByteReader(writer.finish()));
    expect(again.donors('w', 'h1', 'new')).toEqual(['p3', 'p2', 'p1']);
    again.evict(101);
    expect(again.donors('w', 'h1', 'new')).toHaveLength(3);
    again.clear();
    expect(again.donors('w', 'h1', 'new')).toEqual([]);
  });
});
