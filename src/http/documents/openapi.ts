import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { REFUSALS, type Refusal } from '../errors.ts';
import type { AnyRoute } from '../route.ts';
import { problemsAnswer, refusalAnswer } from '../schemas/responses.ts';

/** An OpenAPI 3.1 document, as plain data. */
export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

const EVERYWHERE: readonly Refusal[] = ['malformed', 'timeout', 'urlTooLong', 'headersTooLarge', 'internal'];
const WITH_KEY: readonly Refusal[] = ['unauthorized', 'forbidden'];
const WITH_BODY: readonly Refusal[] = ['bodyTooLarge', 'unsupportedMediaType', 'expectationFailed'];
const WITH_LINES: readonly Refusal[] = ['linesExpected', 'expectationFailed'];

const DESCRIPTION =
  'Detects anomalies and failures in metrics and logs, and shows what the operator sees and did. Every answer that ' +
  'refuses has `detail`: a text, or for an invalid body or query (422) the list of everything that is wrong with it; ' +
  'beside it stand the fields of RFC 9457, and `Accept: application/problem+json` gets that media type.';

/** Describes exactly the routes that are served: there is no other source. */
export function describeRoutes(routes: readonly AnyRoute[]): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  const { name: scheme } = registry.registerComponent('securitySchemes', 'ApiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
  });
  for (const route of routes) registry.registerPath(pathOf(route, scheme));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Aegis',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'detection', description: 'The two questions: is it anomalous, what failed.' },
      { name: 'metrics', description: 'What was predicted, and how well.' },
      { name: 'policy', description: 'Whether an action would be allowed.' },
      { name: 'operator', description: 'What the operator sees and did.' },
      { name: 'service', description: 'Health, metrics and documents of this process.' },
    ],
  });
}

function pathOf(route: AnyRoute, scheme: string): RouteConfig {
  const { method, path, tag, summary, access } = route;
  return {
    method: method === 'GET' ? 'get' : 'post',
    path,
    tags: [tag],
    summary,
    operationId: operationIdOf(route),
    ...(access === 'open' ? {} : { security: [{ [scheme]: [] }], description: `Scope: ${access}.` }),
    ...requestOf(route),
    responses: responsesOf(route),
  };
}

function requestOf(route: AnyRoute): Pick<RouteConfig, 'request'> {
  if (route.stream !== undefined) {
    const { lines, headers = {} } = route;
    return {
      request: {
        ...(lines === undefined ? {} : bodyOf(lines.contentType, lines.schema)),
        headers: texts(headers, true),
      },
    };
  }
  return {
    request: {
      ...(route.body === undefined ? {} : bodyOf('application/json', route.body)),
      ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
      ...(route.parameters === undefined ? {} : { params: texts(route.parameters, false) }),
      ...(route.isKeyed === true ? { headers: IDEMPOTENCY_KEY } : {}),
    },
  };
}

const IDEMPOTENCY_KEY = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[!-~]{1,128}$/)
    .openapi({ description: 'Chosen by the caller: the same for a repetition, and for nothing else.' }),
});

const bodyOf = (contentType: string, schema: z.ZodType) => ({
  body: { required: true, content: { [contentType]: { schema } } },
});

/** Named texts, each with its description. */
function texts(described: Readonly<Record<string, string>>, areOptional: boolean): z.ZodObject {
  const members = Object.entries(described).map(([name, description]) => {
    const text = z.string().min(1).max(512).openapi({ description });
    return [name, areOptional ? text.optional() : text] as const;
  });
  return z.object(Object.fromEntries(members));
}

function responsesOf(route: AnyRoute): RouteConfig['responses'] {
  const { answer } = route;
  const contentType = 'contentType' in answer ? answer.contentType : 'application/json';
  // A page is text to whoever asks for it; the one document that is JSON is an object.
  const page = contentType === 'application/json' ? z.looseObject({}) : z.string();
  const schema = 'schema' in answer ? answer.schema : page;
  const content = { [contentType]: { schema } };
  const responses: RouteConfig['responses'] = { 200: { description: answer.description, headers: ID, content } };
  for (const refusal of refusalsOf(route)) {
    const [status, description] = REFUSALS[refusal];
    responses[status] ??= {
      description,
      // What is no request at all is answered by the parser, which names nothing.
      ...(BY_PARSER.has(refusal) ? {} : { headers: status === 429 ? ID_AND_WAIT : ID }),
      content: { 'application/json': { schema: refusalAnswer }, 'application/problem+json': { schema: refusalAnswer } },
    };
  }
  if (route.stream === undefined && (route.body !== undefined || route.query !== undefined)) {
    responses[422] = {
      description: 'Everything that is wrong with the body or the query, the first hundred.',
      headers: ID,
      content: {
        'application/json': { schema: problemsAnswer },
        'application/problem+json': { schema: problemsAnswer },
      },
    };
  }
  return responses;
}

const ID = { 'x-request-id': { description: 'Also in the log.', schema: { type: 'string' as const } } };
const ID_AND_WAIT = {
  ...ID,
  'retry-after': { description: 'Seconds to wait.', schema: { type: 'integer' as const } },
};
const BY_PARSER: ReadonlySet<Refusal> = new Set(['malformed', 'timeout', 'headersTooLarge', 'expectationFailed']);

function refusalsOf(route: AnyRoute): readonly Refusal[] {
  const isUnlimited = route.stream === undefined && route.unlimited === true;
  const hasBody = route.stream === undefined ? route.body !== undefined : route.lines !== undefined;
  const bodyRefusals = route.stream === undefined ? WITH_BODY : WITH_LINES;
  return [
    ...EVERYWHERE,
    ...(route.access === 'open' ? [] : WITH_KEY),
    // Without a key in the way the limit is all that 429 means; the lock-out comes with keys.
    ...(isUnlimited ? [] : (['tooManyRequests'] as const)),
    ...(hasBody ? bodyRefusals : []),
    ...(route.refusals ?? []),
  ];
}

/** `POST /api/v1/detect-anomaly` -> `post_detect_anomaly`. */
function operationIdOf({ method, path }: AnyRoute): string {
  const words = path.replace(/^\/api\/v1\//, '').match(/[a-z0-9]+/gi) ?? [];
  return [method.toLowerCase(), ...words].join('_');
}
