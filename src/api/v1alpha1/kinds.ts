import type { z } from 'zod';
import { GuardrailSpec, GuardrailStatus } from './guardrail.ts';
import { HealingActionSpec, HealingActionStatus } from './healing-action.ts';
import { HealingPolicySpec, HealingPolicyStatus } from './healing-policy.ts';
import { PLURALS, type AegisKind } from './labels.ts';

/** A column of `kubectl get`. */
interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: number;
}

/** All that a CustomResourceDefinition is generated from. */
export interface KindDefinition {
  readonly kind: AegisKind;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
}

const conditionStatus = (type: string): string => `.status.conditions[?(@.type=="${type}")].status`;
const conditionReason = (type: string): string => `.status.conditions[?(@.type=="${type}")].reason`;

const conditionMessage = (type: string): string => `.status.conditions[?(@.type=="${type}")].message`;

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when it exists.',
};

const column = (name: string, jsonPath: string, description: string, priority?: number): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...(priority !== undefined && { priority }),
});

/** The three kinds, in the order in which people meet them. */
export const KINDS: readonly KindDefinition[] = [
  {
    kind: 'AegisHealingPolicy',
    plural: PLURALS.AegisHealingPolicy,
    singular: 'aegishealingpolicy',
    shortName: 'ahp',
    scope: 'Namespaced',
    description:
      'What Aegis watches in this namespace and what it may do about its troubles. Written by the owner of an application.',
    spec: HealingPolicySpec,
    status: HealingPolicyStatus,
    columns: [
      column('Mode', '.spec.mode', 'Observe, Approve or Auto.'),
      column('Kind', '.spec.target.kind', 'Kind of the workloads.'),
      column('Target', '.spec.target.name', 'Name of the workload; empty for a selector.'),
      column('Ready', conditionStatus('Ready'), 'Free to act.'),
      column('Reason', conditionReason('Ready'), 'Why ready, or why not.'),
      column('Healthy', conditionStatus('Healthy'), 'No workload is anomalous.'),
      { ...column('Anomalous', '.status.targets.anomalous', 'Workloads in trouble.'), type: 'integer' },
      column('Last-Action', '.status.lastAction.action', 'The last action.'),
      column('Outcome', '.status.lastAction.outcome', 'What came of it.'),
      column('Accepted', conditionStatus('Accepted'), 'The policy makes sense.', 1),
      column('Metrics', conditionStatus('MetricsAvailable'), 'Metrics are there.', 1),
      column('Learned', conditionStatus('Learned'), 'Enough was learnt.', 1),
      age,
    ],
  },
  {
    kind: 'AegisHealingAction',
    plural: PLURALS.AegisHealingAction,
    singular: 'aegishealingaction',
    shortName: 'aha',
    scope: 'Namespaced',
    description:
      'One decided action: the durable intent, the approval form and the audit record. Created by Aegis before the effect.',
    spec: HealingActionSpec,
    status: HealingActionStatus,
    columns: [
      column('Action', '.spec.action', 'What is done.'),
      column('Kind', '.spec.target.kind', 'Kind of the workload.', 1),
      column('Target', '.spec.target.name', 'The workload.'),
      column('Failure', '.spec.diagnosis.failureType', 'The failure.'),
      column('State', '.status.state', 'How far it is.'),
      column('Blocked', '.status.blockedReason', 'Why it waits.'),
      column('Verdict', '.status.verification.verdict', 'Whether it helped.'),
      column('Policy', '.spec.policyRef.name', 'The policy that decided it.', 1),
      column('Execution', '.spec.execution', 'Enforce or DryRun.', 1),
      column('Why', '.spec.reason', 'Why it was decided.', 1),
      age,
    ],
  },
  {
    kind: 'AegisGuardrail',
    plural: PLURALS.AegisGuardrail,
    singular: 'aegisguardrail',
    shortName: 'agr',
    scope: 'Cluster',
    description: 'Bounds every policy in the namespaces that it selects. Written by the cluster’s administrator.',
    spec: GuardrailSpec,
    status: GuardrailStatus,
    columns: [
      { ...column('Suspended', '.spec.suspended', 'Kill switch.'), type: 'boolean' },
      column('Max-Mode', '.spec.maxMode', 'Cap on every policy’s mode.'),
      { ...column('Per-Hour', '.spec.budget.maxActionsPerHour', 'Actions in any hour.'), type: 'integer' },
      { ...column('At-Once', '.spec.budget.maxConcurrent', 'Actions at once.'), type: 'integer' },
      { ...column('Policies', '.status.boundPolicies', 'Policies that it bounds.'), type: 'integer' },
      column('Accepted', conditionStatus('Accepted'), 'The guardrail makes sense.'),
      column('Why', conditionMessage('Accepted'), 'What is wrong with it.', 1),
      age,
    ],
  },
];
