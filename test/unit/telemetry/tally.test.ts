import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { createCounter, createHistogram } from '../../../src/telemetry/tally.ts';

const SHAPE = { name: 'aegis_things', help: 'Things.' };
const allowed = (value: string): string => (value.startsWith('x') ? 'other' : value);
const cleanOf =
  (names: readonly string[]) =>
  (labels: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, allowed(labels[name] ?? '')]));

const text = fc.constantFrom('a', 'b', '', 'x1', 'x2', '__proto__', 'le="1"\n');
const labelNames = fc.constantFrom<readonly string[]>([], ['route'], ['route', 'code'], ['route', 'code', 'of']);
const value = fc.oneof(fc.constantFrom(0, 0.5, 1, 2, 2.5), fc.double({ min: 0, max: 100, noNaN: true }));
const uses = fc.array(
  fc.record({ labels: fc.dictionary(fc.constantFrom('route', 'code', 'of', 'zone'), text), value }),
);

describe('a tally shows the same page as prom-client', () => {
  test('of a counter', async () => {
    await fc.assert(
      fc.asyncProperty(labelNames, uses, async (names, all) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const clean = cleanOf(names);
        const count = createCounter({ ...SHAPE, labelNames: names, clean, registry: ours });
        const counter = new Counter({ ...SHAPE, labelNames: names, registers: [theirs] });
        for (const use of all) {
          count(use.value, use.labels);
          counter.inc(clean(use.labels), use.value);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
    );
  });

  test.each([
    ['with bounds of its own', [0.5, 1, 2]],
    ['with the usual ones', undefined],
  ])('of a histogram %s', async (_, bounds) => {
    await fc.assert(
      fc.asyncProperty(labelNames, uses, async (names, all) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const clean = cleanOf(names);
        const observe = createHistogram({ ...SHAPE, labelNames: names, clean, registry: ours }, bounds);
        const own = bounds === undefined ? {} : { buckets: bounds };
        const histogram = new Histogram({ ...SHAPE, ...own, labelNames: names, registers: [theirs] });
        for (const use of all) {
          observe(use.value, use.labels);
          histogram.observe(clean(use.labels), use.value);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
    );
  });
});
