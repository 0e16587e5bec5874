import type { ClusterEvent } from '../../../src/lib/workload.ts';
import { NOW } from './draft.ts';
import { changeBefore, crash, event, maybe, release } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** Crashes, releases, images, configuration, probes, scheduling. */
export const LIFECYCLE: readonly Scenario[] = [
  {
    label: 'crash_loop',
    name: 'one or all pods die again and again',
    build(draft) {
      const pods = draft.chance(0.7) ? [draft.one()] : draft.pods;
      crash(draft, pods, draft.pick([1, 2, 134, 139]), draft.between(8, 60) * 1000);
      maybe(draft, 0.5, () => draft.say('panic: runtime error: invalid memory address', 3));
      if (pods.length < draft.pods.length) {
        const rest = draft.pods.filter((pod) => !pods.includes(pod));
        const share = draft.pods.length / rest.length;
        maybe(draft, 0.7, () => draft.scale(rest, 'request_rate', share));
        maybe(draft, 0.5, () => draft.scale(rest, 'cpu_usage', share));
      }
    },
  },
  {
    label: 'bad_deploy',
    name: 'the new template does not work',
    build(draft) {
      const fresh = release(draft, draft.chance(0.5) ? 1 : 0.5);
      if (draft.chance(0.5)) crash(draft, fresh, 1, draft.between(6, 40) * 1000);
      else {
        draft.scale(fresh, 'error_rate', draft.between(20, 90));
        maybe(draft, 0.6, () => draft.scale(fresh, 'response_time', draft.between(2, 5)));
      }
      maybe(draft, 0.3, () => draft.say('panic: nil map', 3));
      maybe(draft, 0.3, () => {
        const condition = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' } as const;
        draft.workload = { ...draft.workload, conditions: [condition] };
      });
    },
  },
  {
    label: 'image_error',
    name: 'an image that cannot be pulled',
    build(draft) {
      const pods = draft.chance(0.6) ? release(draft, 0.5) : [draft.one()];
      for (const pod of pods) {
        const waiting = draft.pick(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName']);
        Object.assign(pod, { waiting, ready: false, phase: 'Pending' });
      }
      const [first] = pods;
      if (first !== undefined && draft.chance(0.6)) {
        draft.input = { ...draft.input, events: [event(first, 'Failed', 'Failed to pull image "x": not found')] };
      }
    },
  },
  {
    label: 'bad_config',
    name: 'a missing or wrong reference',
    build(draft) {
      if (draft.chance(0.5)) {
        const pods = draft.chance(0.5) ? release(draft, 0.5) : [draft.one()];
        for (const pod of pods)
          Object.assign(pod, { waiting: 'CreateContainerConfigError', ready: false, phase: 'Pending' });
        return;
      }
      crash(draft, draft.pods, 1, draft.between(0.2, 3) * 1000);
      draft.input = { ...draft.input, changes: [changeBefore(draft, draft.pick(['config', 'secret']), 'settings')] };
      maybe(draft, 0.8, () => draft.say('missing required environment variable DATABASE_URL', 4));
    },
  },
  {
    label: 'probe_misconfigured',
    name: 'a probe kills a healthy process',
    build(draft) {
      const pods = draft.chance(0.5) ? draft.pods : [draft.one()];
      const events: ClusterEvent[] = [];
      for (const pod of pods) {
        const finishedAtMs = NOW - 30_000;
        Object.assign(pod, { restarts: 5, ready: draft.chance(0.3) });
        if (draft.chance(0.5)) Object.assign(pod, { waiting: 'CrashLoopBackOff', ready: false });
        pod.lastTermination = { reason: 'Error', exitCode: draft.pick([143, 137]), finishedAtMs };
        events.push(
          event(pod, 'Unhealthy', 'Liveness probe failed: Get "http://10.0.0.1/": context deadline exceeded'),
        );
        const times = draft.chance(0.5) ? [90, 60, 30] : [30];
        for (const s of times)
          events.push(event(pod, 'Killing', 'Container app failed liveness probe, will be restarted', NOW - s * 1000));
      }
      draft.input = { ...draft.input, events };
    },
  },
  {
    label: 'unschedulable',
    name: 'pods wait for a node or for quota',
    build(draft) {
      if (draft.chance(0.3)) {
        const quota = {
          ...event(draft.one(), 'FailedCreate', 'pods "x" is forbidden: exceeded quota: compute'),
          kind: 'ReplicaSet',
          name: 'checkout-7d9f',
        };
        draft.input = { ...draft.input, events: [quota] };
        draft.workload = {
          ...draft.workload,
          replicas: {
            desired: draft.pods.length + 1,
            current: draft.pods.length,
            updated: draft.pods.length,
            ready: draft.pods.length,
            available: draft.pods.length,
          },
        };
        return;
      }
      const pod = draft.one();
      Object.assign(pod, {
        phase: 'Pending',
        ready: false,
        node: undefined,
        unschedulable: '0/4 nodes are available: 4 Insufficient cpu.',
      });
      pod.metrics.clear();
      maybe(
        draft,
        0.7,
        () => (draft.input = { ...draft.input, events: [event(pod, 'FailedScheduling', '0/4 nodes are available')] }),
      );
    },
  },
];
