import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { keyGate, type GateSetting } from './access/gate.ts';
import { createLimiter, type RateSetting } from './access/limits.ts';
import { isJsonRequest, MAX_BODY_BYTES, readBody } from './body/read-body.ts';
import { parseJson } from './body/json-text.ts';
import type { HttpDependencies } from './dependencies.ts';
import { protocolFault } from './protocol.ts';
import { refuse } from './refuse.ts';
import { problemsReply, refusalReply, send, sendAndClose, type Reply } from './reply.ts';
import type { Route } from './route.ts';
import { isDocument } from './routes/documents.ts';
import { validateBody, validateQuery } from './validate.ts';

export interface PipelineSetting extends GateSetting {
  readonly routes: readonly Route[];
  readonly rate: RateSetting;
  readonly deps: HttpDependencies;
  readonly isTls: boolean;
  /** Proxies in front of this server whose word about the caller's address is taken; 0: none. */
  readonly trustedProxies: number;
}

/**
 * The order of checks, which is part of the contract: header and URL size, route 404, method 405, key 401, scope 403,
 * rate 429, encoding and media type 415, size 413, body 422.
 */
export function createApp(setting: PipelineSetting): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('trust proxy', setting.trustedProxies);
  app.enable('case sensitive routing');
  app.enable('strict routing');

  app.use(begin(setting));
  app.use(securityHeaders(setting.isTls));
  const limiter = createLimiter(setting.rate, setting.addressOf);
  for (const [path, routes] of Map.groupBy(setting.routes, (route) => route.path)) {
    app.all(path, onlyMethods(routes));
    for (const route of routes) {
      const layers: RequestHandler[] = [
        ...(route.access === 'open' ? [] : [keyGate(route.access, setting)]),
        ...(route.unlimited === true ? [] : [limiter]),
        endpoint(route, setting.deps),
      ];
      if (route.method === 'GET') app.get(path, ...layers);
      else app.post(path, ...layers);
    }
  }
  app.use((request, response) => refuse(request, response, refusalReply('notFound')));
  app.use(faultHandler(setting.deps));
  return app;
}

const begun = new WeakMap<IncomingMessage, { readonly id: string; readonly atMs: number }>();

/** Names the request, refuses what is no clean HTTP, and counts the answer when it is out. */
function begin({ deps, routes }: PipelineSetting): RequestHandler {
  const { clock, metrics, log } = deps;
  const known = new Set(routes.map((route) => route.path));
  return function beginRequest(request, response, next) {
    const id = randomUUID();
    const atMs = clock.monotonicMs();
    begun.set(request, { id, atMs });
    response.setHeader('x-request-id', id);
    const { path } = request;
    response.once('close', () => {
      const route = known.has(path) ? path : 'none';
      const tookMs = clock.monotonicMs() - atMs;
      // 499: the client went away before its answer.
      const code = response.writableFinished ? String(response.statusCode) : '499';
      metrics.count('aegis_http_requests_total', { route, code });
      metrics.observe('aegis_http_request_duration_seconds', tookMs / 1000, { route });
      log.debug('request answered', { requestId: id, method: request.method, route, code, tookMs });
    });
    const fault = protocolFault(request);
    if (fault === undefined) next();
    else sendAndClose(response, refusalReply(fault));
  };
}

function securityHeaders(isTls: boolean): RequestHandler {
  const common = {
    strictTransportSecurity: isTls,
    crossOriginEmbedderPolicy: false,
    originAgentCluster: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xDnsPrefetchControl: false,
  } as const;
  const api = helmet({
    ...common,
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  const documents = helmet({
    ...common,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'self'"],
      },
    },
  });
  return function addSecurityHeaders(request, response, next) {
    (isDocument(request.path) ? documents : api)(request, response, next);
  };
}

function onlyMethods(routes: readonly Route[]): RequestHandler {
  const methods = new Set<string>(routes.map((route) => route.method));
  if (methods.has('GET')) methods.add('HEAD');
  const allow = [...methods].sort().join(', ');
  return function refuseOtherMethods(request, response, next) {
    if (methods.has(request.method)) next();
    else refuse(request, response, refusalReply('methodNotAllowed', { allow }));
  };
}

/** Reads and checks what the route takes, calls it and sends its answer. */
function endpoint(route: Route, { clock }: HttpDependencies): RequestHandler {
  return async function handleRoute(request, response) {
    const body = route.body === undefined ? NOTHING : await takeBody(route, request, response, clock.nowMs());
    if (body === undefined) return;
    let query: unknown;
    if (route.query !== undefined) {
      const mark = request.url.indexOf('?');
      const checked = validateQuery(route.query, new URLSearchParams(mark < 0 ? '' : request.url.slice(mark)));
      if (!checked.ok) return send(response, problemsReply(checked.problems));
      query = checked.value;
    }
    const requestId = begun.get(request)?.id ?? randomUUID();
    const reply: Reply = await route.handle({ body: body.value, query, requestId, nowMs: clock.nowMs() });
    send(response, reply);
  };
}

const NOTHING = { value: undefined };

/** The checked body; `undefined`: the request was answered, or there is nobody to answer. */
async function takeBody(
  { body: schema, quick }: Route,
  request: IncomingMessage,
  response: ServerResponse,
  nowMs: number,
): Promise<{ readonly value: unknown } | undefined> {
  if (!isJsonRequest(request)) {
    refuse(request, response, refusalReply('unsupportedMediaType'));
    return undefined;
  }
  const read = await readBody(request, response, MAX_BODY_BYTES);
  if (read.kind === 'aborted') return undefined;
  if (read.kind === 'too-large') {
    sendAndClose(response, refusalReply('bodyTooLarge'));
    return undefined;
  }
  const json = parseJson(read.bytes);
  if (!json.ok) {
    send(response, problemsReply(json.problems));
    return undefined;
  }
  const usual = quick?.(json.value, nowMs);
  if (usual !== undefined || schema === undefined) return { value: usual };
  const checked = validateBody(schema, json.value);
  if (checked.ok) return { value: checked.value };
  send(response, problemsReply(checked.problems));
  return undefined;
}

/** An exception is a fault of ours: logged whole, shown as nothing. express reports undecodable paths here, too. */
function faultHandler({ log, metrics }: HttpDependencies): ErrorRequestHandler {
  return function answerFault(error: unknown, request, response, _next) {
    if (error instanceof URIError) {
      refuse(request, response, refusalReply('notFound'));
      return;
    }
    metrics.count('aegis_faults_total', { where: 'http' });
    log.error('request failed', { requestId: begun.get(request)?.id, method: request.method, error });
    if (response.headersSent) response.destroy();
    else refuse(request, response, refusalReply('internal'));
  };
}
