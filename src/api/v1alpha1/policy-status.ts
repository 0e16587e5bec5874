import type { IncidentSummary, PolicyCondition, PolicyStatus } from '../../healing/policy-status.ts';
import { envelope } from './envelope.ts';
import { HealingPolicyStatus } from './healing-policy.ts';
import { fitText } from './fit-text.ts';
import { rfc3339 } from './wire-time.ts';

/** What the status subresource takes; longer texts are clipped, because a refused status would say nothing at all. */
const BOUNDS = { message: 2048, reason: 1024, incidents: 10 } as const;

/** The wire form of a policy's status: the value of the object's `status` field. */
export function policyStatusObject(status: PolicyStatus): object {
  const { observedGeneration, conditions, targets, incidents, lastAction } = status;
  return {
    observedGeneration,
    conditions: conditions.map(wireCondition),
    targets,
    incidents: incidents.slice(0, BOUNDS.incidents).map(wireIncident),
    ...(lastAction !== undefined && { lastAction: wireLastAction(lastAction) }),
  };
}

const wireCondition = ({ lastTransitionMs, message, ...rest }: PolicyCondition) => ({
  ...rest,
  message: fitText(message, BOUNDS.message),
  lastTransitionTime: rfc3339(lastTransitionMs),
});

const wireIncident = ({ sinceMs, reason, ...rest }: IncidentSummary) => ({
  ...rest,
  reason: fitText(reason, BOUNDS.reason),
  sinceTime: rfc3339(sinceMs),
});

const wireLastAction = ({ atMs, ...rest }: NonNullable<PolicyStatus['lastAction']>) => ({
  ...rest,
  time: rfc3339(atMs),
});

/** The status that an object carries, or `undefined` where there is none or a foreign hand has broken it. */
export function parsePolicyStatus(object: unknown): PolicyStatus | undefined {
  const { status } = envelope(object);
  const parsed = HealingPolicyStatus.safeParse(status);
  if (!parsed.success || parsed.data.observedGeneration === undefined) return undefined;
  const { observedGeneration, conditions = [], targets, incidents = [], lastAction } = parsed.data;
  return {
    observedGeneration,
    conditions: conditions.map(({ lastTransitionTime, observedGeneration: seen, type, ...rest }) => ({
      ...rest,
      type: type as PolicyCondition['type'],
      observedGeneration: seen ?? observedGeneration,
      lastTransitionMs: Date.parse(lastTransitionTime),
    })),
    targets: targets ?? { matched: 0, anomalous: 0, unknown: 0 },
    incidents: incidents.map(({ sinceTime, ...rest }) => ({ ...rest, sinceMs: Date.parse(sinceTime) })),
    ...(lastAction !== undefined && { lastAction: domainLastAction(lastAction) }),
  };
}

function domainLastAction({
  time,
  ...rest
}: NonNullable<HealingPolicyStatus['lastAction']>): NonNullable<PolicyStatus['lastAction']> {
  return { ...rest, atMs: Date.parse(time) };
}
