import type { PodLogRequest, ReadPodLog } from '../controller/ports.ts';
import { isName } from './api-path.ts';
import type { KubeClient } from './client.ts';
import { RESOURCES } from './resources.ts';

/** `a container name must be specified for pod p, choose one of: [main proxy] or one of the init containers: [i]`. */
const CHOICE = /container name must be specified.*choose one of: \[([^\]\s]+)/;

/**
 * Reads the log of one pod. Of several containers it is the first: the API server asks which one, names them in the
 * order of the pod's spec, and is asked again.
 */
export function podLogReader(client: KubeClient): ReadPodLog {
  return async (namespace, pod, request) => {
    const read = (container?: string) => client.readText(targetOf(namespace, pod, request, container));
    const reply = await read();
    const first = reply.ok ? undefined : CHOICE.exec(reply.error.message)?.[1];
    return first === undefined || !isName(first) ? reply : read(first);
  };
}

const targetOf = (namespace: string, name: string, request: PodLogRequest, container?: string) => ({
  resource: RESOURCES.pods,
  namespace,
  name,
  subresource: 'log' as const,
  query: { ...request, timestamps: true, container },
});
