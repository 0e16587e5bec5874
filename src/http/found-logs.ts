import type { FailureRequest, MetricSample } from '../controller/detection-api.ts';
import type { HttpDependencies } from './dependencies.ts';

/** Pods whose logs are read for one request. */
const MAX_PODS = 20;
const LINES_PER_POD = 200;
/** Longer than this nobody waits for lines: the answer without them is worth more. */
const PATIENCE_MS = 2_000;

interface FoundLogs {
  readonly request: FailureRequest;
  /** What could not be found, for `missing_evidence`. */
  readonly missing?: string;
}

/**
 * A request that brings no log line and names pods in their namespace (labels `pod` and `namespace`) is answered with
 * the lines of those pods, where a source of logs is configured. Lines of the request itself are never mixed with them.
 */
export async function withFoundLogs(
  request: FailureRequest,
  { logs, clock, log, failureWindowMs }: Pick<HttpDependencies, 'logs' | 'clock' | 'log' | 'failureWindowMs'>,
  nowMs: number,
): Promise<FoundLogs> {
  if (logs === undefined || request.logs.length > 0) return { request };
  const subject = subjectOf(request.metrics);
  if (subject === undefined) return { request };
  const { namespace, pods, newestMs } = subject;
  const sinceMs = Math.min(newestMs, nowMs) - failureWindowMs;
  const reading = logs.read(namespace, pods, sinceMs, LINES_PER_POD);
  const late = new Promise<'late'>((resolve) => {
    const cancel = clock.after(PATIENCE_MS, () => resolve('late'));
    void reading.finally(cancel).catch(() => undefined);
  });
  const read = await Promise.race([reading, late]);
  if (read === 'late') return { request, missing: 'logs: the source did not answer in time' };
  if (read.ok) return { request: { ...request, logs: read.value } };
  log.warn('log lines cannot be read', { namespace, fault: read.error });
  return { request, missing: `logs: the source cannot be read (${read.error.kind})` };
}

/** The pods that the samples are of, if all are in one namespace: whose lines else would they be? */
function subjectOf(metrics: readonly MetricSample[]) {
  const pods = new Set<string>();
  const namespaces = new Set<string>();
  let newestMs = -Infinity;
  for (const { labels, atMs } of metrics) {
    const { pod, namespace } = labels;
    if (pod === undefined || namespace === undefined || !isName(pod) || !isName(namespace)) continue;
    pods.add(pod);
    namespaces.add(namespace);
    newestMs = Math.max(newestMs, atMs);
  }
  const [namespace] = namespaces;
  return namespace === undefined || namespaces.size > 1
    ? undefined
    : { namespace, pods: [...pods].slice(0, MAX_PODS), newestMs };
}

/** Names as Kubernetes allows them: whatever else stands in a label never reaches a query or a path. */
const isName = (text: string): boolean => /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text);
