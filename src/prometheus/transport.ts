import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { ExponentialBackoff, halfJitterGenerator, handleWhenResult, retry } from 'cockatiel';
import type { SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { codeOf } from '../lib/thrown.ts';
import { BodyTooLarge, readBounded, UnknownEncoding } from './bounded-body.ts';
import { createSecretFile, type SecretFile } from './secret-file.ts';
import { settingsOf, type MetricSourceOptions } from './options.ts';
import { describe, sourceError } from './source-error.ts';

/** One call of the API: parameters go into the body of a POST, into the address of a GET. */
interface ApiCall {
  readonly method: 'GET' | 'POST';
  /** After the base address, e.g. `/api/v1/query`. */
  readonly path: string;
  readonly parameters: string;
}

export interface ApiReply {
  readonly status: number;
  readonly text: string;
  /** The server's `Date`, epoch milliseconds; absent: it gave none that can be read. */
  readonly dateMs?: number;
}

/** The only place that opens connections to the metrics server. */
export interface Transport {
  /** A reply of any status, or why there is none. Never rejects. */
  send(call: ApiCall): Promise<Result<ApiReply, SourceError>>;
  close(): Promise<void>;
}

const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Throws for options that contradict each other: a wrong configuration must stop the start. */
export function createTransport(options: MetricSourceOptions): Transport {
  const base = checkedBase(options);
  const { timeoutMs, limits, retry: retrying } = settingsOf(options);
  const credentials = createCredentials(options);
  const agents = createAgents(base, options.caFile);
  const policy = retry(handleWhenResult(mayRecover), {
    maxAttempts: retrying.attempts,
    backoff: new ExponentialBackoff({
      initialDelay: retrying.initialDelayMs,
      maxDelay: 2000,
      generator: halfJitterGenerator,
    }),
  });

  const once = async (call: ApiCall, signal: AbortSignal): Promise<Result<ApiReply, SourceError>> => {
    try {
      const [agent, authorization] = await Promise.all([agents.current(), credentials.header()]);
      const headers = { ...headersOf(options, call), ...authorization };
      const reply = await open(addressOf(base, call), { method: call.method, agent, signal, headers }, call.parameters);
      const body = await readBounded(reply, headerText(reply.headers['content-encoding']), limits.maxBytes);
      if (reply.statusCode === 401) credentials.forget();
      const dateMs = Date.parse(reply.headers.date ?? '');
      return ok({
        ...{ status: reply.statusCode ?? 0, text: body.toString('utf8') },
        ...(Number.isFinite(dateMs) && { dateMs }),
      });
    } catch (fault) {
      return err(faultOf(fault, signal));
    }
  };

  return {
    send(call) {
      const signal = AbortSignal.timeout(timeoutMs);
      return policy.execute(() => once(call, signal), signal);
    },
    close() {
      agents.close();
      return Promise.resolve();
    },
  };
}

function mayRecover(result: unknown): boolean {
  const { ok: replied, value, error } = result as { ok: boolean; value?: ApiReply; error?: SourceError };
  return replied ? value !== undefined && RETRYABLE_STATUS.has(value.status) : error?.kind === 'Unreachable';
}

function checkedBase(options: MetricSourceOptions): URL {
  const url = new URL(options.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('the metrics address is not http(s)');
  if (url.username !== '' || url.password !== '') throw new Error('credentials do not belong into the metrics address');
  if (options.bearerTokenFile !== undefined && options.basicAuth !== undefined) {
    throw new Error('a bearer token and basic authentication exclude each other');
  }
  return url;
}

function addressOf(base: URL, call: ApiCall): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}${call.path}`;
  url.hash = '';
  if (call.method === 'GET' && call.parameters !== '') {
    url.search = url.search === '' ? call.parameters : `${url.search}&${call.parameters}`;
  }
  return url;
}

function headersOf(options: MetricSourceOptions, call: ApiCall): Record<string, string> {
  return {
    accept: 'application/json',
    'accept-encoding': 'gzip',
    'user-agent': 'aegis',
    ...(call.method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    ...(options.tenant === undefined ? {} : { 'x-scope-orgid': options.tenant }),
    ...options.headers,
  };
}

interface Credentials {
  header(): Promise<Record<string, string>>;
  forget(): void;
}

function createCredentials({ bearerTokenFile, basicAuth }: MetricSourceOptions): Credentials {
  const path = bearerTokenFile ?? basicAuth?.passwordFile;
  if (path === undefined) return { header: () => Promise.resolve({}), forget: () => undefined };
  const file: SecretFile = createSecretFile(path);
  return {
    async header() {
      const secret = await file.read();
      if (basicAuth === undefined) return { authorization: `Bearer ${secret}` };
      const pair = Buffer.from(`${basicAuth.username}:${secret}`, 'utf8').toString('base64');
      return { authorization: `Basic ${pair}` };
    },
    forget: () => file.forget(),
  };
}

/** Sends the request; resolves with the head of the reply. The deadline goes on for its body. */
function open(url: URL, options: http.RequestOptions, parameters: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'https:' ? https : http).request(url, options, resolve);
    call.on('error', reject);
    call.end(options.method === 'POST' ? parameters : undefined);
  });
}

/** One pool of connections; replaced when the CA file changes, so that a rotated CA needs no restart. */
function createAgents(base: URL, caFile: string | undefined): { current(): Promise<http.Agent>; close(): void } {
  const file = caFile === undefined ? undefined : createSecretFile(caFile);
  const settings = { keepAlive: true, maxSockets: 8, maxFreeSockets: 8, timeout: 60_000 };
  let agent: http.Agent | undefined;
  let trusted: string | undefined;
  return {
    async current() {
      const ca = await file?.read();
      if (agent !== undefined && ca === trusted) return agent;
      const old = agent;
      trusted = ca;
      const isPlain = base.protocol === 'http:';
      agent = isPlain
        ? new http.Agent(settings)
        : new https.Agent({ ...settings, ...(ca === undefined ? {} : { ca }) });
      old?.destroy();
      return agent;
    },
    close() {
      agent?.destroy();
      agent = undefined;
    },
  };
}

const headerText = (header: string | undefined): string => (header ?? '').trim().toLowerCase();

function faultOf(fault: unknown, signal: AbortSignal): SourceError {
  if (fault instanceof BodyTooLarge) return sourceError('QueryTooLarge', fault.message);
  if (fault instanceof UnknownEncoding) return sourceError('BadReply', fault.message);
  if (signal.aborted) return sourceError('Timeout', 'no complete reply before the deadline');
  const isGarbled = /^(Z_|HPE_)/.test(codeOf(fault));
  return sourceError(isGarbled ? 'BadReply' : 'Unreachable', describe(fault));
}
