import type { LogLine } from '../diagnosis/diagnosis.ts';

/** Longest line that is kept, in characters. */
export const MAX_LINE = 8192;

/** Where a level is looked for: programs put it first, and text further in is somebody's message. */
const HEAD = 300;

type Level = LogLine['level'];

/** Words for levels, as loggers write them. */
const WORDS: Readonly<Record<string, Level>> = {
  trace: 'debug',
  debug: 'debug',
  dbg: 'debug',
  dbug: 'debug',
  info: 'info',
  information: 'info',
  inf: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  wrn: 'warn',
  error: 'error',
  err: 'error',
  eror: 'error',
  fatal: 'error',
  critical: 'error',
  crit: 'error',
  alert: 'error',
  emerg: 'error',
  panic: 'error',
  severe: 'error',
};

/** `"level":"error"`, `level=error`, `severity: ERROR`. */
const FIELD = /["']?\b(?:level|lvl|severity|levelname|log\.level)["']?\s{0,2}[=:]\s{0,2}["']?([A-Za-z]{3,11})\b/;
/** pino: `"level":50`. */
const NUMBERED = /"level":\s?([1-6])0\b/;
/** klog: `E0105 12:00:00.000000`. */
const KLOG = /^([IWEF])\d{4} \d{2}:\d{2}:/;
/** `[ERROR]`, ` WARN `, `ERROR:`; in capitals, or set off by brackets or a colon. */
const WORD = /(?:^|[\s[(|])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE|PANIC)(?=$|[\s\]):|,-])/;
const BRACKETED = /\[(trace|debug|info|notice|warn|warning|error|fatal|critical|crit|alert|emerg)\]/;
/** What runtimes print without any logger. */
const CRASH =
  /^(?:panic: |Traceback \(most recent|Exception in thread|Unhandled|Uncaught|[\w.$]{1,200}(?:Exception|Error): )/;

const PINO: readonly Level[] = ['info', 'debug', 'debug', 'info', 'warn', 'error', 'error'];
const KLOG_LEVELS: Readonly<Record<string, Level>> = { I: 'info', W: 'warn', E: 'error', F: 'error' };

/** Level of a line; `info` where it gives none. */
export function levelOf(line: string): Level {
  const head = line.slice(0, HEAD);
  const numbered = NUMBERED.exec(head)?.[1];
  if (numbered !== undefined) return PINO[Number(numbered)] ?? 'info';
  const klog = KLOG.exec(head)?.[1];
  if (klog !== undefined) return KLOG_LEVELS[klog] ?? 'info';
  const named = levelNamed(FIELD.exec(head)?.[1]);
  if (named !== undefined) return named;
  const word = levelNamed(WORD.exec(head)?.[1] ?? BRACKETED.exec(head)?.[1]);
  return word ?? (CRASH.test(head) ? 'error' : 'info');
}

/** Level by its name, in any case; `undefined`: not a level's name. */
export function levelNamed(name: string | undefined): Level | undefined {
  const word = name?.toLowerCase() ?? '';
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** The workload that a pod's name points to: without the suffixes of ReplicaSets, StatefulSets and DaemonSets. */
export function serviceOf(pod: string): string {
  return pod.replace(/-(?:[a-z0-9]{6,10}-[a-z0-9]{5}|\d{1,5}|[bcdfghjklmnpqrstvwxz2456789]{5})$/, '');
}

/** A line without what a terminal would obey, cut at the limit. */
export function cleanLine(line: string): string {
  return line
    .slice(0, MAX_LINE)
    .replace(/\x1b\[[0-9;]{0,20}[A-Za-z]/g, '')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ')
    .trimEnd();
}
