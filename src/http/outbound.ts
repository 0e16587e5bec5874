import { lookup } from 'node:dns/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { OutboundFault, OutboundPost, OutboundReply, OutboundRequest } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';
import type { AllowedOrigin } from './allowed-origin.ts';
import { checkTarget, refuseAddress, type OutboundRules } from './outbound-guard.ts';

/** The administrator's rules, and the bounds of an exchange. */
export interface OutboundOptions extends OutboundRules {
  /** Ceiling and default of an exchange's deadline; default 10 s. */
  readonly timeoutMs?: number;
  /** Most bytes that are read of a reply; default 1 MiB. */
  readonly maxBytes?: number;
  /** Addresses of a name; default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
}

/** The only client for addresses that come from configuration or from a resource. */
export interface Outbound {
  readonly post: OutboundPost;
  close(): Promise<void>;
}

/** An address behind an allowed name that the name may not lead to. */
class AddressForbidden extends Error {}

const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Checks the address against the list, and what it resolves to at the moment of connecting: the connection goes to the
 * very address that was checked, so a name that answers differently a second later gains nothing.
 */
export function createOutbound(options: OutboundOptions): Outbound {
  const agents = new Map<AllowedOrigin, http.Agent>();
  const timeoutMs = options.timeoutMs ?? 10_000;
  const maxBytes = options.maxBytes ?? 1 << 20;

  const agentFor = (entry: AllowedOrigin): http.Agent => {
    const agent = agents.get(entry) ?? createAgent(entry, options);
    agents.set(entry, agent);
    return agent;
  };

  const post: OutboundPost = async (call) => {
    const target = checkTarget(call.url, options);
    if (!target.ok) return forbidden(target.error);
    const { url, entry } = target.value;
    const signal = AbortSignal.timeout(Math.min(call.timeoutMs ?? timeoutMs, timeoutMs));
    try {
      return await exchange(call, url, { agent: agentFor(entry), signal, maxBytes });
    } catch (fault) {
      return err(faultOf(fault, signal));
    }
  };

  return {
    post,
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
      return Promise.resolve();
    },
  };
}

const forbidden = (message: string): Result<never, OutboundFault> => err({ kind: 'Forbidden', message });

function createAgent(entry: AllowedOrigin, options: OutboundOptions): http.Agent {
  const settings = { keepAlive: true, maxSockets: 4, timeout: 60_000, lookup: guardedLookup(entry, options) };
  if (entry.origin.startsWith('http:')) return new http.Agent(settings);
  return new https.Agent({ ...settings, ...(options.ca === undefined ? {} : { ca: options.ca }) });
}

/** Resolves once, checks every answer, and hands out only what was checked. */
function guardedLookup(entry: AllowedOrigin, options: OutboundOptions): LookupFunction {
  const resolve = options.resolve ?? resolveBySystem;
  const checked = async (host: string): Promise<readonly { address: string; family: number }[]> => {
    const addresses = await resolve(host);
    for (const address of addresses) {
      const refusal = refuseAddress(address, entry, options);
      if (refusal !== undefined) throw new AddressForbidden(refusal);
    }
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };
  return (host, { all }, callback) => {
    checked(host).then(
      (found) => {
        const [first] = found;
        if (first === undefined) callback(new Error(`${host} has no address`), '', 0);
        else if (all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (fault: unknown) => callback(fault as NodeJS.ErrnoException, '', 0),
    );
  };
}

async function resolveBySystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

interface Exchange {
  readonly agent: http.Agent;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

async function exchange(
  call: OutboundRequest,
  url: URL,
  { agent, signal, maxBytes }: Exchange,
): Promise<Result<OutboundReply, OutboundFault>> {
  const headers = { 'user-agent': 'aegis', 'accept-encoding': 'identity', ...call.headers };
  const reply = await open(url, { method: 'POST', headers, agent, signal }, call.body);
  const status = reply.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    reply.destroy();
    return forbidden(`redirect (${status}) refused`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return err({ kind: 'Broken', message: `the reply is larger than ${maxBytes} bytes` });
    chunks.push(chunk);
  }
  const retryAfterMs = parseRetryAfter(reply.headers['retry-after'], Date.now());
  const body = Buffer.concat(chunks, size).toString('utf8');
  return ok({ status, body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** Sends the request; resolves with the head of the reply. The deadline goes on for its body. */
function open(url: URL, options: http.RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'https:' ? https : http).request(url, options, resolve);
    call.on('error', reject);
    call.end(body);
  });
}

/** Seconds or an HTTP date, in milliseconds from now, at most 5 min; anything else is not understood. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return /^(\d{1,9}$|[A-Z][a-z]{2}, )/.test(text) && Number.isFinite(ms)
    ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms))
    : undefined;
}

/** No connection came about, so the receiver cannot have acted. */
const UNSENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function faultOf(fault: unknown, signal: AbortSignal): OutboundFault {
  if (fault instanceof AddressForbidden) return { kind: 'Forbidden', message: fault.message };
  if (signal.aborted) return { kind: 'Timeout', message: 'no complete reply before the deadline' };
  const code = codeOf(fault);
  if (code.startsWith('ERR_INVALID')) return { kind: 'Forbidden', message: `the request is malformed: ${code}` };
  const isUnsent = UNSENT.has(code) || /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code);
  return { kind: isUnsent ? 'Unsent' : 'Broken', message: `${code} ${messageOf(fault)}`.trim() };
}
