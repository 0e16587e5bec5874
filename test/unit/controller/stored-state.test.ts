import { expect, test } from '@jest/globals';
import { takeUp } from '../../../src/controller/stored-state.ts';
import { recordedLog } from '../../support/recorders.ts';

const WARNINGS = { unread: 'it cannot be read', damaged: 'it is damaged' };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, () => Promise<Uint8Array | undefined>, boolean, readonly string[], readonly string[]]>([
  ['what is stored is taken', () => Promise.resolve(bytesOf('["a","b"]')), true, ['a', 'b'], []],
  ['where nothing is stored nothing is', () => Promise.resolve(undefined), true, [], []],
  ['what is no JSON is begun anew', () => Promise.resolve(bytesOf('["a"')), true, [], ['it is damaged']],
  ['what is of another shape is begun anew', () => Promise.resolve(bytesOf('{}')), true, [], ['it is damaged']],
  ['a store that is away leaves it open', () => Promise.reject(new Error('away')), false, [], ['it cannot be read']],
])('%s', async (_what, loadBlob, isRead, taken, warned) => {
  const [log, all] = [recordedLog(), new Array<string>()];
  const stored = { store: { loadBlob }, key: 'state', log, warnings: WARNINGS };
  expect(await takeUp<readonly string[]>(stored, (state) => all.push(...state))).toBe(isRead);
  expect(all).toEqual(taken);
  expect(log.lines.map(({ message }) => message)).toEqual(warned);
});
