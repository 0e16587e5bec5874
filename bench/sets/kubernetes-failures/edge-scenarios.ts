import { callee, callGraph, changeBefore, maybe } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** Nodes, names, callees and networks. */
export const SHARED: readonly Scenario[] = [
  {
    label: 'node_pressure',
    name: 'a node short of memory or disk',
    build(draft) {
      const node = draft.one().node ?? 'node-1';
      const pressure = draft.pick(['MemoryPressure', 'DiskPressure', 'PIDPressure']);
      draft.nodes.set(node, { name: node, ready: 'True', pressures: [pressure], unschedulable: false, labels: {} });
      const there = draft.pods.filter((pod) => pod.node === node);
      if (draft.chance(0.6))
        for (const pod of there) Object.assign(pod, { phase: 'Failed', reason: 'Evicted', ready: false });
      else draft.scale(there, 'response_time', draft.between(3, 6));
    },
  },
  {
    label: 'node_not_ready',
    name: 'a node that does not answer',
    build(draft) {
      const node = draft.one().node ?? 'node-1';
      draft.nodes.set(node, {
        name: node,
        ready: draft.pick(['False', 'Unknown']),
        pressures: [],
        unschedulable: false,
        labels: {},
      });
      for (const pod of draft.pods.filter((each) => each.node === node)) {
        pod.ready = false;
        pod.metrics.clear();
      }
    },
  },
  {
    label: 'dns_failure',
    name: 'names are not resolved',
    build(draft) {
      const byStatus = !draft.hasLogs || draft.chance(0.4);
      if (byStatus) draft.input = { ...draft.input, dependencies: [callee('kube-dns', 'unhealthy', 'dns')] };
      draft.say(
        draft.pick([
          'getaddrinfo EAI_AGAIN payment',
          'dial tcp: lookup payment on 10.96.0.10:53: no such host',
          'SERVFAIL',
        ]),
        12,
      );
      draft.scale(draft.pods, 'error_rate', draft.between(20, 150));
      maybe(draft, 0.5, () => draft.scale(draft.pods, 'response_time', draft.between(3, 20)));
      maybe(draft, 0.7, () => {
        const others = ['cart', 'user', 'search', 'ship'].map((name) => ({ name, onsetAtMs: draft.onsetAtMs + 5000 }));
        draft.input = { ...draft.input, otherAnomalous: others };
      });
    },
  },
  {
    label: 'dependency_down',
    name: 'a callee does not answer',
    build(draft) {
      draft.scale(draft.pods, 'error_rate', draft.between(30, 150));
      draft.scale(draft.pods, 'response_time', draft.between(3, 30));
      maybe(draft, 0.6, () => draft.scale(draft.pods, 'cpu_usage', 0.4));
      const known = draft.hasCallGraph || !draft.hasLogs;
      if (known)
        draft.input = {
          ...draft.input,
          dependencies: [callee('catalogue', 'healthy'), callee('payment', 'unhealthy')],
        };
      const message = draft.pick([
        'connect ECONNREFUSED 10.0.4.7:8080',
        'upstream returned 503 service unavailable',
        'rpc error: DeadlineExceeded: context deadline exceeded',
      ]);
      draft.say(message, 15);
      if (!known) draft.say('payment answered 502 bad gateway', 10);
    },
  },
  {
    label: 'network_delay',
    name: 'packets of one pod or node are late',
    minReplicas: 3,
    build(draft) {
      const pods = [draft.one()];
      draft.scale(pods, 'response_time', draft.between(4, 20));
      if (draft.chance(0.6)) {
        draft.measure('network_retransmits');
        draft.scale(pods, 'network_retransmits', draft.between(10, 40));
      } else draft.say('read tcp 10.0.0.4:443: i/o timeout', 12);
      if (!draft.hasLogs) {
        draft.measure('network_retransmits');
        draft.scale(pods, 'network_retransmits', draft.between(10, 40));
      }
      maybe(draft, 0.5, () => draft.scale(pods, 'error_rate', 15));
    },
  },
  {
    label: 'network_policy_block',
    name: 'a rule lets nothing through',
    build(draft) {
      draft.put(draft.pods, 'error_rate', draft.between(0.92, 1));
      if (draft.chance(0.8))
        draft.input = {
          ...draft.input,
          changes: [changeBefore(draft, draft.pick(['network-policy', 'service']), 'deny-all')],
        };
      else draft.input = { ...draft.input, endpoints: [{ service: 'checkout', readyEndpoints: 0 }] };
      draft.say('dial tcp 10.0.3.3:5432: connect: connection refused', 10);
      maybe(draft, 0.5, () => draft.scale(draft.pods, 'request_rate', 0.1));
    },
  },
];

/** Connections, certificates, credentials. */
export const IDENTITY: readonly Scenario[] = [
  {
    label: 'connection_pool_exhaustion',
    name: 'no free connection',
    build(draft) {
      draft.put(draft.pods, 'response_time', draft.pick([3000, 5000, 10_000, 30_000]));
      const byLog = draft.hasLogs;
      draft.say('HikariPool-1 - Connection is not available, request timed out after 30000ms', 10);
      if (!byLog || draft.chance(0.4)) {
        draft.measure('connection_pool_usage');
        draft.put(draft.pods, 'connection_pool_usage', 100);
      }
      maybe(draft, 0.7, () => draft.scale(draft.pods, 'cpu_usage', 0.4));
      maybe(draft, 0.4, () => {
        draft.measure('in_flight_requests');
        draft.scale(draft.pods, 'in_flight_requests', 6);
      });
      maybe(draft, 0.6, () => draft.scale(draft.pods, 'error_rate', 25));
      callGraph(draft, callee('db', 'healthy'));
    },
  },
  {
    label: 'certificate_expired',
    name: 'a certificate past its end',
    build(draft) {
      draft.scale(draft.pods, 'error_rate', draft.between(40, 160));
      maybe(draft, 0.5, () => draft.scale(draft.pods, 'response_time', 0.2));
      const byStatus = !draft.hasLogs || draft.chance(0.4);
      const certificate = {
        kind: 'certificate',
        name: 'checkout-tls',
        ready: false,
        notAfterMs: draft.onsetAtMs - 10_000,
      } as const;
      if (byStatus) draft.input = { ...draft.input, credentials: [certificate] };
      draft.say('x509: certificate has expired or is not yet valid', 12);
    },
  },
  {
    label: 'credentials_rejected',
    name: 'a password that is not accepted any more',
    build(draft) {
      draft.scale(draft.pods, 'error_rate', draft.between(30, 150));
      maybe(draft, 0.7, () => draft.scale(draft.pods, 'response_time', 0.25));
      draft.say('FATAL: password authentication failed for user "checkout"', 12);
      maybe(
        draft,
        0.5,
        () => (draft.input = { ...draft.input, changes: [changeBefore(draft, 'secret', 'db-password')] }),
      );
      callGraph(draft);
    },
  },
];
