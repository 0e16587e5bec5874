import { describe, expect, test } from '@jest/globals';
import { readDeclared } from '../../../src/diagnosis/declared.ts';

const DEPENDS = 'healing.aegis.dev/depends-on';
const STORE = 'healing.aegis.dev/cache-store';
const VOLUMES = 'healing.aegis.dev/cache-volumes';

const read = (annotations: Readonly<Record<string, string>>) => readDeclared({ annotations });
const inside = (...names: readonly string[]) => names.map((name) => ({ name, isExternal: false }));

describe('what owners declare by annotation', () => {
  test('nothing', () => {
    expect(read({})).toEqual({ dependsOn: [], cacheVolumes: [], problems: [] });
    expect(read({ [DEPENDS]: '', [STORE]: ' ', [VOLUMES]: ',' })).toEqual(read({}));
  });

  test.each([
    ['one', 'ledger', inside('ledger')],
    ['several, however they are spaced', ' ledger,orders-db ,,\n cart\tuser ', inside('ledger', 'orders-db', 'cart', 'user')],
    ['each once', 'ledger, ledger', inside('ledger')],
    ['a host outside', 'ledger, external:api.example.com', [...inside('ledger'), { name: 'api.example.com', isExternal: true }]],
    ['a name that only ends like a prefix', 'external', inside('external')],
    ['one letter, and the longest name', `a ${'b'.repeat(253)}`, inside('a', 'b'.repeat(253))],
  ])('dependencies: %s', (_, text, dependsOn) => {
    expect(read({ [DEPENDS]: text })).toEqual({ dependsOn, cacheVolumes: [], problems: [] });
  }); // prettier-ignore

  test.each(['Ledger', '-ledger', 'ledger-', '.a', 'a/b', 'a_b', 'b'.repeat(254), 'external:', 'external:-x', '!'])(
    '%j is no name, and is said',
    (text) => {
      const found = read({ [DEPENDS]: `ok ${text}` });
      expect(found.dependsOn).toEqual(inside('ok'));
      expect(found.problems).toEqual([`${DEPENDS}: ${JSON.stringify(text.slice(0, 63))} is no name`]);
    },
  );

  test('more than fifty are no list of dependencies any more', () => {
    const names = Array.from({ length: 51 }, (_, i) => `s${i}`);
    expect(read({ [DEPENDS]: names.slice(0, 50).join() })).toMatchObject({ problems: [] });
    const found = read({ [DEPENDS]: names.join() });
    expect(found.dependsOn).toEqual(inside(...names.slice(0, 50)));
    expect(found.problems).toEqual([`${DEPENDS}: only the first 50 of 51 are read`]);
  });

  test('the store behind the cache is a dependency, listed or not', () => {
    expect(read({ [STORE]: 'db' })).toEqual({
      dependsOn: inside('db'),
      cacheStore: 'db',
      cacheVolumes: [],
      problems: [],
    });
    expect(read({ [STORE]: 'db other', [DEPENDS]: 'cart db' })).toMatchObject({ dependsOn: inside('cart', 'db'), cacheStore: 'db' }); // prettier-ignore
    expect(read({ [STORE]: 'external:db.example.com' })).toMatchObject({
      dependsOn: [{ name: 'db.example.com', isExternal: true }],
    });
  });

  test('volumes of the cache', () => {
    expect(read({ [VOLUMES]: 'data tmp' })).toEqual({ dependsOn: [], cacheVolumes: ['data', 'tmp'], problems: [] });
  });
});
