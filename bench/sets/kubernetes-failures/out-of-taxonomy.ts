import { NOW } from './draft.ts';
import type { Draft } from './draft.ts';
import type { Scenario } from './scenario.ts';

const MINUTE = 60_000;
const strange = (name: string, build: (draft: Draft) => void): Scenario => ({ label: 'unknown', name, build });

/** Trouble that no type of `failures.md` describes, or whose evidence contradicts itself: abstaining is right. */
export const OUT_OF_TAXONOMY: readonly Scenario[] = [
  strange('a fault in the application: errors, nothing else', (draft) => {
    draft.scale(draft.pods, 'error_rate', draft.between(20, 100));
    draft.say('TypeError: cannot read properties of undefined (reading "price")', 8);
  }),
  strange('slow everywhere, for no reason to be seen', (draft) =>
    draft.scale(draft.pods, 'response_time', draft.between(3, 8)),
  ),
  strange('disk traffic out of the ordinary', (draft) => {
    draft.measure('disk_io');
    draft.scale(draft.pods, 'disk_io', draft.between(10, 50));
  }),
  strange('a queue that grows', (draft) => {
    draft.measure('queue_depth');
    draft.scale(draft.pods, 'queue_depth', draft.between(8, 60));
    draft.say('consumer lag is 48211 records', 5, 'warn');
  }),
  strange('a licence that ended', (draft) => {
    draft.scale(draft.pods, 'error_rate', draft.between(30, 120));
    draft.say('product licence ended yesterday, feature disabled', 8);
  }),
  strange('corrupt data', (draft) => {
    draft.scale(draft.pods, 'error_rate', draft.between(20, 60));
    draft.say('checksum mismatch in block 4411, file is corrupt', 6);
  }),
  strange('a clock that is wrong', (draft) => {
    draft.scale(draft.pods, 'error_rate', 25);
    draft.say('event time lies 3 h in the future, dropped', 10, 'warn');
  }),
  strange('the traffic is gone upstream', (draft) => {
    draft.scale(draft.pods, 'request_rate', draft.between(0.05, 0.3));
    draft.scale(draft.pods, 'cpu_usage', 0.3);
  }),
  strange('throttled without harm', (draft) => {
    draft.measure('cpu_throttling');
    draft.put(draft.pods, 'cpu_throttling', 0.5);
  }),
  strange('one replica gets the traffic of two', (draft) => {
    const pod = draft.one();
    draft.scale([pod], 'request_rate', 2.2);
    draft.scale([pod], 'cpu_usage', 2);
  }),
  strange('old pods fail like the new ones', (draft) => {
    const atMs = draft.onsetAtMs - 2 * MINUTE;
    draft.workload = {
      revisions: [
        { name: 'checkout-new1', templateHash: 'new1', revision: 13, createdAtMs: atMs, replicas: 1, readyReplicas: 1 },
        {
          name: 'checkout-7d9f',
          templateHash: '7d9f',
          revision: 12,
          createdAtMs: NOW - 8e8,
          replicas: 3,
          readyReplicas: 3,
        },
      ],
    };
    const [first] = draft.pods;
    if (first !== undefined) first.hash = 'new1';
    draft.scale(draft.pods, 'error_rate', draft.between(20, 60));
  }),
  strange('two callees fail alike', (draft) => {
    const sick = (name: string): object => ({ name, kind: 'workload', state: 'unhealthy', anomalousCallees: [] });
    draft.input = { dependencies: [sick('payment'), sick('user')] as never };
    draft.scale(draft.pods, 'error_rate', draft.between(30, 90));
    draft.scale(draft.pods, 'response_time', 5);
  }),
  strange('text that talks of everything', (draft) => {
    draft.measure('disk_io');
    draft.scale([draft.one()], 'disk_io', 12);
    draft.say('x509: certificate has expired', 2);
    draft.say('no space left on device', 2);
    draft.say('deadlock detected', 2);
    draft.say('OutOfMemoryError', 2);
  }),
];
