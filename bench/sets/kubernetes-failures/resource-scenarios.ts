import { NOW } from './draft.ts';
import { maybe, suffer } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** Memory, cpu, traffic, volumes, locks. */
export const RESOURCES: readonly Scenario[] = [
  {
    label: 'oom_kill',
    name: 'killed at the memory limit',
    build(draft) {
      const pods = draft.chance(0.7) ? [draft.one()] : draft.pods;
      for (const pod of pods) {
        const finishedAtMs = NOW - draft.between(10, 200) * 1000;
        pod.lastTermination = { reason: 'OOMKilled', exitCode: 137, finishedAtMs };
        pod.restarts += 1 + draft.random.below(5);
        if (draft.chance(0.5)) Object.assign(pod, { waiting: 'CrashLoopBackOff', ready: false });
      }
      maybe(draft, 0.6, () => draft.put(pods, 'memory_usage', 97));
      maybe(draft, 0.4, () => draft.say('java.lang.OutOfMemoryError: Java heap space', 3));
    },
  },
  {
    label: 'memory_leak',
    name: 'the working set climbs at flat requests',
    build(draft) {
      const pods = draft.chance(0.7) ? [draft.one()] : draft.pods;
      draft.put(pods, 'memory_usage', draft.between(72, 93));
      if (draft.chance(0.85)) for (const pod of pods) pod.rising.add('memory_usage');
      else draft.scale(pods, 'request_rate', 1);
      maybe(draft, 0.3, () => draft.say('GC pause (G1 Evacuation) 1.9s', 4, 'warn'));
      maybe(draft, 0.3, () => draft.scale(pods, 'response_time', draft.between(1.2, 2)));
    },
  },
  {
    label: 'cpu_saturation',
    name: 'busy at flat requests',
    build(draft) {
      const pods = draft.chance(0.5) ? [draft.one()] : draft.pods;
      draft.put(pods, 'cpu_usage', draft.between(84, 99));
      maybe(draft, 0.85, () => draft.scale(pods, 'response_time', draft.between(2, 8)));
      maybe(draft, 0.3, () => draft.say('slow request: 4.2 s for GET /cart', 5, 'warn'));
      maybe(draft, 0.4, () => {
        draft.measure('cpu_throttling');
        draft.put(pods, 'cpu_throttling', 0.6);
      });
    },
  },
  {
    label: 'traffic_surge',
    name: 'more requests than usual',
    build(draft) {
      const factor = draft.between(2, 5);
      draft.scale(draft.pods, 'request_rate', factor);
      draft.put(draft.pods, 'cpu_usage', Math.min(99, 40 * draft.between(1.8, 2.4)));
      maybe(draft, 0.8, () => draft.scale(draft.pods, 'response_time', draft.between(2, 8)));
      maybe(draft, 0.3, () => draft.say('429 Too Many Requests', 5, 'warn'));
      maybe(draft, 0.3, () => draft.scale(draft.pods, 'memory_usage', 1.25));
    },
  },
  {
    label: 'retry_storm',
    name: 'callers repeat failed calls',
    build(draft) {
      draft.scale(draft.pods, 'request_rate', draft.between(2, 4));
      if (draft.chance(0.6)) {
        draft.measure('calls_per_request');
        draft.scale(draft.pods, 'calls_per_request', draft.between(1.8, 3));
      } else {
        draft.measure('user_request_rate');
        draft.measure('retry_rate');
        draft.scale(draft.pods, 'retry_rate', draft.between(8, 30));
      }
      suffer(draft, draft.pods, 20, 4);
      maybe(draft, 0.6, () => draft.scale(draft.pods, 'cpu_usage', 2));
      maybe(draft, 0.7, () => draft.say('call failed, retrying in 50 ms', 20, 'warn'));
    },
  },
  {
    label: 'volume_full',
    name: 'a claim without room',
    build(draft) {
      const pods = draft.chance(0.6) ? [draft.one()] : draft.pods;
      const isStatus = draft.chance(0.5);
      if (isStatus) {
        const volume = { claim: 'data-checkout', freeRatio: draft.between(0, 0.08), holdsCache: draft.chance(0.3) };
        draft.input = { ...draft.input, volumes: [volume] };
      }
      if (!isStatus || draft.chance(0.5)) {
        draft.measure('volume_usage');
        draft.put(pods, 'volume_usage', draft.between(95, 99.5));
      }
      maybe(draft, 0.7, () => draft.say('write failed: no space left on device', 8));
      maybe(draft, 0.6, () => draft.scale(pods, 'error_rate', 30));
    },
  },
  {
    label: 'lock_contention',
    name: 'transactions wait for one another',
    build(draft) {
      const byLog = draft.hasLogs;
      if (byLog) draft.say('ERROR: deadlock detected while waiting for ShareLock on transaction 42', 6);
      if (!byLog || draft.chance(0.4)) {
        draft.measure('lock_waits');
        draft.scale(draft.pods, 'lock_waits', draft.between(10, 40));
      }
      draft.scale(draft.pods, 'response_time', draft.between(3, 12));
      maybe(draft, 0.6, () => draft.scale(draft.pods, 'cpu_usage', 0.5));
      maybe(draft, 0.5, () => draft.scale(draft.pods, 'error_rate', 12));
    },
  },
];
