import { ExponentialBackoff, halfJitterGenerator, handleWhenResult, retry } from 'cockatiel';
import { Agent, errors, request, type Dispatcher } from 'undici';
import type { SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { codeOf } from '../lib/thrown.ts';
import { BodyTooLarge, readBounded, UnknownEncoding } from './bounded-body.ts';
import { createSecretFile, type SecretFile } from './secret-file.ts';
import { settingsOf, type MetricSourceOptions } from './options.ts';
import { describe, sourceError } from './source-error.ts';

/** One call of the API: parameters go into the body of a POST, into the address of a GET. */
export interface ApiCall {
  readonly method: 'GET' | 'POST';
  /** After the base address, e.g. `/api/v1/query`. */
  readonly path: string;
  readonly parameters: string;
}

export interface ApiReply {
  readonly status: number;
  readonly text: string;
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
  const agents = createAgents(options.caFile);
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
      const [dispatcher, authorization] = await Promise.all([agents.current(), credentials.header()]);
      const reply = await request(addressOf(base, call), {
        method: call.method,
        dispatcher,
        signal,
        headers: { ...headersOf(options, call), ...authorization },
        body: call.method === 'POST' ? call.parameters : null,
      });
      const body = await readBounded(reply.body, headerText(reply.headers['content-encoding']), limits.maxBytes);
      if (reply.statusCode === 401) credentials.forget();
      return ok({ status: reply.statusCode, text: body.toString('utf8') });
    } catch (fault) {
      return err(faultOf(fault, signal));
    }
  };

  return {
    send(call) {
      const signal = AbortSignal.timeout(timeoutMs);
      return policy.execute(() => once(call, signal), signal);
    },
    close: () => agents.close(),
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

/** One pool of connections; replaced when the CA file changes, so that a rotated CA needs no restart. */
function createAgents(caFile: string | undefined): { current(): Promise<Dispatcher>; close(): Promise<void> } {
  const file = caFile === undefined ? undefined : createSecretFile(caFile);
  let agent: Agent | undefined;
  let trusted: string | undefined;
  return {
    async current() {
      const ca = await file?.read();
      if (agent !== undefined && ca === trusted) return agent;
      const old = agent;
      trusted = ca;
      agent = new Agent({
        connections: 8,
        pipelining: 1,
        keepAliveTimeout: 30_000,
        connect: { timeout: 5000, ...(ca === undefined ? {} : { ca }) },
      });
      // What is under way on the old connections may end in peace.
      void old?.close();
      return agent;
    },
    async close() {
      await agent?.destroy();
      agent = undefined;
    },
  };
}

function headerText(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).trim().toLowerCase();
}

function faultOf(fault: unknown, signal: AbortSignal): SourceError {
  if (fault instanceof BodyTooLarge) return sourceError('QueryTooLarge', fault.message);
  if (fault instanceof UnknownEncoding) return sourceError('BadReply', fault.message);
  const slow =
    signal.aborted ||
    fault instanceof errors.HeadersTimeoutError ||
    fault instanceof errors.BodyTimeoutError ||
    fault instanceof errors.ConnectTimeoutError;
  if (slow) return sourceError('Timeout', 'no complete reply before the deadline');
  if (fault instanceof errors.HTTPParserError || codeOf(fault).startsWith('Z_'))
    return sourceError('BadReply', describe(fault));
  return sourceError('Unreachable', describe(fault));
}
