import type { ApiFault, LogSource, PodLogRequest, ReadPodLog, SourceError } from '../controller/ports.ts';
import type { LogLine } from '../diagnosis/diagnosis.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { cleanLine, levelOf, MAX_LINE, serviceOf } from './log-line.ts';

/** Pods read for one diagnosis: enough to tell one from all, few enough for the API server. */
const MAX_PODS = 20;
const AT_ONCE = 4;
const MAX_BYTES = 2 << 20;

/** What the Kubernetes source takes from outside. */
export interface PodLogsDeps {
  readonly readPodLog: ReadPodLog;
  readonly nowMs: () => number;
}

/**
 * Logs from the Kubernetes API. A pod whose log cannot be read costs only its own lines, for logs are evidence beside
 * other evidence; only when none can be read is it an error.
 */
export function createPodLogs({ readPodLog, nowMs }: PodLogsDeps): LogSource {
  return {
    async read(namespace, pods, sinceMs, maxLinesPerPod) {
      const chosen = pods.slice(0, MAX_PODS);
      const request = requestFor(sinceMs, maxLinesPerPod, nowMs());
      const lines: LogLine[] = [];
      const faults: ApiFault[] = [];
      await inParallel(chosen, AT_ONCE, async (pod) => {
        const log = await readPodLog(namespace, pod, request);
        if (log.ok) lines.push(...parsePodLog(log.value, pod, sinceMs).slice(-maxLinesPerPod));
        else faults.push(log.error);
      });
      return summarise(lines, faults, chosen.length);
    },
  };
}

function requestFor(sinceMs: number, maxLines: number, nowMs: number): PodLogRequest {
  return {
    sinceSeconds: Math.max(1, Math.ceil((nowMs - sinceMs) / 1000)),
    tailLines: Math.max(1, maxLines),
    limitBytes: Math.min(MAX_BYTES, Math.max(1, maxLines) * MAX_LINE),
  };
}

function summarise(
  lines: LogLine[],
  faults: readonly ApiFault[],
  asked: number,
): Result<readonly LogLine[], SourceError> {
  const real = faults.filter((fault) => fault.kind !== 'NotFound');
  const [first] = real;
  if (first !== undefined && faults.length === asked) return err({ kind: kindOf(first), message: first.message });
  return ok(lines.sort((a, b) => a.atMs - b.atMs));
}

function kindOf({ kind }: ApiFault): SourceError['kind'] {
  if (kind === 'Forbidden' || kind === 'Unauthorized') return 'Unauthorized';
  if (kind === 'Timeout') return 'Timeout';
  return kind === 'Unavailable' || kind === 'TooManyRequests' ? 'Unreachable' : 'BadReply';
}

const STAMPED = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})) ?/;

/** Lines without a time of their own belong to the line before; one cut in half by the byte limit has none. */
function parsePodLog(text: string, pod: string, sinceMs: number): readonly LogLine[] {
  const lines: LogLine[] = [];
  const service = serviceOf(pod);
  let atMs = Number.NaN;
  for (const raw of text.split('\n')) {
    const stamp = STAMPED.exec(raw.slice(0, 64));
    if (stamp !== null) atMs = Date.parse(stamp[1] ?? '');
    const message = cleanLine(raw.slice(stamp?.[0].length ?? 0));
    if (message === '' || Number.isNaN(atMs) || atMs < sinceMs) continue;
    lines.push({ atMs, level: levelOf(message), message, service, pod });
  }
  return lines;
}
