import type { AlertMessage } from '../../../src/controller/ports.ts';

/** A firing alert about `shop/checkout`. */
export function anAlert(change: Partial<AlertMessage> = {}): AlertMessage {
  return {
    key: 'incident-1',
    group: 'shop/checkout',
    status: 'firing',
    severity: 'high',
    title: 'checkout leaks memory',
    namespace: 'shop',
    workload: 'checkout',
    policy: 'checkout',
    failureType: 'memory_leak',
    summary: 'Memory of checkout-1 climbs by 4 MiB a minute.',
    evidence: ['pod checkout-1: memory 93 % of its limit'],
    advice: 'Look at the cache of 1.4.2.',
    startsAtMs: Date.UTC(2026, 0, 5, 12),
    endsAtMs: Date.UTC(2026, 0, 5, 12, 1),
    ...change,
  };
}
