import type { PodSnapshot, WorkloadSnapshot } from '../../lib/workload.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { hold } from '../hold.ts';

type Labels = Readonly<Record<string, string>>;

/** The label that Aegis's own chart puts on all that belongs to it. */
const isAegis = (labels: Labels): boolean => labels['app.kubernetes.io/name'] === 'aegis';

/** kubeadm and its kin label static pods so; other control planes do not run as pods that a policy could select. */
const isControlPlane = (labels: Labels): boolean =>
  labels['tier'] === 'control-plane' || 'node-role.kubernetes.io/control-plane' in labels;

/** Mirror pods of the kubelet: static, and not replaced by a controller. */
const isStatic = (pod: PodSnapshot): boolean =>
  pod.controllerKind === 'Node' || 'kubernetes.io/config.mirror' in pod.annotations;

/** Why nobody may act on this workload, whatever the action; `undefined`: it is an ordinary one. */
export function untouchableBecause(workload: WorkloadSnapshot): string | undefined {
  const { ref, labels } = workload;
  if (ref.namespace.startsWith('kube-')) return `namespace ${ref.namespace} belongs to the cluster`;
  if (isAegis(labels)) return `${ref.name} is Aegis itself`;
  if (isControlPlane(labels)) return `${ref.name} belongs to the control plane`;
  for (const pod of workload.pods) {
    if (isAegis(pod.labels)) return `pod ${pod.name} is Aegis itself`;
    if (isControlPlane(pod.labels) || isStatic(pod)) return `pod ${pod.name} belongs to the control plane`;
  }
  return undefined;
}

function protectedBecause({ workload, proposal }: GuardInput): string | undefined {
  const because = untouchableBecause(workload);
  if (because !== undefined) return because;
  const orphan = workload.pods.find(
    ({ uid, controllerKind }) => controllerKind === undefined && proposal.pods.some((pod) => pod.uid === uid),
  );
  return orphan === undefined ? undefined : `pod ${orphan.name} has no controller that would replace it`;
}

/** Never touched, whatever a selector matches: Aegis, `kube-*`, the control plane, pods without a controller. */
export const protectedTarget: Guard = {
  name: 'protectedTarget',
  check: (input) => {
    const because = protectedBecause(input);
    return because === undefined ? undefined : hold('Protected', because);
  },
};
