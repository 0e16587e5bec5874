import type { FailureRequest, MetricSample } from '../controller/detection-api.ts';
import type { LogSource } from '../controller/ports.ts';
import { err, ok } from '../lib/result.ts';
import { messageOf } from '../lib/thrown.ts';
import type { HttpDependencies } from './dependencies.ts';

/** Pods whose logs are read for one request. */
const MAX_PODS = 20;
const LINES_PER_POD = 200;
/** Longer than this nobody waits for lines: the answer without them is worth more. */
const PATIENCE_MS = 2_000;
/** A source that did not answer is left alone for so long: a hanging one must not make every request slow. */
const PAUSE_MS = 5_000;
/** Reads under way; whoever comes then is answered without lines. */
const MAX_READING = 32;

interface FoundLogs {
  readonly request: FailureRequest;
  /** What could not be found, for `missing_evidence`. */
  readonly missing?: string;
}

type Surroundings = Pick<HttpDependencies, 'logs' | 'clock' | 'log' | 'failureWindowMs'>;

/**
 * A request that brings no log line and names pods in their namespace (labels `pod` and `namespace`) is answered with
 * the lines of those pods, where a source of logs is configured. Lines of the request itself are never mixed with them.
 */
export function createLogFinder({ logs, clock, log, failureWindowMs }: Surroundings) {
  let pausedUntilMs = -Infinity;
  let reading = 0;

  /** Lines of about the time of the samples: newer ones would tell of another failure. */
  const read = async (source: LogSource, { namespace, pods, newestMs }: Subject, sinceMs: number) => {
    reading += 1;
    const answered = source
      .read(namespace, pods, sinceMs, LINES_PER_POD)
      .catch((error: unknown) => err({ kind: 'BadReply', message: messageOf(error) } as const))
      .finally(() => (reading -= 1));
    const late = new Promise<'late'>((resolve) => {
      const cancel = clock.after(PATIENCE_MS, () => resolve('late'));
      void answered.then(cancel);
    });
    const found = await Promise.race([answered, late]);
    const isSilent = found === 'late' || (!found.ok && SILENT.has(found.error.kind));
    if (isSilent) pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
    if (found === 'late' || !found.ok) return found;
    return ok(found.value.filter(({ atMs }) => atMs <= newestMs + failureWindowMs));
  };

  return async function withFoundLogs(request: FailureRequest, nowMs: number): Promise<FoundLogs> {
    if (logs === undefined || request.logs.length > 0) return { request };
    const subject = subjectOf(request.metrics);
    if (subject === undefined) return { request };
    if (clock.monotonicMs() < pausedUntilMs || reading >= MAX_READING) return { request, missing: BUSY };
    const found = await read(logs, subject, Math.min(subject.newestMs, nowMs) - failureWindowMs);
    if (found === 'late') return { request, missing: 'logs: the source did not answer in time' };
    if (found.ok) return { request: { ...request, logs: found.value } };
    log.warn('log lines cannot be read', { namespace: subject.namespace, fault: found.error });
    return { request, missing: `logs: the source cannot be read (${found.error.kind})` };
  };
}

const BUSY = 'logs: the source did not answer lately, or is busy';
/** Faults after which asking at once again would only cost time. */
const SILENT: ReadonlySet<string> = new Set(['Unreachable', 'Timeout', 'QueryTooLarge']);

type Subject = NonNullable<ReturnType<typeof subjectOf>>;

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
