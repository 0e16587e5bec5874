/** A custom resource as read: either the domain value or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | {
      readonly kind: 'invalid';
      readonly name: string;
      readonly namespace: string;
      readonly uid: string;
      readonly generation: number;
      readonly problems: readonly Problem[];
    };

export interface Problem {
  /** Dotted path, e.g. `spec.limits.minReplicas`. */
  readonly path: string;
  readonly reason: string;
  readonly message: string;
}
