import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { IDENTITY, SHARED } from './edge-scenarios.ts';
import { LIFECYCLE } from './lifecycle-scenarios.ts';
import { RESOURCES } from './resource-scenarios.ts';
import type { Scenario } from './scenario.ts';

/** Every type of `failures.md` but `unknown`. */
export const SCENARIOS: readonly Scenario[] = [...RESOURCES, ...LIFECYCLE, ...SHARED, ...IDENTITY];

/** Types that lines alone can tell apart: without logs the case has no evidence, so lines are always read. */
export const NEEDS_LOGS: ReadonlySet<FailureType> = new Set<FailureType>(['credentials_rejected']);
