import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Facts, Log } from '../lib/log.ts';
import { escapeControls, hideSecrets } from './line.ts';
import { scrub } from './scrub.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerSetting {
  readonly level: LogLevel;
  /** Takes finished lines, each with its line feed; the process's standard output in production. */
  readonly write: (line: string) => void;
  /** Facts on every line, e.g. version and instance. */
  readonly base?: Facts;
  /** Values that must never be written: keys, tokens, passwords as configured. */
  readonly secrets?: readonly string[];
}

/**
 * Paths that pino blacks out as well, although `scrub` has looked already: pino checks the paths when it starts, and
 * these hold even for a fact that some other code hands to pino itself.
 */
const REDACT = ['apiKey', 'authorization', 'password', 'token', '*.apiKey', '*.authorization', '*.password', '*.token'];

/** The log: one JSON object a line, time in ISO 8601, the message a constant, errors under the key `error`. */
export function createLogger(setting: LoggerSetting): Log {
  const hide = hideSecrets(setting.secrets ?? []);
  const base = pino(
    {
      level: setting.level,
      base: null,
      errorKey: 'error',
      // `scrub` has made a plain object of the error already.
      serializers: { error: (error: unknown) => error },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACT, censor: '[redacted]' },
    },
    { write: (line) => setting.write(escapeControls(hide(line))) },
  );
  return wrap(base, scrub(setting.base ?? {}));
}

/**
 * The bound facts are kept here and not in pino's children: pino prints a key twice when a child and a line both set
 * it, and parsers disagree about which one counts. Here the line's own wins.
 */
function wrap(logger: Logger, bound: Readonly<Record<string, unknown>>): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, facts?: Facts) => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level](facts === undefined ? { ...bound } : { ...bound, ...scrub(facts) }, message);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => wrap(logger, { ...bound, ...scrub(facts) }),
  };
}
