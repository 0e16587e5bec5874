import { describe, expect, test } from '@jest/globals';
import { categoryOf, defaultLadder, MODELS, refusalOf, situationOf } from '../../../src/diagnosis/catalog.ts';
import type { Situation } from '../../../src/diagnosis/failure-model.ts';
import { FAILURE_TYPES } from '../../../src/diagnosis/failure-type.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { gatherFacts } from '../../../src/diagnosis/facts.ts';
import { isKnownOn, matchesOn, ON_NAMES } from '../../../src/diagnosis/matches.ts';
import { REMEDY_EFFECTS } from '../../../src/diagnosis/rung.ts';
import type { RemedyAction } from '../../../src/diagnosis/rung.ts';
import type { Step } from '../../../src/policy/action.ts';
import { aCase } from '../../support/builders/diagnosis.ts';

const all: Situation = { affectedPods: 3, totalPods: 3, attempt: 1, traits: [] };
const one: Situation = { ...all, affectedPods: 1 };

interface Row {
  readonly type: FailureType;
  readonly category: string | null;
  readonly when: string;
  readonly situation: Situation;
  readonly ladder: readonly RemedyAction[];
  readonly refuses: readonly RemedyAction[];
}

const row = (
  type: FailureType,
  category: string | null,
  ladder: readonly RemedyAction[],
  refuses: readonly RemedyAction[],
  [when, situation]: readonly [string, Situation] = ['all pods', all],
): Row => ({ type, category, when, situation, ladder, refuses });
const renewed: Situation = { ...all, traits: ['renewal-proven'] };
const EVERY = REMEDY_EFFECTS;

/** The table of `failures.md`, section 3. */
const rows: readonly Row[] = [
  row('oom_kill', 'memory_leak', ['clear_cache'], ['restart_pod', 'scale_down']),
  row(
    'oom_kill',
    'memory_leak',
    ['clear_cache', 'scale_up'],
    ['restart_pod', 'scale_down'],
    ['memory follows the requests', { ...all, traits: ['memory-follows-requests'] }],
  ),
  row('memory_leak', 'memory_leak', ['clear_cache', 'restart_pod'], ['scale_up']),
  row('cpu_saturation', 'high_latency', ['scale_up'], []),
  row('cpu_saturation', 'high_latency', ['restart_pod'], ['scale_up'], ['one pod of three', one]),
  row('cpu_saturation', 'high_latency', ['scale_up'], EVERY, [
    'throttling alone',
    { ...all, traits: ['throttling-alone'] },
  ]),
  row('traffic_surge', 'high_latency', ['scale_up', 'throttle_api'], ['restart_pod', 'scale_down', 'clear_cache']),
  row('retry_storm', 'high_latency', ['throttle_api', 'scale_up'], ['restart_pod', 'clear_cache']),
  row('crash_loop', 'service_down', [], ['scale_up']),
  row('crash_loop', 'service_down', ['restart_pod'], ['scale_up'], ['one pod of three', one]),
  row(
    'crash_loop',
    'service_down',
    ['restart_pod'],
    ['restart_pod', 'scale_up'],
    ['one pod, again', { ...one, attempt: 2 }],
  ),
  row('bad_deploy', 'service_down', [], ['restart_pod', 'scale_up']),
  row('bad_deploy', 'service_down', [], EVERY, ['mid-rollout', { ...all, traits: ['mid-rollout'] }]),
  row('image_error', 'service_down', [], EVERY),
  row('bad_config', 'service_down', [], ['restart_pod', 'scale_up']),
  row('probe_misconfigured', 'service_down', [], ['restart_pod', 'scale_up']),
  row('connection_pool_exhaustion', 'connection_timeout', ['restart_pod', 'throttle_api'], ['scale_up']),
  row('dependency_down', 'connection_timeout', ['throttle_api'], ['restart_pod', 'scale_up', 'clear_cache']),
  row('network_delay', 'high_latency', [], ['scale_up']),
  row('network_delay', 'high_latency', ['restart_pod'], ['scale_up'], ['one pod of three', one]),
  row('network_delay', 'high_latency', [], ['scale_up'], ['one node', { ...one, traits: ['one-node'] }]),
  row('network_policy_block', 'service_down', [], ['restart_pod', 'scale_up']),
  row('dns_failure', 'connection_timeout', [], EVERY),
  row('certificate_expired', 'service_down', [], ['restart_pod', 'scale_up']),
  row('certificate_expired', 'service_down', ['restart_pod'], ['scale_up'], ['renewal proven', renewed]),
  row('credentials_rejected', 'service_down', [], ['restart_pod', 'scale_up']),
  row('credentials_rejected', 'service_down', ['restart_pod'], ['scale_up'], ['renewal proven', renewed]),
  row('volume_full', null, [], ['restart_pod', 'scale_up']),
  row(
    'volume_full',
    null,
    ['clear_cache'],
    ['restart_pod', 'scale_up'],
    ['the cache lives there', { ...all, traits: ['cache-volume'] }],
  ),
  row('node_pressure', null, [], ['restart_pod', 'scale_up']),
  row('node_not_ready', 'service_down', [], EVERY),
  row('unschedulable', 'service_down', [], ['restart_pod', 'scale_up']),
  row('lock_contention', 'high_latency', ['throttle_api'], ['restart_pod', 'scale_up']),
  row('unknown', null, [], EVERY),
];

describe('the catalog', () => {
  test.each(rows)('$type, $when', ({ type, category, situation, ladder, refuses }) => {
    expect(categoryOf(type)).toBe(category);
    expect(defaultLadder(type, situation).map((rung) => rung.action)).toEqual(ladder);
    expect(EVERY.filter((action) => refusalOf(type, action, situation) !== undefined)).toEqual(
      EVERY.filter((action) => refuses.includes(action)),
    );
  });

  test('every type has its row, and telling people is never refused', () => {
    expect(new Set(rows.map((each) => each.type))).toEqual(new Set(FAILURE_TYPES));
    for (const type of FAILURE_TYPES) expect(refusalOf(type, 'alert_admin', all)).toBeUndefined();
  });

  test('a ladder is a list of steps of the policy room, once each, with the defaults of the specification', () => {
    for (const { type, situation } of rows) {
      const steps: readonly Step[] = defaultLadder(type, situation);
      expect(new Set(steps.map((step) => step.action)).size).toBe(steps.length);
      for (const step of steps) expect(step).toMatchObject({ attempts: 1, timeoutSeconds: 300 });
    }
  });

  test('every advice is a sentence without holes', () => {
    const facts = gatherFacts(aCase({ pods: [{}] }));
    for (const model of MODELS) expect(model.advice(facts)).toMatch(/^[A-Z].{20,}/);
    for (const model of MODELS) expect(model.advice(facts)).not.toMatch(/undefined|NaN|null/);
  });

  test('mid-rollout is a trait that the caller may add', () => {
    expect(situationOf({ pods: [] }, 3, { isMidRollout: true, attempt: 2 })).toEqual({
      affectedPods: 0,
      totalPods: 3,
      attempt: 2,
      traits: ['mid-rollout'],
    });
    expect(situationOf({ pods: [], traits: ['mid-rollout'] }, 3, { isMidRollout: true }).traits).toEqual([
      'mid-rollout',
    ]);
  });
});

describe('remedies[].on', () => {
  test.each<[string, FailureType, boolean]>([
    ['crash_loop', 'crash_loop', true],
    ['service_down', 'crash_loop', true],
    ['high_latency', 'crash_loop', false],
    ['connection_timeout', 'dns_failure', true],
    ['memory_leak', 'memory_leak', true],
    ['memory_leak', 'oom_kill', false],
    ['any', 'volume_full', true],
    ['any', 'unknown', false],
    ['unknown', 'unknown', true],
    ['service_down', 'unknown', false],
    ['anomaly:queue_depth', 'unknown', true],
    ['anomaly:disk_io', 'crash_loop', false],
  ])('%s and %s: %s', (on, failureType, matches) => {
    expect(matchesOn(on, { failureType }, ['queue_depth'])).toBe(matches);
  });

  test.each(['restart', 'Any', 'anomaly:', 'anomaly:Bad-Name', 'anomaly:a{b}', ''])('%s is not known', (on) => {
    expect(isKnownOn(on)).toBe(false);
  });

  test('every name, and any metric, is known', () => {
    for (const on of [...ON_NAMES, 'anomaly:cpu_usage', 'anomaly:queue_depth']) expect(isKnownOn(on)).toBe(true);
  });
});
