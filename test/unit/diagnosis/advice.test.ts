import { describe, expect, test } from '@jest/globals';
import { FAILURE_TYPES } from '../../../src/diagnosis/failure-type.ts';
import type { FailureType } from '../../../src/diagnosis/failure-type.ts';
import { adviceOf } from '../../support/assessment.ts';
import type { AssessedCase } from '../../support/assessment.ts';
import {
  callee,
  calm,
  cert,
  crash,
  edit,
  hpa,
  newborn,
  oom,
  pod,
  released,
  slow,
  volume,
} from '../../support/builders/ailing.ts';
import { aNode } from '../../support/builders/diagnosis.ts';

describe('what people are told to do', () => {
  test.each<[FailureType, string, AssessedCase, string]>([
    ['oom_kill', 'a quarter more than the limit of the container that met it', { pods: [pod({}, oom())] }, 'The peak met the limit: raise it by a quarter, to 640Mi: kubectl -n shop set resources deployment/checkout -c app --limits=memory=640Mi'],
    ['oom_kill', 'nothing was killed', { pods: [calm] }, 'Raise the memory limit to 1.25 times the observed peak.'],
    ['oom_kill', 'no snapshot', { pods: [calm], without: ['workload'] }, 'Raise the memory limit to 1.25 times the observed peak.'],
    ['crash_loop', 'the pod that crashes', { pods: [calm, pod({}, crash(1))] }, 'Read why it died: kubectl -n shop logs checkout-abc-2 --previous --tail=100'],
    ['crash_loop', 'no pod is known', { pods: [calm] }, 'Read why it died: kubectl -n shop logs POD --previous --tail=100'],
    ['bad_config', 'the pod that was refused', { pods: [calm, pod({}, { waiting: 'CreateContainerConfigError' })] }, 'Restore the missing ConfigMap, Secret or variable that its events name: kubectl -n shop describe pod checkout-abc-2'],
    ['bad_config', 'the pod that crashes', { pods: [calm, pod({}, crash(1))] }, 'Restore the missing ConfigMap, Secret or variable that its events name: kubectl -n shop describe pod checkout-abc-2'],
    ['bad_config', 'no pod is known', { pods: [calm] }, 'Restore the missing ConfigMap, Secret or variable that its events name: kubectl -n shop describe deployment/checkout'],
    ['bad_deploy', 'back to the revision before', { pods: [calm], workload: released }, 'Roll back to revision 7: kubectl -n shop rollout undo deployment/checkout --to-revision=7'],
    ['bad_deploy', 'there is none before', { pods: [calm], workload: newborn }, 'Roll back: kubectl -n shop rollout undo deployment/checkout'],
    ['image_error', 'the container and its image', { pods: [calm, pod({}, { waiting: 'ImagePullBackOff' })] }, 'Correct the image registry.example/checkout:1.4.2 or its pull secret: kubectl -n shop set image deployment/checkout app=IMAGE:TAG'],
    ['image_error', 'no pod is known', { pods: [calm] }, 'Correct the image or its pull secret: kubectl -n shop set image deployment/checkout CONTAINER=IMAGE:TAG'],
    ['image_error', 'by the verdict alone', { pods: [pod({}, { waiting: 'ImagePullBackOff' })], without: ['workload'] }, 'Correct the image or its pull secret: kubectl -n shop set image deployment/checkout CONTAINER=IMAGE:TAG'],
    ['probe_misconfigured', 'the workload', { pods: [calm] }, 'Give the probe what the process needs (initialDelaySeconds, timeoutSeconds, failureThreshold, path, port): kubectl -n shop edit deployment/checkout'],
    ['unschedulable', 'quota and workload', { pods: [calm] }, 'Add capacity, lower the requests or raise the quota: kubectl -n shop describe quota; kubectl -n shop describe deployment/checkout'],
    ['node_not_ready', 'the node that is lost', { pods: [calm], input: { nodes: [aNode('node-1', { ready: 'Unknown' })] } }, 'Look at the node: kubectl describe node node-1'],
    ['node_not_ready', 'none is known', { pods: [calm] }, 'Look at the node: kubectl describe node NODE'],
    ['node_pressure', 'the node that is pressed', { pods: [calm, calm], input: { nodes: [aNode('node-1'), aNode('node-2', { pressures: ['DiskPressure'] })] } }, 'Keep new pods off the node and free what it lacks: kubectl cordon node-2'],
    ['node_pressure', 'none is known', { pods: [calm] }, 'Keep new pods off the node and free what it lacks: kubectl cordon NODE'],
    ['volume_full', 'the claim', { pods: [calm], input: { volumes: [volume({ claim: 'data-0', freeRatio: 0.01 })] } }, `Expand the claim (its class must allow it) or remove data: kubectl -n shop patch pvc data-0 --type=merge -p '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}'`],
    ['volume_full', 'no claim is known', { pods: [calm] }, `Expand the claim (its class must allow it) or remove data: kubectl -n shop patch pvc CLAIM --type=merge -p '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}'`],
    ['certificate_expired', 'its name', { pods: [calm], input: { credentials: [cert({ ready: false })] } }, 'Renew certificate tls: cmctl renew tls -n shop'],
    ['certificate_expired', 'its name, in no namespace', { pods: [calm], without: ['workload', 'verdict'], input: { credentials: [cert({ ready: false })] } }, 'Renew certificate tls: cmctl renew tls'],
    ['certificate_expired', 'no certificate is known', { pods: [calm] }, 'Renew the certificate that the lines name: kubectl -n shop get certificates'],
    ['credentials_rejected', 'credentials of the namespace', { pods: [calm] }, 'Compare the credential in use with the one that the server expects: kubectl -n shop get externalsecrets,secrets'],
    ['memory_leak', 'where to look', { pods: [calm] }, 'Take a heap profile before the restart erases it, then look for what grows with the age of the pod: kubectl -n shop top pods --containers'],
    ['cpu_saturation', 'the workload', { pods: [calm] }, 'Find what the cpu works on, then raise the limit or the replicas: kubectl -n shop set resources deployment/checkout --limits=cpu=VALUE'],
    ['traffic_surge', 'half as many again', { pods: [calm], workload: { autoscalers: [{ kind: 'ScaledObject', name: 'keda', maxReplicas: 4 }, { ...hpa, maxReplicas: 5 }] } }, `Raise the maximum of the autoscaler: kubectl -n shop patch hpa web --type=merge -p '{"spec":{"maxReplicas":8}}'`],
    ['traffic_surge', 'the autoscaler is not at its maximum', { pods: [calm], workload: { autoscalers: [{ ...hpa, maxReplicas: 8, currentReplicas: 2 }] } }, 'The autoscaler may still go from 2 to 8 replicas. See why it does not: kubectl -n shop describe hpa web'],
    ['traffic_surge', 'an autoscaler without a maximum', { pods: [calm], workload: { autoscalers: [{ kind: 'HorizontalPodAutoscaler', name: 'web' }] } }, 'Check where the traffic comes from and whether the capacity should stay.'],
    ['traffic_surge', 'no autoscaler', { pods: [calm] }, 'Check where the traffic comes from and whether the capacity should stay.'],
    ['network_delay', 'the node of the slow pod', { pods: [calm, pod(slow, { node: 'node-x' })] }, 'Keep new pods off the node until its network is well: kubectl cordon node-x'],
    ['network_delay', 'none is known', { pods: [calm] }, 'Keep new pods off the node until its network is well: kubectl cordon NODE'],
    ['network_policy_block', 'the rule that changed', { pods: [calm], input: { changes: [edit('network-policy')] } }, 'Revert the change of networkpolicy it: kubectl -n shop get networkpolicy it -o yaml'],
    ['network_policy_block', 'the service that changed', { pods: [calm], input: { changes: [edit('service')] } }, 'Revert the change of service it: kubectl -n shop get service it -o yaml'],
    ['network_policy_block', 'nothing changed', { pods: [calm] }, 'Compare selectors and ports of the Service with the pods: kubectl -n shop get service,endpointslices,networkpolicy -o wide'],
    ['dependency_down', 'the callee', { pods: [calm], input: { dependencies: [callee('db', 'unhealthy')] } }, 'Heal db first; this workload follows: kubectl -n shop get pods,events --sort-by=.lastTimestamp'],
    ['dependency_down', 'no callee is known', { pods: [calm] }, 'Find out which callee does not answer; the log lines name the address.'],
    ['unknown', 'where to start', { pods: [calm] }, 'No known failure explains it. Start here: kubectl -n shop describe deployment/checkout'],
    ['unknown', 'where to start, when nothing is known of it', { pods: [], without: ['workload', 'verdict'] }, 'No known failure explains it. Start here: kubectl get events -A --field-selector type=Warning --sort-by=.lastTimestamp'],
    ['unknown', 'where to start, by its name alone', { pods: [], without: ['workload', 'verdict'], input: { subject: { kind: 'StatefulSet', namespace: 'data', name: 'db' } } }, 'No known failure explains it. Start here: kubectl -n data describe statefulset/db'],
  ])('%s: %s', (type, _, spec, expected) => {
    expect(adviceOf(type, spec)).toBe(expected);
  }); // prettier-ignore

  test.each(FAILURE_TYPES)('%s: nobody said which object it is: no command names one', (type) => {
    const advice = adviceOf(type, { pods: [], without: ['workload', 'verdict'] });
    expect(advice).not.toMatch(/workload\/|this workload\b(?! follows)/);
  });
});
