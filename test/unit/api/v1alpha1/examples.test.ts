import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseGuardrail } from '../../../../src/api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../../../src/api/v1alpha1/convert-policy.ts';

const FOLDER = join(import.meta.dirname, '../../../../examples');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

describe('every example makes sense to Aegis, not only to the API server', () => {
  test('there are some of each kind', () => {
    expect(files.length).toBeGreaterThanOrEqual(7);
  });

  test.each(files)('%s', (name) => {
    // 1.1 is what kubectl reads: there a bare `on` is a boolean.
    const object = parse(readFileSync(join(FOLDER, name), 'utf8'), { version: '1.1' }) as { kind: string };
    const parsed = object.kind === 'AegisGuardrail' ? parseGuardrail(object) : parsePolicy(object);
    expect(parsed.kind === 'invalid' ? parsed.problems : []).toEqual([]);
  });
});
