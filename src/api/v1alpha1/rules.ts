import type { z } from 'zod';

/**
 * A rule that crosses fields, said twice in one place: in CEL for the API server, and as a predicate for everything
 * that reads an object without having asked a server (the command line, tests, a file).
 */
export interface CrossFieldRule<T> {
  readonly cel: string;
  /** Names the fields, so that the refusal alone tells what to change. */
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/**
 * A rule that compares with the stored object (`oldSelf`): only a server can judge it. Such rules are left out of
 * what is checked on a single object.
 */
export interface TransitionRule {
  readonly cel: string;
  readonly message: string;
}

/** Extra schema keywords that pass through into the CRD. */
export type Keywords = Readonly<Record<string, unknown>>;

/** Describes a schema and adds its rules, in the order in which the API server lists them. */
export function describe<S extends z.ZodType>(
  schema: S,
  description: string,
  rules: readonly CrossFieldRule<z.output<S>>[] = [],
  transitions: readonly TransitionRule[] = [],
  keywords: Keywords = {},
): S {
  let checked: S = schema;
  for (const rule of rules) checked = checked.refine((value) => rule.holds(value), { message: rule.message });
  const validations = [...rules, ...transitions].map(({ cel, message }) => ({ rule: cel, message }));
  return checked.meta({
    description,
    ...keywords,
    ...(validations.length > 0 && { 'x-kubernetes-validations': validations }),
  });
}
