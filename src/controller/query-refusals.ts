import type { PolicyStatus } from '../healing/policy-status.ts';
import type { Problem } from '../lib/parsed.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { PolledPolicy } from './ports.ts';

/** Polls in a row: one odd answer of a proxy is no fault of the policy's. */
const REFUSALS = 3;
const REASON = 'QueryInvalid';

interface Known {
  /** Of the spec that was asked about: an edited one is judged anew. */
  readonly key: string;
  readonly inARow: number;
  readonly problems: readonly Problem[];
}

/**
 * Queries that read as PromQL and that only the server can refuse: `rate(up)` wants a range. A policy with one is not
 * accepted; it is still polled, so that it is accepted as soon as the server takes its queries.
 */
export class QueryRefusals {
  readonly #known = new Map<string, Known>();

  /** What a poll said of the author's queries. No answer is no news. */
  note(policy: HealingPolicy, { problems }: PolledPolicy): void {
    const own = problems.filter(({ metric }) => policy.detection.metrics.some(isAuthors(metric)));
    const refused = own.filter(({ error }) => error.kind === REASON);
    if (refused.length === 0 && own.length > 0) return;
    const key = keyOf(policy);
    if (refused.length === 0) {
      this.#known.set(policy.uid, { key, inARow: 0, problems: [] });
      return;
    }
    const before = this.#known.get(policy.uid);
    const inARow = before?.key === key ? before.inARow + 1 : 1;
    this.#known.set(policy.uid, {
      ...{ key, inARow },
      problems: refused.map(({ metric, error }) => ({
        path: `spec.detection.metrics[${policy.detection.metrics.findIndex(isAuthors(metric))}].query`,
        ...{ reason: REASON, message: error.message },
      })),
    });
  }

  /**
   * Why the server refuses the policy's queries; empty: it does not, as far as is known. `shown`: a process that has
   * not asked yet takes over what its predecessor found of the very same spec.
   */
  problems(policy: HealingPolicy, shown: PolicyStatus | undefined): readonly Problem[] {
    const known = this.#known.get(policy.uid);
    const isNews = known?.key === keyOf(policy);
    const before = foundBefore(policy, shown);
    if (!isNews || known === undefined) return before;
    if (known.inARow === 0) return [];
    return known.inARow >= REFUSALS || before.length > 0 ? known.problems : [];
  }

  forget(isKnown: (policyUid: string) => boolean): void {
    for (const uid of [...this.#known.keys()]) if (!isKnown(uid)) this.#known.delete(uid);
  }
}

const isAuthors =
  (metric: string) =>
  ({ name, query }: HealingPolicy['detection']['metrics'][number]): boolean =>
    name === metric && query !== undefined;

const keyOf = ({ generation, hash }: HealingPolicy): string => `${generation}/${hash}`;

function foundBefore({ generation, detection }: HealingPolicy, shown: PolicyStatus | undefined): readonly Problem[] {
  const accepted = shown?.conditions.find(({ type }) => type === 'Accepted');
  if (accepted?.status !== 'False' || accepted.reason !== REASON) return [];
  if (accepted.observedGeneration !== generation) return [];
  const [path = '', ...message] = accepted.message.split(': ');
  const index = /^spec\.detection\.metrics\[(\d+)\]\.query$/.exec(path)?.[1];
  if (index === undefined || detection.metrics[Number(index)]?.query === undefined) return [];
  return [{ path, reason: REASON, message: message.join(': ') }];
}
