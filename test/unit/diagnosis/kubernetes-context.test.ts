import { describe, expect, test } from '@jest/globals';
import { readKubernetesContext } from '../../../src/diagnosis/kubernetes-context.ts';
import { NOW } from '../../support/builders/diagnosis.ts';

describe('context.kubernetes', () => {
  test('a pod that crash-loops', () => {
    const pod = {
      name: 'api-1',
      restarts: 6,
      waiting_reason: 'CrashLoopBackOff',
      exit_code: 139,
      node: 'n1',
      template_hash: 'h',
    };
    const found = readKubernetesContext({ workload: { name: 'api', namespace: 'shop', desired: 3 }, pods: [pod] }, NOW);
    expect(found?.workload?.ref).toMatchObject({ name: 'api', namespace: 'shop', kind: 'Deployment' });
    expect(found?.workload?.replicas).toMatchObject({ desired: 3, ready: 0 });
    expect(found?.workload?.pods[0]).toMatchObject({ ready: false, nodeName: 'n1', templateHash: 'h' });
    expect(found?.workload?.pods[0]?.containers[0]).toMatchObject({
      waitingReason: 'CrashLoopBackOff',
      restartCount: 6,
      lastTermination: { exitCode: 139 },
    });
  });

  test('a pod that no node takes', () => {
    const found = readKubernetesContext({ pods: [{ name: 'api-1', unschedulable: '0/5 nodes' }] }, NOW);
    expect(found?.workload?.pods[0]).toMatchObject({ phase: 'Pending', ready: false });
  });

  test('an event without an object is about the workload, and is dated now', () => {
    const found = readKubernetesContext({ workload: { name: 'api' }, events: [{ reason: 'FailedCreate' }] }, NOW);
    expect(found?.events[0]).toMatchObject({ kind: 'Deployment', name: 'api', lastAtMs: NOW });
  });

  test('nodes and changes', () => {
    const found = readKubernetesContext(
      {
        nodes: [{ name: 'n1', ready: false, pressures: ['MemoryPressure', 7] }],
        changes: [
          { kind: 'secret', name: 'db', timestamp: '2026-01-01T00:00:00Z' },
          { kind: 'aegis', name: 'x', timestamp: '2026-01-01T00:00:00Z' },
        ],
      },
      NOW,
    );
    expect(found?.nodes).toEqual([
      { name: 'n1', ready: 'False', pressures: ['MemoryPressure'], unschedulable: false, labels: {} },
    ]);
    expect(found?.changes).toEqual([{ kind: 'secret', name: 'db', atMs: Date.UTC(2026, 0, 1) }]);
  });

  test.each([
    undefined,
    null,
    'x',
    3,
    [],
    {},
    { pods: {} },
    { pods: [null, 1, { name: '' }] },
    { events: [{}] },
    { changes: [{ kind: 'secret' }] },
  ])('nothing usable: %j', (value) => {
    expect(readKubernetesContext(value, NOW)).toBeUndefined();
  });

  test('lists and texts are cut', () => {
    const pods = Array.from({ length: 5000 }, (_, i) => ({ name: `p-${i}${'x'.repeat(5000)}` }));
    const found = readKubernetesContext({ pods }, NOW)?.workload?.pods ?? [];
    expect(found).toHaveLength(200);
    expect(found[0]?.name.length).toBe(1024);
  });
});
