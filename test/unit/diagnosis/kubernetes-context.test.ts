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

  describe('a pod', () => {
    const podOf = (fields: Record<string, unknown>) => readKubernetesContext({ pods: [{ name: 'a', ...fields }] }, NOW)?.workload?.pods[0];

    test.each<readonly [string, Record<string, unknown>, Record<string, unknown>]>([
      ['is taken to run, and to be ready, where nothing else is said', {}, { phase: 'Running', ready: true, createdAtMs: NOW, conditions: [] }],
      ['that waits is not ready', { waiting_reason: 'ErrImagePull' }, { phase: 'Running', ready: false }],
      ['that is not running is not ready', { phase: 'Failed', reason: 'Evicted' }, { phase: 'Failed', ready: false, reason: 'Evicted' }],
      ['is as ready as is said', { waiting_reason: 'x', ready: true }, { ready: true }],
      ['of a phase that does not exist is taken to run', { phase: 'Flying' }, { phase: 'Running' }],
      ['that no node takes', { unschedulable: '0/5 nodes', phase: 'Running' }, { phase: 'Running', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/5 nodes' }] }],
      ['with the time of its creation', { created_at: '2026-01-01T11:00:00Z' }, { createdAtMs: NOW - 3_600_000 }],
      ['with a time that is none', { created_at: 'yesterday' }, { createdAtMs: NOW }],
      ['with a time that is no text', { created_at: 7 }, { createdAtMs: NOW }],
    ])('%s', (_, fields, expected) => {
      expect(podOf(fields)).toMatchObject(expected);
    });

    test.each<readonly [string, Record<string, unknown>, Record<string, unknown> | undefined]>([
      ['no end', {}, undefined],
      ['a reason alone: an error', { last_termination_reason: 'Error' }, { reason: 'Error', exitCode: 1 }],
      ['killed for its memory: 137', { last_termination_reason: 'OOMKilled' }, { reason: 'OOMKilled', exitCode: 137 }],
      ['a code alone', { exit_code: 139 }, { reason: 'Error', exitCode: 139 }],
      ['both', { last_termination_reason: 'Completed', exit_code: 0 }, { reason: 'Completed', exitCode: 0 }],
      ['a code below nothing is none', { exit_code: -1 }, undefined],
    ])('its container: %s', (_, fields, expected) => {
      expect(podOf(fields)?.containers[0]?.lastTermination).toEqual(expected);
    });

    test.each([
      [3, 3],
      [3.9, 3],
      [0, 0],
      [-1, 0],
      [NaN, 0],
      [Infinity, 0],
      ['3', 0],
      [1e9, 1_000_000],
    ])('with %p restarts has %p', (restarts, expected) => {
      expect(podOf({ restarts })?.containers[0]).toMatchObject({ restartCount: expected, name: 'CONTAINER', image: '' });
    });

    test('its container has the name and the image that are said, and waits for the reason that is said', () => {
      const [container] = podOf({ container: 'app', image: 'shop:1', waiting_reason: 'ErrImagePull' })?.containers ?? [];
      expect(container).toMatchObject({ name: 'app', image: 'shop:1', state: 'waiting', waitingReason: 'ErrImagePull', ready: false });
      expect(podOf({})?.containers[0]).toMatchObject({ state: 'unknown', ready: true, init: false });
      expect(podOf({})?.containers[0]).not.toHaveProperty('waitingReason');
    });
  });

  describe('the workload', () => {
    const pods = [{ name: 'a' }, { name: 'b', ready: false }];
    const workloadOf = (workload: unknown) => readKubernetesContext({ workload, pods }, NOW)?.workload;

    test('counts its pods where no numbers are said', () => {
      expect(workloadOf({})?.replicas).toEqual({ desired: 2, current: 2, updated: 2, ready: 1, available: 1 });
      expect(workloadOf({ desired: 5, ready: 0 })?.replicas).toEqual({ desired: 5, current: 2, updated: 2, ready: 0, available: 0 });
    });

    test('is a Deployment without a name, unless it is said', () => {
      expect(workloadOf('x')?.ref).toMatchObject({ kind: 'Deployment', namespace: '', name: 'NAME' });
      expect(workloadOf({ kind: 'StatefulSet', namespace: 'shop', name: 'db' })?.ref).toMatchObject({ kind: 'StatefulSet', namespace: 'shop', name: 'db' });
      expect(workloadOf({ kind: 'Spaceship' })?.ref.kind).toBe('Deployment');
      expect(workloadOf({ namespace: 'shop' })?.pods.map(({ namespace }) => namespace)).toEqual(['shop', 'shop']);
    });
  });

  test.each<readonly [string, Record<string, unknown>, Record<string, unknown>]>([
    ['as it was sent', { kind: 'Pod', name: 'a', type: 'Normal', message: 'm', count: 4, timestamp: '2026-01-01T11:59:00Z' }, { kind: 'Pod', name: 'a', type: 'Normal', message: 'm', count: 4, lastAtMs: NOW - 60_000 }],
    ['a warning, once, where nothing else is said', { kind: 'Pod', name: 'a' }, { type: 'Warning', message: '', count: 1, lastAtMs: NOW }],
    ['in the namespace of the workload', { kind: 'Pod', name: 'a' }, { namespace: 'shop' }],
  ])('an event: %s', (_, fields, expected) => {
    const found = readKubernetesContext({ workload: { namespace: 'shop' }, events: [{ reason: 'R', ...fields }] }, NOW);
    expect(found?.events[0]).toMatchObject({ reason: 'R', ...expected });
  });

  test.each<readonly [string, Record<string, unknown>, Record<string, unknown>]>([
    ['is taken to be ready', {}, { ready: 'True', pressures: [], unschedulable: false }],
    ['is as ready as is said', { ready: 'Unknown' }, { ready: 'Unknown' }],
    ['is ready if that is said', { ready: true }, { ready: 'True' }],
    ['is not ready', { ready: false }, { ready: 'False' }],
    ['is cordoned', { unschedulable: true }, { unschedulable: true }],
    ['has ten pressures at most, that are texts', { pressures: [...Array<string>(12).fill('DiskPressure')] }, { pressures: Array<string>(10).fill('DiskPressure') }],
    ['has none, if they are no list', { pressures: 'DiskPressure' }, { pressures: [] }],
  ])('a node %s', (_, fields, expected) => {
    expect(readKubernetesContext({ nodes: [{ name: 'n', ...fields }] }, NOW)?.nodes[0]).toMatchObject(expected);
  });

  test.each([
    [{ kind: 'config', name: 'c', timestamp: '2026-01-01T11:59:00Z' }, true],
    [{ kind: 'config', timestamp: '2026-01-01T11:59:00Z' }, false],
    [{ kind: 'config', name: 'c' }, false],
    [{ name: 'c', timestamp: '2026-01-01T11:59:00Z' }, false],
  ])('a change %j is taken: %p', (change, expected) => {
    const found = readKubernetesContext({ nodes: [{ name: 'n' }], changes: [change] }, NOW);
    expect(found?.changes).toHaveLength(expected ? 1 : 0);
  });
}); // prettier-ignore
