import { createSieve } from './anchors.ts';
import type { LogLine } from './diagnosis.ts';

/** What a log line tells of; several may hold for one line. */
export const LOG_SIGNATURES = [
  'out-of-memory',
  'gc-pause',
  'slow-request',
  'rate-limited',
  'retrying',
  'panic',
  'missing-reference',
  'pool-exhausted',
  'connection-refused',
  'connection-reset',
  'deadline',
  'bad-gateway',
  'dns',
  'certificate',
  'authentication',
  'disk-full',
  'lock',
  'process-exit',
] as const;
export type LogSignature = (typeof LOG_SIGNATURES)[number];

/** A longer line is cut before it is looked at: 8 KiB. */
const MAX_LINE_LENGTH = 8192;

/**
 * Linear-time patterns only: literals and character classes, every repeat bounded and followed by what it cannot
 * itself match, so that no line can make them backtrack.
 */
export const LOG_PATTERNS: Readonly<Record<LogSignature, RegExp>> = {
  'out-of-memory':
    /OutOfMemory|out of memory|heap out of|cannot allocate memory|MemoryError|heap limit|OOMKilled|Java heap space|\bENOMEM\b/i,
  'gc-pause': /\bGC (?:pause|overhead)|(?:stop-the-world|Full GC|long gc|major gc|Mark-sweep|Mark-Compact|gc pause)/i,
  'slow-request': /slow (?:request|query|response|operation)|request took|took too long/i,
  'rate-limited': /\b429\b|too many requests|rate.?limit/i,
  retrying: /\bretry(?:ing)?\b|\bretries\b|attempt \d{1,3} of \d{1,3}|will try again/i,
  panic:
    /\bpanic:|traceback \(most recent|unhandled (?:exception|promise|rejection|error)|uncaught|segmentation fault|SIGSEGV|SIGABRT|fatal error|exception in thread|core dumped/i,
  'missing-reference':
    /no such file or directory|ENOENT|missing (?:required )?(?:environment|env|config|variable|setting|key|argument)|(?:environment variable|configuration|config(?: key)?|setting) .{0,60} ?(?:is not set|not set|is missing|not found|is required)|invalid configuration|cannot parse config|failed to load config|configmap .{0,80}not found|secret .{0,80}not found/i,
  'pool-exhausted':
    /(?:connection )?pool (?:exhausted|is exhausted|timed? ?out|timeout|is full|is empty|empty)|too many (?:clients|connections)|timeout (?:acquiring|waiting for) (?:a )?connection|remaining connection slots|unable to acquire|could not (?:get|obtain|acquire) (?:a )?(?:jdbc )?connection|connection is not available|QueuePool limit/i,
  'connection-refused':
    /ECONNREFUSED|connection refused|connect failed|no route to host|EHOSTUNREACH|upstream connect error/i,
  'connection-reset': /ECONNRESET|connection reset|broken pipe|EPIPE|socket hang up|unexpected EOF|i\/o timeout/i,
  deadline:
    /deadline exceeded|DEADLINE_EXCEEDED|ETIMEDOUT|connection tim(?:ed? ?out|eout)|connect(?:ion)? timeout|connection time-out|(?:request|read|operation|upstream|socket|gateway) timed? ?out|(?:read|request|socket|upstream) timeout|context deadline/i,
  'bad-gateway': /\b50[234]\b|bad gateway|service unavailable|gateway time-?out|UNAVAILABLE:|no healthy upstream/i,
  dns: /EAI_AGAIN|ENOTFOUND|getaddrinfo|no such host|SERVFAIL|NXDOMAIN|name resolution|could not resolve|temporary failure in name|Name or service not known|lookup .{1,120} on /i,
  certificate:
    /x509|CERT_HAS_EXPIRED|certificate (?:has |is )?expired|certificate verify failed|certificate is not yet valid|tls: bad certificate|SSLHandshakeException|CERT_NOT_YET_VALID/i,
  authentication:
    /authentication failed|password authentication|access denied|invalid (?:credentials|password|token|api key)|\b40[13]\b|unauthorized|permission denied for|login failed|token (?:has )?expired|NOAUTH|WRONGPASS|bad credentials/i,
  'disk-full': /ENOSPC|no space left|disk (?:is )?full|disk quota exceeded|volume is full|EDQUOT/i,
  lock: /deadlock|lock wait|lock timeout|could not obtain lock|waiting for .{0,40}lock|database is locked|blocked for more than|SQLITE_BUSY|ER_LOCK/i,
  'process-exit':
    /shutting down|process exit|exited with|exit(?:ing)? (?:code|with)|terminated unexpectedly|service (?:is )?(?:unavailable|down)|has stopped|SIGTERM|SIGKILL|is unavailable|crashed|crash loop/i,
};

/** Which of the patterns can match at all. */
const sieve = createSieve(LOG_SIGNATURES);
const NONE: readonly LogSignature[] = [];

/** The signatures in one line, in the order of `LOG_SIGNATURES`. */
export function signaturesOf(message: string): readonly LogSignature[] {
  const line = message.length > MAX_LINE_LENGTH ? message.slice(0, MAX_LINE_LENGTH) : message;
  const possible = sieve(line);
  if (possible === 0) return NONE;
  return LOG_SIGNATURES.filter((signature, i) => (possible & (1 << i)) !== 0 && LOG_PATTERNS[signature].test(line));
}

/** How the signatures of a line are found; whoever has read the lines before need not read them again. */
export type ReadSignatures = (line: LogLine) => readonly LogSignature[];
export const readAnew: ReadSignatures = ({ message }) => signaturesOf(message);

/** How often and where a signature was seen. */
export interface SignatureFacts {
  readonly signature: LogSignature;
  /** Lines since the onset. */
  readonly count: number;
  /** Of them, warnings and errors. */
  readonly alarming: number;
  /** Rate since the onset over the rate before it; infinite if there was none; absent if nothing from before is known. */
  readonly rateRatio?: number;
  readonly lastAtMs: number;
  readonly pods: readonly string[];
  /** One of the lines, shortened and without control characters: text that the workload wrote. */
  readonly example: string;
}

const EXAMPLE_LENGTH = 120;

/** One line of text that is safe to print: control and bidirectional characters replaced, cut at 120. */
export function printable(text: string): string {
  const cut = text.length > EXAMPLE_LENGTH ? `${text.slice(0, EXAMPLE_LENGTH - 1)}…` : text;

  return cut.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, ' ').trim();
}

interface Tally {
  before: number;
  after: LogLine[];
}

/** Counts every signature before and since the onset. The order of the lines does not matter. */
export function signatureFacts(
  lines: readonly LogLine[],
  onsetAtMs: number,
  nowMs: number,
  read: ReadSignatures = readAnew,
): ReadonlyMap<LogSignature, SignatureFacts> {
  const tallies = new Map<LogSignature, Tally>();
  let earliest = onsetAtMs;
  for (const line of lines) {
    if (!Number.isFinite(line.atMs)) continue;
    earliest = Math.min(earliest, line.atMs);
    for (const signature of read(line)) {
      const tally = tallies.get(signature) ?? { before: 0, after: [] };
      if (line.atMs < onsetAtMs) tally.before += 1;
      else tally.after.push(line);
      tallies.set(signature, tally);
    }
  }
  const beforeMs = onsetAtMs - earliest;
  const afterMs = Math.max(nowMs - onsetAtMs, 1000);
  return new Map(
    [...tallies]
      .filter(([, tally]) => tally.after.length > 0)
      .map(([signature, tally]) => [signature, summarise(signature, tally, beforeMs, afterMs)] as const),
  );
}

function summarise(signature: LogSignature, tally: Tally, beforeMs: number, afterMs: number): SignatureFacts {
  const sorted = tally.after.toSorted(
    (a, b) => a.atMs - b.atMs || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0),
  );
  const ratio = tally.before === 0 ? Infinity : tally.after.length / afterMs / (tally.before / beforeMs);
  const pods = new Set(sorted.flatMap((line) => (line.pod === undefined ? [] : [line.pod])));
  return {
    signature,
    count: sorted.length,
    alarming: sorted.filter((line) => line.level === 'error' || line.level === 'warn').length,
    ...(beforeMs < 1000 ? {} : { rateRatio: ratio }),
    lastAtMs: sorted.at(-1)?.atMs ?? 0,
    pods: [...pods].sort(),
    example: printable(sorted.at(-1)?.message ?? ''),
  };
}
