import { z } from 'zod';
import { describe, type CrossFieldRule, type TransitionRule } from './rules.ts';

/**
 * The building blocks of all three kinds. Every string, list, map and number has a bound: an unbounded one would make
 * the API server refuse CEL rules over it, and would let one object fill the cluster's store.
 */

/** No control characters but tab and line feed: what people read in a terminal must not move its cursor. */
const NO_CONTROL = /^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$/;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const METRIC_NAME = /^[a-z][a-z0-9_]*$/;
const DECIMAL = /^-?[0-9]{1,15}(\.[0-9]{1,9})?$/;
/** More edits than an object can ever see; a bound all the same. */
const MAX_GENERATION = 1_000_000_000_000;
const MEASURED = /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/;

/** Free text for people, at least one visible character. */
export const text = (maxLength: number, description: string) =>
  describe(z.string().min(1).max(maxLength).regex(NO_CONTROL), description);

/** Free text that may be empty. */
export const note = (maxLength: number, description: string) =>
  describe(z.string().max(maxLength).regex(NO_CONTROL), description);

/** A DNS label: names of list items, namespaces, containers, sinks. */
export const dnsLabel = (description: string) => describe(z.string().min(1).max(63).regex(DNS_LABEL), description);

/** A DNS subdomain: names of objects. */
export const objectName = (description: string) =>
  describe(z.string().min(1).max(253).regex(DNS_SUBDOMAIN), description);

/** A UID as Kubernetes gives it. */
export const uid = (description: string) =>
  describe(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z0-9-]+$/),
    description,
  );

/** A metric's name in lower snake case. */
export const metricName = (description: string) => describe(z.string().min(1).max(63).regex(METRIC_NAME), description);

/** A whole number with both bounds. */
export const integer = (min: number, max: number, description: string) =>
  describe(z.int().min(min).max(max), description);

/** A duration in whole seconds; zero never is a duration. */
export const seconds = (max: number, description: string, min = 1) => integer(min, max, description);

/** One of a few words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T, description: string) =>
  describe(z.enum(values), description);

/** A decimal number as text, because Kubernetes specs hold no floats. */
export const decimal = (description: string) => describe(z.string().max(26).regex(DECIMAL), description);

/** A measured number as text: exactly what JavaScript prints, exponent included, so that reading it back is exact. */
export const measured = (description: string) => describe(z.string().max(32).regex(MEASURED), description);

/** A point in time, RFC 3339 with milliseconds. */
export const time = (description: string) =>
  describe(
    z
      .string()
      .max(40)
      .refine((value) => Number.isFinite(Date.parse(value)), { message: 'must be an RFC 3339 time' }),
    description,
    [],
    [],
    { format: 'date-time' },
  );

/** An ordered list that is replaced whole. */
export const list = <S extends z.ZodType>(
  item: S,
  bounds: { readonly min?: number; readonly max: number },
  description: string,
  rules: readonly CrossFieldRule<z.output<S>[]>[] = [],
  transitions: readonly TransitionRule[] = [],
) => describe(bounded(item, bounds), description, rules, transitions, { 'x-kubernetes-list-type': 'atomic' });

/** A list without duplicates; the order says nothing. */
export const set = <S extends z.ZodType>(
  item: S,
  bounds: { readonly min?: number; readonly max: number },
  description: string,
) =>
  describe(
    bounded(item, bounds).refine((items) => new Set(items).size === items.length, { message: 'holds a duplicate' }),
    description,
    [],
    [],
    { 'x-kubernetes-list-type': 'set' },
  );

/** A list of named things: two writers can each own some of them. */
export const namedList = <S extends z.ZodType>(
  item: S,
  key: keyof z.output<S> & string,
  bounds: { readonly min?: number; readonly max: number },
  description: string,
) =>
  describe(
    bounded(item, bounds).refine((items) => new Set(items.map((one) => one[key])).size === items.length, {
      message: `holds two items with the same ${key}`,
    }),
    description,
    [],
    [],
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] },
  );

function bounded<S extends z.ZodType>(item: S, bounds: { readonly min?: number; readonly max: number }) {
  const items = z.array(item).max(bounds.max);
  return bounds.min === undefined ? items : items.min(bounds.min);
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
const takesValues = (operator: string): boolean => operator === 'In' || operator === 'NotIn';

const labelExpression = describe(
  z.object({
    key: describe(z.string().min(1).max(317).regex(LABEL_KEY), 'Label key, with an optional DNS prefix.'),
    operator: oneOf(operators, 'How the label is compared.'),
    values: list(
      describe(z.string().max(63).regex(LABEL_VALUE), 'A label value.'),
      { max: 32 },
      'Values for `In` and `NotIn`; must be absent for `Exists` and `DoesNotExist`.',
    ).optional(),
  }),
  'One requirement on a label.',
  [
    {
      cel: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: 'values must be given for operator In and NotIn, and must be absent for Exists and DoesNotExist',
      holds: (it) => takesValues(it.operator) === (it.values ?? []).length > 0,
    },
  ],
);

const matchLabels = describe(
  z
    .record(z.string(), z.string().max(63).regex(LABEL_VALUE))
    .refine((it) => Object.keys(it).length <= 16, { message: 'must have at most 16 entries' }),
  'Labels that must all be present with exactly these values.',
  [
    {
      cel: `self.all(key, key.matches('${LABEL_KEY.source.replaceAll('\\', '\\\\')}'))`,
      message: 'matchLabels keys must be label keys: an optional DNS prefix and a name of at most 63 characters',
      holds: (it) => Object.keys(it).every((key) => LABEL_KEY.test(key)),
    },
    {
      cel: 'self.all(key, size(key) <= 317)',
      message: 'matchLabels keys must have at most 317 characters',
      holds: (it) => Object.keys(it).every((key) => key.length <= 317),
    },
  ],
  [],
  { maxProperties: 16 },
);

const selectorShape = z.object({
  matchLabels: matchLabels.optional(),
  matchExpressions: list(labelExpression, { max: 16 }, 'Requirements that must all hold.').optional(),
});
type SelectorShape = z.output<typeof selectorShape>;

const requirements = (it: SelectorShape): number =>
  Object.keys(it.matchLabels ?? {}).length + (it.matchExpressions ?? []).length;

/** A label selector that selects something: an empty one never means "all". */
export const selector = (description: string) =>
  describe(selectorShape, description, [
    {
      cel: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
      message:
        'selector must hold at least one entry in matchLabels or matchExpressions: an empty selector never means all',
      holds: (it) => requirements(it) > 0,
    },
  ]);

/** A label selector of which the empty one selects all: only for what restricts. */
export const openSelector = (description: string) => describe(selectorShape, description);

/** A generation number. */
export const generation = (description: string) => integer(0, MAX_GENERATION, description);

/** A standard condition. */
export const condition = (types: readonly [string, ...string[]], description: string) =>
  describe(
    z.object({
      type: oneOf(types, 'Aspect that the condition speaks of.'),
      status: oneOf(['True', 'False', 'Unknown'], 'Whether it holds.'),
      reason: describe(
        z
          .string()
          .min(1)
          .max(128)
          .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
        'Reason of the last change, one word for programs.',
      ),
      message: note(2048, 'A sentence for people, with the numbers.'),
      observedGeneration: generation('Generation of the spec that this answer is about.').optional(),
      lastTransitionTime: time('When the status last changed.'),
    }),
    description,
  );
