import type { z } from 'zod';
import type { LabelSelector } from '../../policy/healing-policy.ts';
import type { openSelector } from './fields.ts';

type Wire = z.output<ReturnType<typeof openSelector>>;

/** A selector with both of its halves; an absent half asks for nothing. */
export function labelSelector({ matchLabels = {}, matchExpressions = [] }: Wire): LabelSelector {
  return {
    matchLabels,
    matchExpressions: matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
  };
}
