import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { REFUSALS, type Refusal } from '../errors.ts';
import type { Route } from '../route.ts';
import { problemsAnswer, refusalAnswer } from '../schemas/responses.ts';

/** An OpenAPI 3.1 document, as plain data. */
export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

const EVERYWHERE: readonly Refusal[] = ['malformed', 'timeout', 'urlTooLong', 'headersTooLarge', 'internal'];
const WITH_KEY: readonly Refusal[] = ['unauthorized', 'forbidden'];
const WITH_BODY: readonly Refusal[] = ['bodyTooLarge', 'unsupportedMediaType', 'expectationFailed'];

const DESCRIPTION =
  'Detects anomalies and failures in metrics and logs, and shows what the operator sees and did. Every answer that ' +
  'refuses has `detail`: a text, or for an invalid body or query (422) the list of everything that is wrong with it.';

/** Describes exactly the routes that are served: there is no other source. */
export function describeRoutes(routes: readonly Route[]): OpenApiDocument {
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

function pathOf(route: Route, scheme: string): RouteConfig {
  const { method, path, tag, summary, access } = route;
  return {
    method: method === 'GET' ? 'get' : 'post',
    path,
    tags: [tag],
    summary,
    operationId: operationIdOf(route),
    ...(access === 'open' ? {} : { security: [{ [scheme]: [] }], description: `Scope: ${access}.` }),
    ...(route.body === undefined && route.query === undefined
      ? {}
      : {
          request: {
            ...(route.body === undefined
              ? {}
              : { body: { required: true, content: { 'application/json': { schema: route.body } } } }),
            ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
          },
        }),
    responses: responsesOf(route),
  };
}

function responsesOf(route: Route): RouteConfig['responses'] {
  const { answer } = route;
  const content =
    'schema' in answer
      ? { 'application/json': { schema: answer.schema } }
      : { [answer.contentType]: { schema: z.string() } };
  const responses: RouteConfig['responses'] = { 200: { description: answer.description, content } };
  for (const refusal of refusalsOf(route)) {
    const [status, description] = REFUSALS[refusal];
    responses[status] ??= { description, content: { 'application/json': { schema: refusalAnswer } } };
  }
  if (route.body !== undefined || route.query !== undefined) {
    const description = 'Everything that is wrong with the body or the query, the first hundred.';
    responses[422] = { description, content: { 'application/json': { schema: problemsAnswer } } };
  }
  return responses;
}

function refusalsOf(route: Route): readonly Refusal[] {
  return [
    ...EVERYWHERE,
    ...(route.access === 'open' ? [] : WITH_KEY),
    ...(route.unlimited === true ? [] : (['tooManyRequests'] as const)),
    ...(route.body === undefined ? [] : WITH_BODY),
    ...(route.refusals ?? []),
  ];
}

/** `POST /api/v1/detect-anomaly` -> `post_detect_anomaly`. */
function operationIdOf({ method, path }: Route): string {
  const words = path.replace(/^\/api\/v1\//, '').match(/[a-z0-9]+/gi) ?? [];
  return [method.toLowerCase(), ...words].join('_');
}
