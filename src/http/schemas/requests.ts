import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { LogLine } from '../../diagnosis/diagnosis.ts';
import type { MetricSample } from '../../controller/detection-api.ts';
import { parseTimestamp } from './timestamp.ts';

extendZodWithOpenApi(z);

/** Samples and lines of one request. */
export const MAX_SAMPLES = 10_000;
/** A sample this far ahead of the server is a wrong clock, not a prophecy. */
export const MAX_AHEAD_MS = 300_000;
const MAX_LABELS = 64;
/** Characters of a message that are looked at; the rest is accepted and ignored. */
const MESSAGE_USED = 8_192;
const SERVICE_USED = 253;

/** Levels of other loggers, by ours. */
const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  error: 'error',
  fatal: 'error',
  critical: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug',
};

/** Any JSON object, taken as it is. */
const jsonObject = () =>
  z
    .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
      params: { type: 'dict_type' },
      message: 'Input should be a valid dictionary',
    })
    .openapi({ type: 'object', additionalProperties: true });

function timestamp(nowMs: () => number) {
  return z
    .string()
    .transform((text, context) => {
      const atMs = parseTimestamp(text);
      if (atMs === undefined) {
        const message = 'Input should be a valid RFC 3339 datetime';
        context.addIssue({ code: 'custom', message, params: { type: 'datetime_parsing' } });
        return z.NEVER;
      }
      if (atMs > nowMs() + MAX_AHEAD_MS) {
        const message = `Input should not be more than ${MAX_AHEAD_MS / 1000} s ahead of the server`;
        context.addIssue({ code: 'custom', message, params: { type: 'in_future' } });
        return z.NEVER;
      }
      return atMs;
    })
    .openapi({
      type: 'string',
      format: 'date-time',
      description: 'RFC 3339; without a zone it is UTC. At most 300 s ahead of the server.',
      example: '2024-01-25T10:00:00Z',
    });
}

const labels = z
  .record(z.string().max(1024), z.string().max(1024))
  .refine((value) => Object.keys(value).length <= MAX_LABELS, {
    params: { type: 'too_long' },
    message: `Input should have at most ${MAX_LABELS} items`,
  })
  .default({})
  .openapi({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: 1024 },
    maxProperties: MAX_LABELS,
    description: 'The label set identifies the series, e.g. pod, namespace, service.',
    example: { pod: 'api-1' },
  });

function metricData(nowMs: () => number) {
  return z
    .object({
      metric_type: z
        .string()
        .min(1)
        .max(64)
        .regex(/^[a-z][a-z0-9_]*$/)
        .openapi({
          description:
            'cpu_usage, memory_usage, request_rate, error_rate, response_time, disk_io, or any other name in ' +
            'lower_snake_case, which is scored from learned behaviour alone.',
          example: 'cpu_usage',
        }),
      value: z.number().openapi({
        description:
          'Finite. cpu_usage and memory_usage in per cent of the limit, error_rate as a ratio 0-1, response_time in ' +
          'milliseconds, request_rate per second, disk_io in bytes per second.',
        example: 95,
      }),
      timestamp: timestamp(nowMs),
      labels,
      metadata: jsonObject().default({}),
    })
    .openapi('MetricData');
}

function logData(nowMs: () => number) {
  return z
    .object({
      timestamp: timestamp(nowMs),
      level: z
        .string()
        .transform((text, context) => {
          const lower = text.toLowerCase();
          const level = Object.hasOwn(LEVELS, lower) ? LEVELS[lower] : undefined;
          if (level !== undefined) return level;
          const message = "Input should be 'error', 'warn', 'info', 'debug'";
          context.addIssue({ code: 'custom', message, params: { type: 'enum' } });
          return z.NEVER;
        })
        .openapi({
          type: 'string',
          description: 'error, warn, info or debug in any case; warning, fatal and critical are mapped.',
          example: 'error',
        }),
      message: z.string().openapi({ description: 'The first 8 KiB are used.', example: 'Connection timeout' }),
      service: z.string().openapi({ example: 'api-service' }),
      metadata: jsonObject().default({}),
    })
    .openapi('LogData');
}

/** The bodies that are accepted. `nowMs` decides what lies in the future. */
export function requestSchemas(nowMs: () => number) {
  const metrics = z.array(metricData(nowMs)).max(MAX_SAMPLES);
  const context = jsonObject().optional();
  return {
    detectAnomaly: z.object({ metrics: metrics.min(1), context }).openapi('AnomalyDetectionRequest'),
    detectFailure: z
      .object({ metrics, logs: z.array(logData(nowMs)).max(MAX_SAMPLES), context })
      .refine((body) => body.metrics.length + body.logs.length > 0, {
        path: ['metrics'],
        params: { type: 'too_short' },
        message: 'Metrics and logs should not both be empty',
      })
      .openapi('FailureDetectionRequest'),
  };
}

/** The question that Aegis asks an external policy engine, and answers itself. */
export const policyQuestion = z
  .object({
    action: z.string().min(1).max(64).openapi({ example: 'restart_pod' }),
    resource: z
      .string()
      .max(512)
      .regex(/^[^:\s]+:.+$/)
      .openapi({ description: 'KIND:NAME or KIND:NAMESPACE/NAME.', example: 'deployment:shop/checkout' }),
    type: z.string().max(64).optional().openapi({ example: 'self_healing' }),
    context: z
      .object({
        userId: z.string().max(256).optional(),
        role: z.string().max(256).optional(),
        metadata: jsonObject().optional(),
      })
      .optional(),
  })
  .openapi('PolicyEvaluationRequest');

export const listQuery = z.object({
  limit: z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number)
    .pipe(z.int().min(1).max(1000))
    .optional()
    .openapi({ param: { name: 'limit', in: 'query' }, type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
});

type MetricBody = z.output<ReturnType<typeof metricData>>;
type LogBody = z.output<ReturnType<typeof logData>>;
export type PolicyQuestionBody = z.output<typeof policyQuestion>;

export const toSample = (body: MetricBody): MetricSample => ({
  metricType: body.metric_type,
  value: body.value,
  atMs: body.timestamp,
  labels: body.labels,
});

export const toLogLine = (body: LogBody): LogLine => ({
  atMs: body.timestamp,
  level: body.level,
  message: body.message.length <= MESSAGE_USED ? body.message : body.message.slice(0, MESSAGE_USED),
  service: body.service.slice(0, SERVICE_USED),
});
