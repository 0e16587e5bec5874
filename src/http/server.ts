import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isIP, type AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { err, ok, type Result } from '../lib/result.ts';
import type { Problem } from '../lib/parsed.ts';
import { apiKey, createKeyRing, DEVELOPMENT_KEY, type ApiKey } from './access/api-key.ts';
import { watchKeyFile, type KeyFileWatch } from './access/key-file.ts';
import { createLockout } from './access/lockout.ts';
import type { RateSetting } from './access/limits.ts';
import { awaitsContinue } from './body/read-body.ts';
import type { HttpDependencies } from './dependencies.ts';
import { answerParserErrors, refuseTunnels } from './parser-errors.ts';
import { createDeadlines } from './deadlines.ts';
import { createPipeline } from './pipeline.ts';
import { refusalReply, sendAndClose } from './reply.ts';
import { createRoutes } from './routes/all.ts';
import { createBatches } from './routes/batch.ts';
import { createEventStreams } from './routes/events.ts';
import { readTls, watchTls, type TlsFiles } from './tls.ts';

/** Who may call. */
export type ServerKeys =
  /** No key is configured: loopback only, and the published `dev_api_key` is accepted. */
  | { readonly kind: 'development' }
  | {
      readonly kind: 'configured';
      readonly keys: readonly ApiKey[];
      /** Read again when it changes; its keys come beside the others. */
      readonly file?: {
        readonly path: string;
        readonly parse: (text: string) => Result<readonly ApiKey[], readonly Problem[]>;
      };
    };

export interface HttpOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly keys: ServerKeys;
  readonly tls?: TlsFiles;
  readonly rate?: Partial<RateSetting>;
  readonly limits?: Partial<ConnectionLimits>;
  /** Proxies in front of this server whose word about the caller's address is taken. Default 0. */
  readonly trustedProxies?: number;
}

export interface HttpServer {
  /** Starts to listen; the error is a sentence for whoever started the program. */
  listen(): Promise<Result<{ readonly address: string; readonly port: number; readonly url: string }, string>>;
  /** Takes no new request, lets those under way finish for at most 10 s, then cuts them. */
  close(): Promise<void>;
}

/** Requests a second; both before a body is read. */
const DEFAULT_RATE: RateSetting = { perKey: 1_000, perAddress: 5_000 };

/** How long a client may take, and how many there may be. */
interface ConnectionLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly connections: number;
}

const DEFAULT_LIMITS: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 5_000,
  connections: 1_000,
};
const DRAIN_MS = 10_000;
const SWEEP_EVERY_MS = 100;
/** Of it, what batches have to come to their end by themselves; those that do not are told where they ended. */
const BATCHES_GO_ON_MS = 7_000;
/** Ordinary requests have their own, shorter limit; see `deadlines.ts`. */
const LONGEST_STREAM_MS = 3_600_000;

/** The REST API on its socket. Nothing runs before `listen`. */
export function createHttpServer(deps: HttpDependencies, options: HttpOptions): HttpServer {
  const fixed = options.keys.kind === 'configured' ? options.keys.keys : [apiKey('development', DEVELOPMENT_KEY)];
  const ring = createKeyRing(fixed);
  const trustedProxies = options.trustedProxies ?? 0;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const deadlines = createDeadlines(limits.requestMs, deps.clock);
  const events = createEventStreams(deps, ring);
  const batches = createBatches(deps);
  const listener = createListener(
    createPipeline({
      routes: createRoutes(deps, { events: events.route, batches }),
      rate: { ...DEFAULT_RATE, ...options.rate },
      ...{ deps, deadlines, ring },
      isTls: options.tls !== undefined,
      lockout: createLockout(),
      isDevelopment: options.keys.kind === 'development',
      clock: deps.clock,
      addressOf: addressReader(trustedProxies),
    }),
    trustedProxies,
  );
  let server: Server | undefined;
  let keyFile: KeyFileWatch | undefined;
  let stopTls: (() => void) | undefined;

  return {
    listen: async () => {
      const { keys, host, port, tls } = options;
      if (keys.kind === 'development' && !isLoopback(host)) {
        return err(`no key is configured, so the server does not listen on ${host}: set API_KEY or API_KEYS_FILE`);
      }
      if (keys.kind === 'configured' && keys.file !== undefined) {
        keyFile = watchKeyFile({ ...keys.file, ring, fixed, clock: deps.clock, log: deps.log });
        await keyFile.loaded;
      }
      try {
        const created =
          tls === undefined ? createPlainServer(nodeLimits(limits), listener) : createTls(listener, tls, limits);
        created.maxConnections = limits.connections;
        prepare(created, deps);
        await bind(created, host, port);
        server = created;
        deadlines.start();
        if (tls !== undefined) stopTls = watchTls(created as ReturnType<typeof createTlsServer>, tls, deps);
      } catch (fault) {
        keyFile?.stop();
        return err(fault instanceof Error ? fault.message : String(fault));
      }
      const bound = server.address() as AddressInfo;
      const url = `${tls === undefined ? 'http' : 'https'}://${isIP(bound.address) === 6 ? `[${bound.address}]` : bound.address}:${bound.port}`;
      if (keys.kind === 'development') {
        deps.log.warn('no key is configured: loopback only, and the published development key is accepted', { url });
      }
      deps.log.info('api is served', { url });
      return ok({ address: bound.address, port: bound.port, url });
    },
    close: async () => {
      keyFile?.stop();
      stopTls?.();
      events.endAll();
      const cancel = deps.clock.after(BATCHES_GO_ON_MS, () => batches.endAll());
      if (server !== undefined) await drain(server, deps);
      cancel();
      deadlines.stop();
    },
  };
}

/**
 * Where proxies are trusted, express hosts the pipeline: it knows what they say of the caller's address. Else nothing
 * stands in front of it: express gives every request and answer another prototype, which makes Node's own code slower.
 */
function createListener(pipeline: RequestListener, trustedProxies: number): RequestListener {
  if (trustedProxies === 0) return pipeline;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', false);
  app.set('trust proxy', trustedProxies);
  app.use(pipeline);
  return app;
}

function nodeLimits(limits: ConnectionLimits) {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: Math.max(LONGEST_STREAM_MS, limits.requestMs),
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: 16 * 1024,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    // Checked by ourselves, with an answer.
    requireHostHeader: false,
  };
}

function createTls(
  listener: RequestListener,
  tls: TlsFiles,
  limits: ConnectionLimits,
): ReturnType<typeof createTlsServer> {
  return createTlsServer({ ...nodeLimits(limits), ...readTls(tls) }, listener);
}

function prepare(server: Server, { log, metrics }: HttpDependencies): void {
  answerParserErrors(server, log);
  refuseTunnels(server);
  // The go-ahead for a body is given only after the checks that come before it.
  server.on('checkContinue', (request, response) => {
    awaitsContinue(request);
    server.emit('request', request, response);
  });
  server.on('checkExpectation', (_request, response) => sendAndClose(response, refusalReply('expectationFailed')));
  server.on('tlsClientError', (error: Error) => log.debug('no TLS connection', { error }));
  let open = 0;
  server.on('connection', (socket) => {
    metrics.gauge('aegis_http_connections', (open += 1));
    socket.once('close', () => metrics.gauge('aegis_http_connections', (open -= 1)));
  });
  server.on('drop', () => log.warn('connection refused: there are too many', { most: server.maxConnections }));
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Waits for what is under way. Node would keep a connection open for the next request: it is closed with the answer
 * that it gets now, or, where that was begun before, as soon as it is idle.
 */
async function drain(server: Server, { clock, log }: HttpDependencies): Promise<void> {
  server.prependListener('request', (_request, response: ServerResponse) => (response.shouldKeepAlive = false));
  let cancelSweep: (() => void) | undefined;
  const sweep = (): void => {
    server.closeIdleConnections();
    cancelSweep = clock.after(SWEEP_EVERY_MS, sweep);
  };
  const cancel = clock.after(DRAIN_MS, () => {
    log.warn('connections are cut: their requests did not end in time');
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    sweep();
  });
  cancelSweep?.();
  cancel();
}

/** The caller's address: of the connection itself unless a proxy is trusted to tell it. */
function addressReader(trustedProxies: number): (request: IncomingMessage) => string {
  return (request) => (trustedProxies === 0 ? request.socket.remoteAddress : (request as Request).ip) ?? 'unknown';
}

/** Whether only this machine can connect to the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
