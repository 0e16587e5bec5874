import { describe, expect, test } from '@jest/globals';
import { replicasOwner } from '../../../src/policy/ownership.ts';
import { isRollingOut } from '../../../src/policy/rollout.ts';
import { isAtLeast, severityOf } from '../../../src/policy/severity.ts';
import { aPod, aWorkload, withReplicas } from '../../support/builders/workload.ts';

describe('isRollingOut', () => {
  test.each([
    ['all pods of the newest template', aWorkload(), false],
    ['the controller has not seen the newest spec', aWorkload({ generation: 4 }), true],
    ['paused', aWorkload({ paused: true }), true],
    ['some pods are of the old template', withReplicas(aWorkload(), { updated: 3 }), true],
    ['an old pod is still there', withReplicas(aWorkload(), { current: 5 }), true],
    ['pods that are not ready are no rollout', aWorkload({ pods: [aPod(0, { ready: false }), aPod(1)] }), false],
    ['OnDelete never updates by itself', withReplicas(aWorkload({ strategy: 'OnDelete' }), { updated: 0 }), false],
    ['OnDelete with an unseen spec', aWorkload({ strategy: 'OnDelete', generation: 4 }), true],
  ])('%s', (_sentence, workload, expected) => expect(isRollingOut(workload)).toBe(expected));
});

describe('replicasOwner (I17)', () => {
  const hpa = { kind: 'HorizontalPodAutoscaler', name: 'checkout', minReplicas: 2, maxReplicas: 9 } as const;
  test.each([
    ['a person applied it', aWorkload({ replicasManagers: ['kubectl', 'kubectl-client-side-apply'] }), 'nobody'],
    ['helm on a laptop is a person', aWorkload({ replicasManagers: ['helm'] }), 'nobody'],
    ['Argo CD', aWorkload({ replicasManagers: ['argocd-controller'] }), 'gitops'],
    ['Flux', aWorkload({ replicasManagers: ['kubectl', 'kustomize-controller'] }), 'gitops'],
    ['Flux with Helm', aWorkload({ replicasManagers: ['helm-controller'] }), 'gitops'],
    ['an HPA', aWorkload({ autoscalers: [hpa] }), 'autoscaler'],
    ['KEDA', aWorkload({ autoscalers: [{ kind: 'ScaledObject', name: 'checkout' }, hpa] }), 'keda'],
    ['an HPA made by KEDA, the ScaledObject out of sight', aWorkload({ autoscalers: [{ ...hpa, name: 'keda-hpa-checkout' }] }), 'keda'],
    ['a VPA owns no replicas', aWorkload({ autoscalers: [{ kind: 'VerticalPodAutoscaler', name: 'x' }] }), 'nobody'],
    ['autoscalers cannot be read', aWorkload({ autoscalersKnown: false }), 'unknown'],
  ])('%s', (_sentence, workload, expected) => expect(replicasOwner(workload).kind).toBe(expected)); // prettier-ignore
});

describe('severity', () => {
  test.each([
    [1, 'critical'],
    [0.9, 'critical'],
    [0.899, 'high'],
    [0.7, 'high'],
    [0.699, 'medium'],
    [0.5, 'medium'],
    [0.499, 'low'],
    [0, 'low'],
    [Number.NaN, 'low'],
  ])('%d is %s', (score, expected) => expect(severityOf(score)).toBe(expected));

  test('is ordered', () => {
    expect([isAtLeast('high', 'high'), isAtLeast('critical', 'low'), isAtLeast('medium', 'high')]).toEqual([true, true, false]); // prettier-ignore
  });
});
