import type { MetricSample } from '../../controller/detection-api.ts';
import type { LogLine } from '../../diagnosis/diagnosis.ts';

/** Bounds of a request's elements. */
export const LIMITS = {
  /** Samples, and lines, of one request. */
  samples: 10_000,
  metricType: 64,
  labels: 64,
  /** Characters of a label's name or value. */
  labelText: 1_024,
  /** A sample this far ahead of the server is a wrong clock, not a prophecy. */
  aheadMs: 300_000,
  /** Characters of a message that are looked at; the rest is accepted and ignored. */
  messageUsed: 8_192,
  serviceUsed: 253,
} as const;

export const METRIC_NAME = /^[a-z][a-z0-9_]*$/;

/** Levels of other loggers, by ours. */
export const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  error: 'error',
  fatal: 'error',
  critical: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug',
};

interface MetricFields {
  readonly metric_type: string;
  readonly value: number;
  readonly timestamp: number;
  readonly labels: Readonly<Record<string, string>>;
}

interface LineFields {
  readonly timestamp: number;
  readonly level: LogLine['level'];
  readonly message: string;
  readonly service: string;
}

/** The checked fields of a metric as the service takes them; its metadata is for the caller alone. */
export const toSample = ({ metric_type, value, timestamp, labels }: MetricFields): MetricSample => ({
  metricType: metric_type,
  value,
  atMs: timestamp,
  labels,
});

export const toLogLine = ({ timestamp, level, message, service }: LineFields): LogLine => ({
  atMs: timestamp,
  level,
  message: message.length <= LIMITS.messageUsed ? message : message.slice(0, LIMITS.messageUsed),
  service: service.length <= LIMITS.serviceUsed ? service : service.slice(0, LIMITS.serviceUsed),
});
