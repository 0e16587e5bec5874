import { describe, expect, test } from '@jest/globals';
import type { Change, CredentialState, VolumeState } from '../../../src/diagnosis/evidence.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { assessmentOf } from '../../support/assessment.ts';
import type { AssessedCase } from '../../support/assessment.ts';
import { aNode, anEvent, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { Behaviour, PodSpec } from '../../support/builders/diagnosis.ts';

const DAY = 86_400_000;

const pod = (metrics: Readonly<Record<string, Behaviour>> = {}, over: PodSpec = {}): PodSpec => ({
  metrics: {
    cpu_usage: ['flat', 40, 40],
    memory_usage: ['flat', 50, 50],
    request_rate: ['flat', 100, 100],
    error_rate: ['flat', 0.005, 0.005],
    response_time: ['flat', 80, 80],
    ...metrics,
  },
  ...over,
});
const calm = pod();
const oom = (): PodSpec => ({
  lastEnd: { reason: 'OOMKilled', exitCode: 137, finishedAtMs: NOW - 30_000 },
  restarts: 2,
});
/** Crashed again and again, each time so long after its start. */
const crash = (exitCode: number, afterMs?: number): PodSpec => ({
  waiting: 'CrashLoopBackOff',
  restarts: 5,
  lastEnd: {
    reason: 'Error',
    exitCode,
    ...(afterMs === undefined ? {} : { startedAtMs: NOW - 60_000 - afterMs, finishedAtMs: NOW - 60_000 }),
  },
});
const signalled = (exitCode: number, agoMs: number): PodSpec => ({
  restarts: 2,
  lastEnd: { reason: 'Error', exitCode, finishedAtMs: NOW - agoMs },
});
const killing = (agoMs: number) =>
  anEvent('Killing', 'Container app failed liveness probe, will be restarted', { lastAtMs: NOW - agoMs });
const edit = (kind: Change['kind']): Change => ({ kind, name: 'it', atMs: ONSET - 240_000 });
/** Its first revision, made with it, a few minutes ago. */
const newborn = {
  createdAtMs: ONSET - 300_000,
  revisions: [
    {
      name: 'checkout-abc',
      templateHash: 'abc',
      revision: 1,
      createdAtMs: ONSET - 300_000,
      replicas: 1,
      readyReplicas: 0,
    },
  ],
};
/** A new revision four minutes before the onset. */
const released = {
  revisions: [
    {
      name: 'checkout-abc',
      templateHash: 'abc',
      revision: 8,
      createdAtMs: ONSET - 240_000,
      replicas: 2,
      readyReplicas: 0,
    },
    { name: 'checkout-old', templateHash: 'old', revision: 7, createdAtMs: NOW - 9e8, replicas: 0, readyReplicas: 0 },
  ],
};
const stuck = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' } as const;
const refusal = {
  type: 'ReplicaFailure',
  status: 'True',
  reason: 'FailedCreate',
  message: 'pods "x" is forbidden: exceeded quota',
} as const;
const quotaEvent = anEvent('FailedCreate', 'exceeded Quota: pods=2', { kind: 'ReplicaSet', name: 'checkout-abc' });
const volume = (over: Partial<VolumeState>): VolumeState => ({ claim: 'data', holdsCache: false, ...over });
const cert = (over: Partial<CredentialState>): CredentialState => ({
  kind: 'certificate',
  name: 'tls',
  ready: true,
  ...over,
});

describe('what a type makes of the status', () => {
  test.each<[FailureType, string, AssessedCase, readonly string[]]>([
    ['oom_kill', 'one container was ended', { pods: [pod({}, oom()), calm] }, ['+ kubernetes: checkout-abc-1: last termination OOMKilled', 'pod checkout-abc-1']],
    ['oom_kill', 'two of them, and memory stands at its limit', { pods: [pod({ memory_usage: ['up', 90, 50] }, oom()), pod({}, oom()), calm] }, ['+ kubernetes: checkout-abc-1 and checkout-abc-2: last termination OOMKilled', '+ metric: memory_usage met its limit [memory_usage]', 'pod checkout-abc-1', 'pod checkout-abc-2']],
    ['oom_kill', 'memory a little below the limit', { pods: [pod({ memory_usage: ['up', 89.9, 50] })] }, ['- kubernetes: no container was ended as OOMKilled']],
    ['oom_kill', 'the limit detector alone says it', { pods: [pod({ memory_usage: ['up', 70, 50, ['limit']] })] }, ['- kubernetes: no container was ended as OOMKilled', '+ metric: memory_usage met its limit [memory_usage]']],
    ['oom_kill', 'memory follows the requests', { pods: [pod({ memory_usage: ['up', 95, 50], request_rate: ['up', 300, 100] }, oom())] }, ['+ kubernetes: checkout-abc-1: last termination OOMKilled', '+ metric: memory_usage met its limit [memory_usage]', 'pod checkout-abc-1', 'trait memory-follows-requests']],
    ['oom_kill', 'memory rises and requests do not', { pods: [pod({ memory_usage: ['up', 95, 50] }, oom())] }, ['+ kubernetes: checkout-abc-1: last termination OOMKilled', '+ metric: memory_usage met its limit [memory_usage]', 'pod checkout-abc-1']],
    ['oom_kill', 'requests rise and memory does not', { pods: [pod({ request_rate: ['up', 300, 100] }, oom())] }, ['+ kubernetes: checkout-abc-1: last termination OOMKilled', 'pod checkout-abc-1']],
    ['oom_kill', 'no status is known', { pods: [calm], logs: ['OutOfMemoryError: Java heap space'], without: ['workload'] }, ['+ log: a log line tells of out-of-memory, such as “OutOfMemoryError: Java heap space”']],
    ['oom_kill', 'a reason of the verdict, without the end of a container', { pods: [pod({}, { reason: 'OOMKilled' }), calm] }, ['+ kubernetes: checkout-abc-1: last termination OOMKilled', 'pod checkout-abc-1']],
    ['crash_loop', 'one of two, its peer runs', { pods: [pod({}, crash(1)), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', '+ kubernetes: its peers of the same workload run', 'pod checkout-abc-1']],
    ['crash_loop', 'all, with different codes', { pods: [pod({}, crash(1)), pod({}, crash(139)), pod({}, crash(2)), pod({}, crash(134))] }, ['+ kubernetes: checkout-abc-1, checkout-abc-2 and 2 more: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1, 139, 2, 134', 'pod checkout-abc-1', 'pod checkout-abc-2', 'pod checkout-abc-3', 'pod checkout-abc-4']],
    ['crash_loop', 'a code that is no crash', { pods: [pod({}, crash(3)), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: its peers of the same workload run', 'pod checkout-abc-1']],
    ['crash_loop', 'no end is known', { pods: [pod({}, { waiting: 'CrashLoopBackOff', restarts: 5 }), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: its peers of the same workload run', 'pod checkout-abc-1']],
    ['crash_loop', 'ended from outside by a signal', { pods: [pod({}, crash(143)), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: its peers of the same workload run', '- kubernetes: checkout-abc-1: ended from outside', 'pod checkout-abc-1']],
    ['crash_loop', 'ended for want of memory', { pods: [pod({}, { waiting: 'CrashLoopBackOff', restarts: 5, lastEnd: { reason: 'OOMKilled', exitCode: 137 } }), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: its peers of the same workload run', '- kubernetes: checkout-abc-1: ended from outside', 'pod checkout-abc-1']],
    ['crash_loop', 'between two crashes: many restarts, not ready', { pods: [pod({}, { restarts: 4, ready: false, lastEnd: { reason: 'Error', exitCode: 1 } }), calm] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 4 restarts', '+ kubernetes: exit code 1', '+ kubernetes: its peers of the same workload run', 'pod checkout-abc-1']],
    ['crash_loop', 'three restarts are not many', { pods: [pod({}, { restarts: 3, ready: false, lastEnd: { reason: 'Error', exitCode: 1 } }), calm] }, []],
    ['crash_loop', 'many restarts, ready again', { pods: [pod({}, { restarts: 9, ready: true, lastEnd: { reason: 'Error', exitCode: 1 } }), calm] }, []],
    ['crash_loop', 'many restarts, all for want of memory', { pods: [pod({}, { restarts: 9, ready: false, lastEnd: { reason: 'OOMKilled', exitCode: 137 } }), calm] }, []],
    ['crash_loop', 'many restarts of which no end is known', { pods: [pod({}, { restarts: 9, ready: false }), calm] }, []],
    ['crash_loop', 'all, after a change of the configuration', { pods: [pod({}, crash(1)), pod({}, crash(1))], input: { changes: [edit('config')] } }, ['+ kubernetes: checkout-abc-1 and checkout-abc-2: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', '- change: config it changed 7 min ago', 'pod checkout-abc-1', 'pod checkout-abc-2']],
    ['crash_loop', 'all, at once after the start', { pods: [pod({}, crash(1, 5000)), pod({}, crash(1, 60_000))] }, ['+ kubernetes: checkout-abc-1 and checkout-abc-2: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', '- kubernetes: it dies before it has read its configuration', 'pod checkout-abc-1', 'pod checkout-abc-2']],
    ['crash_loop', 'all, five seconds and a moment after the start', { pods: [pod({}, crash(1, 5001))] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', 'pod checkout-abc-1']],
    ['crash_loop', 'at once, but by a signal', { pods: [pod({}, crash(128, 1000))] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', 'pod checkout-abc-1']],
    ['crash_loop', 'at once, but with success', { pods: [pod({}, crash(0, 1000))] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', 'pod checkout-abc-1']],
    ['crash_loop', 'it has never run', { pods: [pod({}, crash(1))], workload: newborn }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', '- kubernetes: it has never run since it was created', 'pod checkout-abc-1']],
    ['crash_loop', 'a panic in the log', { pods: [pod({}, crash(1)), calm], logs: ['panic: runtime error'] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', '+ kubernetes: its peers of the same workload run', '+ log: a log line tells of panic, such as “panic: runtime error”', 'pod checkout-abc-1']],
    ['crash_loop', 'nothing crashes', { pods: [calm, pod({}, { ready: false })] }, []],
    ['crash_loop', 'only pods of the new template crash', { pods: [pod({}, { ...crash(1), hash: 'abc' }), pod({}, { hash: 'old' })] }, ['+ kubernetes: checkout-abc-1: CrashLoopBackOff after 5 restarts', '+ kubernetes: exit code 1', 'pod checkout-abc-1']],
    ['bad_config', 'a reference is missing', { pods: [pod({}, { waiting: 'CreateContainerConfigError' }), calm] }, ['+ kubernetes: checkout-abc-1: CreateContainerConfigError', 'pod checkout-abc-1']],
    ['bad_config', 'two reasons, each told once', { pods: [pod({}, { waiting: 'CreateContainerConfigError' }), pod({}, { waiting: 'RunContainerError' }), pod({}, { waiting: 'RunContainerError' })] }, ['+ kubernetes: checkout-abc-1, checkout-abc-2 and 1 more: CreateContainerConfigError, RunContainerError', 'pod checkout-abc-1', 'pod checkout-abc-2', 'pod checkout-abc-3']],
    ['bad_config', 'a reason that is none', { pods: [pod({}, { waiting: 'ContainerCreating' }), calm] }, []],
    ['bad_config', 'refused, after a change of a secret', { pods: [pod({}, { waiting: 'CreateContainerError' }), calm], input: { changes: [edit('secret')] } }, ['+ kubernetes: checkout-abc-1: CreateContainerError', '+ change: secret it changed 7 min ago', 'pod checkout-abc-1']],
    ['bad_config', 'one dies at once, others serve', { pods: [pod({}, crash(1, 1000)), calm], logs: ['configuration key DB_URL is not set'] }, ['+ kubernetes: checkout-abc-1: exits within 5 s of its start', '+ log: a log line tells of missing-reference, such as “configuration key DB_URL is not set”', 'pod checkout-abc-1']],
    ['bad_config', 'one dies at once, one later', { pods: [pod({}, crash(1, 1000)), pod({}, crash(1, 60_000)), calm] }, ['+ kubernetes: checkout-abc-1: exits within 5 s of its start', 'pod checkout-abc-1']],
    ['bad_config', 'all die late, after a release', { pods: [pod({}, crash(1, 60_000)), pod({}, crash(1, 60_000))], workload: released, logs: ['configuration key DB_URL is not set'] }, ['+ change: template checkout-abc changed 7 min ago', '+ log: a log line tells of missing-reference, such as “configuration key DB_URL is not set”', 'pod checkout-abc-1', 'pod checkout-abc-2']],
    ['bad_config', 'all die late, no change is known', { pods: [pod({}, crash(1, 60_000))], logs: ['configuration key DB_URL is not set'] }, ['+ log: a log line tells of missing-reference, such as “configuration key DB_URL is not set”', 'pod checkout-abc-1']],
    ['bad_config', 'some die late, and a line alone says nothing', { pods: [pod({}, crash(1, 60_000)), calm], logs: ['configuration key DB_URL is not set'] }, ['pod checkout-abc-1']],
    ['bad_config', 'some die late, after a change of the configuration', { pods: [pod({}, crash(1, 60_000)), calm], logs: ['configuration key DB_URL is not set'], input: { changes: [edit('config')] } }, ['+ change: config it changed 7 min ago', '+ log: a log line tells of missing-reference, such as “configuration key DB_URL is not set”', 'pod checkout-abc-1']],
    ['bad_config', 'a change of the configuration, and nothing dies', { pods: [calm], logs: ['configuration key DB_URL is not set'], input: { changes: [edit('config')] } }, ['+ log: a log line tells of missing-reference, such as “configuration key DB_URL is not set”']],
    ['bad_config', 'all die, and it was never ready', { pods: [pod({}, crash(1, 60_000))], workload: newborn }, ['+ kubernetes: it was never ready since it was created', 'pod checkout-abc-1']],
    ['bad_config', 'nothing at all', { pods: [calm], logs: ['configuration key DB_URL is not set'] }, []],
    ['bad_deploy', 'every pod of the release crashes', { pods: [pod({}, crash(1)), pod({}, crash(1))], workload: released }, ['+ change: template checkout-abc changed 7 min ago', '+ kubernetes: every pod of it crashes', 'pod checkout-abc-1', 'pod checkout-abc-2', 'cause rollout checkout-abc']],
    ['bad_deploy', 'some of it crash', { pods: [pod({}, crash(1)), calm], workload: released }, ['+ change: template checkout-abc changed 7 min ago', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'a release, and nothing is hurt', { pods: [calm], workload: released }, ['cause rollout checkout-abc']],
    ['bad_deploy', 'a release, then errors', { pods: [pod({ error_rate: ['up', 0.4, 0.005] })], workload: released }, ['+ change: template checkout-abc changed 7 min ago', '+ metric: error_rate up to 0.4 (expected 0.005) on pod checkout-abc-1 [error_rate]', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'a release, then slow answers, and a panic', { pods: [pod({ response_time: ['up', 900, 80] })], workload: released, logs: ['panic: nil map'] }, ['+ change: template checkout-abc changed 7 min ago', '+ metric: response_time up to 900 (expected 80) on pod checkout-abc-1 [response_time]', '+ log: a log line tells of panic, such as “panic: nil map”', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'a release, and no progress', { pods: [pod({}, { ready: false })], workload: { ...released, conditions: [stuck] } }, ['+ kubernetes: the rollout exceeded its progress deadline', '+ change: template checkout-abc changed 7 min ago', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'progress is made', { pods: [pod({}, { ready: false })], workload: { ...released, conditions: [{ ...stuck, status: 'True' }] } }, ['pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'no progress for another reason', { pods: [calm], workload: { conditions: [{ ...stuck, reason: 'ReplicaSetUpdated' }] } }, ['cause rollout checkout-abc']],
    ['bad_deploy', 'another condition of that reason', { pods: [calm], workload: { conditions: [{ ...stuck, type: 'Available' }] } }, ['cause rollout checkout-abc']],
    ['bad_deploy', 'no progress without a release', { pods: [calm], workload: { conditions: [{ ...stuck, status: 'True' }, stuck] } }, ['+ kubernetes: the rollout exceeded its progress deadline', 'cause rollout checkout-abc']],
    ['bad_deploy', 'errors without a release', { pods: [pod({ error_rate: ['up', 0.4, 0.005] })] }, ['pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'only new pods fail', { pods: [pod({ error_rate: ['up', 0.4, 0.005] }, { hash: 'abc' }), pod({}, { hash: 'old' })], workload: released }, ['+ kubernetes: only pods of the new template fail', '+ change: template checkout-abc changed 7 min ago', '+ metric: error_rate up to 0.4 (expected 0.005) on pod checkout-abc-1 [error_rate]', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'only new pods are ill, but nothing that a release does', { pods: [pod({ cpu_usage: ['up', 95, 40] }, { hash: 'abc' }), pod({}, { hash: 'old' })], workload: released }, ['pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'only old pods fail', { pods: [pod({ error_rate: ['up', 0.4, 0.005] }, { hash: 'old' }), pod({}, { hash: 'abc' })], workload: released }, ['+ change: template checkout-abc changed 7 min ago', '+ metric: error_rate up to 0.4 (expected 0.005) on pod checkout-abc-1 [error_rate]', '- kubernetes: only pods of the old template fail', 'cause rollout checkout-abc']],
    ['bad_deploy', 'both fail', { pods: [pod({ error_rate: ['up', 0.4, 0.005] }, { hash: 'old' }), pod({ error_rate: ['up', 0.4, 0.005] }, { hash: 'abc' })], workload: released }, ['+ change: template checkout-abc changed 7 min ago', '+ metric: error_rate up to 0.4 (expected 0.005) on 2 of 2 pods [error_rate]', '- kubernetes: old pods fail as well', 'contradicted: pods of the old template fail as well', 'pod checkout-abc-2', 'cause rollout checkout-abc']],
    ['bad_deploy', 'the image is the matter', { pods: [pod({}, { waiting: 'ImagePullBackOff' })], workload: released }, ['- kubernetes: the status names another failure', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'memory is the matter', { pods: [pod({}, { ...crash(1), ...oom() })], workload: released }, ['+ change: template checkout-abc changed 7 min ago', '+ kubernetes: every pod of it crashes', '- kubernetes: the status names another failure', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'it has never run', { pods: [pod({}, crash(1))], workload: newborn }, ['+ kubernetes: it has never run since it was created', 'pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['bad_deploy', 'one has never run, another does', { pods: [pod({}, crash(1)), calm], workload: newborn }, ['pod checkout-abc-1', 'cause rollout checkout-abc']],
    ['image_error', 'each reason is told once', { pods: [pod({}, { waiting: 'ErrImagePull' }), pod({}, { waiting: 'ImagePullBackOff' }), pod({}, { waiting: 'ImagePullBackOff' })] }, ['+ kubernetes: checkout-abc-1, checkout-abc-2 and 1 more: ErrImagePull, ImagePullBackOff', 'pod checkout-abc-1', 'pod checkout-abc-2', 'pod checkout-abc-3']],
    ['image_error', 'other reasons beside it are not told', { pods: [pod({}, { waiting: 'ErrImagePull', reason: 'NotReady' }), calm] }, ['+ kubernetes: checkout-abc-1: ErrImagePull', 'pod checkout-abc-1']],
    ['image_error', 'an event tells of it', { pods: [calm], input: { events: [anEvent('Failed', 'Failed to pull image "x": not found')] } }, ['+ kubernetes: an event tells that an image could not be pulled']],
    ['image_error', 'an event that failed otherwise', { pods: [calm], input: { events: [anEvent('Failed', 'Error: exit status 1'), anEvent('Pulled', 'image is there')] } }, []],
    ['probe_misconfigured', 'the kubelet kills for a liveness probe', { pods: [calm], input: { events: [anEvent('Killing', 'Container app failed liveness probe, will be restarted')] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ metric: error_rate as usual [error_rate]']],
    ['probe_misconfigured', 'it kills for another reason', { pods: [calm], input: { events: [anEvent('Killing', 'Stopping container app'), anEvent('Killing', 'readiness probe')] } }, []],
    ['probe_misconfigured', 'a readiness probe warns', { pods: [pod({}, { ready: false })], input: { events: [anEvent('Unhealthy', 'Readiness probe failed: HTTP 500')] } }, ['+ kubernetes: events tell of a failing probe', '+ metric: error_rate as usual [error_rate]']],
    ['probe_misconfigured', 'a warning of something else', { pods: [calm], input: { events: [anEvent('Unhealthy', 'node is odd'), anEvent('BackOff', 'Liveness probe failed')] } }, []],
    ['probe_misconfigured', 'ended by a signal, again and again at constant spacing', { pods: [pod({}, signalled(137, 60_000)), calm], input: { events: [killing(120_000), killing(180_000), killing(240_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ kubernetes: checkout-abc-1: ended by a signal, not by itself', '+ kubernetes: the restarts have constant spacing', '+ metric: error_rate as usual [error_rate]', 'pod checkout-abc-1']],
    ['probe_misconfigured', 'at irregular spacing, with errors before', { pods: [pod({ error_rate: ['up', 0.3, 0.005] }, signalled(143, 10_000))], input: { events: [killing(120_000), killing(130_000), killing(240_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ kubernetes: checkout-abc-1: ended by a signal, not by itself', '- metric: error_rate up to 0.3 (expected 0.005) on pod checkout-abc-1 [error_rate]', 'contradicted: errors come before irregular restarts: a crash', 'pod checkout-abc-1']],
    ['probe_misconfigured', 'at irregular spacing, without errors', { pods: [pod({}, signalled(143, 10_000))], input: { events: [killing(120_000), killing(130_000), killing(240_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ kubernetes: checkout-abc-1: ended by a signal, not by itself', '+ metric: error_rate as usual [error_rate]', 'pod checkout-abc-1']],
    ['probe_misconfigured', 'at constant spacing, with errors', { pods: [pod({ error_rate: ['up', 0.3, 0.005], response_time: ['up', 900, 80] })], input: { events: [killing(120_000), killing(180_000), killing(240_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ kubernetes: the restarts have constant spacing', '- metric: error_rate up to 0.3 (expected 0.005) on pod checkout-abc-1 [error_rate]', '- metric: response_time up to 900 (expected 80) on pod checkout-abc-1 [response_time]']],
    ['probe_misconfigured', 'ended by the kernel for memory is no signal of the kubelet', { pods: [pod({}, oom())], input: { events: [killing(60_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ metric: error_rate as usual [error_rate]']],
    ['probe_misconfigured', 'ended by itself', { pods: [pod({}, crash(1))], input: { events: [killing(60_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ metric: error_rate as usual [error_rate]']],
    ['probe_misconfigured', 'after a change of the template', { pods: [pod({}, signalled(137, 60_000))], workload: released, input: { events: [killing(120_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ kubernetes: checkout-abc-1: ended by a signal, not by itself', '+ change: template checkout-abc changed 7 min ago', '+ metric: error_rate as usual [error_rate]', 'pod checkout-abc-1']],
    ['probe_misconfigured', 'the log tells of a crash', { pods: [calm], logs: ['panic: boom'], input: { events: [killing(60_000)] } }, ['+ kubernetes: the kubelet killed a container because its probe failed', '+ metric: error_rate as usual [error_rate]', '- metric: the log tells of a crash']],
    ['probe_misconfigured', 'the log tells of memory', { pods: [calm], logs: ['out of memory'] }, ['- metric: the log tells of a crash']],
    ['probe_misconfigured', 'ended by a signal, and no probe is told of', { pods: [pod({}, signalled(137, 60_000))] }, ['pod checkout-abc-1']],
    ['unschedulable', 'the scheduler says why', { pods: [pod({}, { phase: 'Pending', node: null, unschedulable: '0/3 nodes: insufficient cpu' }), calm] }, ['+ kubernetes: checkout-abc-1: unschedulable, 0/3 nodes: insufficient cpu', '+ kubernetes: 1 replicas are missing', 'pod checkout-abc-1']],
    ['unschedulable', 'pending without a place, nothing said', { pods: [pod({}, { phase: 'Pending', node: null }), pod({}, { phase: 'Pending' }), pod({}, { node: null })] }, ['+ kubernetes: 2 replicas are missing', 'pod checkout-abc-1']],
    ['unschedulable', 'an event of the scheduler, the newest', { pods: [pod({}, { phase: 'Pending', node: null })], input: { events: [anEvent('FailedScheduling', 'old', { lastAtMs: NOW - 90_000 }), anEvent('FailedScheduling', 'new'), anEvent('Scheduled', 'other', { lastAtMs: NOW })] } }, ['+ kubernetes: event FailedScheduling: new', '+ kubernetes: 1 replicas are missing', 'pod checkout-abc-1']],
    ['unschedulable', 'of two events at one moment the first by name', { pods: [pod({}, { phase: 'Pending', node: null })], input: { events: [anEvent('FailedScheduling', 'b'), anEvent('FailedScheduling', 'a'), anEvent('FailedScheduling', 'c')] } }, ['+ kubernetes: event FailedScheduling: a', '+ kubernetes: 1 replicas are missing', 'pod checkout-abc-1']],
    ['unschedulable', 'a quota refuses, by an event', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 } }, input: { events: [quotaEvent] } }, ['+ kubernetes: event FailedCreate: exceeded Quota: pods=2']],
    ['unschedulable', 'a quota refused, and none is missing now', { pods: [calm], input: { events: [quotaEvent] } }, []],
    ['unschedulable', 'a creation failed for another reason', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 } }, input: { events: [anEvent('FailedCreate', 'webhook denied', { kind: 'ReplicaSet', name: 'checkout-abc' })] } }, []],
    ['unschedulable', 'a quota refuses, by the condition of the workload', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 }, conditions: [refusal] } }, ['+ kubernetes: FailedCreate: pods "x" is forbidden: exceeded quota']],
    ['unschedulable', 'that condition is over', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 }, conditions: [{ ...refusal, status: 'False' }] } }, []],
    ['unschedulable', 'a condition that names no quota, and another type that does', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 }, conditions: [{ ...refusal, message: 'denied' }, { ...refusal, type: 'Other' }] } }, []],
    ['unschedulable', 'that condition without reason', { pods: [calm], workload: { replicas: { desired: 3, current: 1, updated: 1, ready: 1, available: 1 }, conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: pods' }] } }, ['+ kubernetes: ReplicaFailure: exceeded quota: pods']],
    ['unschedulable', 'the pods came with a scale-up of Aegis a quarter of an hour ago', { pods: [calm, pod({}, { phase: 'Pending', node: null })], input: { recentActions: [{ action: 'scale_up', executedAtMs: NOW - 900_000 }] } }, ['+ kubernetes: 1 replicas are missing', '+ kubernetes: the pods came with a scale_up of Aegis', 'pod checkout-abc-2', 'trait own-scale-up']],
    ['unschedulable', 'a scale-up of longer ago, and another action since', { pods: [calm, pod({}, { phase: 'Pending', node: null })], input: { recentActions: [{ action: 'scale_up', executedAtMs: NOW - 900_001 }, { action: 'restart_pod', executedAtMs: NOW - 1000 }] } }, ['+ kubernetes: 1 replicas are missing', 'pod checkout-abc-2']],
    ['unschedulable', 'one of several actions was a scale-up', { pods: [pod({}, { phase: 'Pending', node: null })], input: { recentActions: [{ action: 'restart_pod', executedAtMs: NOW - 1000 }, { action: 'scale_up', executedAtMs: NOW - 1000 }] } }, ['+ kubernetes: 1 replicas are missing', '+ kubernetes: the pods came with a scale_up of Aegis', 'pod checkout-abc-1', 'trait own-scale-up']],
    ['node_not_ready', 'a node does not answer', { pods: [pod({ error_rate: ['up', 0.3, 0.005] }, { node: 'node-a' }), pod({}, { node: 'node-a', ready: false }), pod({}, { node: 'node-b' })], input: { nodes: [aNode('node-a', { ready: 'Unknown' }), aNode('node-b')] } }, ['+ kubernetes: node node-a is not ready (Unknown) and carries checkout-abc-1 and checkout-abc-2', 'pod checkout-abc-1', 'pod checkout-abc-2', 'cause node node-a']],
    ['node_not_ready', 'what it carries looks well', { pods: [pod({}, { node: 'node-a' }), pod({}, { node: 'node-b' })], input: { nodes: [aNode('node-a', { ready: 'False' }), aNode('node-b')] } }, ['+ kubernetes: node node-a is not ready (False) and carries checkout-abc-1', 'pod checkout-abc-1', 'cause node node-a']],
    ['node_not_ready', 'more fail elsewhere', { pods: [pod({}, { node: 'node-a', ready: false }), pod({}, { node: 'node-b', ready: false }), pod({}, { node: 'node-b', ready: false })], input: { nodes: [aNode('node-a', { ready: 'False' }), aNode('node-b')] } }, ['+ kubernetes: node node-a is not ready (False) and carries checkout-abc-1', '- kubernetes: checkout-abc-2 and checkout-abc-3 fail on other nodes', 'pod checkout-abc-1', 'cause node node-a']],
    ['node_not_ready', 'as many fail elsewhere', { pods: [pod({}, { node: 'node-a', ready: false }), pod({}, { node: 'node-b', ready: false })], input: { nodes: [aNode('node-a', { ready: 'False' }), aNode('node-b')] } }, ['+ kubernetes: node node-a is not ready (False) and carries checkout-abc-1', 'pod checkout-abc-1', 'cause node node-a']],
    ['node_not_ready', 'a lost node that carries none of its pods', { pods: [pod({}, { node: 'node-b', ready: false })], input: { nodes: [aNode('node-a', { ready: 'False' }), aNode('node-b')] } }, []],
    ['node_pressure', 'a pressed node carries a pod that is not ready', { pods: [pod({}, { node: 'node-a', ready: false }), pod({}, { node: 'node-b' })], input: { nodes: [aNode('node-a', { pressures: ['MemoryPressure', 'PIDPressure'] }), aNode('node-b')] } }, ['+ kubernetes: node node-a has MemoryPressure, PIDPressure', 'pod checkout-abc-1', 'cause node node-a']],
    ['node_pressure', 'a pressed node carries pods that are well', { pods: [pod({}, { node: 'node-a' }), pod({}, { node: 'node-b', ready: false })], input: { nodes: [aNode('node-a', { pressures: ['DiskPressure'] }), aNode('node-b')] } }, ['cause node node-a']],
    ['node_pressure', 'the affected pods share that node', { pods: [pod({ error_rate: ['up', 0.3, 0.005] }, { node: 'node-a' }), pod({ error_rate: ['up', 0.3, 0.005] }, { node: 'node-a' }), pod({}, { node: 'node-b' })], input: { nodes: [aNode('node-a', { pressures: ['DiskPressure'] }), aNode('node-b')] } }, ['+ kubernetes: node node-a has DiskPressure', '+ kubernetes: the affected pods share that node', 'pod checkout-abc-1', 'pod checkout-abc-2', 'cause node node-a']],
    ['node_pressure', 'a pod was evicted, its node is well again', { pods: [pod({}, { phase: 'Failed', reason: 'Evicted', node: 'node-a' }), calm], input: { nodes: [aNode('node-a')], events: [anEvent('Evicted', 'The node was low on memory')] } }, ['+ kubernetes: checkout-abc-1: evicted', '+ kubernetes: an event tells of an eviction', 'pod checkout-abc-1', 'cause node node-a']],
    ['node_pressure', 'failed, but not evicted', { pods: [pod({}, { phase: 'Failed', ready: false }), calm] }, []],
    ['volume_full', 'a claim with little room', { pods: [calm], input: { volumes: [volume({ freeRatio: 0.04 })] } }, ['+ kubernetes: claim data has 4 % free']],
    ['volume_full', 'exactly a tenth is room enough', { pods: [calm], input: { volumes: [volume({ freeRatio: 0.1 })] } }, []],
    ['volume_full', 'room today, full in days', { pods: [calm], input: { volumes: [volume({ freeRatio: 0.5, timeToFullMs: 3 * DAY })] } }, ['+ kubernetes: claim data is full in 3 days']],
    ['volume_full', 'full in four days is not soon', { pods: [calm], input: { volumes: [volume({ freeRatio: 0.5, timeToFullMs: 4 * DAY })] } }, []],
    ['volume_full', 'only its time is known', { pods: [calm], input: { volumes: [volume({ timeToFullMs: DAY })] } }, ['+ kubernetes: claim data is full in 24 h']],
    ['volume_full', 'of several the one with the least room', { pods: [calm], input: { volumes: [volume({ claim: 'a', freeRatio: 0.5, timeToFullMs: DAY }), volume({ claim: 'b', freeRatio: 0.02 }), volume({ claim: 'c', freeRatio: 0.05, holdsCache: true })] } }, ['+ kubernetes: claim b has 2 % free']],
    ['volume_full', 'of equals the first by name; one of unknown room comes last', { pods: [calm], input: { volumes: [volume({ claim: 'a', timeToFullMs: DAY }), volume({ claim: 'c', freeRatio: 0.05, holdsCache: true }), volume({ claim: 'b', freeRatio: 0.05, holdsCache: true })] } }, ['+ kubernetes: claim b has 5 % free', 'trait cache-volume']],
    ['volume_full', 'volume_usage above nine tenths, and lines', { pods: [pod({ volume_usage: ['up', 91, 60], error_rate: ['up', 0.3, 0.005] })], logs: ['write /data: no space left on device'] }, ['+ metric: volume_usage leaves less than 10 % free [volume_usage]', '+ metric: volume_usage up to 91 (expected 60) on pod checkout-abc-1 [volume_usage]', '+ log: a log line tells of disk-full, such as “write /data: no space left on device”', '+ metric: error_rate up to 0.3 (expected 0.005) on pod checkout-abc-1 [error_rate]', 'pod checkout-abc-1']],
    ['volume_full', 'volume_usage at nine tenths, errors without lines', { pods: [pod({ volume_usage: ['up', 90, 60], error_rate: ['up', 0.3, 0.005] })] }, ['+ metric: volume_usage up to 90 (expected 60) on pod checkout-abc-1 [volume_usage]', 'pod checkout-abc-1']],
    ['volume_full', 'it will meet its limit', { pods: [pod({ volume_usage: ['up', 70, 60, ['trend']] })] }, ['+ metric: the volume is full in 7 min [volume_usage]', '+ metric: volume_usage up to 70 (expected 60) on pod checkout-abc-1 [volume_usage]', 'pod checkout-abc-1']],
    ['volume_full', 'lines, but every volume has room', { pods: [pod({ volume_usage: ['flat', 40, 40] })], logs: ['no space left on device'] }, ['+ log: a log line tells of disk-full, such as “no space left on device”', 'contradicted: every measured volume has room']],
    ['volume_full', 'lines, volumes flat but high', { pods: [pod({ volume_usage: ['flat', 95, 95] })], logs: ['no space left on device'] }, ['+ metric: volume_usage leaves less than 10 % free [volume_usage]', '+ log: a log line tells of disk-full, such as “no space left on device”']],
    ['certificate_expired', 'it is not ready, and the errors begin at its end', { pods: [pod({ error_rate: ['up', 0.9, 0.005] })], input: { credentials: [cert({ ready: false, notAfterMs: ONSET - 20_000 })] } }, ['+ kubernetes: certificate tls is not valid any more', '+ kubernetes: the onset is 20 s from the end of the certificate', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '+ metric: the errors come at once [response_time]']],
    ['certificate_expired', 'its end is now', { pods: [calm], input: { credentials: [cert({ notAfterMs: NOW })] } }, ['+ kubernetes: certificate tls is not valid any more', '+ kubernetes: the onset is 3 min from the end of the certificate']],
    ['certificate_expired', 'its end is to come', { pods: [calm], input: { credentials: [cert({ notAfterMs: NOW + 1 })] } }, []],
    ['certificate_expired', 'its end is not known, and it is ready', { pods: [calm], input: { credentials: [cert({})] } }, []],
    ['certificate_expired', 'ended five minutes before the onset', { pods: [calm], input: { credentials: [cert({ notAfterMs: ONSET - 300_000 })] } }, ['+ kubernetes: certificate tls is not valid any more', '+ kubernetes: the onset is 5 min from the end of the certificate']],
    ['certificate_expired', 'ended earlier', { pods: [calm], input: { credentials: [cert({ notAfterMs: ONSET - 300_001 })] } }, ['+ kubernetes: certificate tls is not valid any more']],
    ['certificate_expired', 'a secret that is not ready is no certificate', { pods: [calm], input: { credentials: [cert({ kind: 'secret', ready: false })] } }, []],
    ['certificate_expired', 'lines, and errors that come at once', { pods: [pod({ error_rate: ['up', 0.9, 0.005], response_time: ['down', 10, 80] })], logs: ['x509: certificate has expired'] }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '+ metric: the errors come at once [response_time]']],
    ['certificate_expired', 'errors that come at once, without lines', { pods: [pod({ error_rate: ['up', 0.9, 0.005], response_time: ['down', 10, 80] })] }, []],
    ['certificate_expired', 'renewed after the pods started', { pods: [calm, pod({}, { ageMs: 3_600_000 })], logs: ['x509: certificate has expired'], input: { credentials: [cert({ renewedAtMs: NOW - 1_800_000 })] } }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”', '+ kubernetes: the certificate was renewed after the pods started', 'trait renewal-proven']],
    ['certificate_expired', 'renewed after one pod, before the youngest', { pods: [calm, pod({}, { ageMs: 3_600_000 })], logs: ['x509: certificate has expired'], input: { credentials: [cert({ renewedAtMs: NOW - 7_200_000 })] } }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”']],
    ['certificate_expired', 'renewed in the moment of the youngest', { pods: [pod({}, { ageMs: 3_600_000 })], logs: ['x509: certificate has expired'], input: { credentials: [cert({ renewedAtMs: NOW - 3_600_000 })] } }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”']],
    ['certificate_expired', 'a renewed secret proves nothing of it', { pods: [pod({}, { ageMs: 3_600_000 })], logs: ['x509: certificate has expired'], input: { credentials: [cert({ kind: 'secret', renewedAtMs: NOW })] } }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”']],
    ['certificate_expired', 'renewed but not ready', { pods: [pod({}, { ageMs: 3_600_000 })], input: { credentials: [cert({ ready: false, renewedAtMs: NOW })] } }, ['+ kubernetes: certificate tls is not valid any more']],
    ['certificate_expired', 'renewed, and no pod is known', { pods: [], logs: ['x509: certificate has expired'], input: { credentials: [cert({ renewedAtMs: NOW })] } }, ['+ log: a log line tells of certificate, such as “x509: certificate has expired”']],
    ['credentials_rejected', 'lines, after a change of the secret, answers come at once', { pods: [pod({ error_rate: ['up', 0.9, 0.005], response_time: ['down', 10, 80] })], logs: ['password authentication failed for user app'], input: { changes: [edit('secret')] } }, ['+ log: a log line tells of authentication, such as “password authentication failed for user app”', '+ change: secret it changed 7 min ago', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '+ metric: response_time down to 10 (expected 80) on pod checkout-abc-1 [response_time]']],
    ['credentials_rejected', 'lines, errors, latency as usual', { pods: [pod({ error_rate: ['up', 0.9, 0.005] })], logs: ['password authentication failed for user app'] }, ['+ log: a log line tells of authentication, such as “password authentication failed for user app”', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '+ metric: response_time as usual [response_time]']],
    ['credentials_rejected', 'lines, no errors, faster', { pods: [pod({ response_time: ['down', 10, 80] })], logs: ['password authentication failed for user app'] }, ['+ log: a log line tells of authentication, such as “password authentication failed for user app”']],
    ['credentials_rejected', 'lines, and it waits', { pods: [pod({ error_rate: ['up', 0.9, 0.005], response_time: ['up', 900, 80] })], logs: ['password authentication failed for user app'] }, ['+ log: a log line tells of authentication, such as “password authentication failed for user app”', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '- metric: response_time up to 900 (expected 80) on pod checkout-abc-1 [response_time]']],
    ['credentials_rejected', 'refreshed after the pods started', { pods: [pod({ error_rate: ['up', 0.9, 0.005] }, { ageMs: 3_600_000 })], logs: ['password authentication failed for user app'], input: { credentials: [cert({ kind: 'secret', renewedAtMs: NOW })] } }, ['+ log: a log line tells of authentication, such as “password authentication failed for user app”', '+ kubernetes: the secret was refreshed after the pods started', '+ metric: error_rate up to 0.9 (expected 0.005) on pod checkout-abc-1 [error_rate]', '+ metric: response_time as usual [response_time]', 'trait renewal-proven']],
    ['credentials_rejected', 'a changed secret without lines', { pods: [pod({ error_rate: ['up', 0.9, 0.005] })], input: { changes: [edit('secret')] } }, []],
  ])('%s: %s', (type, _, spec, expected) => {
    expect(assessmentOf(type, spec)).toEqual(expected);
  }); // prettier-ignore
});
