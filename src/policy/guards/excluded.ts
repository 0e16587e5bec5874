import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

type Labels = Readonly<Record<string, string>>;

/** Set to `"true"`, as a label or an annotation, on a pod, its workload or its namespace: hands off. */
const EXCLUDE_KEY = 'healing.aegis.dev/exclude';

const isMarked = (...sets: readonly Labels[]): boolean => sets.some((set) => set[EXCLUDE_KEY] === 'true');

/**
 * The exclude mark. A marked pod is spared by every action on it alone, and it spares its whole workload from actions
 * that would reach it too (a rollout, a scaling): those have no `pods`.
 */
export const excluded: Guard = {
  name: 'excluded',
  check: ({ workload, proposal }) => {
    const { ref } = workload;
    if (isMarked(workload.namespaceLabels, workload.namespaceAnnotations)) {
      return hold('Excluded', `namespace ${ref.namespace} carries ${EXCLUDE_KEY}`);
    }
    if (isMarked(workload.labels, workload.annotations)) {
      return hold('Excluded', `${ref.kind} ${ref.name} carries ${EXCLUDE_KEY}`);
    }
    const reached = workload.pods.filter(
      ({ uid }) => proposal.pods.length === 0 || proposal.pods.some((pod) => pod.uid === uid),
    );
    const marked = reached.find((pod) => isMarked(pod.labels, pod.annotations));
    return marked === undefined ? undefined : hold('Excluded', `pod ${marked.name} carries ${EXCLUDE_KEY}`);
  },
};
