import type { LogSource, QueryClient, SourceError } from '../controller/ports.ts';
import type { LogLine } from '../diagnosis/diagnosis.ts';
import { oneOf } from '../lib/label-matcher.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { cleanLine, levelNamed, levelOf, serviceOf } from './log-line.ts';

/** Servers refuse more lines in one reply by default. */
const MAX_LINES = 5000;
const PODS_PER_QUERY = 50;

/** Which labels hold what; the defaults are those of Promtail and Alloy. */
export interface LokiOptions {
  readonly client: QueryClient;
  readonly nowMs: () => number;
  readonly namespaceLabel?: string;
  readonly podLabel?: string;
}

/** Logs from Loki's `query_range`, newest first until the limits are met; streams that were not asked for are dropped. */
export function createLokiLogs(options: LokiOptions): LogSource {
  const labels = { namespace: options.namespaceLabel ?? 'namespace', pod: options.podLabel ?? 'pod' };
  return {
    async read(namespace, pods, sinceMs, maxLinesPerPod) {
      const lines: LogLine[] = [];
      for (let i = 0; i < pods.length; i += PODS_PER_QUERY) {
        const part = pods.slice(i, i + PODS_PER_QUERY);
        const limit = Math.max(1, Math.min(MAX_LINES, maxLinesPerPod * part.length));
        const parameters = new URLSearchParams({
          query: `{${oneOf(labels.namespace, [namespace])},${oneOf(labels.pod, part)}}`,
          start: nanoseconds(sinceMs),
          end: nanoseconds(options.nowMs()),
          limit: String(limit),
          direction: 'backward',
        }).toString();
        const reply = await options.client.send({ method: 'GET', path: '/loki/api/v1/query_range', parameters });
        if (!reply.ok) return reply;
        const streams = parseReply(reply.value);
        if (!streams.ok) return streams;
        lines.push(...toLines(streams.value, { labels, namespace, pods: new Set(part), sinceMs, maxLinesPerPod }));
      }
      return ok(lines.sort((a, b) => a.atMs - b.atMs));
    },
  };
}

const nanoseconds = (ms: number): string => `${Math.round(ms)}000000`;

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseReply({ status, text }: { status: number; text: string }): Result<readonly unknown[], SourceError> {
  if (status === 401 || status === 403) return err({ kind: 'Unauthorized', message: `status ${status}` });
  if (status === 400 || status === 422) return err({ kind: 'QueryInvalid', message: text.slice(0, 200) });
  if (status === 429 || status >= 500) return err({ kind: 'Unreachable', message: `status ${status}` });
  const body = status === 200 ? parseJson(text) : undefined;
  const data = isRecord(body) && body['status'] === 'success' ? body['data'] : undefined;
  const result = isRecord(data) && data['resultType'] === 'streams' ? data['result'] : undefined;
  return Array.isArray(result) ? ok(result) : err({ kind: 'BadReply', message: `status ${status}, no streams` });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly labels: { readonly namespace: string; readonly pod: string };
  readonly namespace: string;
  readonly pods: ReadonlySet<string>;
  readonly sinceMs: number;
  readonly maxLinesPerPod: number;
}

function toLines(streams: readonly unknown[], asked: Asked): readonly LogLine[] {
  const byPod = new Map<string, LogLine[]>();
  for (const stream of streams) {
    if (!isRecord(stream) || !isRecord(stream['stream']) || !Array.isArray(stream['values'])) continue;
    const { stream: labels, values } = stream;
    const pod = textOf(labels, asked.labels.pod) ?? '';
    if (textOf(labels, asked.labels.namespace) !== asked.namespace || !asked.pods.has(pod)) continue;
    const level = levelNamed(textOf(labels, 'detected_level') ?? textOf(labels, 'level'));
    const service = textOf(labels, 'service_name') ?? textOf(labels, 'app') ?? serviceOf(pod);
    const lines = byPod.get(pod) ?? [];
    for (const value of values as readonly unknown[]) {
      const line = toLine(value, { level, service, pod });
      if (line !== undefined && line.atMs >= asked.sinceMs) lines.push(line);
    }
    byPod.set(pod, lines);
  }
  return [...byPod.values()].flatMap((lines) => lines.sort((a, b) => b.atMs - a.atMs).slice(0, asked.maxLinesPerPod));
}

const textOf = (labels: Json, name: string): string | undefined => {
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

function toLine(
  entry: unknown,
  { level, service, pod }: { level: LogLine['level'] | undefined; service: string; pod: string },
): LogLine | undefined {
  const [time, text] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  if (typeof time !== 'string' || !/^\d{13,20}$/.test(time) || typeof text !== 'string') return undefined;
  const message = cleanLine(text);
  if (message === '') return undefined;
  // Nanoseconds do not fit a number exactly; milliseconds do.
  return { atMs: Number(time.slice(0, -6)), level: level ?? levelOf(message), message, service, pod };
}
