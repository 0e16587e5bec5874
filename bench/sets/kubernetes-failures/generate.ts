import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { Draft } from './draft.ts';
import { OUT_OF_TAXONOMY } from './out-of-taxonomy.ts';
import { NEEDS_LOGS, SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenario.ts';

export interface FailureCase {
  readonly name: string;
  readonly label: FailureType;
  readonly input: DiagnosisInput;
}

const CHATTER = [
  'GET /cart 200 14ms',
  'cache warmed with 1200 entries',
  'user 5502 logged in',
  'connection pool opened with 10 connections',
  'scheduled job finished in 311 ms',
  'POST /orders 201 48ms',
];

/** Errors that are there on any day: they are no sign of anything. */
const DAILY = ['client closed request', 'GET /favicon.ico 404', 'validation failed: quantity must be positive'];

const OPTIONAL_METRICS = ['request_rate', 'response_time', 'error_rate', 'memory_usage'];
const ESSENTIAL: Partial<Record<FailureType, readonly string[]>> = {
  memory_leak: ['memory_usage'],
  cpu_saturation: ['request_rate'],
  traffic_surge: ['request_rate'],
  retry_storm: ['request_rate'],
  lock_contention: ['response_time'],
  connection_pool_exhaustion: ['response_time'],
  dependency_down: ['error_rate', 'response_time'],
  network_delay: ['response_time'],
  network_policy_block: ['error_rate'],
  dns_failure: ['error_rate'],
  certificate_expired: ['error_rate'],
  credentials_rejected: ['error_rate'],
  bad_deploy: ['error_rate'],
  node_pressure: ['response_time'],
};

/** What a failure drags along: lines and numbers that are true of many types, and mislead. */
const ECHOES: readonly {
  readonly of: readonly FailureType[];
  readonly p: number;
  readonly echo: (draft: Draft) => void;
}[] = [
  {
    of: [
      'cpu_saturation',
      'traffic_surge',
      'memory_leak',
      'lock_contention',
      'connection_pool_exhaustion',
      'network_delay',
    ],
    p: 0.35,
    echo: (draft) => draft.say('context deadline exceeded while waiting for a worker', 4, 'warn'),
  },
  {
    of: ['dependency_down', 'dns_failure', 'connection_pool_exhaustion', 'network_policy_block', 'certificate_expired'],
    p: 0.35,
    echo: (draft) => draft.say('call failed, will retry', 5, 'warn'),
  },
  {
    of: ['crash_loop', 'oom_kill', 'bad_deploy', 'probe_misconfigured', 'node_not_ready'],
    p: 0.3,
    echo: (draft) => draft.say('read: connection reset by peer', 4, 'warn'),
  },
  {
    of: ['dns_failure', 'network_policy_block', 'network_delay'],
    p: 0.3,
    echo: (draft) => draft.say('upstream request timeout', 4),
  },
  {
    of: ['dependency_down', 'network_policy_block', 'crash_loop', 'certificate_expired'],
    p: 0.25,
    echo: (draft) => draft.say('503 service unavailable', 3, 'warn'),
  },
  {
    of: ['traffic_surge', 'retry_storm', 'cpu_saturation'],
    p: 0.3,
    echo: (draft) => draft.scale(draft.pods, 'error_rate', draft.between(3, 10)),
  },
  {
    of: ['memory_leak', 'volume_full', 'crash_loop', 'unschedulable', 'credentials_rejected', 'certificate_expired'],
    p: 0.15,
    echo: (draft) => draft.scale(draft.pods, 'request_rate', draft.between(1.1, 1.35)),
  },
  {
    of: ['crash_loop', 'bad_config', 'credentials_rejected', 'oom_kill', 'dependency_down'],
    p: 0.15,
    echo: (draft) => draft.say('shutting down, exit code 1', 2, 'info'),
  },
  {
    of: ['traffic_surge', 'cpu_saturation', 'memory_leak', 'dependency_down', 'lock_contention'],
    p: 0.12,
    echo: (draft) => {
      const edit = { kind: draft.pick(['config', 'service'] as const), name: 'other', atMs: draft.onsetAtMs - 600_000 };
      draft.input = { ...draft.input, changes: [...(draft.input.changes ?? []), edit] };
    },
  },
];

function resound(draft: Draft, label: FailureType): void {
  for (const { of, p, echo } of ECHOES) if (of.includes(label) && draft.chance(p)) echo(draft);
}

/** What is missing in real clusters: a metric, the logs, or both. */
function lose(draft: Draft, label: FailureType): void {
  if (!draft.chance(0.45)) return;
  const kept = ESSENTIAL[label] ?? [];
  const optional = OPTIONAL_METRICS.filter((metric) => label !== 'unknown' && !kept.includes(metric));
  if (optional.length > 0) draft.drop(draft.pick(optional));
}

/** What is there by coincidence: a stray anomaly, an older change, a daily error. */
function distract(draft: Draft): void {
  draft.chatter(CHATTER);
  for (const line of DAILY) if (draft.chance(0.4)) draft.say(line, 2, 'warn');
  if (draft.chance(0.08)) {
    draft.measure('disk_io');
    draft.scale([draft.one()], 'disk_io', 8);
  }
  if (draft.chance(0.1)) {
    const scaled = { kind: 'scale', name: 'checkout', atMs: draft.onsetAtMs - 300_000 } as const;
    draft.input = { ...draft.input, changes: [...(draft.input.changes ?? []), scaled] };
  }
}

function aCase(scenario: Scenario, seed: number): FailureCase {
  const random = seededRandom(seed);
  let draft = new Draft(random, scenario.minReplicas);
  while (NEEDS_LOGS.has(scenario.label) && !draft.hasLogs) draft = new Draft(random, scenario.minReplicas);
  scenario.build(draft);
  distract(draft);
  resound(draft, scenario.label);
  lose(draft, scenario.label);
  return { name: `${scenario.label}: ${scenario.name} #${seed}`, label: scenario.label, input: draft.finish() };
}

/**
 * The generated failure set: every type `perType` times and as many cases outside the taxonomy as three types. The
 * seed fixes everything; development and held-out sets differ in it. The generator knows nothing of the classifier.
 */
export function generateFailures(seed: number, perType: number): readonly FailureCase[] {
  const known = SCENARIOS.flatMap((scenario, i) =>
    Array.from({ length: perType }, (_, k) => aCase(scenario, seed * 1_000_003 + i * 10_007 + k)),
  );
  const perStrange = Math.max(1, Math.round((3 * perType) / OUT_OF_TAXONOMY.length));
  const strange = OUT_OF_TAXONOMY.flatMap((scenario, i) =>
    Array.from({ length: perStrange }, (_, k) => aCase(scenario, seed * 1_000_003 + 500_009 + i * 10_007 + k)),
  );
  return [...known, ...strange];
}
