import type { LogLine } from './diagnosis.ts';
import type { Category } from './failure-type.ts';
import { printable, signaturesOf } from './log-signatures.ts';
import type { LogSignature } from './log-signatures.ts';
import { baselineOf, isAnomalous, isClimbing } from './request-evidence.ts';
import type { RequestEvidence, RequestSeries } from './request-evidence.ts';
import { figure } from './sentences.ts';

/** A rule of `failures.md`, section 1, that holds: it names `failure_type` for metrics and logs. */
export interface RuleHit {
  readonly name: Category;
  /** A sentence that names the evidence. */
  readonly because: string;
  /** Series and lines that it rests on. */
  readonly series: readonly RequestSeries[];
  readonly lines: readonly LogLine[];
}

/** A line with its signatures, found once for all rules. */
export interface ReadLine {
  readonly line: LogLine;
  readonly signatures: readonly LogSignature[];
}

const FULL_PERCENT = 90;
const MANY_ERRORS = 0.3;
const HARDLY_ANY = 0.1;
/** Without history a response of a second is too slow. */
const SLOW_MS = 1000;
const FLAT_RATIO = 0.2;

export const readLines = (lines: readonly LogLine[]): readonly ReadLine[] =>
  lines
    .flatMap((line) => {
      const signatures = signaturesOf(line.message);
      return signatures.length === 0 ? [] : [{ line, signatures }];
    })
    .toSorted((a, b) => a.line.atMs - b.line.atMs || (a.line.message < b.line.message ? -1 : 1));

const carrying = (lines: readonly ReadLine[], ...signatures: readonly LogSignature[]): readonly LogLine[] =>
  lines.filter((read) => read.signatures.some((each) => signatures.includes(each))).map((read) => read.line);

const isAlarming = (line: LogLine): boolean => line.level === 'error' || line.level === 'warn';

const of = (evidence: RequestEvidence, metric: string): readonly RequestSeries[] =>
  evidence.series.filter((series) => series.metric === metric);

const where = (series: RequestSeries): string => {
  const place = series.labels['pod'] ?? series.labels['service'] ?? series.labels['app'];
  return place === undefined ? '' : ` of ${printable(place)}`;
};

const quoted = (line: LogLine): string => `“${printable(line.message)}”`;

/** The request rate neither rose nor fell by a fifth over the window, or was not sent. */
function requestsAreFlat(evidence: RequestEvidence): boolean {
  return of(evidence, 'request_rate').every((series) => {
    const first = series.window[0]?.value ?? 0;
    return Math.abs(series.last.value - first) <= FLAT_RATIO * Math.max(Math.abs(first), 1e-9);
  });
}

function memoryLeak(evidence: RequestEvidence, lines: readonly ReadLine[]): RuleHit | undefined {
  const memory = of(evidence, 'memory_usage');
  const climbing = requestsAreFlat(evidence) ? memory.filter(isClimbing) : [];
  const rise = climbing[0];
  if (rise !== undefined) {
    const because = `memory_usage${where(rise)} climbs from ${figure(rise.window[0]?.value ?? 0)} to ${figure(rise.last.value)} while the requests do not`;
    return { name: 'memory_leak', because, series: climbing, lines: [] };
  }
  const full = memory.filter((series) => series.last.value >= FULL_PERCENT);
  const heap = carrying(lines, 'gc-pause', 'out-of-memory');
  const [first, line] = [full[0], heap[0]];
  if (first === undefined || line === undefined) return undefined;
  const because = `memory_usage${where(first)} is at ${figure(first.last.value)} % and the log tells of the heap: ${quoted(line)}`;
  return { name: 'memory_leak', because, series: full, lines: heap };
}

function connectionTimeout(_: RequestEvidence, lines: readonly ReadLine[]): RuleHit | undefined {
  const told = carrying(lines, 'deadline', 'connection-refused', 'connection-reset', 'pool-exhausted').filter(
    isAlarming,
  );
  const line = told[0];
  if (line === undefined) return undefined;
  const count = told.length === 1 ? 'a line tells' : `${told.length} lines tell`;
  const because = `${count} of failing connections, such as ${quoted(line)} from ${printable(line.service)}`;
  return { name: 'connection_timeout', because, series: [], lines: told };
}

function serviceDown(evidence: RequestEvidence, lines: readonly ReadLine[]): RuleHit | undefined {
  const failing = of(evidence, 'error_rate').filter((series) => series.last.value >= MANY_ERRORS);
  const [worst] = failing.toSorted((a, b) => b.last.value - a.last.value);
  if (worst !== undefined) {
    const because = `error_rate${where(worst)} is ${figure(worst.last.value)}`;
    return { name: 'service_down', because, series: failing, lines: [] };
  }
  const silent = of(evidence, 'request_rate').filter((series) => {
    const baseline = baselineOf(series);
    return baseline !== undefined && baseline > 0 && series.last.value < HARDLY_ANY * baseline;
  });
  const quiet = silent[0];
  if (quiet !== undefined) {
    const because = `request_rate${where(quiet)} fell to ${figure(quiet.last.value)} from ${figure(baselineOf(quiet) ?? 0)}`;
    return { name: 'service_down', because, series: silent, lines: [] };
  }
  const told = carrying(lines, 'process-exit', 'panic').filter(isAlarming);
  const line = told[0];
  if (line === undefined) return undefined;
  return {
    name: 'service_down',
    because: `the log tells that a process ends: ${quoted(line)}`,
    series: [],
    lines: told,
  };
}

function highLatency(evidence: RequestEvidence): RuleHit | undefined {
  const slow = of(evidence, 'response_time').filter((series) => {
    const baseline = baselineOf(series);
    if (baseline === undefined) return series.last.value >= SLOW_MS || isAnomalous(series, evidence.threshold);
    return isAnomalous(series, evidence.threshold) && series.last.value > baseline;
  });
  const [worst] = slow.toSorted((a, b) => b.last.value - a.last.value);
  if (worst === undefined) return undefined;
  const baseline = baselineOf(worst);
  const usual = baseline === undefined ? '' : ` (usually ${figure(baseline)} ms)`;
  const because = `response_time${where(worst)} is ${figure(worst.last.value)} ms${usual}`;
  return { name: 'high_latency', because, series: slow, lines: [] };
}

/** In the order of the specification: the first that holds names the failure. */
const RULES = [memoryLeak, connectionTimeout, serviceDown, highLatency] as const;

/** Every rule that holds, in their order. */
export const rulesThatHold = (evidence: RequestEvidence, lines: readonly ReadLine[]): readonly RuleHit[] =>
  RULES.flatMap((rule) => rule(evidence, lines) ?? []);
