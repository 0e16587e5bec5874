import { list, optionalText, record, stringMap, text } from './json.ts';

type Labels = Readonly<Record<string, string>>;

/** A `metav1.LabelSelector` as read; `undefined` where the field is absent. */
export interface Selector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

export function readSelector(value: unknown): Selector | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const source = record(value);
  return {
    matchLabels: stringMap(source.matchLabels),
    matchExpressions: list(source.matchExpressions).map((entry) => {
      const expression = record(entry);
      return {
        key: text(expression.key),
        operator: text(expression.operator),
        values: list(expression.values).map(text),
      };
    }),
  };
}

/** All conditions hold. A selector without conditions selects everything, as in Kubernetes; callers decide if it may. */
export function selects(selector: Selector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels)) if (labels[key] !== value) return false;
  return selector.matchExpressions.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

export const isEmpty = (selector: Selector): boolean =>
  Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;

const OPERATORS: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** The selector as the `labelSelector` parameter of a list. */
export function selectorQuery(selector: Selector): string {
  const equal = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressed = selector.matchExpressions.map(({ key, operator, values }) =>
    (OPERATORS[operator] ?? OPERATORS.Exists)?.(key, values.join(',')),
  );
  return [...equal, ...expressed.map(optionalText)].filter((part) => part !== undefined).join(',');
}
