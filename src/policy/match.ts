import type { Guardrail, LabelSelector } from './healing-policy.ts';

type Labels = Readonly<Record<string, string>>;

const has = (labels: Labels, key: string): boolean => Object.hasOwn(labels, key);

/** True for a selector without a single requirement. Only a guardrail's may be one: it restricts, it never acts. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
}

/** Whether every requirement holds, as Kubernetes defines it: `NotIn` also matches where the key is absent. */
export function meetsRequirements(selector: LabelSelector, labels: Labels): boolean {
  const exact = Object.entries(selector.matchLabels).every(([key, value]) => has(labels, key) && labels[key] === value);
  return (
    exact &&
    selector.matchExpressions.every(({ key, operator, values }) => {
      const value = has(labels, key) ? labels[key] : undefined;
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/** Whether a selector picks an object to act on. An empty selector picks nothing: it never means "all". */
export function selectsTarget(selector: LabelSelector, labels: Labels): boolean {
  return !isEmptySelector(selector) && meetsRequirements(selector, labels);
}

/**
 * The guardrails that bound a namespace; an empty selector bounds all. A namespace whose labels are not known is
 * bound by every guardrail, since any of them may be meant for it.
 */
export function guardrailsFor(guardrails: readonly Guardrail[], namespaceLabels: Labels | undefined): Guardrail[] {
  return guardrails.filter(
    ({ namespaceSelector }) => namespaceLabels === undefined || meetsRequirements(namespaceSelector, namespaceLabels),
  );
}
