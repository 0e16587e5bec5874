import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BINARIES_DIR, TOOLS, pinnedVersion } from '../../../tools/rig/tools.ts';
import { isAcceptable, parseVersion, requiredVersion } from '../../../tools/rig/versions.ts';

describe('parseVersion reads what each tool prints', () => {
  test.each([
    ['Kubernetes v1.36.3', { major: 1, minor: 36, patch: 3 }],
    ['etcd Version: 3.7.3\nGit SHA: Not provided', { major: 3, minor: 7, patch: 3 }],
    ['prometheus, version 2.42.0+ds (branch: debian/sid)', { major: 2, minor: 42, patch: 0 }],
    ['Client Version: v1.32.0\nKustomize Version: v5.5.0', { major: 1, minor: 32, patch: 0 }],
    ['v4.3.1+gabc', { major: 4, minor: 3, patch: 1 }],
    ['Kubernetes v0.0.0-master+$Format:%H$', { major: 0, minor: 0, patch: 0 }],
    ['kwok version unknown', undefined],
    ['', undefined],
  ])('%j', (text, version) => expect(parseVersion(text)).toEqual(version));
});

describe('isAcceptable: same major, same minor or newer', () => {
  const pinned = { major: 1, minor: 36, patch: 3 };
  test.each([
    ['the pinned one', { major: 1, minor: 36, patch: 3 }, true],
    ['an older patch', { major: 1, minor: 36, patch: 0 }, true],
    ['a newer minor', { major: 1, minor: 37, patch: 0 }, true],
    ['an older minor', { major: 1, minor: 32, patch: 9 }, false],
    ['another major', { major: 2, minor: 40, patch: 0 }, false],
    ['an unversioned build', { major: 0, minor: 0, patch: 0 }, false],
  ])('%s', (_, found, isFine) => expect(isAcceptable(found, pinned)).toBe(isFine));
});

describe('requiredVersion reads go.mod', () => {
  test.each([
    ['one line', 'module x\n\nrequire a.b/c v1.2.3\n', 'v1.2.3'],
    ['a block', 'require (\n\ta.b/cd v0.1.0\n\ta.b/c v1.2.3 // indirect\n)\n', 'v1.2.3'],
    ['a replace is not a requirement', 'replace a.b/c => a.b/c v9.9.9\n', undefined],
    ['another module', 'require a.b/cd v1.2.3\n', undefined],
  ])('%s', (_, goMod, version) => expect(requiredVersion(goMod, 'a.b/c')).toBe(version));

  test.each(Object.values(TOOLS).map((tool) => [tool.folder, tool] as const))(
    '%s is pinned with checksums',
    (_, tool) => {
      expect(pinnedVersion(tool)).toMatch(/^v\d+\.\d+\.\d+$/);
      const sums = readFileSync(join(BINARIES_DIR, tool.folder, 'go.sum'), 'utf8');
      expect(sums).toContain(`${tool.module} ${pinnedVersion(tool)} h1:`);
    },
  );
});
