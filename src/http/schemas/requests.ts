import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { FAILURE_TYPES } from '../../diagnosis/failure-type.ts';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import { EFFECTS } from '../../policy/action.ts';
import { LEVELS, LIMITS, METRIC_NAME, toLogLine, toSample } from './elements.ts';
import { isFields, quickLine, quickList, quickMetric } from './quick.ts';
import { parseTimestamp } from './timestamp.ts';

extendZodWithOpenApi(z);

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
      if (atMs > nowMs() + LIMITS.aheadMs) {
        const message = `Input should not be more than ${LIMITS.aheadMs / 1000} s ahead of the server`;
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

/** JSON schema's word for the keys of a map; OpenAPI's types do not know it yet. */
const NAMES = { propertyNames: { maxLength: LIMITS.labelText } } as object;

const labels = z
  .record(z.string().max(LIMITS.labelText), z.string().max(LIMITS.labelText))
  .refine((value) => Object.keys(value).length <= LIMITS.labels, {
    params: { type: 'too_long' },
    message: `Input should have at most ${LIMITS.labels} items`,
  })
  .default({})
  .openapi({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: LIMITS.labelText },
    maxProperties: LIMITS.labels,
    description: 'The label set identifies the series, e.g. pod, namespace, service.',
    example: { pod: 'api-1' },
    ...NAMES,
  });

function metricData(nowMs: () => number) {
  return z
    .object({
      metric_type: z
        .string()
        .min(1)
        .max(LIMITS.metricType)
        .regex(METRIC_NAME)
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
    .openapi('MetricData')
    .transform(toSample);
}

/** A pattern without flags, which JSON schema does not have: `^([eE][rR][rR]...)$`. */
const inAnyCase = (words: readonly string[]): string =>
  `^(${words.map((word) => word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)).join('|')})$`;

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
          pattern: inAnyCase(Object.keys(LEVELS)),
          description: 'error, warn, info or debug in any case; warning, fatal and critical are mapped.',
          example: 'error',
        }),
      message: z.string().openapi({ description: 'The first 8 KiB are used.', example: 'Connection timeout' }),
      service: z.string().openapi({ example: 'api-service' }),
      metadata: jsonObject().default({}),
    })
    .openapi('LogData')
    .transform(toLogLine);
}

/** The bodies that are accepted. `nowMs` decides what lies in the future. */
export function requestSchemas(nowMs: () => number) {
  const metrics = z.array(metricData(nowMs)).max(LIMITS.samples);
  const context = jsonObject().optional();
  return {
    detectAnomaly: z.object({ metrics: metrics.min(1), context }).openapi('AnomalyDetectionRequest'),
    detectFailure: z
      .object({ metrics, logs: z.array(logData(nowMs)).max(LIMITS.samples), context })
      .refine((body) => body.metrics.length + body.logs.length > 0, {
        path: ['metrics'],
        params: { type: 'too_short' },
        message: 'Metrics and logs should not both be empty',
      })
      .openapi('FailureDetectionRequest', {
        anyOf: [{ properties: { metrics: { minItems: 1 } } }, { properties: { logs: { minItems: 1 } } }],
      } as object),
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

/** A person's answer to an action that waits for one. */
export const approvalBody = z
  .object({
    decision: z.enum(['Approved', 'Denied']),
    reason: z.string().max(1024).default('').openapi({ description: 'Why; kept with the action.' }),
    policy_hash: z
      .string()
      .min(1)
      .max(64)
      .openapi({ description: 'That of the action as it was looked at: the answer is pinned to it.' }),
  })
  .openapi('ApprovalRequest');

/** What is to be forgotten; a field left out means whatever it is. */
export const resetBody = z
  .object({
    failure_type: z.enum(FAILURE_TYPES).optional().openapi({ example: 'traffic_surge' }),
    action: z.enum(EFFECTS).optional().openapi({ example: 'scale_up' }),
    workload_kind: z.enum(WORKLOAD_KINDS).optional().openapi({ example: 'Deployment' }),
    reason: z.string().min(1).max(1024).openapi({ description: 'Why; kept in the history.' }),
  })
  .openapi('EffectivenessResetRequest');

export const listQuery = z.object({
  limit: z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number)
    .pipe(z.int().min(1).max(1000))
    .optional()
    .openapi({ param: { name: 'limit', in: 'query' }, type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
});

export const predictionsQuery = listQuery.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}(\.[\w-]{1,64})?$/)
    .optional()
    .openapi({
      param: { name: 'cursor', in: 'query' },
      description: '`next_cursor` of the page before.',
      example: '15234',
    }),
});

export type PolicyQuestionBody = z.output<typeof policyQuestion>;

type Schemas = ReturnType<typeof requestSchemas>;

/** The usual body of detect-anomaly, taken without the schema; see `quick.ts`. */
export function quickAnomalyBody(body: unknown, nowMs: number): z.output<Schemas['detectAnomaly']> | undefined {
  if (!isFields(body) || body['context'] !== undefined) return undefined;
  const metrics = quickList(body['metrics'], (element) => quickMetric(element, nowMs));
  return metrics === undefined || metrics.length === 0 ? undefined : { metrics: [...metrics] };
}

/** The usual body of detect-failure, taken without the schema. */
export function quickFailureBody(body: unknown, nowMs: number): z.output<Schemas['detectFailure']> | undefined {
  if (!isFields(body) || body['context'] !== undefined) return undefined;
  const metrics = quickList(body['metrics'], (element) => quickMetric(element, nowMs));
  const logs = quickList(body['logs'], (element) => quickLine(element, nowMs));
  if (metrics === undefined || logs === undefined || metrics.length + logs.length === 0) return undefined;
  return { metrics: [...metrics], logs: [...logs] };
}
