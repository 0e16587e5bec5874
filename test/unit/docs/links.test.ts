import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseGuardrail } from '../../../src/api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../../src/api/v1alpha1/convert-policy.ts';
import { REASONS } from '../../../src/lib/reasons.ts';
import { mentioned } from '../../../tools/generate/mentions.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'data']);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every document of the repository, by its path. */
function documents(folder = ROOT): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : documents(path);
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
}

const FENCED = /^```(\w*)\n([\s\S]*?)^```/gm;
const withoutCode = (text: string): string => text.replace(FENCED, '').replace(/`[^`\n]*`/g, '');

interface Link {
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Relative links; what leads to another host is not asked for. */
function linksOf(document: string): readonly Link[] {
  const targets = [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { path: path === '' ? document : join(dirname(document), path), anchor };
    });
}

/** The anchors that GitHub makes of headings. */
const anchorsOf = (document: string): readonly string[] =>
  [
    ...read(document)
      .replace(FENCED, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

const isDead = ({ path, anchor }: Link): boolean =>
  !existsSync(join(ROOT, path)) || (anchor !== undefined && !anchorsOf(path).includes(anchor));

const blocks = (language: string): readonly (readonly [document: string, text: string])[] =>
  documents().flatMap((document) =>
    [...read(document).matchAll(FENCED)].flatMap(([, marked, text = '']) =>
      marked === language ? [[document, text] as const] : [],
    ),
  );

describe('links', () => {
  test('the documents are found, with links in them', () => {
    expect(documents()).toEqual(expect.arrayContaining(['README.md', 'docs/operating.md', 'tools/rig/README.md']));
    expect(documents().flatMap(linksOf).length).toBeGreaterThan(50);
  });

  test.each(documents())('every relative link of %s leads somewhere', (document) => {
    expect(linksOf(document).filter(isDead)).toEqual([]);
  });
});

/** Words of a source file that people may meet in a status. */
const wordsIn = (file: string, pattern: RegExp): readonly string[] =>
  [...read(file).matchAll(pattern)].map(([, word = '']) => word);

describe('words that programs may switch on', () => {
  test.each(REASONS)('%s is explained', (reason) => {
    expect(read('docs/reference/reasons.md')).toContain(`| \`${reason}\` |`);
  });

  test.each([
    ['a policy', 'src/healing/status.ts', /(?:yes\(|no\(|reason: )'(\w+)'/g],
    ['an action', 'src/api/v1alpha1/action-conditions.ts', /reason: '(\w+)'/g],
    ['what is not accepted', 'src/controller/policy-acceptance.ts', /reason: '(\w+)'/g],
    ['an invalid spec', 'src/api/v1alpha1/convert-brakes.ts', /reason: '(\w+)'/g],
  ])('every reason of the conditions of %s is documented', (_, file, pattern) => {
    const words = wordsIn(file, pattern);
    expect(words.length).toBeGreaterThan(0);
    const text = read('docs/operating.md');
    expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
  });

  test('every Event that is emitted is documented, and no other', async () => {
    const declared = wordsIn('src/controller/events.ts', /^ {2}(\w+): \['(?:Normal|Warning)'/gm);
    const emitted = await mentioned(declared, join('controller', 'events.ts'));
    const table = read('docs/operating.md').split('### Events')[1]?.split('###')[0] ?? '';
    const told = [...table.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
    expect(declared.filter((word) => told.includes(word)).sort()).toEqual([...emitted].sort());
  });
});

describe('examples in documents', () => {
  const resources = blocks('yaml').filter(([, text]) => text.startsWith('apiVersion: healing.aegis.dev'));

  test('there are some', () => expect(resources.length).toBeGreaterThan(0));

  test.each(resources.map(([document, text], i) => [document, i + 1, text] as const))(
    '%s, resource %i',
    (_, _i, text) => {
      // 1.1 is what kubectl reads: there a bare `on` is a boolean.
      const object = parse(text, { version: '1.1' }) as { kind: string };
      const parsed = object.kind === 'AegisGuardrail' ? parseGuardrail(object) : parsePolicy(object);
      expect(parsed.kind === 'invalid' ? parsed.problems : []).toEqual([]);
    },
  );

  /** What helm is given: the chart must have each of them. */
  const values = blocks('yaml').filter(
    ([document, text]) => document === 'docs/operating.md' && text.startsWith('image:'),
  );

  test('there are values of the chart', () => expect(values.length).toBeGreaterThan(0));

  test.each(values.map(([document, text], i) => [document, i + 1, text] as const))('%s, values %i', (_, _i, text) => {
    expect(unknownValues(parse(text), parse(read('charts/aegis/values.yaml')), [])).toEqual([]);
  });
});

/** Paths that the chart's own values do not have. Below an empty object or a list the schema decides, not we. */
function unknownValues(given: unknown, known: unknown, path: readonly string[]): readonly string[] {
  if (!isTree(given)) return [];
  if (!isTree(known)) return [`${path.join('.')} is no object`];
  if (Object.keys(known).length === 0) return [];
  return Object.entries(given).flatMap(([key, value]) =>
    key in known ? unknownValues(value, known[key], [...path, key]) : [[...path, key].join('.')],
  );
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
