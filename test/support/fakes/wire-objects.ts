import { parseAction } from '../../../src/api/v1alpha1/convert-action.ts';
import { parseGuardrailStatus } from '../../../src/api/v1alpha1/guardrail-status.ts';
import { parsePolicyStatus } from '../../../src/api/v1alpha1/policy-status.ts';
import type { PolicyStatus } from '../../../src/healing/policy-status.ts';
import type { StoredAction } from '../../../src/healing/stored-action.ts';

/** An AegisHealingAction as stored: wire form, so that what the wire loses is lost here too. */
export interface WireAction {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly finalizers: readonly string[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: object;
}

/** What is stored is never changed, only replaced: it is read once, however many watchers look at it. */
function readOnce<W extends object, T>(read: (wire: W) => T): (wire: W) => T {
  const known = new WeakMap<W, T>();
  return (wire) => {
    if (!known.has(wire)) known.set(wire, read(wire));
    return known.get(wire) as T;
  };
}

const statusOf = readOnce((status: object) => parsePolicyStatus({ status }));
export const policyStatusOf = (wire: object | undefined): PolicyStatus | undefined =>
  wire === undefined ? undefined : statusOf(wire);
export const guardrailStatusOf = readOnce((status: object) => parseGuardrailStatus({ status }));

export const parsed = readOnce((wire: WireAction): StoredAction => {
  const action = parseAction(wire);
  if (!action.ok) throw new Error(`the stored action cannot be read: ${JSON.stringify(action.error)}`);
  return action.value;
});
