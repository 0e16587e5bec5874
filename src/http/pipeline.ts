import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestSpan } from '../controller/ports.ts';
import { createGate, type GateSetting } from './access/gate.ts';
import type { ApiKey } from './access/api-key.ts';
import { createLimiter, type RateSetting } from './access/limits.ts';
import { isJsonRequest, isLinesRequest, MAX_BODY_BYTES, readBody } from './body/read-body.ts';
import { parseJson } from './body/json-text.ts';
import type { Deadlines } from './deadlines.ts';
import type { HttpDependencies } from './dependencies.ts';
import { protocolFault } from './protocol.ts';
import { problemsReply, refusalReply, refuse, send, sendAndClose } from './reply.ts';
import type { AnyRoute, Route, StreamRoute } from './route.ts';
import { createRouteTable, type Found } from './route-table.ts';
import { isDocument } from './routes/documents.ts';
import { securityHeaders } from './security-headers.ts';
import { validateBody, validateQuery } from './validate.ts';

export interface PipelineSetting extends GateSetting {
  readonly routes: readonly AnyRoute[];
  readonly rate: RateSetting;
  readonly deps: HttpDependencies;
  readonly deadlines: Deadlines;
  readonly isTls: boolean;
  readonly addressOf: (request: IncomingMessage) => string;
}

/** One request on its way: what is known of it so far. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly startMs: number;
  /** Path of its route, as the document writes it; `none`: there is no such route. */
  route: string;
  /** Headers of the answer, whatever it is; grows as the checks pass. */
  head: string[];
  caller?: ApiKey;
  span?: RequestSpan;
}

/**
 * The order of checks, which is part of the contract: header and URL size, route 404, method 405, key 401, scope 403,
 * rate 429, encoding and media type 415, size 413, body 422. It is one function, and headers are written in one go:
 * layer upon layer of middleware cost more than the detection itself.
 */
export function createPipeline(setting: PipelineSetting): (request: IncomingMessage, response: ServerResponse) => void {
  const { deps, addressOf, deadlines } = setting;
  const { clock, tracer } = deps;
  const find = createRouteTable(setting.routes);
  const headers = securityHeaders(setting.isTls);
  const admit = createGate(setting);
  const limiter = createLimiter(setting.rate, () => clock.monotonicMs());
  const observe = createObserver(deps);

  const run = async (exchange: Exchange): Promise<void> => {
    const { request, response } = exchange;
    const path = pathOf(request.url ?? '/');
    const found = find(path);
    if (found !== undefined) exchange.route = found.place.path;
    const head = [...(isDocument(path) ? headers.documents : headers.api), 'x-request-id', exchange.id];
    exchange.head = head;
    const fault = protocolFault(request);
    if (fault !== undefined) return sendAndClose(response, refusalReply(fault), head);
    if (tracer !== undefined) exchange.span = tracer.begin(traced(exchange));
    if (found === undefined) return refuse(response, refusalReply('notFound'), head);
    const route = found.place.byMethod.get(request.method ?? '');
    if (route === undefined) {
      return refuse(response, refusalReply('methodNotAllowed', { allow: found.place.methods }), head);
    }
    const address = addressOf(request);
    if (route.access !== 'open') {
      const admission = admit(request, address, route.access);
      if ('refusal' in admission) return refuse(response, admission.refusal, head);
      exchange.caller = admission.key;
    }
    if (route.stream !== undefined || route.unlimited !== true) {
      const allowance = limiter.spend(address, exchange.caller?.name);
      head.push(...allowance.headers);
      if (allowance.isSpent) return refuse(response, refusalReply('tooManyRequests', { 'retry-after': '1' }), head);
    }
    return route.stream === undefined ? answer(exchange, route, found, deps) : stream(exchange, route, deadlines);
  };

  return (request, response) => {
    const exchange: Exchange = {
      ...{ request, response, id: randomUUID(), startMs: clock.monotonicMs() },
      ...{ route: 'none', head: [] },
    };
    deadlines.watch(response, exchange.startMs);
    response.once('close', () => {
      deadlines.answered(response);
      observe(exchange);
    });
    run(exchange).catch((error: unknown) => answerFault(exchange, error, deps));
  };
}

function traced({ request, route, id }: Exchange) {
  const { traceparent } = request.headers;
  return {
    ...{ method: request.method ?? '', route, requestId: id },
    ...(typeof traceparent === 'string' && { traceparent }),
  };
}

/** The path of an address in origin or absolute form. */
function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

/** Counts the answer when it is out. */
function createObserver({ clock, metrics, log }: HttpDependencies): (exchange: Exchange) => void {
  return ({ request, response, id, startMs, route, span }) => {
    const tookMs = clock.monotonicMs() - startMs;
    // 499: the client went away before its answer.
    const code = response.writableFinished ? String(response.statusCode) : '499';
    metrics.count('aegis_http_requests_total', { route, code });
    metrics.observe('aegis_http_request_duration_seconds', tookMs / 1000, { route });
    log.debug('request answered', { requestId: id, method: request.method, route, code, tookMs });
    span?.end(Number(code));
  };
}

/** Visible ASCII, as the header's draft has it, and bounded. */
function idempotencyKeyOf({ headers }: Exchange['request']): { readonly idempotencyKey?: string } {
  const key = headers['idempotency-key'];
  return typeof key === 'string' && /^[!-~]{1,128}$/.test(key) ? { idempotencyKey: key } : {};
}

/** Reads and checks what the route takes, calls it and sends its answer. */
async function answer(exchange: Exchange, route: Route, found: Found, deps: HttpDependencies): Promise<void> {
  const { request, response, id, head, caller } = exchange;
  const nowMs = deps.clock.nowMs();
  const body = route.body === undefined ? NOTHING : await takeBody(exchange, route, nowMs);
  if (body === undefined) return;
  let query: unknown;
  if (route.query !== undefined) {
    const checked = validateQuery(route.query, searchOf(request));
    if (!checked.ok) return send(response, problemsReply(checked.problems), head);
    query = checked.value;
  }
  const reply = await route.handle({
    ...{ body: body.value, query, requestId: id, nowMs, parameters: found.parameters },
    ...(caller !== undefined && { caller }),
    ...(route.isKeyed === true && idempotencyKeyOf(request)),
  });
  send(response, reply, head);
}

async function stream({ request, response, id, head, caller }: Exchange, route: StreamRoute, deadlines: Deadlines) {
  if (route.lines !== undefined && !isLinesRequest(request)) {
    return refuse(response, refusalReply('linesExpected'), head);
  }
  if (caller === undefined) throw new Error(`${route.path} is a stream without a key`);
  deadlines.release(response);
  await route.stream({ request, response, requestId: id, caller, head });
}

function searchOf({ url = '' }: IncomingMessage): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark));
}

const NOTHING = { value: undefined };

/** The checked body; `undefined`: the request was answered, or there is nobody to answer. */
async function takeBody(
  { request, response, head }: Exchange,
  { body: schema, quick }: Route,
  nowMs: number,
): Promise<{ readonly value: unknown } | undefined> {
  if (!isJsonRequest(request)) {
    refuse(response, refusalReply('unsupportedMediaType'), head);
    return undefined;
  }
  const read = await readBody(request, response, MAX_BODY_BYTES);
  if (read.kind === 'aborted') return undefined;
  if (read.kind === 'too-large') {
    sendAndClose(response, refusalReply('bodyTooLarge'), head);
    return undefined;
  }
  const json = parseJson(read.bytes);
  if (!json.ok) {
    send(response, problemsReply(json.problems), head);
    return undefined;
  }
  const usual = quick?.(json.value, nowMs);
  if (usual !== undefined || schema === undefined) return { value: usual };
  const checked = validateBody(schema, json.value);
  if (checked.ok) return { value: checked.value };
  send(response, problemsReply(checked.problems), head);
  return undefined;
}

/** An exception is a fault of ours: logged whole, shown as nothing. */
function answerFault({ request, response, id, head }: Exchange, error: unknown, { log, metrics }: HttpDependencies) {
  metrics.count('aegis_faults_total', { where: 'http' });
  log.error('request failed', { requestId: id, method: request.method, error });
  if (response.headersSent) response.destroy();
  else refuse(response, refusalReply('internal'), head);
}
